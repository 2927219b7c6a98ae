/**
 * Home: the asynchronous context in which something was made, to come back to.
 *
 * What a user's function finds in an `AsyncLocalStorage` must be what the call that it serves has put there. Work that is started
 * by whoever wakes us (a writer that begins a change, a watch, another reader that has left) would run in that one's context.
 *
 *     reader, context r                   writer, context w
 *     read: load(1), in r
 *                                         begin: hits the page, wakes the read
 *     load(1) again                       -> called from there, or from a reaction made there, it would run in w
 *
 * A reaction runs in the context in which it was made, wherever the promise is resolved. So one is kept ready, made here, and
 * the next one is made inside of it. That needs nothing but promises: where there are no contexts it costs one promise.
 */

/** See the top of the file. */
export class Home {
  readonly #work: () => void;
  #wake!: () => void;

  /** `work` must not throw. */
  constructor(work: () => void) {
    this.#work = work;
    this.#makeReady();
  }

  /** Runs the work in the next turn, once, however often it is called before. */
  call(): void {
    this.#wake();
  }

  #makeReady(): void {
    new Promise<void>((resolve) => {
      this.#wake = resolve;
    }).then(() => {
      this.#makeReady();
      this.#work();
    });
  }
}
