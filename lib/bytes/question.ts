/**
 * Question: something that many ask at the same time, and whose answer must not be older than the asking.
 *
 * So nobody joins a round that has been sent already: who comes while it is under way takes part in the next one, which starts
 * when it is over. A hundred who ask at once cost one round, a hundred who go on coming cost two.
 */

/** See the top of the file. Leaves no listener; a round that everybody has left is aborted. */
export class Question<T> {
  readonly #ask: (signal: AbortSignal) => Promise<T>;
  #next: Round<T> | undefined = undefined;
  /** Settles when the last round that was sent is over; never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  /** Rounds that are not over. */
  readonly #rounds: Set<Round<T>> = new Set();
  #closed: unknown = undefined;

  /** `ask` sends one round. */
  constructor(ask: (signal: AbortSignal) => Promise<T>) {
    this.#ask = ask;
  }

  /** An answer that was asked for after this call. Rejects with the signal's reason, or with the error of the round. */
  answer(signal?: AbortSignal): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    let round = this.#next;
    if (round === undefined || round.abandoned) {
      round = new Round();
      this.#next = round;
      this.#rounds.add(round);
      this.#last = this.#last.then(() => this.#send(round!));
    }
    return round.join(signal);
  }

  async #send(round: Round<T>): Promise<void> {
    if (this.#next === round) this.#next = undefined;
    try {
      if (!round.abandoned) round.resolve(await this.#ask(round.signal));
    } catch (error) {
      round.reject(error);
    } finally {
      this.#rounds.delete(round);
    }
  }

  /** Ends all rounds with this error, and all that are asked for later. */
  close(error: unknown): void {
    this.#closed = error;
    for (const round of this.#rounds) round.end(error);
  }
}

/** One answer, and those who wait for it. */
class Round<T> {
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;
  readonly #controller = new AbortController();
  readonly #result: Promise<T>;
  #waiting = 0;

  constructor() {
    this.#result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.#result.catch(() => {}); // of a round that was abandoned nobody hears
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get abandoned(): boolean {
    return this.#controller.signal.aborted;
  }

  end(error: unknown): void {
    this.reject(error);
    this.#controller.abort(error);
  }

  join(signal: AbortSignal | undefined): Promise<T> {
    this.#waiting++;
    if (signal === undefined) return this.#result;
    return new Promise((resolve, reject) => {
      const leave = () => {
        reject(signal.reason);
        if (--this.#waiting === 0) this.#controller.abort(signal.reason);
      };
      if (signal.aborted) return leave();
      signal.addEventListener('abort', leave, { once: true });
      this.#result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    });
  }
}
