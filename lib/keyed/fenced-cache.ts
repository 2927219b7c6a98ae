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
import type { DisposableHandle } from '../base/dispose.js';
import type { KeyedBeginOptions } from './fence-types.js';
import type { KeyedFence } from './keyed-fence.js';
import type { FencedSetOptions, GetOrLoadOptions, KeyedLoad } from './options.js';
import type { KeyScope } from './scope.js';
import type { KeyedInvalidation } from './section.js';
import type { FencedCacheSnapshot } from './snapshot.js';
import type { FencedCacheStats } from './stats.js';

/** A fenced cache, as {@link fence} returns it. */
export interface FencedCache<K, V = unknown, SetOptions = unknown> extends DisposableHandle {
  /**
   * The value of the key: from the cache, or loaded and stored. No older than the call, and never what a change has overtaken.
   * Waits for active changes of the key. A hit in a synchronous cache costs its `get` and a promise.
   *
   * Rejects: the error of `load` or of the cache's `get`, unwrapped; the signal's reason, `TimeoutError`, `RetryLimitError`,
   * `ClosedError`, `InvalidArgumentError`; `CycleError` if it is called inside of a load that the key's own load waits for. An abort or a timeout ends this call only; the load ends with its last caller.
   */
  getOrLoad<T extends V>(key: K, load: KeyedLoad<K, T>, options?: GetOrLoadOptions<T, SetOptions>): Promise<T>;
  /**
   * The value, if it is at hand in this turn: in a synchronous cache (by its own `peek`, where it has one), or being stored.
   * Otherwise, and always once closed, `undefined`. Never waits.
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
   * Stores a value that is known to be the current one, as a change: loads in flight are given up, and the entry is replaced by the
   * cache's own `set`. If somebody else is changing the key, too, the entry is only deleted, as nobody can say which value is the current one. Inside a `mutate` of the key, give its
   * section as `within`. Rejects with the cache's error.
   */
  set(key: K, value: V, options?: FencedSetOptions<K, SetOptions>): Promise<void>;
  /** The fence: for sections by hand, `keys`, `where` and `all`, lookups of keys, and its tracker. */
  readonly keyed: KeyedFence<K>;
  /** Live counters. */
  readonly stats: Readonly<FencedCacheStats>;
  /** What it is loading, for whom, and its counters: plain data, for people. {@link KeyedFence.inspect} has the changes, too. */
  inspect(): FencedCacheSnapshot;
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
