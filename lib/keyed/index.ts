/**
 * The tracker's promise for keys: a load that an invalidation has overtaken is never stored.
 *
 * @packageDocumentation
 */
export { type FencedCache, fence } from './fenced-cache.js';
export {
  type KeyedAttempt,
  type KeyedBeginOptions,
  KeyedFence,
  type KeyedFenceOptions,
  type KeyedFetch,
  type KeyedSubscribeOptions,
  type KeyedSubscriber,
  type KeyedSubscription,
} from './keyed-fence.js';
export type { FencedSetOptions, FenceOptions, GetOrLoadOptions, KeyedLoad, KeyedLoadContext } from './options.js';
export type { KeyScope } from './scope.js';
export type { KeyedChange, KeyedInvalidation } from './section.js';
export type { FencedCacheStats } from './stats.js';
export type {
  CacheKey,
  CacheSetOptions,
  CacheValue,
  DelCache,
  FenceableCache,
  ItemCache,
  ValueCache,
} from './store.js';
