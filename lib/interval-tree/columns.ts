/**
 * The columns of an interval tree: where everything is, and how the numbers lead from one to the other.
 *
 *   node    a leaf or an inner node: a block of 32 places in the columns `lows`, `highs` and `links`
 *   place   node * 32 + index in the node. In a leaf it holds an interval, in an inner node a child
 *   slot    the lasting name of an interval inside the tree; a handle is a slot plus a generation
 *
 *               in a leaf                 in an inner node
 *   lows        start                     key: no start below the child is smaller, no start below earlier ones greater
 *   highs       end                       the greatest end below the child, exactly
 *   links       slot                      child
 *
 * The way back: `table` leads from a slot to its place, `meta` from a node to its place in the parent. Both are pairs,
 * with the place first, so that whoever moves something need not know what it moves: home[2 * links[place]] = place.
 */

/** Nodes of 32, by measurement: see the note in `core.ts`. */
export const BITS = 5;
/** Places of a node, and intervals of a full leaf. */
export const WIDTH: number = 1 << BITS;
/** Places of the first leaf of all: 64 bytes a column, the most that V8 keeps on its own heap, without a malloc. */
export const TINY = 8;

/** The generation that is not issued any more: the greatest number an Int32Array holds. */
export const LAST_GENERATION = 0x7fffffff;

/** Columns of an empty tree. Never written to. */
const NO_FLOATS: Float64Array = /* @__PURE__ */ new Float64Array(0);
const NO_INTS: Int32Array = /* @__PURE__ */ new Int32Array(0);
/** The leaf of an empty tree: no parent, no interval. Never written to, because with a limit of 0 it is full. */
const NO_META: Int32Array = /* @__PURE__ */ Int32Array.of(-1, 0);

/** Plain data: only the functions of the `interval-tree-*` files touch it, and only in the way each field says. */
export class Columns<V> {
  /** Intervals in the tree. */
  size = 0;
  /** Grows with every insert, delete and clear; a visit compares it to see that its visitor changed the tree. */
  version = 0;

  /** A leaf if `height` is 0, otherwise an inner node. */
  root = 0;
  /** Levels of inner nodes above the leaves. */
  height = 0;

  /** By place, see above. In an inner node -Infinity for the first child, and Infinity where no child is. */
  lows: Float64Array = NO_FLOATS;
  /** By place, see above. In an inner node Infinity where no child is. */
  highs: Float64Array = NO_FLOATS;
  /** By place, see above. */
  links: Int32Array = NO_INTS;
  /** By node: [place in the parent, -1 for the root; places in use]. In a free node: [next free node, anything]. */
  meta: Int32Array = NO_META;
  /** Intervals that a leaf takes: 0 without columns, TINY while the tree is a single small leaf, then WIDTH for good. */
  limit = 0;
  /** Nodes from here on have not been used since the tree was last empty. */
  top = 1;
  /** The first free node below `top`, or -1. */
  free = -1;

  /** By slot: [place, or -2 - next free slot; generation of the handle that is out, or that is issued next]. */
  table: Int32Array = NO_INTS;
  /** Slots of the table, a power of two. Half of the first table's while there is none. */
  capacity: number = TINY / 2;
  /** The first free slot, or -1. Last in, first out: what was just freed is still in the cache. */
  slot = -1;
  /** Above every handle issued so far. More than 0 from the start, so that every handle is truthy. */
  nextHandle: number;
  /** By slot; there is none until a value other than undefined is inserted. */
  values: (V | undefined)[] | undefined = undefined;

  /** An empty tree that issues no handle below `nextHandle`. Allocates nothing else. */
  constructor(nextHandle: number = TINY) {
    this.nextHandle = nextHandle;
    // More slots if otherwise more than half of the generations were used up from the start.
    while (nextHandle / this.capacity > LAST_GENERATION / 2) this.capacity *= 2;
  }

  /** The greatest end in a leaf, or below an inner node. */
  max(node: number): number {
    const { highs } = this;
    const first = node << BITS;
    let max = -Infinity;
    for (let place = first + this.meta[2 * node + 1]! - 1; place >= first; place--) if (highs[place]! > max) max = highs[place]!;
    return max;
  }
}
