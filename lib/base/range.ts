/**
 * Ranges: half-open `[start, end)` on one ordered line of numbers, and the flat form the package works with.
 *
 * `start < end`, both numbers, `±Infinity` allowed at the outer ends, fractions allowed, never NaN, never empty.
 * Ranges that touch (`[0, 8)` and `[8, 16)`) do not overlap.
 */

import { describe, InvalidRangeError } from './errors.js';
import type { Range, Ranges } from './vocabulary.js';

/**
 * Ranges in the package's own form: `[start, end, start, end, …]`, ascending, disjoint, not even touching.
 * A copy, so that a caller who changes its range object later does not move a running lookup.
 */
export type Spans = readonly number[];

/** The whole line. */
export const EVERYTHING: Spans = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/** Throws {@link InvalidRangeError} unless `start < end`, both numbers. One comparison decides about NaN, too. */
export function checkRange(start: number, end: number): void {
  if (typeof start !== 'number' || typeof end !== 'number' || !(start < end)) throw invalidRange(start, end);
}

function invalidRange(start: unknown, end: unknown): InvalidRangeError {
  const numbers = typeof start === 'number' && typeof end === 'number' && !Number.isNaN(start) && !Number.isNaN(end);
  const shown = `range [${describe(start)}, ${describe(end)})`;
  return new InvalidRangeError(
    numbers ? `${shown} is empty: end must be greater than start` : `${shown}: start and end must be numbers, not NaN`,
  );
}

function notARange(got: unknown): InvalidRangeError {
  return new InvalidRangeError(`range is ${describe(got)}; expected { start, end } with start < end, or a list of them`);
}

/** The single range of `ranges`, checked; `undefined` for a list, which goes through {@link toSpans}. */
export function single(ranges: Ranges): Range | undefined {
  if (Array.isArray(ranges)) return undefined;
  const range = ranges as Range;
  if (typeof range !== 'object' || range === null) throw notARange(range);
  checkRange(range.start, range.end);
  return range;
}

/** Checks and copies; sorts and merges a list. Throws {@link InvalidRangeError}. O(n log n). */
export function toSpans(ranges: Ranges): Spans {
  const range = single(ranges);
  if (range !== undefined) return [range.start + 0, range.end + 0]; // -0 becomes 0
  const list = ranges as readonly Range[];
  if (list.length === 0) throw new InvalidRangeError('the list of ranges is empty; expected at least one range');
  // Array.from, not map: a hole in the list is not a range either.
  const sorted = Array.from(list, (item) => single(item) ?? raise(notARange(item))).sort(
    (a, b) => a.start - b.start || a.end - b.end,
  );
  return merge(sorted);
}

/** Both sets of spans as one. */
export function unite(a: Spans, b: Spans): Spans {
  return toSpans([...toRanges(a), ...toRanges(b)]);
}

function merge(sorted: readonly Range[]): Spans {
  const spans: number[] = [];
  for (const { start, end } of sorted) {
    const last = spans.length - 1;
    if (last > 0 && start <= spans[last]!) spans[last] = Math.max(spans[last]!, end);
    else spans.push(start + 0, end + 0);
  }
  return spans;
}

function raise(error: Error): never {
  throw error;
}

/** The public, frozen form of spans. */
export function toRanges(spans: Spans): readonly Range[] {
  const ranges: Range[] = [];
  for (let i = 0; i < spans.length; i += 2) ranges.push(Object.freeze({ start: spans[i]!, end: spans[i + 1]! }));
  return Object.freeze(ranges);
}

/** Ranges in a driver's own words: `key "a"`. */
export type Words = (ranges: readonly Range[]) => string;

/** For messages: `[0, 8) and 2 more`. */
export function describeSpans(spans: Spans, words?: Words): string {
  if (words !== undefined) return words(toRanges(spans));
  return `[${spans[0]}, ${spans[1]})${spans.length > 2 ? ` and ${spans.length / 2 - 1} more` : ''}`;
}

/** The first of the spans, as a range. */
export function rangeAt(spans: Spans): Range {
  return { start: spans[0]!, end: spans[1]! };
}

/** True if every number of `inner` lies in `outer`. Both are merged, so one outer span must hold each inner one. */
export function contains(outer: Spans, inner: Spans): boolean {
  for (let i = 0, o = 0; i < inner.length; i += 2) {
    while (o < outer.length && outer[o + 1]! < inner[i + 1]!) o += 2;
    if (o >= outer.length || outer[o]! > inner[i]!) return false;
  }
  return true;
}

/** What lies in both. O(a + b), but a single span is looked up in many. */
export function intersect(a: Spans, b: Spans): Spans {
  if (a.length === 2 && b.length > 2) return intersect(b, a);
  const spans: number[] = [];
  for (let i = firstAbove(a, b[0]!), j = 0; i < a.length && j < b.length; ) {
    const start = Math.max(a[i]!, b[j]!);
    const end = Math.min(a[i + 1]!, b[j + 1]!);
    if (start < end) spans.push(start, end);
    if (a[i + 1]! < b[j + 1]!) i += 2;
    else j += 2;
  }
  return spans;
}

/** The index of the first span that ends above `at`. */
function firstAbove(spans: Spans, at: number): number {
  let low = 0;
  let high = spans.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[2 * middle + 1]! > at) high = middle;
    else low = middle + 1;
  }
  return 2 * low;
}

/** True if any of `a` overlaps any of `b`. Two steps for single ranges, O(a + b) in general. */
export function overlap(a: Spans, b: Spans): boolean {
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i + 1]! <= b[j]!) i += 2;
    else if (b[j + 1]! <= a[i]!) j += 2;
    else return true;
  }
  return false;
}

/** What of these spans lies inside the others; the same object if all of it does. There must be something. */
export function cut(spans: Spans, others: Spans): Spans {
  return contains(others, spans) ? spans : intersect(others, spans);
}
