/**
 * Snapshot: what a mirror has and does, in pages. Plain data, but for infinite ends, which JSON does not have.
 */
import type { Range } from '../base/vocabulary.js';

import type { MirrorStats } from './stats.js';

/** A call of `load` that is running. */
export interface MirrorLoadSnapshot {
  /** Its first page. */
  readonly first: number;
  /** How many pages it has been asked for. */
  readonly count: number;
  /** Milliseconds since it was called. */
  readonly forMs: number;
  /** Reads and prefetches that wait for some of its pages. */
  readonly readers: number;
  /** Loads inside of which somebody waits for it, as texts: who waits for whom. */
  readonly waitedForBy: readonly string[];
}

/** A mirror at one moment. */
export interface MirrorSnapshot {
  /** Its label; `null` if there is none. */
  readonly label: string | null;
  /** What is mirrored, in the space's unit. */
  readonly range: Range;
  /** Length of a page. */
  readonly pageSize: number;
  /** Pages that are present. */
  readonly size: number;
  /** True once a change has banned it. */
  readonly banned: boolean;
  /** True after `close()`, or after the tracker was closed. */
  readonly closed: boolean;
  /** Loads that may be joined: those of which a change has hit every page are nobody's any more. */
  readonly loads: readonly MirrorLoadSnapshot[];
  /** Reads and prefetches that are not done. */
  readonly reads: number;
  /** Pages that left, and whose `onDrop` is not done. */
  readonly leaving: readonly number[];
  /** A copy of its counters. */
  readonly stats: MirrorStats;
}
