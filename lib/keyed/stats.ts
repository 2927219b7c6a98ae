/**
 * Stats of a fenced cache: what it has counted since it was made. Numbers only ever grow.
 */

/** Live counters of one fenced cache; copy them (`{ ...cache.stats }`) to keep a moment. */
export interface FencedCacheStats {
  /** Calls that were answered from the cache, or with a value that was being stored. */
  hits: number;
  /** Calls for which a load was begun, or one in flight joined that then loaded. */
  misses: number;
  /** Calls of a load function. */
  loads: number;
  /** Calls that took part in a read of the same key that was already in flight. */
  joined: number;
  /** Reads and loads that a change has overtaken, and that were given up for it. */
  overtaken: number;
  /** Entries that were deleted because of a change; of all keys at once, as one. */
  dropped: number;
  /** Calls with `allowStale` that got the last value. */
  stale: number;
  /** Loaded values that the cache has no way to keep (`undefined` in most, `null` in some), and that were only handed out. */
  unstored: number;
  /** Times the cache failed to store a loaded value; see `onSetError`. */
  setErrors: number;
}

/** All zero. */
export function newFencedCacheStats(): FencedCacheStats {
  return { hits: 0, misses: 0, loads: 0, joined: 0, overtaken: 0, dropped: 0, stale: 0, unstored: 0, setErrors: 0 };
}
