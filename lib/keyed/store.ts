/**
 * Store: the caches that can be fenced, by their shape, and what the fence asks of them.
 *
 * No cache is imported, not even its types: three sets of method names are all that is known here.
 */

import { check } from '../base/errors.js';
import { isThenable } from '../base/thenable.js';

/** Map, lru-cache, keyv, cacheable, and what looks like them. Any method may return a promise. */
export interface ValueCache {
  /** The value; `undefined` if there is none. */
  get(key: never): unknown;
  /** Stores it; what else it takes is passed through from `setOptions`. */
  set(key: never, value: never, options?: never): unknown;
  /** The entry is gone when it has returned, and what it returned has resolved. Must throw or reject if it is not. */
  delete(key: never): unknown;
  /** Asked after a synchronous `get` that returned `undefined`. */
  has?(key: never): unknown;
  /** Needed for invalidations of all keys, unless there is `keys`. */
  clear?(): unknown;
  /** Needed to drop no more than what a condition says. */
  keys?(): unknown;
}

/** cache-manager, and what looks like it. */
export interface DelCache {
  /** As {@link ValueCache.get}. */
  get(key: never): unknown;
  /** As {@link ValueCache.set}. */
  set(key: never, value: never, options?: never): unknown;
  /** As {@link ValueCache.delete}. */
  del(key: never): unknown;
  /** As {@link ValueCache.has}. */
  has?(key: never): unknown;
  /** As {@link ValueCache.clear}. */
  clear?(): unknown;
  /** As {@link ValueCache.keys}. */
  keys?(): unknown;
}

/** unstorage, and what looks like it. `null` is a miss. */
export interface ItemCache {
  /** The value; `null` or `undefined` if there is none. */
  getItem(key: never): unknown;
  /** As {@link ValueCache.set}. */
  setItem(key: never, value: never, options?: never): unknown;
  /** As {@link ValueCache.delete}. */
  removeItem(key: never): unknown;
  /** As {@link ValueCache.clear}. */
  clear?(): unknown;
  /** As {@link ValueCache.keys}. */
  getKeys?(): unknown;
}

/** Anything that can be fenced. */
export type FenceableCache = ValueCache | DelCache | ItemCache;

type SetOf<C> = C extends { setItem: infer S } ? S : C extends { set: infer S } ? S : never;

/** What a cache's own `set` takes as a key. */
export type CacheKey<C> = SetOf<C> extends (key: infer K, ...rest: never[]) => unknown ? K : never;

/** What a cache's own `set` takes as a value; `unknown` where it takes anything. */
export type CacheValue<C> = SetOf<C> extends (key: never, value: infer V, ...rest: never[]) => unknown ? V : never;

/** What a cache's own `set` takes besides key and value (a time to live, options). */
export type CacheSetOptions<C> =
  SetOf<C> extends (key: never, value: never, options: infer O, ...rest: never[]) => unknown ? O : never;

/** A cache with the shape taken away. */
export interface Store<K> {
  get(key: K): unknown;
  /** There is something to ask after a miss. */
  readonly mayHave: boolean;
  has(key: K): boolean;
  set(key: K, value: unknown): unknown;
  setWith(key: K, value: unknown, options: unknown): unknown;
  delete(key: K): unknown;
  readonly clear: (() => unknown) | undefined;
  readonly keys: (() => unknown) | undefined;
  /** The value says that there is none. */
  isMiss(value: unknown): boolean;
}

type Method = (...args: unknown[]) => unknown;
type Shape = { readonly [name: string]: Method };

const isUndefined = (value: unknown): boolean => value === undefined;
const isNullish = (value: unknown): boolean => value === undefined || value === null;

/**
 * The three shapes. Methods are called on the cache each time, by name: one that is replaced later (a test's spy) is the one that
 * is called; and by a name that is written here: one in a variable made a hit in lru-cache three times as expensive.
 */
abstract class AnyStore<K> implements Store<K> {
  readonly cache: Shape;
  readonly mayHave: boolean;
  readonly isMiss: (value: unknown) => boolean;
  readonly clear: (() => unknown) | undefined;
  readonly keys: (() => unknown) | undefined;

