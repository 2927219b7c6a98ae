/**
 * FairLock: what one would use otherwise: one fair reader/writer lock over memory that threads share.
 *
 * It is the phase-fair ticket lock of Brandenburg and Anderson (2010): readers and writers take turns. A reader waits for one writer
 * at most, however many queue; writers go in the order in which they came. Who waits sleeps on one word that every unlock in somebody's way moves
 * (`Atomics.waitAsync`), so that no event loop is blocked. Nothing frees it when its holder dies.
 *
 *   word            moved by            meaning
 *   READERS_IN      readers, writers    readers that came, in units of READER; below that, the phase of a writer that waits or writes
 *   READERS_OUT     readers             readers that went
 *   WRITERS_IN      writers             the next ticket
 *   WRITERS_OUT     writers             the ticket that may write
 *   BELL            all                 what those who wait sleep on
 *
 * All words wrap at 2^32; they are compared for equality only.
 */
const READERS_IN = 0;
const READERS_OUT = 1;
const WRITERS_IN = 2;
const WRITERS_OUT = 3;
const BELL = 4;

/** A writer is there; with the parity of its ticket, so that a reader sees the next one as another. */
const PRESENT = 2;
const PHASE = 3;
const READER = 256;

type WaitAsync = (words: Int32Array, at: number, value: number) => { readonly value: string | PromiseLike<string> };

const { waitAsync } = Atomics as unknown as { readonly waitAsync: WaitAsync };

/** See the top of the file. */
export class FairLock {
  static readonly bytes = 20;
  readonly #words: Int32Array;

  /** Over zeroed memory, or that of the same lock in another thread. */
  constructor(memory: SharedArrayBuffer, offset = 0) {
    this.#words = new Int32Array(memory, offset, FairLock.bytes / 4);
  }

  /** Resolves when it may read; undefined if it may at once. */
  lockRead(): Promise<void> | undefined {
    const phase = Atomics.add(this.#words, READERS_IN, READER) & PHASE;
    const isTurn = () => phase === 0 || (Atomics.load(this.#words, READERS_IN) & PHASE) !== phase;
    return isTurn() ? undefined : this.#until(isTurn);
  }

  unlockRead(): void {
    Atomics.add(this.#words, READERS_OUT, READER);
    if ((Atomics.load(this.#words, READERS_IN) & PHASE) !== 0) this.#ring();
  }

  /** Resolves when it may write; undefined if it may at once. */
  lockWrite(): Promise<void> | undefined {
    const ticket = Atomics.add(this.#words, WRITERS_IN, 1);
    const isFirst = () => Atomics.load(this.#words, WRITERS_OUT) === ticket;
    if (!isFirst()) return this.#until(isFirst).then(() => this.#drain(ticket));
    return this.#drain(ticket);
  }

  /** Its turn among writers: readers that come from now on wait for it, and it waits for those that came before. */
  #drain(ticket: number): Promise<void> | undefined {
    const before = Atomics.add(this.#words, READERS_IN, PRESENT | (ticket & 1));
    const isAlone = () => Atomics.load(this.#words, READERS_OUT) === before;
    return isAlone() ? undefined : this.#until(isAlone);
  }

  unlockWrite(): void {
    Atomics.and(this.#words, READERS_IN, ~PHASE);
    Atomics.add(this.#words, WRITERS_OUT, 1);
    this.#ring();
  }

  #ring(): void {
    Atomics.add(this.#words, BELL, 1);
    Atomics.notify(this.#words, BELL);
  }

  async #until(isSo: () => boolean): Promise<void> {
    // A sleep on a word does not keep a thread of Node from ending.
    const awake = setInterval(() => {}, 2 ** 30);
    for (;;) {
      const ticks = Atomics.load(this.#words, BELL);
      if (isSo()) break;
      await waitAsync(this.#words, BELL, ticks).value;
    }
    clearInterval(awake);
  }
}
