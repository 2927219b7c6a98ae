/**
 * Recover: makes a place free whose thread has stopped for good.
 *
 *     table free, RESET, COUNT     its sections are over, for those who have read events and for those who read the table
 *     ASKS, ENDS, HEARS := 0       nobody waits for its answer
 *     ALIVE := even                the same for those who look there
 *     VERSION; COMMIT := next turn; ring everybody
 *
 * The commit slot comes last: a begin that was held up by it finds everything else done. Each step may be repeated.
 */
import type { Bell } from './bell.js';
import { Log } from './log.js';
import { ALIVE, ASKS, COMMIT, ENDS, HEARS, MEMBERS, VERSION, type Words } from './words.js';

/** See the top of the file. One, of the hub. */
export class Recovery {
  readonly #words: Words;
  readonly #bell: Bell;

  constructor(words: Words, bell: Bell) {
    this.#words = words;
    this.#bell = bell;
  }

  /** The thread is in use, for the first time or again. Returns the number of this use. */
  take(thread: number): number {
    const words = this.#words;
    const use = words.load(words.of(thread) + ALIVE) + 1;
    words.store(words.of(thread) + ALIVE, use);
    words.store(MEMBERS, words.load(MEMBERS) | (1 << thread));
    // Begins that have not seen the new member have published before this, and it will find them.
    words.add(VERSION, 1);
    return use;
  }

  /** It is not. The thread must have stopped. */
  recover(thread: number): void {
    const words = this.#words;
    const of = words.of(thread);
    const alive = words.load(of + ALIVE);
    if ((alive & 1) === 0) return;
    new Log(words, thread).reset();
    words.store(of + ASKS, 0);
    words.store(of + ENDS, 0);
    words.store(of + HEARS, 0);
    words.store(of + ALIVE, alive + 1);
    words.add(VERSION, 1);
    words.store(of + COMMIT, ((words.load(of + COMMIT) >>> 24) + 1) << 24);
    this.ringAll();
  }

  /** Rings everybody. */
  ringAll(): void {
    const members = this.#words.load(MEMBERS);
    for (let thread = 0; thread < this.#words.shape.threads; thread++) {
      if ((members & (1 << thread)) !== 0) this.#bell.ring(thread);
    }
  }
}
