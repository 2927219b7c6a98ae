/**
 * Content: what the lookups of a lane read: a number at each place, and the truth about it. A place that is being changed has another
 * number every few moments, and what was read meanwhile is worth nothing. Nobody who guards a lane may look here; the judge does.
 */
import type { Range } from '../../../lib/index.js';

/** How many places there are on the line. */
export const PLACES = 40;

/** See the top of the file. */
export class Content {
  readonly #numbers: number[] = Array.from({ length: PLACES }, () => 0);
  readonly #changing: number[] = Array.from({ length: PLACES }, () => 0);
  #last = 0;

  /** What is there now. */
  read(place: number): number {
    return this.#numbers[place]!;
  }

  /** From now on, what is there is not to be believed. */
  open(range: Range): void {
    for (let place = range.start; place < range.end; place++) this.#changing[place]!++;
  }

  /** The last number is the one that stays. */
  close(range: Range): void {
    this.write(range);
    for (let place = range.start; place < range.end; place++) this.#changing[place]!--;
  }

  /** One step of a change. */
  write({ start, end }: Range): void {
    this.#last++;
    for (let place = start; place < end; place++) this.#numbers[place] = this.#last;
  }

  /** Is it being changed? */
  changes(place: number): boolean {
    return this.#changing[place]! > 0;
  }

  /** The judge: is this what is there, and does it stay there? */
  isFresh({ start }: Range, read: readonly number[]): boolean {
    return read.every((number, i) => number === this.#numbers[start + i] && !this.changes(start + i));
  }
}
