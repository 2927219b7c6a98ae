/**
 * fence: puts a fence around a cache.
 */
import { Fenced } from './fenced.js';
import type { FencedCache } from './fenced-cache.js';
import { type FenceOptions, fenceSettings } from './options.js';
import type { CacheKey, CacheSetOptions, CacheValue, FenceableCache } from './shapes.js';
import { storeOf } from './store.js';

/**
 * Puts a fence around a cache: anything with `get`, `set` and `delete` (or `del`), or with `getItem`, `setItem` and `removeItem`;
 * synchronous or not. The types of key and value are those of its own `set`. The cache must not have another fence. Throws
 * `InvalidArgumentError`, also for a cache that is known to answer before it is done (`nonBlocking`).
 */
export function fence<C extends FenceableCache>(
  cache: C,
  options?: FenceOptions<CacheKey<C>>,
): FencedCache<CacheKey<C>, CacheValue<C>, CacheSetOptions<C>>;
/** The same for a cache whose `set` takes anything: `fence<string, User>(cache)`. */
export function fence<K, V, SetOptions = unknown>(
  cache: FenceableCache,
  options?: FenceOptions<K>,
): FencedCache<K, V, SetOptions>;
export function fence(cache: FenceableCache, options: unknown = {}): unknown {
  const settings = fenceSettings(options as FenceOptions<unknown>);
  return new Fenced(storeOf(cache, settings.isMiss), settings);
}
