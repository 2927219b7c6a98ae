/**
 * Options: how a cache is fenced and read. Everything is checked before anything changes.
 */

import { CANCEL_NAMES, type CancelOptions, checkCancel } from '../base/cancel.js';
import { check, InvalidArgumentError } from '../base/errors.js';
import { checkNames, type Names, names } from '../base/options.js';
import { assimilate } from '../base/thenable.js';
import type { Ignore } from '../base/vocabulary.js';

import { BEGIN_NAMES } from '../tracker/internal.js';

import { KEYED_FENCE_NAMES, type KeyedBeginOptions, type KeyedFenceOptions } from './fence-types.js';
import { KeyedFence } from './keyed-fence.js';
import type { KeyScope } from './scope.js';

/** What a load gets besides its key. */
// biome-ignore lint/suspicious/noExplicitAny: whoever names the type without the keys' type means "whatever the keys are"
export interface KeyedLoadContext<K = any> {
  /** 1 for the first attempt; more after a change has overtaken one. */
  readonly attempt: number;
  /**
   * Fires when nobody wants the value any more: a change has overtaken the load (reason: `CollisionError`), the last caller has
   * left, or the cache was closed. Created on first use: a load that does not ask pays nothing.
   */
  readonly signal: AbortSignal;
  /**
   * Says "I read this, too": a change of these keys makes the load run again, and later drops the entry that was made of it, as a
   * change of its own key does; whatever is derived from that entry in turn, too. From the begin of the attempt on, so it may be
   * called while reading. A condition counts as all keys. After the attempt it does nothing.
   */
  observe(key: K | KeyScope<K>): void;
}

/**
 * Reads the value of a key from where it comes from. It is shared with everybody who asks for the key meanwhile, so it must not
 * depend on one caller's own signal; and it runs again, for whoever still waits, if a change overtakes it.
 */
export type KeyedLoad<K, T> = (key: K, context: KeyedLoadContext<K>) => T | PromiseLike<T>;

/** How one call of {@link FencedCache.getOrLoad} was answered. Filled while it is, and not touched afterwards. */
export interface ReadStatus {
  /** The value was in the cache, or on its way into it. */
  hit?: boolean | undefined;
  /** The call has joined a read that was in flight. */
  joined?: boolean | undefined;
  /** A change of the key was going on, or came, and the call had to wait for it. */
  waited?: boolean | undefined;
  /** Attempts that a change has overtaken since the call was made. */
  retried?: number | undefined;
  /** The value is the last one, and may be old: see `allowStale`. */
  stale?: boolean | undefined;
}

/** How one value is read, and stored if it has to be loaded. */
export interface GetOrLoadOptions<T, SetOptions = unknown> extends CancelOptions {
  /**
   * What the cache's own `set` takes besides key and value (a time to live, options), or a function that says it of the loaded
   * value. Default: nothing, so that the cache's own default holds. Of several callers who share a load, the first's counts.
   */
  setOptions?: SetOptions | ((value: T) => SetOptions) | undefined;
  /**
   * True: rather than wait for a change or a load, resolve with the last value that a call with `allowStale` has got for the key,
   * marked by `status.stale`; the load goes on, and the next call gets what it brings. The last value is never stored again. Needs
   * `status`. Kept are those of the 1,024 keys that were read last in this way. Default false.
   */
  allowStale?: boolean | undefined;
  /** An object that is filled with how this call was answered; what it held is overwritten. */
  status?: ReadStatus | undefined;
}

/** How a value is stored by hand. */
export interface FencedSetOptions<K, SetOptions = unknown> extends KeyedBeginOptions<K> {
  /** What the cache's own `set` takes besides key and value. */
  setOptions?: SetOptions | undefined;
}

/** How a cache is fenced. */
export interface FenceOptions<K> extends KeyedFenceOptions<K> {
  /**
   * The fence, where several caches (or a cache and an index) share one, so that one change reaches them all. Default: a new
   * one, made with `identify`, `historyCapacity` and `observer`, which must not be given otherwise.
   */
  keyed?: KeyedFence<K> | undefined;
  /**
   * True for what the cache's `get` returns when it has nothing; a loaded value of which it is true is handed out and not
   * stored. Default: `undefined` (of a synchronous cache with `has`: if that says no), and `null` from `getItem` and from a client of Redis.
   */
  isMiss?: ((value: unknown) => boolean) | undefined;
  /** Told when the cache has failed to store a loaded value. The callers have the value all the same. */
  onSetError?: ((error: unknown, key: K) => void) | undefined;
  /** Collisions after which a read holds its key: a whole number of at least 1, or `Infinity`. Default 2. As for `lookup`. */
  maxAttempts?: number | undefined;
  /** The longest time, in milliseconds, for which such a hold may delay changes; then `RetryLimitError`. Default 1000. */
  holdMs?: number | undefined;
  /** True for changes that do not concern the content: they neither drop an entry nor delay a read. Must be pure. */
  ignore?: Ignore | undefined;
}

