/**
 * Pauses: sleeping that can be cut short for all sleepers at once, so that Ctrl-C does not wait for anybody's nap.
 *
 * Not an AbortSignal for each timer: two dozen readers that nap a thousand times a second would add and remove a listener
 * each time.
 */

/** See the top of the file. */
export class Pauses {
  readonly #sleepers = new Map<NodeJS.Timeout, () => void>();
  #stopped = false;

  /** True once {@link stop} was called: loops end. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Resolves after `ms`, for 0 in the event loop's next turn; at once when stopped. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stopped) return resolve();
      if (ms === 0) {
        setImmediate(resolve);
        return;
      }
      const timer = setTimeout(() => {
        this.#sleepers.delete(timer);
        resolve();
      }, ms);
      this.#sleepers.set(timer, resolve);
    });
  }

  /** Wakes everyone; later sleeps return at once. */
  stop(): void {
    this.#stopped = true;
    for (const [timer, resolve] of this.#sleepers) {
      clearTimeout(timer);
      resolve();
    }
    this.#sleepers.clear();
  }
}
