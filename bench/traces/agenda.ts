/**
 * Agenda: virtual time. What is to happen next, in an order that depends on nothing but the work.
 */
import type { Clock } from '../../lib/index.js';

/**
 * What goes first at the same moment. Ends before begins, so that a section is active in `[begin, end)`; both before the check
 * of a read that is over, so that the check sees them; then who comes now; then timers, which only give up.
 */
export const RANK = { end: 0, begin: 1, check: 2, arrival: 3, timer: 4 } as const;

/** One of {@link RANK}. */
export type Rank = (typeof RANK)[keyof typeof RANK];

interface Entry {
  readonly at: number;
  readonly rank: Rank;
  readonly action: () => void;
}

/** See the top of the file. It is the clock of the tracker that runs by it, too. */
export class Agenda implements Clock {
  #now = 0;
  /** The next one last. Among equals, who was entered first is nearer to the end. */
  readonly #entries: Entry[] = [];

  now(): number {
    return this.#now;
  }

  /** Enters an action. What lies in the past happens now. */
  at(time: number, rank: Rank, action: () => void): Entry {
    const entry = { at: Math.max(time, this.#now), rank, action };
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (precedes(entry, this.#entries[middle]!)) low = middle + 1;
      else high = middle;
    }
    this.#entries.splice(low, 0, entry);
    return entry;
  }

  /** Goes on to the next action and does it; false if there is none. */
  step(): boolean {
    const next = this.#entries.pop();
    if (next === undefined) return false;
    this.#now = next.at;
    next.action();
    return true;
  }

  setTimeout(callback: () => void, delayMs: number): Entry {
    return this.at(this.#now + delayMs, RANK.timer, callback);
  }

  clearTimeout(timer: unknown): void {
    const place = this.#entries.indexOf(timer as Entry);
    if (place >= 0) this.#entries.splice(place, 1);
  }
}

function precedes(entry: Entry, other: Entry): boolean {
  return entry.at === other.at ? entry.rank < other.rank : entry.at < other.at;
}
