/**
 * KeyedFence: a tracker whose places are keys.
 *
 * The contract is the tracker's (docs/contract.md), with "the same key" for "overlaps":
 *
 * - Between a resolved begin and its `end()`, no lookup of one of its keys commits, and no subscriber uses its old state.
 * - A lookup commits only if no invalidation of what it read was active at any moment since its token was taken.
 * - It waits only for invalidations of its own keys, and retries only if one hit them. Keys are told apart exactly, as a Map
 *   does (or as `identify` says): nothing is hashed.
 * - The table of keys holds what is in flight, and nothing when nothing is: it does not grow with the keys ever seen.
 *
 * Not promised, as with the tracker: exclusion between invalidations, anything about readers that go around it.
 */
import type { CancelOptions } from '../base/cancel.js';
import { type Clock, systemClock } from '../base/clock.js';
import { check, describe, InvalidArgumentError } from '../base/errors.js';
import { checkNames, type Names, names } from '../base/options.js';
import { printed } from '../base/print.js';
import { overlap, toSpans } from '../base/range.js';
import { assimilate } from '../base/thenable.js';
import type { Seq } from '../base/vocabulary.js';
import {
  type BeginOptions,
  type CommitOptions,
  type FilterOptions,
  type Invalidation,
  type LookupOptions,
  type PlainLookupOptions,
  RangeTracker,
  type TrackerStats,
  type WaitOptions,
} from '../tracker/index.js';
import { DEFAULT_HISTORY_CAPACITY, FILTER_NAMES, spaceOf, UNKNOWN, WAIT_NAMES } from '../tracker/internal.js';

import { DERIVED_A_SECTION } from './derived.js';
import {
  KEYED_FENCE_NAMES,
  type KeyedBeginOptions,
  type KeyedFenceOptions,
  type KeyedFetch,
  type KeyedSubscribeOptions,
  type KeyedSubscriber,
  type KeyedSubscription,
} from './fence-types.js';
import { keysText } from './keys.js';
import { ObservingAttempt } from './observing.js';
import { EVERYTHING } from './points.js';
import { KeyScope } from './scope.js';
import { type KeyedInvalidation, KeyedSection } from './section.js';
import { type FencedCacheSnapshot, inKeys, type KeyedSnapshot } from './snapshot.js';
import { type Changes, KeyTable, type Reads } from './table.js';
import { around, told } from './told.js';

/** @internal What fenced caches need of a fence, and the public must not see. */
export interface FenceInside<K> {
  /** As `mutate` of one key; the subscribers of `writer` find it in the change (`Change.writer`). */
  mutateAs<T>(writer: object, key: K, change: KeyedMutation<K, T>, options: KeyedBeginOptions<K>): Promise<T>;
  /** The entry of this key was made from these; `sticky` if its cache may ignore sections. */
  derive(key: K, origins: readonly (K | KeyScope<K>)[], sticky: boolean): void;
  /** Adds a cache to what `inspect` shows; returns how to take it out again. */
  show(inspect: () => FencedCacheSnapshot): () => void;
}

/** @internal What `mutate` runs. */
export type KeyedMutation<K, T> = (invalidation: KeyedInvalidation<K>) => T | PromiseLike<T>;

/** @internal See {@link FenceInside}. */
export let insideOf: <K>(fence: KeyedFence<K>) => FenceInside<K>;

const FENCE_OPTIONS: Names = /* @__PURE__ */ names(KEYED_FENCE_NAMES);
const WAIT_OPTIONS: Names = /* @__PURE__ */ names(WAIT_NAMES);
const FILTER_OPTIONS: Names = /* @__PURE__ */ names(FILTER_NAMES);

/** A tracker whose places are keys: changes of keys, and lookups that commit only what no change of their keys has touched. */
export class KeyedFence<K> {
  static {
    insideOf = <K>(fence: KeyedFence<K>): FenceInside<K> => ({
      mutateAs: (writer, key, change, options) => fence.#mutate(key, change, options, writer),
      derive: (key, origins, sticky) => fence.#derive(key, origins, sticky),
      show: (inspect) => {
        fence.#caches.add(inspect);
        return () => fence.#caches.delete(inspect);
      },
    });
  }

