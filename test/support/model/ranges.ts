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

/** True if any range of `a` meets any of `b`. */
export function anyMeet(a: readonly Range[], b: readonly Range[]): boolean {
  for (const one of a) for (const other of b) if (meet(one, other)) return true;
  return false;
}

/** Sorted, disjoint, not touching: joins any two that meet or touch until there are none. */
export function joined(ranges: readonly Range[]): Range[] {
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
