/**
 * The tracker's promise for keys: a load that an invalidation has overtaken is never stored.
 *
 * The way of a read (`getOrLoad`): fenced.ts asks the cache (store.ts, which knows its shape) and is done if it has the value;
 * otherwise the key's slot (slots.ts) has a flight (flight.ts), which all callers share: a lookup of the key (keyed-fence.ts, over
 * table.ts, which knows which point of a tracker's line is whose) whose attempts (run.ts) ask and load.
 * The way of a change: keyed-fence.ts begins a section over the points of its keys and of what is derived from them (derived.ts);
 * fenced.ts is told as a subscriber, gives up what is in flight, waits for what the cache is doing, and deletes (drops.ts).
 *
 * To be looked at: section.ts (a section, in keys), scope.ts (several keys as one), snapshot.ts, stats.ts. shapes.ts says which
 * caches there are, redis.ts and error-watch.ts what some of them need.
 *
 * Not to be touched: the points of keys, which only table.ts gives out, and forgets when nothing is in flight; and the turn of
 * check and store in flight.ts (`land`), in which only the cache's own `set` may run.
 *
 * @packageDocumentation
 */
export { CycleError } from '../base/errors.js';
export { fence } from './fence.js';
export type {
  KeyedAttempt,
  KeyedBeginOptions,
  KeyedFenceOptions,
  KeyedFetch,
  KeyedSubscribeOptions,
  KeyedSubscriber,
  KeyedSubscription,
} from './fence-types.js';
export type { FencedCache } from './fenced-cache.js';
export { KeyedFence } from './keyed-fence.js';
export type { FencedSetOptions, FenceOptions, GetOrLoadOptions, KeyedLoad, KeyedLoadContext, ReadStatus } from './options.js';
export type { KeyScope } from './scope.js';
export type { KeyedChange, KeyedInvalidation } from './section.js';
export type {
  CacheKey,
  CacheSetOptions,
  CacheValue,
  DelCache,
  FenceableCache,
  ItemCache,
  ValueCache,
} from './shapes.js';
export type {
  FencedCacheSnapshot,
  FlightSnapshot,
  KeyData,
  KeyedHoldSnapshot,
  KeyedSectionSnapshot,
  KeyedSnapshot,
  KeyedWaitSnapshot,
} from './snapshot.js';
export type { FencedCacheStats } from './stats.js';
export { type Watch, type WatchOptions, watch } from './watch.js';
