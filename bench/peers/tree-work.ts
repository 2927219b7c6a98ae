/**
 * Tree work: what everybody does to their intervals, in the same order, from one seed: bench/native/interval-tree.c does it, too.
 * xorshift32; 64 numbers of space and one interval of length 1 to 64 for each, so a number is covered about once every two.
 */
import type { Columns, TreePeer } from './tree-peer.js';

/** Marsaglia's own. */
export const TREE_SEED = 2463534242;
/** Windows of this length overlap (608 + 32.5 - 1) / 64, about 10 intervals; where there are 8 only, those of them that lie there. */
export const WINDOW = 608;
/** Rounds after which findings are compared, and operations of each kind in one. */
const CHECKED_ROUNDS = 20;
export const CHECKED_OPERATIONS = 500;

/** One kind of operation. */
export type Step = 'churn' | 'test' | 'visit';

/** What was found; equal for all who are right. */
export interface Digest {
  /** Overlap tests that were true. */
  readonly hits: number;
  /** The starts of all intervals that visits found, modulo 2^32. */
  readonly sum: number;
}

/** Takes too long. */
export class SlowError extends Error {
  override readonly name = 'SlowError';
}

/** See the top of the file. */
export class TreeWork {
  readonly #peer: TreePeer;
  readonly #size: number;
  #state = TREE_SEED | 0;
  #hits = 0;
  #sum = 0;

  /** `size`: intervals, a power of two. */
  constructor(peer: TreePeer, size: number) {
    this.#peer = peer;
    this.#size = size;
  }

  get digest(): Digest {
    return { hits: this.#hits, sum: this.#sum >>> 0 };
  }

  /** Puts the intervals in. Throws {@link SlowError} as soon as `inTime` says no. */
  fill(inTime: () => boolean = always): void {
    if (this.#peer.load === undefined) {
      for (let index = 0; index < this.#size; index++) {
        this.#place(index, this.#peer);
        if ((index & 0xff) === 0 && !inTime()) throw new SlowError('filling it took too long');
      }
    } else {
      const columns = new Collected();
      for (let index = 0; index < this.#size; index++) this.#place(index, columns);
      this.#peer.load(columns);
    }
    this.#peer.settle?.();
  }

  /** What the digests of all are compared after. */
  check(inTime: () => boolean = always): Digest {
    for (let round = 0; round < CHECKED_ROUNDS; round++) {
      for (const step of ['churn', 'test', 'visit'] as const) {
        if (!inTime()) throw new SlowError('the operations whose results are compared took too long');
        this[step](CHECKED_OPERATIONS);
      }
    }
    return this.digest;
  }

  /** Removes one and inserts one. */
  churn(operations: number): void {
    for (let i = 0; i < operations; i++) {
      const index = this.#draw() & (this.#size - 1);
      this.#peer.remove(index);
      this.#place(index, this.#peer);
    }
  }

  /** The same for structures that must be made anew, as they would have to be before the next question. */
  churnSettled(operations: number): void {
    for (let i = 0; i < operations; i++) {
      this.churn(1);
      this.#peer.settle?.();
    }
  }

  test(operations: number): void {
    for (let i = 0; i < operations; i++) {
      const drawn = this.#draw();
      const start = drawn & (64 * this.#size - 1);
      if (this.#peer.overlaps(start, start + 1 + (drawn >>> 26))) this.#hits++;
    }
  }

  visit(operations: number): void {
    for (let i = 0; i < operations; i++) {
      const start = this.#draw() & (64 * this.#size - 1);
      this.#sum = (this.#sum + this.#peer.sumOfStarts(start, start + WINDOW)) | 0;
    }
  }

  #draw(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return this.#state;
  }

  #place(index: number, into: Pick<TreePeer, 'insert'>): void {
    const drawn = this.#draw();
    const start = drawn & (64 * this.#size - 1);
    into.insert(index, start, start + 1 + (drawn >>> 26));
  }
}

/** Everything that is put in at first, for those who take it at once. */
class Collected implements Columns {
  readonly starts: number[] = [];
  readonly ends: number[] = [];

  insert(_index: number, start: number, end: number): void {
    this.starts.push(start);
    this.ends.push(end);
  }
}

const always = () => true;

/**
 * The right answers, quickly: as no interval is longer than 64, whatever covers a number starts in its stretch of 64 or in the one
 * before. So this looks at every interval of the stretches in question, and at nothing else.
 */
export class Stretches implements TreePeer {
  readonly #stretches = new Map<number, Set<number>>();
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  insert(index: number, start: number, end: number): void {
    this.#starts[index] = start;
    this.#ends[index] = end;
    const own = this.#stretches.get(start >> 6);
    if (own === undefined) this.#stretches.set(start >> 6, new Set([index]));
    else own.add(index);
  }

  remove(index: number): void {
    this.#stretches.get(this.#starts[index]! >> 6)!.delete(index);
  }

  overlaps(start: number, end: number): boolean {
    return this.#found(start, end).length > 0;
  }

  sumOfStarts(start: number, end: number): number {
    return this.#found(start, end).reduce((sum, index) => (sum + this.#starts[index]!) | 0, 0);
  }

  #found(start: number, end: number): number[] {
    const found: number[] = [];
    for (let stretch = (start >> 6) - 1; stretch <= (end - 1) >> 6; stretch++) {
      for (const index of this.#stretches.get(stretch) ?? []) {
        if (this.#starts[index]! < end && this.#ends[index]! > start) found.push(index);
      }
    }
    return found;
  }
}
