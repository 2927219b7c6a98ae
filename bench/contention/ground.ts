/**
 * Ground: which ranges are looked up, changed and subscribed to, so that a lookup overlaps a given invalidation with exactly
 * the probability that was asked for.
 *
 *     blocks    |        0        |        1        |  ...  |       N-1       |         N = 1 / probability
 *     lookup                       <--------------->                                    one whole block, any of the N alike
 *     change                           <-->                                             a few pages inside of one block
 *
 * A change lies inside of one block, so it overlaps a lookup exactly if that one drew the same block: once in N draws,
 * whichever block it is. For 0 the changes lie in N blocks of their own. Subscribers have a page each, in the blocks that are
 * changed, and changes begin on such pages: each concerns one subscriber of its block if it has any, and SPAN at most.
 */
import type { Range } from '../../lib/index.js';
import type { Random } from '../support/random.js';

/** Blocks where nothing overlaps: as many as at the centre point. */
const APART = 100;
/** Pages of a block, unless there are more subscribers than that. */
const LEAST_PAGES = 1024;
/** Pages of a change. */
const SPAN = 4;

/** See the top of the file. */
export class Ground {
  readonly #blocks: readonly Range[];
  /** Where the first block lies that is changed. */
  readonly #changed: number;
  readonly #pages: number;
  readonly #subscribers: number;

  constructor(overlap: number, subscribers: number) {
    const blocks = overlap === 0 ? APART : Math.round(1 / overlap);
    if (overlap !== 0 && Math.abs(overlap * blocks - 1) > 1e-9)
      throw new RangeError(`overlap ${overlap}; expected 0 or one in a whole number`);
    const pages = Math.max(LEAST_PAGES, SPAN + Math.ceil(subscribers / blocks));
    this.#blocks = Array.from({ length: blocks }, (_, i) => ({ start: i * pages, end: (i + 1) * pages }));
    this.#changed = overlap === 0 ? blocks * pages : 0;
    this.#pages = pages;
    this.#subscribers = subscribers;
  }

  /** What a lookup reads next. */
  lookup(random: Random): Range {
    return this.#blocks[random.below(this.#blocks.length)]!;
  }

  /** What is changed next. */
  change(random: Random): Range {
    const block = random.below(this.#blocks.length);
    const start = this.#page(block, random.below(Math.max(1, this.#subscribersOf(block))));
    return { start, end: start + SPAN };
  }

  /** The page of each subscriber. */
  *subscriptions(): Generator<Range> {
    const blocks = this.#blocks.length;
    for (let i = 0; i < this.#subscribers; i++) {
      const start = this.#page(i % blocks, Math.floor(i / blocks));
      yield { start, end: start + 1 };
    }
  }

  /** Dealt to the blocks like cards. */
  #subscribersOf(block: number): number {
    const blocks = this.#blocks.length;
    return Math.floor(this.#subscribers / blocks) + (block < this.#subscribers % blocks ? 1 : 0);
  }

  #page(block: number, page: number): number {
    return this.#changed + block * this.#pages + page;
  }
}
