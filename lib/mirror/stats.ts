/**
 * Stats of a mirror: what it has counted since it was made. Numbers only ever grow.
 */

/** Live counters of one mirror; copy them (`{ ...mirror.stats }`) to keep a moment. */
export interface MirrorStats {
  /** Pages that `read` or `peek` found present. */
  hits: number;
  /** Pages that `read` or `prefetch` did not find present when they looked first. */
  misses: number;
  /** Calls of `load`. */
  loads: number;
  /** Pages for which a read took part in a load that was already running. */
  joined: number;
  /** Pages that a read had to get again, because a change hit them before the read was done. */
  retriedPages: number;
  /** Pages dropped because a change hit them or what they were derived from, by a ban, or by `close`. */
  dropped: number;
  /** Pages dropped to keep within `maxPages`. */
  evicted: number;
  /** Loads that failed without having been hit, and prefetches that failed for another reason. */
  failed: number;
  /** Loads whose signal has fired: the last reader left, a change hit all their pages, a ban, or `close`. */
  aborted: number;
}

/** All zero. */
export function newMirrorStats(): MirrorStats {
  return { hits: 0, misses: 0, loads: 0, joined: 0, retriedPages: 0, dropped: 0, evicted: 0, failed: 0, aborted: 0 };
}
