/**
 * Balance: how nodes of the tree are split, merged, linked and unlinked.
 *
 * Every change of shape starts at a leaf, is rare (once in 8 or more operations on that leaf) and keeps the invariants of
 * `core.ts`: key order, exact greatest ends, fences. Splits need memory, so it is reserved before the first
 * write; merges and unlinks need none.
 *
 * A leaf of intervals and an inner node of children are the same three columns, so one function does for both. What
 * differs: an inner node is in order and stays so, since everything here moves places in order; its last place is a
 * fence; and its first key is -Infinity, because whoever comes there has already been judged by the parent's key.
 */
import type { Columns } from './columns.js';
import { BITS, TINY, WIDTH } from './columns.js';

/** Children of a full inner node: all places but the fence. */
const FAN: number = WIDTH - 1;
/** A node with fewer places in use looks for a neighbour to merge with. */
export const MIN: number = WIDTH >> 2;
/** A merged node is at most 3/4 full: a quarter of it lies between the merge and the next split. */
const MERGED: number = WIDTH - MIN;
/** Key and greatest end where no child is: searches for "the first child with ..." stop here without counting. */
const FENCE: number = Infinity;
/** Key of a first child. */
const FIRST: number = -Infinity;

/** Makes room for one more interval where `leaf` is full; `start` is that of the one that has no room. */
export function growLeaf<V>(tree: Columns<V>, leaf: number, start: number): void {
  if (tree.limit < WIDTH) {
    const limit = tree.limit === 0 ? TINY : WIDTH;
    growColumns(tree, limit);
    tree.limit = limit;
    return;
  }
  // One node a level and one for a new root. Those in the free list come on top, which wastes less than counting them.
  const nodes = tree.meta.length >> 1;
  const needed = tree.top + tree.height + 2;
  // An eighth more: 1/16 of the columns lies idle on average, at 9 copies of an interval in its life.
  if (needed > nodes) growColumns(tree, (needed + (nodes >> 3)) << BITS);
  split(tree, leaf, 0, start);
}

/** `meta` last: how many nodes there are is read off it, so that a failure half-way leaves columns that are merely longer. */
function growColumns<V>(tree: Columns<V>, places: number): void {
  tree.lows = grown(tree.lows, places);
  tree.highs = grown(tree.highs, places);
  tree.links = grown(tree.links, places);
  // The tiny leaf is less than a node, but needs a record.
  tree.meta = grown(tree.meta, 2 * Math.ceil(places / WIDTH));
}

function grown<A extends Float64Array | Int32Array>(column: A, length: number): A {
  const copy = new (column.constructor as new (length: number) => A)(length);
  copy.set(column);
  return copy;
}

/** A node with nothing but fences. */
function take<V>(tree: Columns<V>): number {
  const { meta, free } = tree;
  const node = free < 0 ? tree.top++ : free;
  if (free >= 0) tree.free = meta[2 * node]!;
  meta[2 * node + 1] = 0;
  fence(tree, node << BITS);
  return node;
}

/** Puts fences from `place` to the end of its node. Leaves do not need them, and do not mind. */
function fence<V>(tree: Columns<V>, place: number): void {
  const stop = (place | (WIDTH - 1)) + 1;
  tree.lows.fill(FENCE, place, stop);
  tree.highs.fill(FENCE, place, stop);
}

/** Moves an interval or a child and tells it; `home` is `table` or `meta`. */
export function move<V>(tree: Columns<V>, from: number, to: number, home: Int32Array): void {
  const { lows, highs, links } = tree;
  const link = links[from]!;
  lows[to] = lows[from]!;
  highs[to] = highs[from]!;
  links[to] = link;
  home[2 * link] = to;
}

/** Enters a child at `place` of an inner node that has room. */
function link<V>(tree: Columns<V>, place: number, key: number, child: number): void {
  const { meta } = tree;
  const node = place >> BITS;
  for (let to = (node << BITS) + meta[2 * node + 1]!++; to > place; to--) move(tree, to - 1, to, meta);
  tree.lows[place] = key;
  tree.highs[place] = tree.max(child);
  tree.links[place] = child;
  meta[2 * child] = place;
}