  constructor(cache: Shape, isMiss: (value: unknown) => boolean, { mayHave, keys }: { mayHave: boolean; keys: string }) {
    this.cache = cache;
    this.isMiss = isMiss;
    this.mayHave = mayHave;
    this.clear = isCallable(cache, 'clear') ? () => cache.clear!() : undefined;
    this.keys = isCallable(cache, keys) ? () => cache[keys]!() : undefined;
  }

  abstract get(key: K): unknown;
  abstract set(key: K, value: unknown): unknown;
  abstract setWith(key: K, value: unknown, options: unknown): unknown;
  abstract delete(key: K): unknown;

  has(key: K): boolean {
    return this.mayHave && this.cache.has!(key) === true;
  }
}

class ValueStore<K> extends AnyStore<K> {
  get(key: K): unknown {
    return this.cache.get!(key);
  }

  set(key: K, value: unknown): unknown {
    return this.cache.set!(key, value);
  }

  setWith(key: K, value: unknown, options: unknown): unknown {
    return this.cache.set!(key, value, options);
  }

  delete(key: K): unknown {
    return this.cache.delete!(key);
  }
}

class DelStore<K> extends ValueStore<K> {
  override delete(key: K): unknown {
    return this.cache.del!(key);
  }
}

class ItemStore<K> extends AnyStore<K> {
  get(key: K): unknown {
    return this.cache.getItem!(key);
  }

  set(key: K, value: unknown): unknown {
    return this.cache.setItem!(key, value);
  }

  setWith(key: K, value: unknown, options: unknown): unknown {
    return this.cache.setItem!(key, value, options);
  }

  delete(key: K): unknown {
    return this.cache.removeItem!(key);
  }
}

/** Throws `InvalidArgumentError` for what has none of the shapes. */
export function storeOf<K>(cache: FenceableCache, isMiss: ((value: unknown) => boolean) | undefined): Store<K> {
  const target = cache as unknown as Shape;
  const has = (...names: string[]) => names.every((name) => isCallable(target, name));
  // First, because unstorage has `get` and `set`, too, as other names of its own methods.
  if (has('getItem', 'setItem', 'removeItem'))
    return new ItemStore(target, isMiss ?? isNullish, { mayHave: false, keys: 'getKeys' });
  const names = { mayHave: isMiss === undefined && has('has'), keys: 'keys' };
  if (has('get', 'set', 'delete')) return new ValueStore(target, isMiss ?? isUndefined, names);
  const expected = 'an object with get, set and delete (or del), or with getItem, setItem and removeItem';
  check(has('get', 'set', 'del'), 'cache', cache, expected);
  return new DelStore(target, isMiss ?? isUndefined, names);
}

function isCallable(cache: Shape | undefined, name: string): boolean {
  return typeof cache?.[name] === 'function';
}

/** Keys as a list, from whatever a cache's own listing returned: an iterable, or a promise of one. */
export function listed<K>(keys: unknown): K[] | PromiseLike<K[]> {
  return isThenable(keys) ? keys.then((list) => [...(list as Iterable<K>)]) : [...(keys as Iterable<K>)];
}

/** Starts all, whatever the others do; done when all are. Fails if any failed. What they return or resolve with does not matter. */
export function allDone(operations: readonly (() => unknown)[]): void | Promise<void> {
  const errors: unknown[] = [];
  const running: unknown[] = [];
  for (const operation of operations) {
    try {
      const returned = operation();
      if (isThenable(returned)) running.push(returned);
    } catch (error) {
      errors.push(error);
    }
  }
  if (running.length === 0) return raise(errors);
  return Promise.allSettled(running).then((outcomes) => {
    for (const outcome of outcomes) if (outcome.status === 'rejected') errors.push(outcome.reason);
    raise(errors);
  });
}

/** One error as it is, several as one. */
function raise(errors: readonly unknown[]): void {
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} entries could not be deleted`);
}
