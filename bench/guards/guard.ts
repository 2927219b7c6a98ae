/**
 * Guard: what stands between those who read ranges and those who change them. One small interface for everything that is
 * compared: no guard at all, one coarse lock, `rangefence`.
 *
 * The adapters take closures as they come and never name one on the way (`const grant = () => …`): the loader that runs these
 * files keeps names by a call for each named closure, about 100 ns, which would be charged to whoever is wrapped.
 */
import type { Range } from '../../lib/index.js';
import type { Drop } from './drops.js';

/** Reads; may be called several times for one `read`, but never twice at once. */
export type Fetch<T> = () => T | PromiseLike<T>;

/** Counted since the guard was made. */
export interface GuardCounts {
  /** Fetches whose result was thrown away because the range was changed meanwhile. */
  retries: number;
  /** Times a read or a write had to wait for somebody. */
  waits: number;
}

/** See the top of the file. */
export interface Guard {
  /** For tables. */
  readonly name: string;
  /** A copy of the counters. */
  readonly counts: GuardCounts;
  /**
   * Resolves with what `install` returned (default: the value itself). `install` runs in the same synchronous turn in which
   * the guard found the value good; what it stores is dropped later through {@link Guard.subscribe}. `who` is for pictures.
   */
  read<T, R = T>(range: Range, fetch: Fetch<T>, install?: (value: T) => R, who?: string): Promise<R>;
  /** Changes the content of the range, and has everything dropped that was derived from it. */
  mutate(range: Range, change: () => Promise<void>, who?: string): Promise<void>;
  /** Calls `drop` for every range that changes from now on, if it overlaps `within` (default: everything). */
  subscribe(drop: Drop, within?: Range, who?: string): void;
}