/** The names of {@link FenceOptions}. */
export const FENCE_NAMES: string = `${KEYED_FENCE_NAMES} keyed isMiss onSetError maxAttempts holdMs ignore`;
const FENCE_OPTIONS: Names = /* @__PURE__ */ names(FENCE_NAMES);
const LOAD_OPTIONS: Names = /* @__PURE__ */ names('setOptions allowStale status', CANCEL_NAMES);
const SET_OPTIONS: Names = /* @__PURE__ */ names(BEGIN_NAMES, 'setOptions');

/** Checks how a value is read, and clears the status. Throws `InvalidArgumentError`, or the reason of a signal that has fired. */
export function checkLoad(
  options: Pick<GetOrLoadOptions<never>, 'signal' | 'timeoutMs' | 'allowStale' | 'status'> | undefined,
): void {
  if (options === undefined) return;
  checkNames(options, LOAD_OPTIONS, 'getOrLoad');
  checkCancel(options);
  const { allowStale, status } = options;
  check(allowStale === undefined || typeof allowStale === 'boolean', 'allowStale', allowStale, 'true or false');
  check(status === undefined || (typeof status === 'object' && status !== null), 'status', status, 'an object');
  check(allowStale !== true || status !== undefined, 'status', status, 'an object beside `allowStale`, in which it is marked');
  if (status !== undefined) Object.assign(status, { hit: false, joined: false, waited: false, retried: 0, stale: false });
}

/** Throws `InvalidArgumentError`. The tracker checks the values. */
export function checkSet(options: object): void {
  checkNames(options, SET_OPTIONS, 'set');
}

/** Options with their defaults, checked. */
export interface FenceSettings<K> {
  readonly keyed: KeyedFence<K>;
  readonly ownsKeyed: boolean;
  readonly isMiss: ((value: unknown) => boolean) | undefined;
  readonly onSetError: ((error: unknown, key: K) => void) | undefined;
  readonly maxAttempts: number | undefined;
  readonly holdMs: number | undefined;
  readonly ignore: Ignore | undefined;
  readonly label: string | undefined;
}

/** Throws `InvalidArgumentError`. */
export function fenceSettings<K>(options: FenceOptions<K>): FenceSettings<K> {
  check(typeof options === 'object' && options !== null, 'options', options, 'an object');
  checkNames(options, FENCE_OPTIONS, 'fence');
  const { keyed, isMiss, onSetError, maxAttempts, holdMs, ignore, label } = options;
  check(keyed === undefined || keyed instanceof KeyedFence, 'keyed', keyed, 'a KeyedFence');
  for (const name of ['identify', 'historyCapacity', 'observer', 'clock'] as const) {
    const fits = keyed === undefined || options[name] === undefined;
    check(fits, name, options[name], 'nothing beside `keyed`, which has its own');
  }
  check(isMiss === undefined || typeof isMiss === 'function', 'isMiss', isMiss, 'a function');
  check(onSetError === undefined || typeof onSetError === 'function', 'onSetError', onSetError, 'a function');
  const isCount = maxAttempts === undefined || maxAttempts === Number.POSITIVE_INFINITY;
  const attempts = 'a whole number of at least 1, or Infinity';
  check(isCount || (Number.isSafeInteger(maxAttempts) && maxAttempts >= 1), 'maxAttempts', maxAttempts, attempts);
  const isTime = holdMs === undefined || (holdMs > 0 && holdMs < Number.POSITIVE_INFINITY);
  check(isTime, 'holdMs', holdMs, 'a positive number of milliseconds');
  check(ignore === undefined || typeof ignore === 'function', 'ignore', ignore, 'a function');
  check(label === undefined || typeof label === 'string', 'label', label, 'a string');
  const { identify, historyCapacity, observer, clock } = options;
  const own = keyed ?? new KeyedFence<K>({ identify, historyCapacity, observer, clock, label });
  return { keyed: own, ownsKeyed: keyed === undefined, isMiss, onSetError, maxAttempts, holdMs, ignore, label };
}

/** Options that a function has said of a value. The value is stored in this turn, so they cannot take their time. */
export function atOnce(options: unknown): unknown {
  const late = assimilate(options);
  if (late === undefined) return options;
  late.catch(() => {});
  throw new InvalidArgumentError('setOptions returned a promise; expected the options, at once');
}
