/**
 * A server whose reads see what is there when they are asked, and answer when the test says so.
 */
import { type Deferred, deferred } from '../../support/turns.js';

/** More turns than any chain of promises in a query client and the fence is long. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 100; i++) await undefined;
}

export class Backend {
  value = 1;
  /** Reads that were asked for. */
  reads = 0;
  readonly #open: (Deferred<number> & { readonly read: number })[] = [];

  /** A query's function. */
  read = (): Promise<number> => {
    this.reads++;
    const open = { ...deferred<number>(), read: this.value };
    this.#open.push(open);
    return open.promise;
  };

  write(value: number): void {
    this.value = value;
  }

  get open(): number {
    return this.#open.length;
  }

  /** Answers the oldest read. */
  async answer(): Promise<void> {
    const open = this.#open.shift();
    open?.resolve(open.read);
    await settle();
  }

  async fail(error: unknown): Promise<void> {
    this.#open.shift()?.reject(error);
    await settle();
  }

  /** Answers whatever is asked until nobody asks any more. */
  async answerAll(): Promise<void> {
    await settle();
    for (let i = 0; i < 100 && this.#open.length > 0; i++) await this.answer();
    await settle();
  }
}
