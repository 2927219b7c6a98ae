/**
 * The invariants of the tree, walked in full after every step of a model test.
 */
import type { Columns } from '../../lib/interval-tree/columns.js';
import { BITS, LAST_GENERATION, WIDTH } from '../../lib/interval-tree/columns.js';

function fail(what: string, ...where: number[]): never {
  throw new Error(`interval tree invariant broken: ${what} (${where.join(', ')})`);
}

/** Throws an Error that names the first invariant that does not hold. O(n + capacity). */
export function checkInvariants<V>(tree: Columns<V>): void {
  const { lows, highs, links, meta, table, capacity, values, root, height, limit } = tree;
  const seen = new Set<number>();
  let size = 0;

  /** Checks one subtree whose starts must lie in [low, high]; returns its greatest end. */
  function walk(node: number, level: number, up: number, low: number, high: number): number {
    const count = meta[2 * node + 1]!;
    let max = Number.NEGATIVE_INFINITY;
    if (seen.has(node)) fail('a node is linked twice', node, level);
    seen.add(node);
    if (node >= tree.top) fail('a node was never handed out', node, level);
    if (meta[2 * node] !== up) fail('a record does not lead to its place', node, level, up);
    const first = node << BITS;
    if (level > 0) {
      if (count < (node === root ? 2 : 1) || count >= WIDTH) fail('width of an inner node', node, count);
      if (lows[first] !== Number.NEGATIVE_INFINITY) fail('the first key is not -Infinity', node);
      for (let i = 0; i < WIDTH; i++) {
        const key = lows[first + i]!;
        if (i >= count) {
          if (key !== Infinity || highs[first + i] !== Infinity) fail('no fence', node, i);
          continue;
        }
        if (i > 0 && !(low <= key && key <= high)) fail('a key out of its range', node, i);
        const upper = i + 1 < count ? lows[first + i + 1]! : high;
        const got = walk(links[first + i]!, level - 1, first + i, i === 0 ? low : key, upper);
        if (got !== highs[first + i]) fail('the greatest end is not exact', node, i);
        max = Math.max(max, got);
      }
      return max;
    }
    if (count > limit || (count === 0 && tree.size > 0)) fail('intervals of a leaf', node, count);
    for (let place = first; place < first + count; place++) {
      const slot = links[place]!;
      if (!(low <= lows[place]! && lows[place]! <= high)) fail('a start out of its range', place);
      if (!(lows[place]! < highs[place]!)) fail('an empty interval', place);
      if (!(slot >= 0 && slot < capacity) || table[2 * slot] !== place) fail('a slot does not lead to its place', place, slot);
      max = Math.max(max, highs[place]!);
      size++;
    }
    return max;
  }
  walk(root, height, -1, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  if (size !== tree.size) fail('size', size, tree.size);

  // Nothing is lost: what is not in the tree is free.
  for (let node = tree.free; node >= 0; node = meta[2 * node]!) {
    if (seen.has(node)) fail('a free node is in use, or free twice', node);
    seen.add(node);
  }
  if (seen.size !== tree.top || 2 * tree.top > meta.length) fail('a node is lost', seen.size, tree.top);
  if (lows.length !== highs.length || lows.length !== links.length) fail('lengths of the columns', lows.length);
  if (limit === WIDTH && lows.length << 1 !== meta.length << BITS) fail('length of meta', meta.length);
  if (limit !== Math.min(lows.length, WIDTH)) fail('limit', limit);

  const freeSlots = new Set<number>();
  for (let slot = tree.slot; slot >= 0; slot = -2 - table[2 * slot]!) {
    if (freeSlots.has(slot) || table[2 * slot]! >= 0) fail('a free slot is in use, or free twice', slot);
    freeSlots.add(slot);
  }
  let used = 0;
  for (let slot = 0; slot < table.length >> 1; slot++) {
    if (table[2 * slot]! >= 0) used++;
    else {
      if (values?.[slot] !== undefined) fail('a value is kept for nothing', slot);
      if (!freeSlots.has(slot) && table[2 * slot + 1] !== LAST_GENERATION) fail('a slot is lost', slot);
    }
  }
  if (used !== size) fail('slots in use', used, size);
}

/** Bytes of all columns, values apart. */
export function columnBytes<V>({ lows, highs, links, meta, table }: Columns<V>): number {
  return [lows, highs, links, meta, table].reduce((sum, column) => sum + column.byteLength, 0);
}

/** Places in use in each node of a level, from left to right; level 0 is that of the leaves. */
export function fillOf<V>({ links, meta, root, height }: Columns<V>, level = 0): number[] {
  let nodes = [root];
  const count = (node: number) => meta[2 * node + 1]!;
  for (let at = height; at > level; at--) {
    nodes = nodes.flatMap((node) => [...links.subarray(node << BITS, (node << BITS) + count(node))]);
  }
  return nodes.map(count);
}
