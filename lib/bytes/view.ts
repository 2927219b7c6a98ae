/**
 * View: the source as one attempt of a query sees it. Everything that is read through it is observed.
 */

import type { Clock } from '../base/clock.js';
import type { Attempt } from '../tracker/index.js';

import { bounded } from './bounded.js';
import { checkBytes } from './options.js';
import type { ByteReader, ByteReadOptions } from './reader.js';

/** See the top of the file. Its reads are given up when the attempt is lost. */
export class View implements ByteReader {
  readonly #source: ByteReader;
  readonly #attempt: Attempt;
  readonly #clock: Clock;
  /** Reads that are under way. While there are any, one listener is on the attempt's signal: of many, Node warns. */
  readonly #reads = new Set<AbortController>();

  constructor(source: ByteReader, attempt: Attempt, clock: Clock) {
    this.#source = source;
    this.#attempt = attempt;
    this.#clock = clock;
  }

  /** To know that there are n bytes is to know that the last of them is there, and that the next is not. */
  async size(options?: ByteReadOptions): Promise<number> {
    const size = await this.#linked(options, 'size', (signal) => this.#source.size({ signal }));
    this.#attempt.observe({ start: Math.max(0, size - 1), end: Number.POSITIVE_INFINITY });
    return size;
  }

  async read(offset: number, length: number, options?: ByteReadOptions): Promise<Uint8Array> {
    checkBytes(offset, length);
    if (length > 0) this.#attempt.observe({ start: offset, end: offset + length });
    return this.#linked(options, 'read', (signal) => this.#source.read(offset, length, { signal }));
  }

  /** Under the caller's bounds, and under the attempt's. */
  #linked<T>(options: ByteReadOptions | undefined, what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return bounded(this.#clock, options, `${what} of a view`, (outer) => {
      const controller = new AbortController();
      outer?.addEventListener('abort', () => controller.abort(outer.reason), { once: true }); // it is this read's own
      this.#add(controller);
      return work(controller.signal).finally(() => this.#remove(controller));
    });
  }

  #add(controller: AbortController): void {
    const { signal } = this.#attempt;
    if (signal.aborted) controller.abort(signal.reason);
    if (this.#reads.size === 0) signal.addEventListener('abort', this, { once: true });
    this.#reads.add(controller);
  }

  #remove(controller: AbortController): void {
    this.#reads.delete(controller);
    if (this.#reads.size === 0) this.#attempt.signal.removeEventListener('abort', this);
  }

  /** The listener of the attempt's signal. */
  handleEvent(): void {
    for (const controller of this.#reads) controller.abort(this.#attempt.signal.reason);
  }
}
