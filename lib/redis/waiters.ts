/**
 * Waiters: those who wait until something is so, or until it will never be.
 */

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** See the top of the file. */
export class Waiters {
  readonly #all: Set<Waiter> = new Set();

  /** Waits; `giveUp` ends it with an error. */
  wait(): { readonly promise: Promise<void>; readonly giveUp: (error: unknown) => void } {
    let giveUp = (_error: unknown): void => {};
    const promise = new Promise<void>((resolve, reject) => {
      const waiter = { resolve, reject };
      this.#all.add(waiter);
      giveUp = (error) => {
        this.#all.delete(waiter);
        reject(error);
      };
    });
    return { promise, giveUp };
  }

  /** It is so. */
  wake(): void {
    for (const { resolve } of this.#drain()) resolve();
  }

  /** It will never be. */
  fail(error: unknown): void {
    for (const { reject } of this.#drain()) reject(error);
  }

  #drain(): Waiter[] {
    const all = [...this.#all];
    this.#all.clear();
    return all;
  }
}
