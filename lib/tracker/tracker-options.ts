/**
 * Options of a tracker.
 */
import type { Clock } from '../base/clock.js';
import type { SpaceHandle } from '../base/links.js';
import { type Names, names } from '../base/options.js';
import type { TrackerObserver } from './observer.js';

/**
 * Ended invalidations remembered by default. 4,096 cover a lookup of 100 ms at 40,000 invalidations a second, and cost
 * 128 KiB when full, with one range each (it grows from nothing).
 */
export const DEFAULT_HISTORY_CAPACITY = 4096;

/** How a tracker is made. */
export interface RangeTrackerOptions {
  /** A name for error messages, snapshots and observers. */
  label?: string | undefined;
  /**
   * Ended invalidations remembered, however many ranges each has: a whole number of at least 1; default 4,096. A lookup
   * during which more end than that retries although it may not have been hit (`history-lost`, counted in
   * `stats.historyLost`), unless it holds its ranges. Memory: 32 bytes a range, and at most 2^20 ranges (32 MiB).
   */
  historyCapacity?: number | undefined;
  /** Told of every event; several are told in their order. Absent, it costs one comparison an event. */
  observer?: TrackerObserver | readonly TrackerObserver[] | undefined;
  /** Where time comes from; default the host's timers and `performance.now()`. */
  clock?: Clock | undefined;
  /**
   * What this tracker shares with those of other threads: a handle of `rangefence/threads`, which must be loaded here. A handle is for
   * one tracker. Absent, the tracker is on its own.
   */
  space?: SpaceHandle | undefined;
  /** The counter's first value, a safe integer of at least 0; default 0. For tests near a limit, or to go on counting. */
  initialSeq?: number | undefined;
}

/** The names of {@link RangeTrackerOptions}. */
export const TRACKER_OPTIONS: Names = /* @__PURE__ */ names('label historyCapacity observer clock initialSeq space');