  /** The tracker behind it, for observers, `inspect()`, `rangefence/debug` and `rangefence/trace`. Its ranges mean keys. */
  readonly tracker: RangeTracker;
  /** Where its time comes from. */
  readonly clock: Clock;
  readonly #table: KeyTable<K>;
  readonly #all: KeyScope<K> = KeyScope.all();
  readonly #mostDerived: number;
  /** Of the caches that share it. */
  readonly #caches: Set<() => FencedCacheSnapshot> = new Set();

  /** Nothing is registered anywhere. Throws `InvalidArgumentError`. */
  constructor(options: KeyedFenceOptions<K> = {}) {
    checkNames(options, FENCE_OPTIONS, 'new KeyedFence');
    const { identify, historyCapacity = DEFAULT_HISTORY_CAPACITY, label, observer, clock = systemClock } = options;
    check(identify === undefined || typeof identify === 'function', 'identify', identify, 'a function of a key');
    const tracker = new RangeTracker({ historyCapacity, label, observer, clock });
    this.tracker = tracker;
    this.clock = clock;
    this.#mostDerived = DERIVED_A_SECTION * historyCapacity;
    this.#table = new KeyTable(() => tracker.seq, identify === undefined ? itself : identifiedBy(identify), historyCapacity);
    spaceOf(tracker).describe = (ranges) => keysText(this.#table.keysIn(ranges));
  }

  /** Keys in the table: those with a lookup or a section in flight. 0 when nothing is. */
  get size(): number {
    return this.#table.size;
  }

  /** Live counters of the tracker. */
  get stats(): Readonly<TrackerStats> {
    return this.tracker.stats;
  }

  /** True from the call of {@link KeyedFence.close} on. */
  get closed(): boolean {
    return this.tracker.closed;
  }

  // --- several keys

  /** Every key there is, those included that nobody has named yet. Goes wherever a key goes. */
  get all(): KeyScope<K> {
    return this.#all;
  }

  /** These keys as one; none at all is a list, too: nothing is changed, or read. Goes wherever a key goes. */
  keys(keys: Iterable<K>): KeyScope<K> {
    return KeyScope.of(keys);
  }

  /** Every key that begins with `prefix`, as `where` would say it; those who share the fence from elsewhere hear of it as it is. */
  prefix(prefix: string): KeyScope<K> {
    return KeyScope.prefix(prefix);
  }

  /**
   * Every key of which `condition` is true, those included that nobody has named yet. For invalidations; a lookup reads it as
   * all keys. The condition must be pure; one that throws counts as true. A begin asks it for each key in flight.
   */
  where(condition: (key: K) => boolean): KeyScope<K> {
    return KeyScope.where(condition);
  }

  /** What the fence knows this key by. */
  identify(key: K): unknown {
    return this.#table.identify(key);
  }

  // --- the invalidating side

  /**
   * Opens a section: begins an invalidation, and resolves with it when every subscriber has confirmed; only then change the content, and call
   * `end()` when it is stable again, whatever happens. Prefer {@link KeyedFence.mutate}. As {@link RangeTracker.begin},
   * errors and costs included; O(1) more for each key, O(keys in flight) for a condition.
   */
  async begin(key: K | KeyScope<K>, options?: KeyedBeginOptions<K>): Promise<KeyedInvalidation<K>> {
    const changes = this.#table.change(key);
    try {
      return this.#begun(await this.tracker.begin(changes.ranges, inRanges(options)), changes);
    } catch (error) {
      changes.release();
      throw error;
    }
  }

  /** The same without waiting: `undefined` if a subscriber cannot comply at once, or a lookup holds one of the keys. */
  tryBegin(key: K | KeyScope<K>, options?: KeyedBeginOptions<K>): KeyedInvalidation<K> | undefined {
    const changes = this.#table.change(key);
    try {
      const section = this.tracker.tryBegin(changes.ranges, inRanges(options));
      if (section !== undefined) return this.#begun(section, changes);
    } catch (error) {
      changes.release();
      throw error;
    }
    changes.release();
    return undefined;
  }

  /**
   * Begins, runs `change`, ends whatever happens, and resolves with what `change` returned. An error of `change` is passed on
   * unwrapped. Reading one of its own keys inside `change`, through the fence, waits for itself.
   */
  async mutate<T>(
    key: K | KeyScope<K>,
    change: (invalidation: KeyedInvalidation<K>) => T | PromiseLike<T>,
    options?: KeyedBeginOptions<K>,
  ): Promise<T> {
    return await this.#mutate(key, change, options);
  }

  async #mutate<T>(
    key: K | KeyScope<K>,
    change: KeyedMutation<K, T>,
    options: KeyedBeginOptions<K> | undefined,
    writer?: object,
  ): Promise<T> {
    check(typeof change === 'function', 'change', change, 'a function');
    const changes = this.#table.change(key, writer);
    try {
      return await this.tracker.mutate(changes.ranges, (section) => change(this.#begun(section, changes)), inRanges(options));
    } finally {
      changes.release();
    }
  }

  /** Every subscriber has confirmed. */
  #begun(section: Invalidation, changes: Changes<K>): KeyedSection<K> {
    changes.begun();
    return new KeyedSection(section, this.#table.named(section.ranges), changes, around(this.#table, section));
  }

  #derive(key: K, origins: readonly (K | KeyScope<K>)[], sticky: boolean): void {
    const { derived } = this.#table;
    const isAny = origins.some((each) => each instanceof KeyScope && each.keys === undefined);
    const keys = origins.flatMap((each) => (each instanceof KeyScope ? (each.keys ?? []) : [each]));
    const named = keys.map((each) => ({ key: each, id: this.identify(each) }));
    derived.add({ key, id: this.identify(key) }, isAny ? undefined : named, sticky);
    if (derived.size <= this.#mostDerived) return;
    // Its entry goes, and with it the need to remember. If it cannot be deleted, it stays remembered.
    this.invalidate(derived.oldest as K).catch(() => {});
  }

  /** Says that the content of these keys has changed: begins and ends. As {@link RangeTracker.invalidate}. */
  async invalidate(key: K | KeyScope<K>, options?: KeyedBeginOptions<K>): Promise<void> {
    (await this.begin(key, options)).end();
  }

  /**
   * @internal True if nobody but this section of one key, and those it is nested in, has changed the key at any moment since
   * `since`. Careful: it may say no for nothing.
   */
  isAlone(section: KeyedInvalidation<K>, since: Seq): boolean {
    const { changes, section: own } = section as KeyedSection<K>;
    let others = 0;
    const count = () => {
      others++;
      return true;
    };
    if (this.tracker.readRetry(changes.reads, since, { ignore: count })) return false; // nobody knows any more
    for (let nested: Invalidation | undefined = own; nested !== undefined; nested = nested.within) {
      if (overlap(toSpans(nested.ranges), toSpans(changes.reads))) others--;
    }
    return others <= 0;
  }

  // --- the reading side, low level

  /**
   * Waits until no active invalidation changes one of the keys, then resolves with a token. Call it *before* the first read, and
   * {@link KeyedFence.readRetry} after the last one, in the turn in which the result is used. A token registers nothing.
   *
   * From the first token on, the fence remembers the keys of ended invalidations, `historyCapacity` of them. Rejects as
   * {@link RangeTracker.readBegin}.
   */
  async readBegin(key: K | KeyScope<K>, options?: WaitOptions): Promise<Seq> {
    checkNames(options, WAIT_OPTIONS, 'readBegin');
    this.#table.keepForTokens();
    const reads = this.#table.read(key);
    try {
      return await this.tracker.readBegin(reads.ranges, options);
    } finally {
      reads.release();
    }
  }

  /** A token at once, or `undefined` if an active invalidation changes one of the keys. As {@link RangeTracker.tryReadBegin}. */
  tryReadBegin(key: K | KeyScope<K>, options?: FilterOptions): Seq | undefined {
    checkNames(options, FILTER_OPTIONS, 'tryReadBegin');
    this.#table.keepForTokens();
    return this.tracker.tryReadBegin(this.#table.since(key, this.tracker.seq)!, options); // nothing newer than now is forgotten
  }

  /**
   * True if what was read of these keys since `seq` must not be used: one of them is being changed, or was, or nobody knows any
   * more, or the fence is closed. O(1) for a key, and what {@link RangeTracker.readRetry} costs.
   */
  readRetry(key: K | KeyScope<K>, seq: Seq, options?: FilterOptions): boolean {
    checkNames(options, FILTER_OPTIONS, 'readRetry');
    const ranges = this.#table.since(key, seq);
    if (ranges !== undefined) return this.tracker.readRetry(ranges, seq, options);
    return spaceOf(this.tracker).answer(UNKNOWN);
  }

  // --- the reading side

  /**
   * Reads until a read was not hit, commits it, and resolves with what was committed. As {@link RangeTracker.lookup}, options,
   * errors and holds included. Leaves nothing behind on any path.
   */
  lookup<T, R>(key: K | KeyScope<K>, fetch: KeyedFetch<K, T>, options: CommitOptions<T, R>): Promise<R>;
  /** The same without a commit: resolves with what `fetch` returned. */
  lookup<T>(key: K | KeyScope<K>, fetch: KeyedFetch<K, T>, options?: PlainLookupOptions<T>): Promise<T>;
  /** The same with options of which it is not known whether they have a commit. */
  lookup<T, R>(key: K | KeyScope<K>, fetch: KeyedFetch<K, T>, options: LookupOptions<T, R>): Promise<T | R>;
  lookup<T, R>(key: K | KeyScope<K>, fetch: KeyedFetch<K, T>, options?: LookupOptions<T, R>): Promise<R> {
    let reads: Reads<K>;
    try {
      check(typeof fetch === 'function', 'fetch', fetch, 'a function');
      reads = this.#table.read(key);
    } catch (error) {
      return Promise.reject(error);
    }
    // Options with a commit are those of the first signature; which it is, the tracker asks at run time, too.
    const checked = options as CommitOptions<T, R>;
    return this.tracker
      .lookup(reads.ranges, (attempt) => fetch(new ObservingAttempt(attempt, reads)), checked)
      .then(
        (result) => {
          reads.release();
          return result;
        },
        (error) => {
          reads.release();
          throw error;
        },
      );
  }

  // --- subscribers

  /** Has `subscriber` told of every invalidation before it proceeds, until closed. As {@link RangeTracker.subscribe}. */
  subscribe(subscriber: KeyedSubscriber<K>, options: KeyedSubscribeOptions = {}): KeyedSubscription {
    check(typeof subscriber?.invalidate === 'function', 'subscriber', subscriber, 'an object with an invalidate method');
    const { end } = subscriber;
    check(end === undefined || typeof end === 'function', 'end of the subscriber', end, 'a function');
    return this.tracker.subscribe(EVERYTHING, told(this.#table, subscriber), options);
  }

  /** Who changes which keys, who waits for whom, what the caches are loading, and their counters: plain data, for people. */
  inspect(): KeyedSnapshot {
    return inKeys(
      this.#table,
      this.tracker.inspect(),
      [...this.#caches].map((inspect) => inspect()),
    );
  }

  /** Ends it for everybody, as {@link RangeTracker.close}: what waits rejects with `ClosedError`. Idempotent. */
  close(options?: CancelOptions): Promise<void> {
    return this.tracker.close(options);
  }
}

printed(KeyedFence.prototype, {
  name: 'KeyedFence',
  data: (fence) => fence.inspect(),
  brief: (fence) => {
    const { label, seq, closed, sections, waiting, caches } = fence.inspect();
    return { label: label ?? undefined, seq, keys: fence.size, active: sections.length, waiting, caches: caches.length, closed };
  },
});

function itself(key: unknown): unknown {
  return key;
}

/** What a key is known by has to be known at once: two promises are two keys, whatever they resolve with. */
function identifiedBy<K>(identify: (key: K) => unknown): (key: K) => unknown {
  return (key) => {
    const id = identify(key);
    const late = assimilate(id);
    if (late === undefined) return id;
    late.catch(() => {});
    throw new InvalidArgumentError('identify returned a promise; expected what the key is known by, at once');
  };
}

function inRanges<K>(options: KeyedBeginOptions<K> | undefined): BeginOptions | undefined {
  if (options?.within === undefined) return options as Omit<BeginOptions, 'within'> | undefined;
  const { within } = options;
  check(within instanceof KeyedSection, 'within', within, `an active invalidation of the same fence, not ${describe(within)}`);
  return { ...options, within: (within as KeyedSection<K>).section };
}
