/**
 * The tree behind `IntervalTree`: an augmented B+-tree in typed-array columns. Arguments are not checked here.
 *
 * Algorithm note
 *
 * Leaves hold up to 32 intervals in no order; inner nodes hold up to 31 children in order of start [1]. With every child
 * goes a *key* and the *greatest end* below it, as in an interval tree [2]. The children of a node obey
 *
 *     starts below child i  <=  key of child i + 1  <=  starts below child i + 1      (equal starts may be on both sides)
 *
 * Does anything overlap [lo, hi)? At each node take the first child whose greatest end is above lo, and no other one:
 * it contains an interval X that ends above lo, and whatever ends above lo in a later child starts no earlier than X. So
 * if anything overlaps, something below X's child does. One path, no going back. Two keys may end it early: a key at or
 * above hi says no; a next key below hi says yes, because X starts at or before it. The same path, with a full scan of
 * its leaf, gives the lowest start. A visit takes every child that passes both tests; of those only the last may be
 * fruitless, by the same argument, so k results cost O((k + 1) log n).
 *
 * Insert: down by keys, append to the leaf, raise the greatest ends upwards until one is high enough. Delete: the handle
 * leads to the place, the leaf's last interval moves into the gap, and only if the end was the greatest of its leaf is
 * something recomputed above. Neither looks at the rest of the leaf, which is why leaves are not sorted: sorted ones
 * move 8 intervals on average, each with its record in `table`, and overlaps are found no sooner, for ends have no order.
 *
 * A full leaf is sorted and cut in the middle; at a quarter when the new start lies outside of it, so that ascending and
 * descending inserts leave leaves 3/4 full, not half. A leaf below 1/4 is merged if the union is at most 3/4 full: at
 * least 8 operations lie between a split and a merge, so nothing thrashes. Columns grow by an eighth and are dropped as a
 * whole; nothing shrinks in between.
 *
 * Small is the ordinary case: one leaf of 8, then of 32 places, has no inner node, and all work on it is a scan and a swap.
 *
 * Why not a red-black tree in the same kind of columns: built and measured beside this one, and beside the textbook's in C
 * (ns for remove + insert / for an overlap test, 10th percentiles of interleaved slices of 2 ms on a busy machine):
 *
 *     intervals              64         1,024       16,384      262,144
 *     this tree             61/63       101/96      249/176      935/529
 *     the red-black tree   198/59      252/115      549/262     2404/871
 *     the same in C        113/42       152/80      347/221    1978/1225
 *
 * It rotates, and every step up or down is a cache miss of its own; here 20 neighbours share one. Nodes of 16 instead of 32 took 1.15
 * to 1.3 times as long for remove + insert and 0.85 to 0.95 for overlap tests; nodes of 64 gained little for the first
 * and lost up to a third for the second. Separate columns for leaves and for 16-way inner nodes were within 5 %, and twice the code.
 *
 * [1] Comer: The Ubiquitous B-Tree, ACM Computing Surveys 11(2), 1979.
 * [2] Cormen, Leiserson, Rivest, Stein: Introduction to Algorithms, "Interval trees".
 */
import { InvalidArgumentError } from '../base/errors.js';
import { growLeaf, MIN, move, shrink } from './balance.js';
import { BITS, Columns, LAST_GENERATION, WIDTH } from './columns.js';
import { growTable } from './handles.js';

/**
 * Places whose columns an empty tree keeps: 20 bytes each, 15 kB with a table of 512 slots. So a tree that goes to and fro between 0
 * and 200 does not build them anew each time; one that was larger has paid for its columns with more inserts than they cost.
 */
const KEPT_PLACES: number = 16 * WIDTH;

/** What {@link Core.visit} calls; `true` stops. */
export type CoreVisitor<V> = (start: number, end: number, value: V, handle: number) => unknown;

/** The operations on the columns, in the tree's own terms: places instead of handles, -1 for none. */
export class Core<V> extends Columns<V> {
  /** Enters an interval; returns its handle. */
  insert(start: number, end: number, value: V | undefined): number {
    if (this.slot < 0) growTable(this);
    if (value !== undefined) this.values ??= new Array<V | undefined>(this.capacity);
    const { lows, highs, links, meta, table, slot } = this;
    let node = this.root;
    for (let level = this.height; level > 0; level--) {
      let place = node << BITS;
      while (lows[place + 1]! <= start) place++;
      node = links[place]!;
    }
    const count = meta[2 * node + 1]!;
    if (count === this.limit) {
      growLeaf(this, node, start);
      return this.insert(start, end, value);
    }
    // From here on nothing is allocated, so nothing can fail half-way.
    const place = (node << BITS) + count;
    lows[place] = start;
    highs[place] = end;
    links[place] = slot;
    meta[2 * node + 1] = count + 1;
    this.slot = -2 - table[2 * slot]!;
    table[2 * slot] = place;
    if (value !== undefined) this.values![slot] = value;
    for (let up = meta[2 * node]!; up >= 0 && highs[up]! < end; up = meta[2 * (up >> BITS)]!) highs[up] = end;
    this.size++;
    this.version++;
    const handle = table[2 * slot + 1]! * this.capacity + slot;
    if (handle >= this.nextHandle) this.nextHandle = handle + 1;
    return handle;
  }

