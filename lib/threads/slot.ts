/**
 * Slot: says to others over which stripes this thread commits in this turn.
 *
 * Within a turn, stripes are only added: who waits for some of them waits until the turn is another one. A commit may run inside of
 * another; and a check by hand counts until the microtasks of its turn have run, since nobody says when its result was used.
 */
import { COMMIT, type Words } from './words.js';

/** See the top of the file. */
export class Slot {
  readonly #words: Words;
  readonly #at: number;
  /** In the upper eight bits of the word. */
  #turn: number;
  /** None while it is shut. */
  #stripes = 0;
  #depth = 0;
  #lingers = false;

  constructor(words: Words, thread: number) {
    this.#words = words;
    this.#at = words.of(thread) + COMMIT;
    this.#turn = words.i32[this.#at]! >>> 24;
  }

  /** A commit begins; {@link Slot.shut} follows. */
  open(stripes: number): void {
    this.#depth++;
    this.#add(stripes);
  }

  shut(): void {
    this.#depth--;
    if (this.#depth === 0 && !this.#lingers) this.#close();
  }

  /** A check by hand. */
  linger(stripes: number): void {
    this.#add(stripes);
    if (this.#lingers) return;
    this.#lingers = true;
    queueMicrotask(() => this.unlinger());
  }

  /** The turn of the checks by hand is over. */
  unlinger(): void {
    if (!this.#lingers) return;
    this.#lingers = false;
    this.#close(); // no commit is open: each is over within its own turn
  }

  #add(stripes: number): void {
    const all = this.#stripes | stripes;
    if (all === this.#stripes) return;
    this.#stripes = all;
    this.#words.store(this.#at, (this.#turn << 24) | all);
  }

  #close(): void {
    if (this.#stripes === 0) return;
    this.#stripes = 0;
    this.#turn = (this.#turn + 1) & 255;
    this.#words.store(this.#at, this.#turn << 24);
  }
}
