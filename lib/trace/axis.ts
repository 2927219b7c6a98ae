/**
 * Axis: puts the numbers of a space next to each other, on a line from 0 to 1.
 *
 * What any range touches keeps its proportions. What lies between, and nobody touches, is cut down to a narrow gap: a page
 * table of one process has a few megabytes somewhere in 2^47. Infinite bounds are at the two edges.
 */
import type { Range } from '../base/vocabulary.js';

/** A gap is shown in proportion as long as it takes no more than this part of what is touched. */
const WIDEST_GAP = 0.04;
/** Room for what goes on beyond the edge, if anything does. */
const BEYOND = 0.03;

/** A part of the space that is shown in proportion. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  /** Where it lies, from 0 to 1. */
  readonly x0: number;
  readonly x1: number;
}

/** See the top of the file. */
export class Axis {
  readonly pieces: readonly Piece[];

  constructor(ranges: readonly Range[]) {
    this.pieces = layOut(islands(ranges), ranges);
  }

  /** Where a number lies. O(log n). */
  at(value: number): number {
    if (value === Number.NEGATIVE_INFINITY) return 0;
    if (value === Number.POSITIVE_INFINITY) return 1;
    const { pieces } = this;
    let low = 0;
    let high = pieces.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (pieces[middle]!.start <= value) low = middle;
      else high = middle - 1;
    }
    const { start, end, x0, x1 } = pieces[low]!;
    if (value <= start) return x0;
    if (value <= end) return x0 + ((value - start) / (end - start)) * (x1 - x0);
    const next = pieces[low + 1];
    return next === undefined ? x1 : x1 + ((value - end) / (next.start - end)) * (next.x0 - x1);
  }
}

/** What is touched, merged; a lone finite bound counts as the point it is. At least one of positive length. */
function islands(ranges: readonly Range[]): Range[] {
  const finite = ranges
    .map(({ start, end }) => ({ start: Number.isFinite(start) ? start : end, end: Number.isFinite(end) ? end : start }))
    .filter(({ start }) => Number.isFinite(start))
    .sort((a, b) => a.start - b.start);
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of finite) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  const [first = { start: 0, end: 0 }, ...others] = merged;
  return first.start === first.end && others.length === 0 ? [{ start: first.start, end: first.start + 1 }] : [first, ...others];
}

function layOut(islands: readonly Range[], ranges: readonly Range[]): Piece[] {
  const widest = WIDEST_GAP * (islands.reduce((sum, { start, end }) => sum + (end - start), 0) || 1);
  const shown = joined(islands, widest);
  const left = ranges.some(({ start }) => start === Number.NEGATIVE_INFINITY) ? BEYOND : 0;
  const right = ranges.some(({ end }) => end === Number.POSITIVE_INFINITY) ? BEYOND : 0;
  // Lengths are subtracted first: added to a bound near 2^50 they would lose their digits.
  const length = shown.reduce((sum, { start, end }) => sum + (end - start), widest * (shown.length - 1)) || 1;
  const scale = (1 - left - right) / length;
  let x = left;
  return shown.map(({ start, end }, i) => {
    const x0 = i === 0 ? x : x + widest * scale;
    x = x0 + (end - start) * scale;
    return { start, end, x0, x1: x };
  });
}

/** What is no farther apart than the widest gap is one piece. */
function joined(islands: readonly Range[], widest: number): Range[] {
  const pieces: { start: number; end: number }[] = [];
  for (const { start, end } of islands) {
    const last = pieces.at(-1);
    if (last !== undefined && start - last.end <= widest) last.end = end;
    else pieces.push({ start, end });
  }
  return pieces;
}
