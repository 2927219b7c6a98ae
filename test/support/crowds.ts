/**
 * Crowds: many of something at known places, for tests of what grows with their number.
 */
import { type Range, RangeTracker } from '../../lib/index.js';
import { type Handle, IntervalTree } from '../../lib/interval-tree/index.js';
import { Random } from './model/random.js';
import { range } from './reading.js';

/** Where the tests of crowds read. */
export const PAGE: Range = range(0, 8);

/** The i-th place that is not the page, i from 1 on; none overlaps another. */
export function elsewhere(i: number): Range {
  return range(i * 10, i * 10 + 8);
}

/** A tracker in which so many sections are active elsewhere. */
export function activeElsewhere(count: number, tracker: RangeTracker = new RangeTracker()): RangeTracker {
  for (let i = 1; i <= count; i++) tracker.tryBegin(elsewhere(i));
  return tracker;
}

/** A tracker in which so many sections have ended elsewhere. */
export function endedElsewhere(count: number, tracker: RangeTracker = new RangeTracker()): RangeTracker {
  for (let i = 1; i <= count; i++) tracker.tryBegin(elsewhere(i))!.end();
  return tracker;
}

/** A tracker with so many subscribers elsewhere. */
export function subscribedElsewhere(count: number, tracker: RangeTracker = new RangeTracker()): RangeTracker {
  for (let i = 1; i <= count; i++) tracker.subscribe(elsewhere(i), { invalidate() {}, end() {} });
  return tracker;
}

/** Numbers of the line for each interval of a {@link Content}, twice the mean length: so a short query meets one or two. */
export const ROOM = 64;

/** A tree of n random intervals, the same each time. */
export class Content {
  readonly tree: IntervalTree = new IntervalTree();
  readonly handles: Handle[] = [];
  readonly #random = new Random(1);
  readonly #line: number;
  readonly #rare: number;

  /** One interval in `rare` is a sixteenth of the whole line long; none, if it is not given. */
  constructor(n: number, rare: number = Number.POSITIVE_INFINITY) {
    this.#line = ROOM * n;
    this.#rare = rare;
    for (let i = 0; i < n; i++) this.handles.push(this.#insert());
  }

  /** Bounds of a random query. */
  query(length: number): [start: number, end: number] {
    const start = this.#random.below(this.#line);
    return [start, start + length];
  }

  /** Takes one interval out. */
  delete(i: number): void {
    this.tree.delete(this.handles[i]!);
  }

  /** Enters another one in its stead. */
  replace(i: number): void {
    this.handles[i] = this.#insert();
  }

  #insert(): Handle {
    const [start] = this.query(0);
    const isLong = this.#random.next() * this.#rare < 1;
    return this.tree.insert(start, start + (isLong ? this.#line / 16 : 1 + this.#random.below(ROOM)));
  }
}
