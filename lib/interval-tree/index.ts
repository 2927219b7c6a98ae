/**
 * Contract: an `IntervalTree` holds half-open intervals `[start, end)` of numbers, each with an optional value, and answers which of
 * them overlap a range. `[0, 8)` and `[8, 16)` touch, and do not overlap.
 *
 * - Bounds are any numbers with `start < end`: fractions, `-0`, `-Infinity` as a start, `Infinity` as an end. Anything else
 *   throws {@link InvalidRangeError} before anything has changed, from queries, too.
 * - Intervals may overlap, nest and be equal; each is one entry with a handle of its own.
 * - A handle is a positive safe integer. A tree never issues the same one twice, not even after `clear()`, so a stale
 *   handle never reaches a later interval. It means nothing to another tree: handles of two trees may be equal numbers.
 * - `overlaps`, `first` and `visit` allocate nothing (a box of a number that is not a small integer is the visitor's).
 * - A visitor may change the tree if it then returns `true`. If it goes on, the visit throws {@link InvalidArgumentError}, as it
 *   could miss an entry or show one twice; the change itself stands, and the tree is sound.
 * - Memory: nothing in a new tree; while it is in use it never shrinks; given back when the last interval leaves (all but at
 *   most 15 kB) and by `clear()` (all). A deleted value is let go of at once.
 *
 * Cost, for n intervals of which k overlap: insert, delete, overlaps, first O(log n); visit, search O((k + 1) log n) at worst,
 * O(k + log n) as a rule; everything that takes a handle and changes nothing O(1). The way of a call: this class checks, core.ts
 * walks the tree (columns.ts is its memory), balance.ts keeps it level, handles.ts knows where an interval is.
 */

import { checkRange } from '../base/range.js';
import type { CoreVisitor } from './core.js';
import { Core } from './core.js';

declare const brand: unique symbol;

/** Names one interval of one tree from `insert` to `delete`; stale for good after that. A positive safe integer at run time. */
export type Handle = number & {
  /** Exists in types only: keeps other numbers from passing for a handle. */
  readonly [brand]: 'rangefence/interval-tree';
};

/** One interval as iteration shows it: a copy, that does not follow later changes of the tree. */
export interface IntervalEntry<V> {
  /** As returned by {@link IntervalTree.insert}. */
  readonly handle: Handle;
  /** The first number of the interval. */
  readonly start: number;
  /** The first number after the interval. */
  readonly end: number;
  /** As given to {@link IntervalTree.insert}; undefined if none was. */
  readonly value: V;
}

/** Called for one overlapping interval; `true`, and only that, ends the visit. */
export type IntervalVisitor<V> = (start: number, end: number, value: V, handle: Handle) => boolean | void;

/**
 * A set of half-open numeric intervals that finds the overlapping ones in logarithmic time. For intervals that come and go;
 * the rules above this class, in short: touching is not overlapping, handles are never reused, queries allocate nothing.
 *
 * @typeParam V the type of the values. Say nothing for a tree without values.
 */
export class IntervalTree<V = undefined> {
  // Apart, so that the invariants can be walked by tests without being part of the class.
  readonly #core: Core<V> = new Core<V>();

  /** The number of intervals in the tree. O(1). */
  get size(): number {
    return this.#core.size;
  }

  /**
   * Enters `[start, end)` and returns the handle that takes it out again. O(log n). The same interval may be entered any
   * number of times.
   *
   * @param value returned by `get` and `search`, shown to visitors; held until the interval is deleted
   * @throws InvalidRangeError unless `start < end`, both numbers; nothing has changed then
   */
  insert(start: number, end: number, value?: V): Handle {
    checkRange(start, end);
    return this.#core.insert(start, end, value) as Handle;
  }

  /**
   * Takes the interval of `handle` out and returns true; returns false and does nothing if it has already been taken
   * out, however long ago and whatever has been entered since. O(log n), O(1) mostly. Never throws.
   */
  delete(handle: Handle): boolean {
    return this.#core.delete(handle);
  }

  /**
   * True if any interval overlaps `[start, end)`. O(log n), a single path down; one comparison in an empty tree.
   *
   * @throws InvalidRangeError unless `start < end`, both numbers
   */
  overlaps(start: number, end: number): boolean {
    checkRange(start, end);
    return this.#core.find(start, end, true) >= 0;
  }

  /**
   * The handle of the overlapping interval with the lowest start, any one of those if several share it; undefined if none
   * overlaps. O(log n). To take out all that overlap, delete the first until there is none.
   *
   * @throws InvalidRangeError unless `start < end`, both numbers
   */
  first(start: number, end: number): Handle | undefined {
    checkRange(start, end);
    const core = this.#core;
    const place = core.find(start, end, false);
    return place < 0 ? undefined : (core.handleAt(place) as Handle);
  }

  /**
   * Calls `visitor` once for every interval that overlaps `[start, end)`, in no particular order; returns true if the
   * visitor ended it by returning `true`. Visits may be nested. What the visitor throws passes through.
   *
   * @throws InvalidRangeError unless `start < end`, both numbers
   * @throws InvalidArgumentError if the visitor has changed this tree and did not return `true`
   */
  visit(start: number, end: number, visitor: IntervalVisitor<V>): boolean {
    checkRange(start, end);
    return this.#core.visit(start, end, visitor as CoreVisitor<V>);
  }

  /**
   * The values of all intervals that overlap `[start, end)`, in no particular order, in a new array. Unlike inside `visit`, the
   * tree may be changed while the result is walked.
   *
   * @throws InvalidRangeError unless `start < end`, both numbers
   */
  search(start: number, end: number): V[] {
    const found: V[] = [];
    this.visit(start, end, (_start, _end, value) => {
      found.push(value);
    });
    return found;
  }

  /** True until the interval of `handle` is deleted. O(1). Never throws. */
  has(handle: Handle): boolean {
    return this.#core.locate(handle) >= 0;
  }

  /** The value of an interval; undefined if it has none, or has been deleted. O(1). Never throws. */
  get(handle: Handle): V | undefined {
    const core = this.#core;
    const place = core.locate(handle);
    return place < 0 ? undefined : core.valueAt(place);
  }

  /** The start of an interval; undefined if it has been deleted. O(1). Never throws. */
  startOf(handle: Handle): number | undefined {
    const core = this.#core;
    const place = core.locate(handle);
    return place < 0 ? undefined : core.lows[place];
  }

  /** The end of an interval; undefined if it has been deleted. O(1). Never throws. */
  endOf(handle: Handle): number | undefined {
    const core = this.#core;
    const place = core.locate(handle);
    return place < 0 ? undefined : core.highs[place];
  }

  /** Takes everything out and gives all memory back. Handles from before stay stale for good. O(1), about 1 µs. */
  clear(): void {
    this.#core.clear();
  }

  /**
   * All intervals, as copies, in no particular order. The tree may be changed meanwhile: what is deleted before its turn is left
   * out, what is inserted after the first step is not shown. O(n), and 8 bytes each while it runs.
   */
  *[Symbol.iterator](): Generator<IntervalEntry<V>, void, undefined> {
    const core = this.#core;
    const handles: Handle[] = [];
    core.visit(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, (_start, _end, _value, handle) => {
      handles.push(handle as Handle);
    });
    for (const handle of handles) {
      const place = core.locate(handle);
      if (place >= 0) yield { handle, start: core.lows[place]!, end: core.highs[place]!, value: core.valueAt(place) };
    }
  }
}