  /** Takes the interval of a handle out; false if it is not in the tree. */
  delete(handle: number): boolean {
    const place = this.locate(handle);
    if (place < 0) return false;
    const { highs, meta, table } = this;
    const slot = this.links[place]!;
    const end = highs[place]!;
    const leaf = place >> BITS;
    const count = meta[2 * leaf + 1]! - 1;
    const last = (leaf << BITS) + count;
    move(this, last, place, table);
    meta[2 * leaf + 1] = count;
    // After the move: `last` may be `place` itself.
    table[2 * slot] = -2 - this.slot;
    if (++table[2 * slot + 1]! < LAST_GENERATION) this.slot = slot;
    if (this.values !== undefined) this.values[slot] = undefined;
    this.version++;
    if (--this.size === 0 && highs.length > KEPT_PLACES) this.clear();
    else if (this.height > 0) {
      if (highs[meta[2 * leaf]!] === end) this.lower(leaf, end);
      if (count < MIN) shrink(this, leaf, 0);
    }
    return true;
  }

  /** Brings the greatest ends above a leaf down after `end`, which was one of them, has left it. */
  private lower(leaf: number, end: number): void {
    const { highs, meta } = this;
    let max = this.max(leaf);
    for (let up = meta[2 * leaf]!; up >= 0 && highs[up] === end && max < end; up = meta[2 * (up >> BITS)]!) {
      highs[up] = max;
      max = this.max(up >> BITS);
    }
  }

  /** The place of a handle, or -1 and below. Any number is allowed: what is not a handle has the wrong generation. */
  locate(handle: number): number {
    if (this.size === 0) return -1;
    const { table, capacity } = this;
    const slot = handle & (capacity - 1);
    return table[2 * slot + 1]! * capacity + slot === handle ? table[2 * slot]! : -1;
  }

  /** The handle of a place in a leaf. */
  handleAt(place: number): number {
    const slot = this.links[place]!;
    return this.table[2 * slot + 1]! * this.capacity + slot;
  }

  /** The value of a place in a leaf. */
  valueAt(place: number): V {
    return (this.values === undefined ? undefined : this.values[this.links[place]!]) as V;
  }

  /**
   * The place of the interval with the lowest start among those that overlap [lo, hi), or -1. With `any`, whether one overlaps is all
   * that is asked, and the place may be anywhere.
   */
  find(lo: number, hi: number, any: boolean): number {
    if (this.size === 0) return -1;
    const { lows, highs, links } = this;
    let node = this.root;
    for (let level = this.height; level > 0; level--) {
      let place = node << BITS;
      while (highs[place]! <= lo) place++;
      if (lows[place]! >= hi) return -1;
      if (any && lows[place + 1]! < hi) return place;
      node = links[place]!;
    }
    const first = node << BITS;
    let found = -1;
    let lowest = hi;
    for (let place = first + this.meta[2 * node + 1]! - 1; place >= first; place--) {
      // One branch, not two: each of the comparisons alone is a coin toss, both together are seldom true.
      if ((+(highs[place]! > lo) & +(lows[place]! < lowest)) !== 0) {
        if (any) return place;
        lowest = lows[place]!;
        found = place;
      }
    }
    return found;
  }

  /** Calls `visitor` for whatever overlaps [lo, hi), until it returns true. */
  visit(lo: number, hi: number, visitor: CoreVisitor<V>): boolean {
    return this.size > 0 && this.visitNode(this.root, this.height, lo, hi, visitor, this.version);
  }

  /** Recursive: an explicit stack would have to be allocated, or shared by visits inside visits. */
  private visitNode(node: number, level: number, lo: number, hi: number, visitor: CoreVisitor<V>, version: number): boolean {
    const { lows, highs, links } = this;
    const first = node << BITS;
    for (let place = first + this.meta[2 * node + 1]! - 1; place >= first; place--) {
      if ((+(highs[place]! > lo) & +(lows[place]! < hi)) === 0) continue; // one branch, as in `find`
      if (level > 0) {
        if (this.visitNode(links[place]!, level - 1, lo, hi, visitor, version)) return true;
      } else {
        if (visitor(lows[place]!, highs[place]!, this.valueAt(place), this.handleAt(place)) === true) return true;
        if (this.version !== version) {
          throw new InvalidArgumentError('visitor changed the tree and went on; expected it to return true then');
        }
      }
    }
    return false;
  }

  /** Drops everything, columns included, except that handles and versions go on from where they are. */
  clear(): void {
    Object.assign(this, new Columns<V>(this.nextHandle), { version: this.version + 1 });
  }
}