/** Cuts a full node in two; first its parent, if that is full, too. */
function split<V>(tree: Columns<V>, node: number, level: number, start: number): void {
  const { lows, meta } = tree;
  if (node === tree.root) {
    tree.root = take(tree);
    tree.height++;
    meta[2 * tree.root] = -1;
    link(tree, tree.root << BITS, FIRST, node);
  }
  const parent = meta[2 * node]! >> BITS;
  if (meta[2 * parent + 1] === FAN) split(tree, parent, level + 1, start);
  const first = node << BITS;
  const count = meta[2 * node + 1]!;
  sort(tree, first, count);
  // In the middle; at 3/4 or 1/4, on the far side, if `start` lies outside of them all.
  const stay = lows[first + count - 1]! <= start ? MERGED : lows[first]! > start ? MIN : WIDTH >> 1;
  const right = take(tree);
  const shift = (right << BITS) - first - stay;
  const home = level > 0 ? meta : tree.table;
  for (let i = 0; i < count; i++) move(tree, first + i, first + i + (i < stay ? 0 : shift), home);
  const key = lows[right << BITS]!;
  if (level > 0) lows[right << BITS] = FIRST;
  fence(tree, first + stay);
  meta[2 * node + 1] = stay;
  meta[2 * right + 1] = count - stay;
  // Not `parent`: its own split may have moved the node.
  const place = meta[2 * node]!;
  tree.highs[place] = tree.max(node);
  link(tree, place + 1, key, right);
}

/** Insertion sort by low; nothing to do in an inner node. `home` is not told, the caller moves everything anyway. */
function sort<V>({ lows, highs, links }: Columns<V>, first: number, count: number): void {
  for (let i = first + 1; i < first + count; i++) {
    const low = lows[i]!;
    const high = highs[i]!;
    const link = links[i]!;
    let to = i;
    for (; to > first && lows[to - 1]! > low; to--) {
      lows[to] = lows[to - 1]!;
      highs[to] = highs[to - 1]!;
      links[to] = links[to - 1]!;
    }
    lows[to] = low;
    highs[to] = high;
    links[to] = link;
  }
}

/** Gives an under-full node, other than the root, to a neighbour that has room, and drops an empty one. */
export function shrink<V>(tree: Columns<V>, node: number, level: number): void {
  const { lows, meta } = tree;
  const place = meta[2 * node]!;
  const count = meta[2 * node + 1]!;
  if (count === 0) unlink(tree, place, level + 1);
  else if (lows[place + 1]! < FENCE && fits(tree, count, place + 1)) merge(tree, place, level);
  else if (place % WIDTH > 0 && fits(tree, count, place - 1)) merge(tree, place - 1, level);
}

function fits<V>({ links, meta }: Columns<V>, count: number, place: number): boolean {
  return count + meta[2 * links[place]! + 1]! <= MERGED;
}

/** Moves everything from the child at `place + 1` into the one at `place`; `level` is theirs. */
function merge<V>(tree: Columns<V>, place: number, level: number): void {
  const { lows, highs, links, meta } = tree;
  const left = links[place]!;
  const right = links[place + 1]!;
  const first = right << BITS;
  const count = meta[2 * right + 1]!;
  if (level > 0) lows[first] = lows[place + 1]!;
  const to = (left << BITS) + meta[2 * left + 1]!;
  for (let i = 0; i < count; i++) move(tree, first + i, to + i, level > 0 ? meta : tree.table);
  meta[2 * left + 1]! += count;
  if (highs[place + 1]! > highs[place]!) highs[place] = highs[place + 1]!;
  unlink(tree, place + 1, level + 1);
}

/** Frees the child at `place`; `level` is that of the node it is taken out of. */
function unlink<V>(tree: Columns<V>, place: number, level: number): void {
  const { lows, links, meta } = tree;
  const node = place >> BITS;
  release(tree, links[place]!);
  const count = --meta[2 * node + 1]!;
  const last = (node << BITS) + count;
  for (let to = place; to < last; to++) move(tree, to + 1, to, meta);
  fence(tree, last);
  lows[node << BITS] = FIRST;
  if (node !== tree.root) {
    if (count < MIN) shrink(tree, node, level);
    return;
  }
  while (tree.height > 0 && meta[2 * tree.root + 1] === 1) {
    const child = links[tree.root << BITS]!;
    release(tree, tree.root);
    tree.root = child;
    tree.height--;
    meta[2 * child] = -1;
  }
}

function release<V>(tree: Columns<V>, node: number): void {
  tree.meta[2 * node] = tree.free;
  tree.free = node;
}
