/**
 * View: the source as one attempt of a query sees it. Everything that is read through it is observed.
 */

import { CANCEL_NAMES } from '../base/cancel.js';
import type { Clock } from '../base/clock.js';
import { checkNames, type Names, names } from '../base/options.js';
import { single } from '../base/range.js';
import type { Range } from '../base/vocabulary.js';
import type { Attempt, RangeTracker } from '../tracker/index.js';

import type { ByteVersion } from './backend.js';
import { bounded } from './bounded.js';
import { SourceError } from './errors.js';
import { checkBytes } from './options.js';
import type { ByteReader, ByteReadOptions } from './reader.js';
import { type ByteStream, streamOf } from './stream.js';

/** What a query reads from: a source as of one version. */
export interface ByteView extends ByteReader {
  /**
   * The version that everything in this query is of, in printable ASCII without spaces, quotes and commas: `"${view.version}"` is a
   * strong ETag. Equal for equal versions only, in other processes, too. Observes everything: a change of any byte makes the
   * query begin again. Where no version is known yet, it throws, and the query begins again with one; that costs a question.
   */
  readonly version: string;
  /**
   * The bytes `[offset, offset + length)` as a stream, cut off at the end of the thing; by default all of them. It may be read
   * after the query is over: it goes on with bytes of this version only, and ends with `CollisionError` when there are none any more.
   *
   * Nothing is read before it is asked for, and then up to `chunkSize` bytes at a time. `signal` ends it with its reason, `timeoutMs`
   * bounds each chunk, cancelling it gives up what is being read. Throws `InvalidRangeError`, `InvalidArgumentError`.
   */
  stream(offset?: number, length?: number, options?: ByteStreamOptions): ByteStream;
}

/** The outer bounds of a stream. */
export interface ByteStreamOptions extends ByteReadOptions {
  /** Bytes read at a time, at most: a positive whole number. Default sixteen pages: 1 MiB. */
  chunkSize?: number | undefined;
}

/** What a view needs of its source. */
export interface ViewSource extends ByteReader {
  readonly label: string;
  readonly tracker: RangeTracker;
  readonly version: ByteVersion | undefined;
}

const READ_OPTIONS: Names = /* @__PURE__ */ names(CANCEL_NAMES);
const STREAM_OPTIONS: Names = /* @__PURE__ */ names(CANCEL_NAMES, 'chunkSize');

const EVERYTHING: Range = { start: 0, end: Number.POSITIVE_INFINITY };

/** See the top of the file. Its reads are given up when the attempt is lost. */
export class View implements ByteView {
  /** The version was asked for and not known. */
  lacksVersion = false;
  readonly #source: ViewSource;
  readonly #attempt: Attempt;
  readonly #clock: Clock;
  readonly #chunkSize: number;
  /** Reads that are under way. While there are any, one listener is on the attempt's signal: of many, Node warns. */
  readonly #reads = new Set<AbortController>();

  constructor(source: ViewSource, attempt: Attempt, { clock, chunkSize }: { readonly clock: Clock; readonly chunkSize: number }) {
    this.#source = source;
    this.#attempt = attempt;
    this.#clock = clock;
    this.#chunkSize = chunkSize;
  }

  get version(): string {
    const { version, label } = this.#source;
    this.#attempt.observe(EVERYTHING);
    if (version !== undefined) return printable(version.key);
    this.lacksVersion = true;
    throw new SourceError(label, 'has no known version', { expected: 'a read or size() before', got: 'none' });
  }

  /** To know that there are n bytes is to know that the last of them is there, and that the next is not. */
  async size(options?: ByteReadOptions): Promise<number> {
    checkNames(options, READ_OPTIONS, 'size');
    const size = await this.#linked(options, 'size', (signal) => this.#source.size({ signal }));
    this.#attempt.observe({ start: Math.max(0, size - 1), end: Number.POSITIVE_INFINITY });
    return size;
  }

  async read(offset: number, length: number, options?: ByteReadOptions): Promise<Uint8Array> {
    checkBytes(offset, length);
    checkNames(options, READ_OPTIONS, 'read');
    if (length > 0) this.#attempt.observe({ start: offset, end: offset + length });
    return this.#linked(options, 'read', (signal) => this.#source.read(offset, length, { signal }));
  }

  stream(offset = 0, length: number = Number.POSITIVE_INFINITY, options: ByteStreamOptions = {}): ByteStream {
    checkBytes(offset, length);
    checkNames(options, STREAM_OPTIONS, 'stream');
    const range = length === 0 ? undefined : single({ start: offset, end: offset + length });
    if (range !== undefined) this.#attempt.observe(range);
    const { chunkSize = this.#chunkSize, ...bounds } = options;
    return streamOf(this.#source, range, { ...bounds, chunkSize, seq: this.#attempt.seq, clock: this.#clock });
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

/** One to one, so that two keys never become one: everything but letters, digits and `-._:` by the number of its code unit. */
function printable(key: string): string {
  return key.replace(/[^\w.:-]/g, (unit) => `~${unit.charCodeAt(0).toString(16)}~`);
}
