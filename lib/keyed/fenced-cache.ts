/**
 * FencedCache: a cache that somebody else made, filled and emptied through a fence.
 *
 * The contract, in short; docs/keyed.md has it whole.
 *
 * - A loaded value is stored only if no change of its key was active at any moment since its load began; the caller gets a value
 *   that is no older than its call, whatever has come in between.
 * - An entry is deleted before an announced change begins, and does not come back before it has ended: the begin waits for what
 *   the cache is still doing with the key, then deletes, then resolves.
 * - Concurrent reads of a key share one `get` and one load. A reader never gets what a change had overtaken before it came.
 * - A load that fails reaches its callers as it is, and is not stored.
 * - Whatever was aborted, timed out, failed or closed leaves nothing behind.
 *
 * Not promised: anything about who writes to the cache or changes the source without saying so, in this process or another, and
 * about two fences over one cache (share one, or one KeyedFence).
 */

import { checkCancel } from '../base/cancel.js';
import type { DisposableHandle } from '../base/dispose.js';
import { ClosedError, check, describe } from '../base/errors.js';
import { isThenable } from '../base/thenable.js';

import { Flight, type Host } from './flight.js';
import type { KeyedBeginOptions, KeyedFence, KeyedSubscription } from './keyed-fence.js';
import {
  type FencedSetOptions,
  type FenceOptions,
  type FenceSettings,
  fenceSettings,
  type GetOrLoadOptions,
  type KeyedLoad,
} from './options.js';
import type { KeyScope } from './scope.js';
import type { KeyedChange, KeyedInvalidation } from './section.js';
import type { Slot } from './slot.js';
import { Slots } from './slots.js';
import { type FencedCacheStats, newFencedCacheStats } from './stats.js';
import {
  allDone,
  type CacheKey,
  type CacheSetOptions,
  type CacheValue,
  type FenceableCache,
  listed,
  type Store,
  storeOf,
} from './store.js';

/** A fenced cache, as {@link fence} returns it. */
export interface FencedCache<K, V = unknown, SetOptions = unknown> extends DisposableHandle {
  /**
   * The value of the key: from the cache, or loaded and stored. No older than the call, and never what a change has overtaken.
   * Waits for active changes of the key. A hit in a synchronous cache costs its `get` and a promise.
   *
   * Rejects: the error of `load` or of the cache's `get`, unwrapped; the signal's reason, `TimeoutError`, `RetryLimitError`,
   * `ClosedError`, `InvalidArgumentError`. An abort or a timeout ends this call only; the load ends with its last caller.
   */
  getOrLoad<T extends V>(key: K, load: KeyedLoad<K, T>, options?: GetOrLoadOptions<T, SetOptions>): Promise<T>;
  /**
   * The value, if it is at hand in this turn: in a synchronous cache, or being stored. Otherwise, and always once closed,
   * `undefined`. Never waits.
   */
  peek(key: K): V | undefined;
  /**
   * Says that these keys have changed: when it resolves, their entries are gone and whatever was being loaded for them is loaded
   * again. For a change that takes time, say it before: {@link FencedCache.mutate}. Rejects as {@link KeyedFence.begin}.
   */
  invalidate(key: K | KeyScope<K>, options?: KeyedBeginOptions<K>): Promise<void>;
  /** As {@link FencedCache.invalidate}, for every key. Needs a cache with `clear`, or with a list of its keys. */
  invalidateAll(options?: KeyedBeginOptions<K>): Promise<void>;
  /**
   * Deletes the entries, runs `change`, and resolves with what it returned. Whoever reads one of the keys meanwhile waits for the
   * end. If `change` fails, its error is passed on, and the entries stay deleted: how far it got, nobody knows. If an entry cannot
   * be deleted, rejects with `SubscriberError`, and `change` is not called.
   */
  mutate<T>(
    key: K | KeyScope<K>,
    change: (invalidation: KeyedInvalidation<K>) => T | PromiseLike<T>,
    options?: KeyedBeginOptions<K>,
  ): Promise<T>;
  /**
   * Opens a section that the caller ends: resolves when the entries are deleted; whoever reads one of the keys waits for
   * `end()`. Prefer {@link FencedCache.mutate}. Rejects as {@link KeyedFence.begin}.
   */
  begin(key: K | KeyScope<K>, options?: KeyedBeginOptions<K>): Promise<KeyedInvalidation<K>>;
  /**
   * The same at once, or `undefined` if the cache is asynchronous, a read holds the key, or another subscriber cannot comply.
   * For places that cannot wait: `cache.tryBegin(key)?.end()` drops an entry in this turn, or says that it has not.
   */
  tryBegin(key: K | KeyScope<K>, options?: KeyedBeginOptions<K>): KeyedInvalidation<K> | undefined;
  /**
   * Stores a value that is known to be the current one, as a change: loads in flight are given up. If somebody else is changing the
   * key, too, the entry is only deleted, as nobody can say which value is the current one. Inside a `mutate` of the key, give its
   * section as `within`. Rejects with the cache's error.
   */
  set(key: K, value: V, options?: FencedSetOptions<K, SetOptions>): Promise<void>;
  /** The fence: for sections by hand, `keys`, `where` and `all`, lookups of keys, and its tracker. */
  readonly keyed: KeyedFence<K>;
  /** Live counters. */
  readonly stats: Readonly<FencedCacheStats>;
  /** Keys of which something is being read, loaded or stored. 0 when nothing is. */
  readonly pending: number;
  /** True after {@link FencedCache.close}, or after its fence was closed. */
  readonly closed: boolean;
  /**
   * Ends it: what waits rejects with `ClosedError`, loads in flight are aborted. The entries stay in the cache, and nobody
   * guards them any more. A fence that was given goes on for the others. Idempotent.
   */
  close(): void;
}

