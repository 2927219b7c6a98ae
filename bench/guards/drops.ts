/**
 * Drops: who is to be told of a change, for the guards that have no subscriptions of their own. A flat list that is walked at
 * every change, as one writes it beside a lock; its bounds stand in columns, so that a long list is walked as fast as can be.
 */
import type { Range } from '../../lib/index.js';

/** Drops what was derived from the range, which is about to change. */
export type Drop = (range: Range) => void;

/** All there is: for those who want to hear of every change. */
export const EVERYTHING: Range = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };

/** See the top of the file. */
export class Drops {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #drops: Drop[] = [];

  /** Calls `drop` for every range given to {@link call} from now on that overlaps `within`. */
  add(drop: Drop, within: Range = EVERYTHING): void {
    this.#starts.push(within.start);
    this.#ends.push(within.end);
    this.#drops.push(drop);
  }

  /** Calls those whom the range concerns, in the order in which they came. */
  call(range: Range): void {
    const { start, end } = range;
    const starts = this.#starts;
    const ends = this.#ends;
    for (let i = 0; i < starts.length; i++) if (starts[i]! < end && ends[i]! > start) this.#drops[i]!(range);
  }
}
