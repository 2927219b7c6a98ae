/**
 * Blocks: what is known of the rows, by key.
 *
 * A block covers the keys from its `from` up to that of the next block; the first one begins, and the last one ends, where there is
 * nothing more. So each key there may be lies in exactly one block, and an insert is a change of one block, whatever it does to indexes.
 *
 *   state      condition
 *   unknown    !isKnown                   nobody has read it: it has no rows, and no count
 *   fresh      isKnown && !isDirty        `count` is right, and so are `rows`, unless they were given up to save room
 *   dirty      isKnown && isDirty         a change has come since it was read: `count` and `rows` are what was there once
 *
 * The index of a row is what the counts before it add up to. It is right if no block before it is dirty or unknown.
 */
import type { Compare } from './spans.js';

/** A load that is on its way, for those who wait for it. */
export interface Loading {
  /** Resolves when it is over, with true if a change has overtaken some of it. Rejects with an error of `load`. */
  readonly done: Promise<boolean>;
  /** It waits for a change that was announced, and has read nothing yet. */
  readonly isWaiting: boolean;
  join(reader: object): void;
  /** The last one who leaves ends it. */
  leave(reader: object): void;
}

/** Rows of one stretch of keys. */
export class Block<Row, Key> {
  readonly from: Key | undefined;
  rows: readonly Row[] | undefined = undefined;
  count = 0;
  isKnown = false;
  isDirty = false;
  /** What is reading it. A block that is being read is neither cut nor merged by anybody else. */
  load: Loading | undefined = undefined;
  /** When its rows were handed out last, counted in reads. */
  used = 0;

  constructor(from: Key | undefined) {
    this.from = from;
  }

  fill(rows: readonly Row[], isDirty: boolean): this {
    this.rows = rows;
    this.count = rows.length;
    this.isKnown = true;
    this.isDirty = isDirty;
    return this;
  }

  get isFresh(): boolean {
    return this.isKnown && !this.isDirty;
  }
}

/** All blocks, in order; at least one. */
export class Blocks<Row, Key> {
  readonly list: Block<Row, Key>[] = [new Block<Row, Key>(undefined)];
  readonly #compare: Compare<Key>;

  constructor(compare: Compare<Key>) {
    this.#compare = compare;
  }

  /** Where the block at this place ends. */
  endOf(place: number): Key | undefined {
    return this.list[place + 1]?.from;
  }

  /** The place of the first block whose end comes after the key; 0 for the open end. O(log n). */
  placeOf(key: Key | undefined): number {
    if (key === undefined) return 0;
    let [low, high] = [0, this.list.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#compare(this.list[middle]!.from as Key, key) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Rows up to the first block that nobody has read, or all of them. O(n). */
  get known(): { readonly rows: number; readonly isAll: boolean } {
    let rows = 0;
    for (const { isKnown, count } of this.list) {
      if (!isKnown) return { rows, isAll: false };
      rows += count;
    }
    return { rows, isAll: true };
  }

  /** Calls `visit` with the blocks that have rows of [start, end), their place, and the index of their first row, as far as is known. */
  visit(start: number, end: number, visit: (block: Block<Row, Key>, first: number) => void): void {
    let first = 0;
    for (const block of this.list) {
      if (!block.isKnown || first >= end) return;
      if (first + block.count > start) visit(block, first);
      first += block.count;
    }
  }

  /**
   * Puts blocks in the place of `count` blocks from this one on. Neighbours that have become small are merged if they are in the same
   * state, for otherwise deletes would leave more and more blocks behind.
   */
  replace(old: Block<Row, Key>, count: number, blocks: readonly Block<Row, Key>[], most: number): void {
    const { list } = this;
    const place = list.indexOf(old);
    list.splice(place, count, ...blocks);
    for (let at = Math.min(place + blocks.length, list.length - 1); at >= Math.max(place, 1); at--) {
      const [before, after] = [list[at - 1]!, list[at]!];
      const count = before.count + after.count;
      const isSmall = count <= most || count === before.count || count === after.count;
      const isIdle = before.load === undefined && after.load === undefined;
      if (!isSmall || !isIdle || before.isDirty !== after.isDirty || before.rows === undefined || after.rows === undefined)
        continue;
      list.splice(at - 1, 2, new Block<Row, Key>(before.from).fill([...before.rows, ...after.rows], before.isDirty));
    }
  }
}
