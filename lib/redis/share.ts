/**
 * Share: the ways in.
 */
import { check } from '../base/errors.js';
import { checkNames, type Names, names } from '../base/options.js';
import { toRanges, toSpans } from '../base/range.js';
import type { Ranges } from '../base/vocabulary.js';
import {
  type CacheKey,
  type CacheSetOptions,
  type CacheValue,
  type FenceableCache,
  type FencedCache,
  type FenceOptions,
  fence,
  type KeyScope,
} from '../keyed/index.js';
import { FENCE_NAMES } from '../keyed/internal.js';
import { RangeTracker } from '../tracker/index.js';
import { LOG_LENGTH, placeOf } from './contact.js';
import { KeySide, type KeyText } from './keys.js';
import { type Link, type NotifyOptions, OpenLink, told } from './link.js';
import { checkShare, checkSpace, portOf, SHARE_NAMES, type ShareOptions } from './options.js';
import { RangeSide } from './ranges.js';
import { NOTIFY } from './scripts.js';
import { packRanges, type WireData } from './wire.js';

const RANGE_OPTIONS: Names = /* @__PURE__ */ names(SHARE_NAMES);
const KEY_OPTIONS: Names = /* @__PURE__ */ names(SHARE_NAMES, FENCE_NAMES, 'serialize parse');

/** How a cache is fenced, and the fence shared. */
export interface ShareKeysOptions<K> extends ShareOptions, FenceOptions<K>, KeyText<K> {}

/** A fenced cache that is shared with other processes. */
export interface SharedCache<K, V, SetOptions = unknown> extends FencedCache<K, V, SetOptions> {
  /** Its link: the state, grants, notifications. Closed with the cache, where the fence was made for it. */
  readonly link: Link<K | KeyScope<K>>;
}

/**
 * Shares a tracker with all processes that share the same space: sections that begin in one are entered in all, and a begin resolves when
 * all have let go. Resolves when this process takes part. Until then, lookups wait.
 *
 * Rejects: `InvalidArgumentError`; `TimeoutError` and the signal's reason, after which nothing is shared.
 */
export async function shareRanges(tracker: RangeTracker, options: ShareOptions): Promise<Link<Ranges>> {
  checkNames(options, RANGE_OPTIONS, 'shareRanges');
  checkShare(options);
  check(tracker instanceof RangeTracker, 'tracker', tracker, 'a RangeTracker');
  return await come(new OpenLink<Ranges>(new RangeSide(tracker), options, rangeData), options);
}

/**
 * Fences a cache, as `fence` does, and shares the fence with all processes that share the same space: a `mutate` in one drops the entries
 * in all, before the change begins. Keys have to be texts, or be given `serialize` and `parse`. Resolves when this process takes part.
 *
 * Rejects as {@link shareRanges}.
 */
export function shareKeys<C extends FenceableCache>(
  cache: C,
  options: ShareKeysOptions<CacheKey<C>>,
): Promise<SharedCache<CacheKey<C>, CacheValue<C>, CacheSetOptions<C>>>;
/** The same for a cache whose `set` takes anything: `shareKeys<string, User>(cache, …)`. */
export function shareKeys<K, V, SetOptions = unknown>(
  cache: FenceableCache,
  options: ShareKeysOptions<K>,
): Promise<SharedCache<K, V, SetOptions>>;
export async function shareKeys(cache: FenceableCache, given: unknown): Promise<unknown> {
  const options = given as ShareKeysOptions<unknown>;
  checkNames(options, KEY_OPTIONS, 'shareKeys');
  checkShare(options);
  for (const name of ['serialize', 'parse'] as const) {
    check(options[name] === undefined || typeof options[name] === 'function', name, options[name], 'a function');
  }
  portOf(options.redis); // before the cache has a fence
  const fenced = fence<unknown, unknown>(cache, fenceOptions(options));
  const side = new KeySide(fenced.keyed, options);
  const { all } = fenced.keyed;
  const describe = (what: unknown) => side.describe(isScope(what, all) ? what : { keys: [what], prefix: undefined });
  const link = await come(new OpenLink<unknown>(side, options, describe), options);
  return Object.defineProperty(fenced, 'link', { value: link, enumerable: false });
}

/** What of them is said of the fence. */
function fenceOptions(options: ShareKeysOptions<unknown>): FenceOptions<unknown> {
  const own = FENCE_NAMES.split(' ').filter((name) => options[name as keyof typeof options] !== undefined);
  return Object.fromEntries(own.map((name) => [name, options[name as keyof typeof options]]));
}

function isScope(what: unknown, like: KeyScope<unknown>): what is KeyScope<unknown> {
  return typeof what === 'object' && what !== null && what.constructor === like.constructor;
}

async function come<What>(link: OpenLink<What>, { signal, timeoutMs }: ShareOptions): Promise<Link<What>> {
  try {
    await link.live({ signal, timeoutMs });
    return link;
  } catch (error) {
    await link.close();
    throw error;
  }
}

/** Tells a space of changes, from a place that keeps nothing: a job, a trigger's listener, a script. */
export interface Announcer {
  /** As {@link Link.notify}, for a space of ranges. */
  notify(ranges: Ranges, options?: NotifyOptions): Promise<void>;
  /** For a space of keys: these, all that begin with a prefix, or all there are. */
  notifyKeys(keys: readonly string[] | { readonly prefix: string } | 'all', options?: NotifyOptions): Promise<void>;
}

/** Tells a space of changes without taking part. Opens nothing, and needs no end. Throws `InvalidArgumentError`. */
export function announceOnly(redis: object, space: string): Announcer {
  checkSpace(space);
  const port = portOf(redis);
  const { channel, keys } = placeOf(space);
  const tell = async (data: WireData): Promise<void> => {
    await port.run(NOTIFY, keys, [channel, port.publish, String(LOG_LENGTH), JSON.stringify(data)]);
  };
  return {
    notify: async (ranges, options = {}) => {
      await tell({ ...told(options, 'notify'), ...rangeData(ranges) });
    },
    notifyKeys: async (what, options = {}) => {
      await tell({ ...told(options, 'notifyKeys'), ...keyData(what) });
    },
  };
}

function rangeData(ranges: Ranges): WireData {
  return { r: packRanges(toRanges(toSpans(ranges))) };
}

function keyData(what: readonly string[] | { readonly prefix: string } | 'all'): WireData {
  if (what === 'all') return { all: 1 };
  if (Array.isArray(what) && what.every((key) => typeof key === 'string')) return { k: what };
  const { prefix } = what as { readonly prefix: string };
  check(typeof prefix === 'string', 'keys', what, "a list of texts, { prefix }, or 'all'");
  return { p: prefix };
}
