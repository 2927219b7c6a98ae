/**
 * Load: one request for the rows of some blocks, and what becomes of its answer.
 *
 * Every change is a section of a tracker with one place, whose owner says which keys it is about: a load ignores those that are not
 * about keys that it reads. It takes a token before it asks, waits while a change of its keys is going on, and asks the tracker for each
 * block, in the turn in which the block is installed, whether a change of it has come since:
 *
 *   load of [a, m)                          change of k
 *   --------------                          -----------
 *   token; asks
 *   (the server reads the old k)
 *                                           k is written; `changed({ key: k })`: the block of k is dirty
 *   answer: [a, g) is fresh                 <- and [g, m), in which k lies, stays dirty: it is read again
 *
 * What it has read is known only from the answer. If that is full, it ends before its last row, whose key is where the next block begins;
 * changes behind that do not concern it. A block that was hit gets the rows all the same: they are newer than what it had, and it is dirty.
 */
import { assimilate } from '../base/thenable.js';
import type { Range, Seq } from '../base/vocabulary.js';
import type { RangeTracker } from '../tracker/index.js';
import { checkAnswer } from './answer.js';
import { Block, type Blocks, type Loading } from './blocks.js';
import type { RowSettings } from './options.js';
import type { Stretch } from './plan.js';
import { Span } from './spans.js';

/** The one place of the tracker: which keys a change is about is what its owner says. */
export const LINE: Range = Object.freeze({ start: 0, end: 1 });

/** What the loads of a window share. */
export interface Shelf<Row, Key> {
  readonly tracker: RangeTracker;
  readonly settings: RowSettings<Row, Key>;
  readonly blocks: Blocks<Row, Key>;
  /** Called when a load is over that nobody has ended; `isHit` if a change has overtaken it. */
  landed(isHit: boolean): void;
}

/** See the top of the file. */
export class Load<Row, Key> implements Loading {
  readonly done: Promise<boolean>;
  isWaiting = false;
  readonly #shelf: Shelf<Row, Key>;
  readonly #stretch: Stretch<Row, Key>;
  readonly #readers = new Set<object>();
  readonly #controller = new AbortController();
  #isEnded = false;

  /** Asks at once, unless a change of these keys is going on. */
  constructor(shelf: Shelf<Row, Key>, stretch: Stretch<Row, Key>) {
    this.#shelf = shelf;
    this.#stretch = stretch;
    for (const block of stretch.blocks) block.load = this;
    this.done = this.#run();
    this.done.catch(() => {}); // who waits for it hears of it
  }

  join(reader: object): void {
    this.#readers.add(reader);
  }

  leave(reader: object): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) this.end(undefined);
  }

  /** Nobody waits for it any more: what it still brings is not used. Idempotent. */
  end(reason: unknown): void {
    if (this.#isEnded) return;
    this.#let();
    this.#controller.abort(reason);
  }

  async #run(): Promise<boolean> {
    const { from, to, limit } = this.#stretch;
    try {
      const token = this.#shelf.tracker.tryReadBegin(LINE, this.#reading(from, to)) ?? (await this.#wait());
      if (this.#isEnded) return false;
      const rows = await this.#ask(token);
      if (this.#isEnded) return false;
      const isHit = rows === undefined || this.#install(rows, rows[limit - 1], token);
      this.#let();
      this.#shelf.landed(isHit);
      return isHit;
    } finally {
      this.#let();
    }
  }

  /** It is over: its blocks can be read by others. */
  #let(): void {
    this.#isEnded = true;
    for (const block of this.#stretch.blocks) if (block.load === this) block.load = undefined;
  }

  /** The filter of who reads these keys. Changes that are not of the window's own making concern everybody. */
  #reading(from: Key | undefined, to: Key | undefined) {
    return { ignore: ({ owner }: { readonly owner: unknown }) => owner instanceof Span && !owner.touches(from, to) };
  }

  async #wait(): Promise<Seq> {
    const { from, to } = this.#stretch;
    this.isWaiting = true;
    const token = await this.#shelf.tracker.readBegin(LINE, { ...this.#reading(from, to), signal: this.#controller.signal });
    this.isWaiting = false;
    return token;
  }

  /** `undefined` if it has failed, or came back torn, and a change has come meanwhile. */
  async #ask(token: Seq): Promise<readonly Row[] | undefined> {
    const { from, to, limit } = this.#stretch;
    const { settings } = this.#shelf;
    try {
      const answer = settings.load({ from, to, limit, signal: this.#controller.signal });
      const rows = (await (assimilate(answer) ?? answer)) as readonly Row[];
      checkAnswer(rows, this.#stretch, settings);
      return rows;
    } catch (error) {
      if (this.#isEnded || !this.#isHit(from, to, token)) throw error;
      return undefined;
    }
  }

  #isHit(from: Key | undefined, to: Key | undefined, token: Seq): boolean {
    return this.#shelf.tracker.readRetry(LINE, token, this.#reading(from, to));
  }

  /** `next` is the last row, if there was no room for more: with it the next block begins. True if a change has hit one of the blocks. */
  #install(rows: readonly Row[], next: Row | undefined, token: Seq): boolean {
    const { blocks, settings } = this.#shelf;
    const { keyOf, compare, blockRows } = settings;
    const end = next === undefined ? undefined : keyOf(next);
    const old = this.#stretch.blocks;
    const isBefore = (key: Key, bound: Key | undefined) => bound === undefined || compare(key, bound) < 0;
    const fresh: Block<Row, Key>[] = [];
    let isHit = false;
    let row = 0;
    old.forEach((block, i) => {
      if (end !== undefined && i > 0 && !isBefore(block.from as Key, end)) {
        fresh.push(block); // not reached
        return;
      }
      const to = i + 1 < old.length ? old[i + 1]!.from : this.#stretch.to;
      const isCut = end !== undefined && isBefore(end, to);
      const bound = isCut ? end : to;
      const first = row;
      while (row < rows.length && isBefore(keyOf(rows[row]!), bound)) row++;
      const pieces = cut(rows.slice(first, row), block.isKnown ? 2 * blockRows : blockRows, blockRows);
      pieces.forEach((piece, at) => {
        const from = at === 0 ? block.from : keyOf(piece[0]!);
        const isPieceHit = this.#isHit(from, at + 1 < pieces.length ? keyOf(pieces[at + 1]![0]!) : bound, token);
        const made = new Block<Row, Key>(from).fill(piece, isPieceHit);
        made.used = block.used;
        fresh.push(made);
        isHit ||= isPieceHit;
      });
      if (isCut) fresh.push(new Block<Row, Key>(end));
    });
    blocks.replace(old[0]!, old.length, fresh, blockRows);
    return isHit;
  }
}

/** Pieces of at most `size` rows if there are more than `most`; one piece, also of nothing, otherwise. */
function cut<Row>(rows: readonly Row[], most: number, size: number): (readonly Row[])[] {
  if (rows.length <= most) return [rows];
  const pieces: (readonly Row[])[] = [];
  for (let at = 0; at < rows.length; at += size) pieces.push(rows.slice(at, at + size));
  return pieces;
}
