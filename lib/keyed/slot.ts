/**
 * Slot: what is in flight about one key of one cache: the read that callers share, the value that is being stored, and how
 * many of the cache's own operations have been started and are not done.
 *
 * Operations are counted because an invalidation has to wait for them before it deletes. A `set` that was started with the old
 * value would bring it back after the delete; and so would a `get`, in a cache of two tiers that copies upwards what it finds.
 *
 *     load of a                       writer of a
 *     checked: fresh
 *     cache.set(a, old) starts
 *                                     begin: waits for the set, then deletes
 *     the set is done                 -> the delete starts; the begin resolves when it is done
 */
import type { CancelOptions } from '../base/cancel.js';
import type { KeyedLoad, ReadStatus } from './options.js';
import type { KeyedChange } from './section.js';
import type { FlightSnapshot } from './snapshot.js';

/** What one caller has asked for. */
export interface Request<K> extends CancelOptions {
  readonly load: KeyedLoad<K, unknown>;
  readonly setOptions: unknown;
  readonly status: ReadStatus | undefined;
  /** The last value, for a caller who takes it; `null` if there is none yet, and `undefined` for one who does not. */
  readonly last: { readonly value: unknown } | null | undefined;
}

/** A read that callers share, as the table and the cache see it. */
export interface SharedRead<K> {
  /** One more caller. */
  join(request: Request<K>): Promise<unknown>;
  /** A change of the key begins. What is running is useless, and nobody waits for it any more. */
  overtaken(change: KeyedChange<K>): void;
  /** True if what is running has observed what this change is about to change. */
  hasObserved(change: KeyedChange<K>): boolean;
  /** The end without a value, for all callers. */
  fail(error: unknown): void;
  /** What it is doing, and for whom. */
  inspect(): FlightSnapshot;
}

/** See the top of the file. In the table exactly while any of its parts is set. */
export class Slot<K> {
  readonly key: K;
  readonly id: unknown;
  /** The read that new callers join. */
  flight: SharedRead<K> | undefined = undefined;
  /** What is being stored, as long as nothing has hit it: a hit, although the cache does not have it yet. */
  storing: { readonly value: unknown } | undefined = undefined;
  /** Operations of the cache on this key that have been started and are not done. */
  running = 0;
  /** Sets by hand whose section has begun while the cache still has the entry that they are about to replace. */
  setting = 0;
  private waiting: (() => void)[] | undefined = undefined;

  constructor(key: K, id: unknown) {
    this.key = key;
    this.id = id;
  }

  /** Resolves when no operation is running any more. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting ??= [];
      this.waiting.push(resolve);
    });
  }

  /** One operation is done. */
  done(): void {
    if (--this.running > 0 || this.waiting === undefined) return;
    const { waiting } = this;
    this.waiting = undefined;
    for (const resolve of waiting) resolve();
  }
}
