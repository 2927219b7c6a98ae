/**
 * Plan: which blocks a read needs, and what is asked for at once.
 *
 * A round trip costs more than some rows. So blocks to be read that follow each other are one request, up to `maxLoadRows`; a single
 * block between two of them that need not be read is read with them; and dirty blocks behind what was asked for, if they follow at once,
 * come along. After a burst of changes a few requests read everything again; after one change, one request reads one block.
 */
import type { Block, Blocks } from './blocks.js';
import type { RowSettings } from './options.js';

/** Blocks, one after the other, for one request. */
export interface Stretch<Row, Key> {
  readonly blocks: readonly Block<Row, Key>[];
  readonly from: Key | undefined;
  readonly to: Key | undefined;
  readonly limit: number;
}

/** What [start, end) needs that is not there. */
export interface Plan<Row, Key> {
  /** Nothing, if it is empty. */
  readonly blocks: readonly Block<Row, Key>[];
  /** Rows that the last of these blocks is expected to have, if nobody has read it yet. */
  readonly wanted: number;
  /** All rows are there, however old. */
  readonly isAtHand: boolean;
}

/** A look at each block before `end`. */
export function plan<Row, Key>({ list }: Blocks<Row, Key>, start: number, end: number): Plan<Row, Key> {
  const blocks: Block<Row, Key>[] = [];
  let first = 0;
  let isAtHand = true;
  for (const block of list) {
    if (first >= end) break;
    if (!block.isKnown) {
      blocks.push(block); // what comes behind it has no index
      return { blocks, wanted: end - first, isAtHand: false };
    }
    const isMissing = block.rows === undefined && first + block.count > start;
    if (isMissing) isAtHand = false;
    if (isMissing || block.isDirty) blocks.push(block);
    first += block.count;
  }
  return { blocks, wanted: 0, isAtHand };
}

/** The requests for those blocks of a plan that nothing is reading. */
export function stretches<Row, Key>(
  blocks: Blocks<Row, Key>,
  { blocks: needed, wanted }: Plan<Row, Key>,
  { blockRows, maxLoadRows }: RowSettings<Row, Key>,
): Stretch<Row, Key>[] {
  const { list } = blocks;
  const needs = new Set(needed);
  const unknownRows = Math.min(Math.ceil(wanted / blockRows) * blockRows, maxLoadRows);
  const sizeOf = (block: Block<Row, Key>) => (block.isKnown ? block.count : unknownRows);
  const isFree = (block: Block<Row, Key> | undefined) => block !== undefined && block.load === undefined;
  const isDue = (block: Block<Row, Key> | undefined) =>
    block !== undefined && isFree(block) && (needs.has(block) || (block.isKnown && block.isDirty));
  const found: Stretch<Row, Key>[] = [];
  let next = 0;
  for (const block of needed) {
    const place = list.indexOf(block, next);
    if (place < 0 || !isFree(block)) continue; // it came along with those before it, or is being read
    let rows = sizeOf(block);
    next = place + 1;
    for (;;) {
      const more = isDue(list[next]) ? 1 : isFree(list[next]) && list[next]!.isKnown && isDue(list[next + 1]) ? 2 : 0;
      const added = list.slice(next, next + more).reduce((sum, each) => sum + sizeOf(each), 0);
      if (more === 0 || rows + added > maxLoadRows) break;
      rows += added;
      next += more;
    }
    const taken = list.slice(place, next);
    const slack = taken.some(({ isKnown }) => isKnown) ? blockRows : 0;
    // One more, whose key is where the next block begins.
    found.push({ blocks: taken, from: block.from, to: blocks.endOf(next - 1), limit: rows + slack + 1 });
  }
  return found;
}