/**
 * Puts a fence around a cache: anything with `get`, `set` and `delete` (or `del`), or with `getItem`, `setItem` and `removeItem`;
 * synchronous or not. The cache must not have another fence. Throws `InvalidArgumentError`.
 */
export function fence<C extends FenceableCache>(
  cache: C,
  options: FenceOptions<CacheKey<C>> = {},
): FencedCache<CacheKey<C>, CacheValue<C>, CacheSetOptions<C>> {
  const settings = fenceSettings(options);
  return new Fenced<CacheKey<C>, CacheValue<C>, CacheSetOptions<C>>(storeOf(cache, settings.isMiss), settings);
}

class Fenced<K, V, SetOptions> implements FencedCache<K, V, SetOptions>, Host<K> {
  readonly settings: FenceSettings<K>;
  readonly store: Store<K>;
  readonly stats: FencedCacheStats = newFencedCacheStats();
  readonly #slots: Slots<K>;
  readonly #subscription: KeyedSubscription;
  /** Learned from the first promise that its `get` returns. From then on reads are shared before the cache is asked. */
  #isAsync = false;

  constructor(store: Store<K>, settings: FenceSettings<K>) {
    const { keyed, ignore, label } = settings;
    this.settings = settings;
    this.store = store;
    this.#slots = new Slots((key) => keyed.identify(key));
    this.#subscription = keyed.subscribe({ invalidate: (change) => this.#invalidate(change) }, { ignore, label });
  }

  // --- reading

