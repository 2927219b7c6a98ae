/**
 * Handles: numbers that name an interval, are never issued twice, and lead to it in O(1).
 *
 * Algorithm note
 *
 * With a table of C slots, C a power of two, handle = generation * C + slot. So the slot is the low bits, and a slot's
 * handles ascend. A slot's generation grows when its interval is deleted; a handle is alive if the table says so: the
 * generations are equal and the slot is in use. An old handle is therefore *never* taken for a new one, not even after
 * the tree was cleared: the next table starts above every handle issued before.
 *
 * Doubling the table keeps all handles readable, like a split in extendible hashing [1]: the handle g * C + s reads as
 * slot s (g even) or s + C (g odd) with generation g >> 1 in a table of 2 C. The half that the live handle does not
 * take is free, with the least generation that makes its next handle greater than every one issued from s.
 *
 * Not a plain slot number: a second `delete` of one handle would take out a stranger that has moved in. Not a counter
 * and a Map: slower by a cache miss and a hash, and about 60 bytes an interval. Not a fixed split of 31 bits: either too
 * few intervals or a generation that soon repeats. Handles stay below 2^31, where V8 on 64 bits needs no heap number, for
 * 2^31 / C deletes of one slot; after that they are ordinary doubles and still exact: generations end at 2^31 - 1, and
 * 2^31 * C is a safe integer for C <= 2^22. A slot that has used up its generations rests until the table grows.
 *
 * [1] Fagin, Nievergelt, Pippenger, Strong: Extendible Hashing, ACM TODS 4(3), 1979.
 */
import type { Columns } from './columns.js';

/** Makes the table twice as large. The first one grows out of a table of free slots that was never built. */
export function growTable<V>(tree: Columns<V>): void {
  const { table, links, values, capacity } = tree;
  const next = new Int32Array(4 * capacity);
  const moved = values && new Array<V | undefined>(2 * capacity);
  let free = -1;
  // Downwards, so that the free list hands out low slots first.
  for (let slot = capacity - 1; slot >= 0; slot--) {
    const place = table[2 * slot] ?? -1;
    let generation = table[2 * slot + 1] ?? Math.ceil(tree.nextHandle / capacity);
    let taken = -1;
    if (place >= 0) {
      taken = slot + (generation & 1) * capacity;
      next[2 * taken] = place;
      next[2 * taken + 1] = generation >> 1;
      links[place] = taken;
      if (moved) moved[taken] = values![slot];
      // The handle that is out must not be issued again by the other half.
      generation++;
    }
    for (let half = 1; half >= 0; half--) {
      const other = slot + half * capacity;
      if (other === taken) continue;
      next[2 * other] = -2 - free;
      // The least g with 2 g + half >= generation. Unsigned: the sum may be 2^31.
      next[2 * other + 1] = (generation + 1 - half) >>> 1;
      free = other;
    }
  }
  tree.table = next;
  tree.values = moved;
  tree.capacity = 2 * capacity;
  tree.slot = free;
}
