/**
 * Advantage: how many times better ours is than another, whatever "better" means for the measure. 2 is: half the time, or twice as
 * many a second; below 1 the other is better.
 */
import { median } from '../support/statistics.js';
import type { Measure } from './measure.js';

/** `behind` and `ahead` are said only if every round says so; otherwise it is `even`. */
export type Standing = 'ahead' | 'even' | 'behind';

/** See the top of the file. */
export interface Advantage {
  /** Of the medians. */
  readonly times: number;
  /** Round by round. */
  readonly rounds: readonly number[];
  readonly standing: Standing;
}

/** Undefined for what is there to be read only, and where a multiple would mean nothing. */
export function advantageOf(own: Measure | undefined, other: Measure | undefined): Advantage | undefined {
  if (own?.better === undefined || other === undefined) return undefined;
  if (![...own.samples, ...other.samples].every((sample) => sample > 0)) return undefined;
  const [over, under] = own.better === 'more' ? [own.samples, other.samples] : [other.samples, own.samples];
  const rounds = over.slice(0, under.length).map((sample, round) => sample / under[round]!);
  const standing = Math.min(...rounds) > 1 ? 'ahead' : Math.max(...rounds) < 1 ? 'behind' : 'even';
  return { times: median(over) / median(under), rounds, standing };
}

/** `× 2.0`; with no more digits than mean something. */
export function timesText(times: number): string {
  return `× ${times >= 100 ? Math.round(times).toLocaleString('en-US') : times.toPrecision(2)}`;
}
