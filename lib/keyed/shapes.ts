/**
 * Shapes: the caches that can be fenced, by the names of their methods, and what their own `set` says of keys and values.
 *
 * No cache is imported, and but for one not even its type: the names are all that is known here. The one is Keyv, the type of
 * whose values stands in none of its methods (`set<Value = GenericValue>` takes any), so that only its name tells: `#keyv`
 * in package.json is keyv.d.ts.
 */
import type { KeyvValue } from '#keyv';

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
  clear?(...rest: never[]): unknown;
  /** Needed to drop no more than what a condition says. */
  keys?(...rest: never[]): unknown;
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
  clear?(...rest: never[]): unknown;
  /** As {@link ValueCache.keys}. */
  keys?(...rest: never[]): unknown;
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
  clear?(...rest: never[]): unknown;
  /** As {@link ValueCache.keys}. */
  getKeys?(...rest: never[]): unknown;
}

/** Anything that can be fenced. */
export type FenceableCache = ValueCache | DelCache | ItemCache;

type SetOf<C> = C extends { setItem: infer S } ? S : C extends { set: infer S } ? S : never;

/** What a cache's own `set` takes as a key. */
export type CacheKey<C> = SetOf<C> extends (key: infer K, ...rest: never[]) => unknown ? K : never;

/** What a cache's own `set` takes as a value, or a Keyv says of its values; `unknown` where it takes anything. */
export type CacheValue<C> = KeyvValue<C> extends readonly [infer V] ? V : SetValue<C>;

type SetValue<C> = SetOf<C> extends (key: never, value: infer V, ...rest: never[]) => unknown ? V : never;

/**
 * What a cache's own `set` takes besides key and value (a time to live, options); a list where it takes several things (ioredis:
 * `['EX', 60]`).
 */
export type CacheSetOptions<C> =
  SetOf<C> extends (key: never, value: never, ...rest: infer R) => unknown
    ? R extends readonly []
      ? unknown
      : R extends readonly [(infer O)?]
        ? O
        : readonly unknown[]
    : never;
