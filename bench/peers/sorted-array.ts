/**
 * Sorted array: the baseline that needs no library. Intervals by start, found by binary search, moved up and down by the engine.
 *
 * Whatever overlaps `[start, end)` starts before `end` and no earlier than the length of the longest interval before `start`, so a
 * query walks that stretch only. Its weakness is in that sentence: one long interval, and every query walks everything.
 */
import type { Columns, TreePeer } from './tree-peer.js';

interface Entry {
  readonly start: number;
  readonly end: number;
}

/** See the top of the file. */
export class SortedArray implements TreePeer {
  #entries: Entry[] = [];
  /** By index, so that exactly this one is taken out. */
  #byIndex: Entry[] = [];
  /** Of all that have ever been in: it does not shrink, as nobody counts lengths. */
  #longest = 0;

  insert(index: number, start: number, end: number): void {
    const entry = { start, end };
    this.#byIndex[index] = entry;
    this.#longest = Math.max(this.#longest, end - start);
    this.#entries.splice(this.#firstFrom(start), 0, entry);
  }

  load({ starts, ends }: Columns): void {
    this.#byIndex = starts.map((start, index) => ({ start, end: ends[index]! }));
    this.#entries = [...this.#byIndex].sort((a, b) => a.start - b.start);
    this.#longest = this.#entries.reduce((longest, { start, end }) => Math.max(longest, end - start), 0);
  }

  remove(index: number): void {
    const entry = this.#byIndex[index]!;
    let place = this.#firstFrom(entry.start);
    while (this.#entries[place] !== entry) place++;
    this.#entries.splice(place, 1);
  }

  overlaps(start: number, end: number): boolean {
    const entries = this.#entries;
    for (let i = this.#firstFrom(start - this.#longest); i < entries.length; i++) {
      const entry = entries[i]!;
      if (entry.start >= end) return false;
      if (entry.end > start) return true;
    }
    return false;
  }

  sumOfStarts(start: number, end: number): number {
    const entries = this.#entries;
    let sum = 0;
    for (let i = this.#firstFrom(start - this.#longest); i < entries.length; i++) {
      const entry = entries[i]!;
      if (entry.start >= end) break;
      if (entry.end > start) sum = (sum + entry.start) | 0;
    }
    return sum;
  }

  /** The place of the first entry that starts at `start` or later. */
  #firstFrom(start: number): number {
    const entries = this.#entries;
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (entries[middle]!.start < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