  getOrLoad<T extends V>(key: K, load: KeyedLoad<K, T>, options?: GetOrLoadOptions<T, SetOptions>): Promise<T> {
    // Not an async function, and the hit comes first: it must cost little.
    try {
      if (this.#subscription.closed) throw this.#closedError();
      check(typeof load === 'function', 'load', load, 'a function');
      if (options !== undefined) checkCancel(options);
      if (this.#isAsync) return this.#read(key, load, options, undefined) as Promise<T>;
      const { seq } = this.settings.keyed.tracker;
      const got = this.store.get(key);
      if (!isThenable(got) && (!this.store.isMiss(got) || (got === undefined && this.store.has(key)))) {
        this.stats.hits++;
        return Promise.resolve(got as T);
      }
      return this.#read(key, load, options, { seq, wasMiss: false, got }) as Promise<T>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Everything that is not a hit of a synchronous cache. */
  #read<T>(
    key: K,
    load: KeyedLoad<K, T>,
    options: GetOrLoadOptions<T, SetOptions> | undefined,
    first: ConstructorParameters<typeof Flight<K>>[2],
  ): Promise<unknown> {
    const slot = this.#slots.open(key);
    if (first !== undefined && isThenable(first.got)) {
      this.#isAsync = true;
      this.#running(slot, first.got);
    }
    if (slot.storing !== undefined) {
      this.stats.hits++;
      return Promise.resolve(slot.storing.value);
    }
    const { signal, timeoutMs, setOptions } = options ?? {};
    const request = { signal, timeoutMs, load, setOptions };
    if (slot.flight !== undefined) {
      this.stats.joined++;
      return slot.flight.join(request);
    }
    const flight = new Flight(this, slot, first);
    slot.flight = flight;
    const result = flight.join(request);
    if (slot.flight === flight) flight.start();
    return result;
  }

  peek(key: K): V | undefined {
    if (this.#subscription.closed) return undefined;
    const storing = this.#slots.find(key)?.storing;
    if (storing !== undefined) return storing.value as V;
    if (this.#isAsync) return undefined;
    const got = this.store.get(key);
    if (!isThenable(got)) return this.store.isMiss(got) ? undefined : (got as V);
    this.#isAsync = true;
    this.#running(this.#slots.open(key), got);
    return undefined;
  }

  get(slot: Slot<K>): unknown {
    const got = this.store.get(slot.key);
    if (isThenable(got)) this.#running(slot, got);
    return got;
  }

  landed(slot: Slot<K>): void {
    slot.flight = undefined;
    this.#slots.settle(slot);
  }

  // --- storing

  keep(slot: Slot<K>, value: unknown, setOptions: unknown): void {
    const { store, stats } = this;
    if (store.isMiss(value) && (this.#isAsync || !store.mayHave)) {
      stats.unstored++;
      return;
    }
    slot.running++; // also while a synchronous one is on the stack: it may call back, and then a begin must wait
    let stored: unknown;
    try {
      const own = typeof setOptions === 'function' ? setOptions(value) : setOptions;
      stored = own === undefined ? store.set(slot.key, value) : store.setWith(slot.key, value, own);
    } catch (error) {
      slot.done();
      this.#notStored(slot.key, error);
      return;
    }
    if (!isThenable(stored)) {
      slot.done();
      return;
    }
    const storing = { value };
    slot.storing = storing;
    const over = () => {
      if (slot.storing === storing) slot.storing = undefined;
      slot.done();
      this.#slots.settle(slot);
    };
    stored.then(over, (error) => {
      over();
      this.#notStored(slot.key, error);
    });
  }

  /** Nobody who waits asked for the storing, so they are not told. What `onSetError` throws is the host's to report. */
  #notStored(key: K, error: unknown): void {
    this.stats.setErrors++;
    const { onSetError } = this.settings;
    if (onSetError !== undefined) queueMicrotask(() => onSetError(error, key));
  }

  /** Counts an operation that is already running. */
  #running(slot: Slot<K>, operation: PromiseLike<unknown>): void {
    slot.running++;
    const over = () => {
      slot.done();
      this.#slots.settle(slot);
    };
    operation.then(over, over);
  }

  // --- changing

  async begin(key: K | KeyScope<K>, options?: KeyedBeginOptions<K>): Promise<KeyedInvalidation<K>> {
    this.#demandOpen();
    return await this.keyed.begin(key, options);
  }

  tryBegin(key: K | KeyScope<K>, options?: KeyedBeginOptions<K>): KeyedInvalidation<K> | undefined {
    this.#demandOpen();
    return this.keyed.tryBegin(key, options);
  }

  async invalidate(key: K | KeyScope<K>, options?: KeyedBeginOptions<K>): Promise<void> {
    this.#demandOpen();
    await this.keyed.invalidate(key, options);
  }

  async invalidateAll(options?: KeyedBeginOptions<K>): Promise<void> {
    this.#demandListable();
    await this.invalidate(this.keyed.all, options);
  }

  async mutate<T>(
    key: K | KeyScope<K>,
    change: (invalidation: KeyedInvalidation<K>) => T | PromiseLike<T>,
    options?: KeyedBeginOptions<K>,
  ): Promise<T> {
    this.#demandOpen();
    return await this.keyed.mutate(key, change, options);
  }

  async set(key: K, value: V, options: FencedSetOptions<K, SetOptions> = {}): Promise<void> {
    this.#demandOpen();
    const { setOptions, ...others } = options;
    const { keyed } = this;
    const since = keyed.tracker.seq;
    const store = (section: KeyedInvalidation<K>) =>
      keyed.isAlone(section, since) ? this.#write(key, value, setOptions) : undefined;
    await keyed.mutate(key, store, others);
  }

  async #write(key: K, value: V, setOptions: SetOptions | undefined): Promise<void> {
    const slot = this.#slots.open(key);
    slot.running++;
    try {
      await (setOptions === undefined ? this.store.set(key, value) : this.store.setWith(key, value, setOptions));
    } finally {
      slot.done();
      this.#slots.settle(slot);
    }
  }

  /** The subscriber: what is in flight is given up, what is running is waited for, what is stored is deleted. */
  #invalidate(change: KeyedChange<K>): void | false | PromiseLike<void> {
    const slots = this.#slotsOf(change);
    for (const slot of slots) {
      slot.flight?.overtaken(change);
      if (change.blockable) slot.storing = undefined;
    }
    if (this.keyed.closed) return this.#drain(slots);
    const isBusy = slots.some(({ running }) => running > 0);
    if (!change.blockable && (isBusy || this.#isAsync)) return false;
    if (isBusy) return this.#drain(slots).then(() => this.#delete(change));
    return this.#delete(change);
  }

  #slotsOf(change: KeyedChange<K>): Slot<K>[] {
    if (this.#slots.size === 0) return [];
    if (change.keys === undefined) return this.#slots.list().filter(({ key }) => change.has(key));
    return change.keys.map((key) => this.#slots.find(key)).filter((slot) => slot !== undefined);
  }

  /** Resolves when the cache is doing nothing with these keys any more. */
  async #drain(slots: readonly Slot<K>[]): Promise<void> {
    await Promise.all(slots.map((slot) => (slot.running > 0 ? slot.idle() : undefined)));
    for (const slot of slots) this.#slots.settle(slot);
  }

  #delete(change: KeyedChange<K>): void | PromiseLike<void> {
    const { clear, keys } = this.store;
    if (change.keys !== undefined) return this.#deleteEach(change.keys);
    if (keys !== undefined && (clear === undefined || !change.isAll)) {
      const list = listed<K>(keys());
      const named = (all: K[]) => this.#deleteEach(all.filter((key) => change.has(key)));
      return isThenable(list) ? list.then(named) : named(list);
    }
    this.#demandListable();
    this.stats.dropped++;
    return allDone([() => clear!()]);
  }

  #deleteEach(keys: readonly K[]): void | PromiseLike<void> {
    this.stats.dropped += keys.length;
    return allDone(keys.map((key) => () => this.store.delete(key)));
  }

  // --- the whole

  get keyed(): KeyedFence<K> {
    return this.settings.keyed;
  }

  get pending(): number {
    return this.#slots.size;
  }

  get closed(): boolean {
    return this.#subscription.closed;
  }

  close(): void {
    if (this.#subscription.closed) return;
    this.#subscription.close();
    for (const { flight } of this.#slots.list()) flight?.fail(this.#closedError());
    if (this.settings.ownsKeyed) this.keyed.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get [Symbol.toStringTag](): string {
    return 'FencedCache';
  }

  #demandOpen(): void {
    if (this.#subscription.closed) throw this.#closedError();
  }

  #demandListable(): void {
    const { clear, keys } = this.store;
    check(clear !== undefined || keys !== undefined, 'cache', this.store, 'one with clear, or with a list of its keys');
  }

  #closedError(): ClosedError {
    const { label } = this.settings;
    return new ClosedError(label === undefined ? 'the fenced cache' : `the fenced cache ${describe(label)}`);
  }
}
