/**
 * Settler: waits until every microtask has run, or has been cut off.
 *
 * One message to oneself: a timer would round up to a millisecond. All who wait in one turn wait for the same message, so
 * explorations that run side by side share what it costs.
 */
import { CheckPoints } from './check-points.js';
import { Watch } from './watch.js';

/** See the top of the file. One for all explorations that run now; it has what else they share, too. */
export class Settler {
  readonly checkPoints: CheckPoints = new CheckPoints();
  readonly #channel: Channel = new MessageChannel() as unknown as Channel;
  readonly #watch: Watch = new Watch({
    cutting: () => {
      this.#wasCut = true;
      this.#channel.port2.postMessage(undefined);
    },
    lost: () => this.#proceed(false),
  });
  #waiting: ((isSettled: boolean) => void)[] = [];
  readonly #guarded: Set<() => void> = new Set();
  #wasCut = false;

  constructor() {
    this.#channel.port1.onmessage = () => {
      this.checkPoints.leave();
      this.#watch.reset();
      const isSettled = !this.#wasCut;
      this.#wasCut = false;
      this.#proceed(isSettled);
    };
  }

  #proceed(isSettled: boolean): void {
    const waiting = this.#waiting;
    this.#waiting = []; // whoever goes on may wait again at once
    for (const proceed of waiting) proceed(isSettled);
    if (!isSettled) for (const cut of [...this.#guarded]) cut();
  }

  /** Resolves when no microtask is left: true if they came to an end by themselves. */
  settle(): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) this.#channel.port2.postMessage(undefined);
    });
  }

  /** The promise; or a rejection with what `reason` returns, if microtasks had to be cut off before it was settled. */
  guard<T>(promise: PromiseLike<T>, reason: () => unknown): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const cut = () => reject(reason());
      this.#guarded.add(cut);
      const over = () => this.#guarded.delete(cut);
      promise.then(resolve, reject).then(over, over);
    });
  }

  /** An open port would keep the process from ending. */
  close(): void {
    this.#channel.port1.close();
    this.#watch.close();
    this.checkPoints.close();
  }
}

/** Of the host's, as much as is used: a browser's and Node's types differ elsewhere. */
interface Channel {
  readonly port1: { onmessage: unknown; close(): void };
  readonly port2: { postMessage(message: undefined): void };
}
