/**
 * Question: something that many ask at the same time, and whose answer must not be older than the asking.
 *
 * So nobody joins a round that has been sent already: who comes while it is under way takes part in the next one, which starts
 * when it is over. A hundred who ask at once cost one round, a hundred who go on coming cost two.
 *
 * A round is sent in the asynchronous context of the first of those who wait for it then: who had asked before them and has left
 * may have had another token for the server. So each of them stands ready to send it, by a reaction of its own.
 */

/** See the top of the file. Leaves no listener; a round that everybody has left is aborted. */
export class Question<T> {
  readonly #ask: (signal: AbortSignal) => Promise<T>;
  #next: Round<T> | undefined = undefined;
  /** Resolves when the last round is over. */
  #last: Promise<void> = Promise.resolve();
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
      round = new Round(this.#last);
      this.#next = round;
      this.#rounds.add(round);
      this.#last = round.over;
    }
    return this.#join(round, signal);
  }

  #join(round: Round<T>, signal: AbortSignal | undefined): Promise<T> {
    let isThere = true;
    const result = round.join(signal, () => {
      isThere = false;
      if (round.abandoned && !round.sent) this.#settle(round);
    });
    round.before.then(() => {
      if (isThere && !round.sent && !round.abandoned) void this.#send(round);
    });
    return result;
  }

  async #send(round: Round<T>): Promise<void> {
    round.sent = true;
    if (this.#next === round) this.#next = undefined;
    try {
      round.resolve(await this.#ask(round.signal));
    } catch (error) {
      round.reject(error);
    } finally {
      this.#settle(round);
    }
  }

  /** The next round may be sent: at once, or when the one before this is over, if this was never sent. */
  #settle(round: Round<T>): void {
    if (this.#next === round) this.#next = undefined;
    this.#rounds.delete(round);
    round.end(round.sent ? undefined : round.before);
  }

  /** Ends all rounds with this error, and all that are asked for later. */
  close(error: unknown): void {
    this.#closed = error;
    for (const round of this.#rounds) round.abort(error);
  }
}

/** One answer, and those who wait for it. */
class Round<T> {
  /** Resolves when the round before it is over, and this one may be sent. */
  readonly before: Promise<void>;
  readonly over: Promise<void>;
  sent = false;
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;
  /** Resolves `over`, or lets it follow another promise. */
  end!: (after: Promise<void> | undefined) => void;
  readonly #controller = new AbortController();
  readonly #result: Promise<T>;
  #waiting = 0;

  constructor(before: Promise<void>) {
    this.before = before;
    this.over = new Promise((resolve) => {
      this.end = resolve as (after: Promise<void> | undefined) => void;
    });
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

  abort(error: unknown): void {
    this.reject(error);
    this.#controller.abort(error);
  }

  /** `left` is called when this one does not wait any more, before the answer has come. */
  join(signal: AbortSignal | undefined, left: () => void): Promise<T> {
    this.#waiting++;
    if (signal === undefined) return this.#result;
    return new Promise((resolve, reject) => {
      const leave = () => {
        reject(signal.reason);
        if (--this.#waiting === 0) this.#controller.abort(signal.reason);
        left();
      };
      if (signal.aborted) return leave();
      signal.addEventListener('abort', leave, { once: true });
      this.#result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    });
  }
}
