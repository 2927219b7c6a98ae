/**
 * Ranges, the slow and obvious way: the models must not share a line with what they judge.
 */
import type { Range, Ranges } from '../../../lib/index.js';

/** A list, whatever was given. */
export function listOf(ranges: Ranges): readonly Range[] {
  return 'start' in ranges ? [ranges] : ranges;
}

/** Half-open: ranges that touch do not meet. */
export function meet(a: Range, b: Range): boolean {
  return a.start < b.end && b.start < a.end;
}

/** Pairs of ranges above which they are not compared one by one: a millisecond. */
const MANY = 250_000;

/** True if any range of `a` meets any of `b`. */
export function anyMeet(a: readonly Range[], b: readonly Range[]): boolean {
  if (a.length * b.length > MANY) return anyMeetOfMany(a, b);
  for (const one of a) for (const other of b) if (meet(one, other)) return true;
  return false;
}

/** The same from left to right: how far the ranges of each side have reached. */
function anyMeetOfMany(a: readonly Range[], b: readonly Range[]): boolean {
  const all = [...a.map((range) => ({ range, side: 0 })), ...b.map((range) => ({ range, side: 1 }))];
  const reached = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { range, side } of all.sort((x, y) => x.range.start - y.range.start)) {
    if (range.start < reached[1 - side]!) return true;
    reached[side] = Math.max(reached[side]!, range.end);
  }
  return false;
}

/** `count` ranges of one page each, every `step` pages from `start` on. */
export function scattered(start: number, count: number, step: number): Range[] {
  return Array.from({ length: count }, (_, i) => ({ start: start + i * step, end: start + i * step + 1 }));
}

/** Sorted, disjoint, not touching: joins any two that meet or touch until there are none. */
export function joined(ranges: readonly Range[]): Range[] {
  if (ranges.every(({ start }, i) => i === 0 || ranges[i - 1]!.end < start))
    return ranges.map(({ start, end }) => ({ start, end }));
  const left = ranges.map(({ start, end }) => ({ start, end }));
  for (let i = 0; i < left.length; i++) {
    for (let j = 0; j < left.length; j++) {
      if (i === j || left[i]!.start > left[j]!.end || left[j]!.start > left[i]!.end) continue;
      left[i] = { start: Math.min(left[i]!.start, left[j]!.start), end: Math.max(left[i]!.end, left[j]!.end) };
      left.splice(j, 1);
      i = -1;
      break;
    }
  }
  return left.sort((a, b) => a.start - b.start);
}
