/**
 * Tree peer: what a structure of intervals must offer to be measured. Bounds are whole numbers, so for those who know closed
 * intervals only, `end - 1` is as good as `end`.
 */

/** The asking half. */
export interface IntervalQueries {
  /** True if any interval overlaps `[start, end)`. */
  overlaps(start: number, end: number): boolean;
  /** Shown every interval that overlaps `[start, end)`, adds up their starts, modulo 2^32: nobody can add up what was not found. */
  sumOfStarts(start: number, end: number): number;
}

/** See the top of the file. */
export interface TreePeer extends IntervalQueries {
  /** Puts interval `index` in. */
  insert(index: number, start: number, end: number): void;
  /** Takes interval `index` out. */
  remove(index: number): void;
  /** Puts many in at once, where one by one would take minutes; into an empty one only. */
  load?(columns: Columns): void;
  /** Of structures that never change: makes a new one, if anything has changed since the last. Queries do so, too. */
  settle?(): void;
}

/** Intervals as two columns; a number is the index of an interval. */
export interface Columns {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** What is measured under one name. */
export interface TreeSubject {
  readonly name: string;
  /** Makes an empty one that changes in place; undefined for a structure that cannot. */
  readonly make: (() => TreePeer) | undefined;
  /** Makes one of everything at once; undefined where nobody needs that. */
  readonly build: ((columns: Columns) => IntervalQueries) | undefined;
}

/** A structure that is made anew before it is asked, if anything has changed. */
export class Rebuilt implements TreePeer {
  readonly #build: (columns: Columns) => IntervalQueries;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #built: IntervalQueries | undefined;

  constructor(build: (columns: Columns) => IntervalQueries) {
    this.#build = build;
  }

  insert(index: number, start: number, end: number): void {
    this.#starts[index] = start;
    this.#ends[index] = end;
    this.#built = undefined;
  }

  /** Nothing to do: whoever removes an interval here puts another one in its place before anybody asks. */
  remove(_index: number): void {
    this.#built = undefined;
  }

  overlaps(start: number, end: number): boolean {
    return (this.#built ?? this.settle()).overlaps(start, end);
  }

  sumOfStarts(start: number, end: number): number {
    return (this.#built ?? this.settle()).sumOfStarts(start, end);
  }

  settle(): IntervalQueries {
    this.#built ??= this.#build({ starts: this.#starts, ends: this.#ends });
    return this.#built;
  }
}
