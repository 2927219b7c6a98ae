/**
 * Drops: how entries are deleted from a cache for a change, and what may be believed of that.
 *
 * Not believed is a `clear` by itself: that of a part of a storage may delete nothing. What the cache still lists afterwards is
 * deleted one by one. Nor that a delete has succeeded because nothing was thrown: error-watch.ts.
 */
import { InvalidArgumentError } from '../base/errors.js';
import type { Change } from './section.js';
import type { FencedCacheStats } from './stats.js';
import { allDone, listed, type Store } from './store.js';

/** See the top of the file. */
export class Drops<K> {
  /** The last `set` or `delete` has returned a promise; `undefined` before the first. */
  writesLate: boolean | undefined = undefined;
  readonly #store: Store<K>;
  readonly #stats: FencedCacheStats;
  readonly #identify: (key: K) => unknown;

  constructor(store: Store<K>, stats: FencedCacheStats, identify: (key: K) => unknown) {
    this.#store = store;
    this.#stats = stats;
    this.#identify = identify;
  }

  /** All that the change says, but for the key with the id `kept`, if one is given: a set by hand replaces that. */
  change(change: Change<K>, kept: unknown): void | Promise<void> {
    return this.#store.watch.during(() => {
      if (change.keys === undefined) return this.#all(change);
      const isKept = (key: K) => kept !== undefined && this.#identify(key) === kept;
      return this.#each(change.keys.filter((key) => !isKept(key)));
    });
  }

  /** These entries. */
  entries(keys: readonly K[]): void | Promise<void> {
    return this.#store.watch.during(() => this.#each(keys));
  }

  /** Throws `InvalidArgumentError` if the cache cannot drop all its keys, or those of a condition. */
  demandList(isAll: boolean): void {
    const refusal = this.#store.refusal(isAll);
    if (refusal === undefined) return;
    throw new InvalidArgumentError(`the cache cannot drop ${isAll ? 'all keys' : 'the keys of a condition'}: ${refusal}`);
  }

  #all(change: Change<K>): void | Promise<void> {
    const { clear, keys } = this.#store;
    this.demandList(change.isAll);
    if (clear === undefined || (keys !== undefined && !change.isAll)) return this.#listed(change);
    this.#stats.dropped++;
    const cleared = allDone([clear]);
    if (keys === undefined) return cleared;
    return cleared === undefined ? this.#listed(change) : cleared.then(() => this.#listed(change));
  }

  #listed(change: Change<K>): void | Promise<void> {
    const list = listed<K>(this.#store.keys!());
    const remove = (all: K[]) => this.#each(all.filter((key) => change.has(key)));
    return Array.isArray(list) ? remove(list) : list.then(remove);
  }

  #each(keys: readonly K[]): void | Promise<void> {
    if (keys.length === 0) return undefined;
    this.#stats.dropped += keys.length;
    const done = allDone(keys.map((key) => () => this.#store.delete(key)));
    this.writesLate = done !== undefined;
    return done;
  }
}
