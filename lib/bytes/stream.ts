/**
 * Stream: bytes of one version, for as long as there are any.
 *
 *     query                          stream                         writer
 *     seq = 4
 *     stream([0, 100))
 *     is over
 *                                    pull: reads [0, 50), nothing since 4: out
 *                                                                   change: begin, end      seq = 6
 *                                    pull: something since 4        -> the rest would be of another version: CollisionError
 *
 * So the token is asked before each read and after it, that of the query first, and each time a new one is taken. A chunk that was out before the change stays out; whoever
 * passes it on must break off, as an HTTP server does that has said how much would come.
 */
import type { Clock } from '../base/clock.js';
import { CollisionError, check } from '../base/errors.js';
import type { Range, Seq } from '../base/vocabulary.js';
import type { RangeTracker } from '../tracker/index.js';

import { bounded } from './bounded.js';
import type { ByteReader, ByteReadOptions } from './reader.js';

/** A stream of bytes: what `ReadableStream<Uint8Array>` is everywhere. */
export type ByteStream = ReadableStream<Uint8Array>;

/** What is read from, and where changes of it are told. */
export interface StreamSource extends ByteReader {
  readonly tracker: RangeTracker;
}

/** How it is read. */
export interface StreamSettings extends ByteReadOptions {
  /** Nothing may have changed since. */
  readonly seq: Seq;
  readonly chunkSize: number;
  readonly clock: Clock;
}

/** The bytes of the range; none without one. Nothing is registered anywhere while nobody reads. */
export function streamOf(source: StreamSource, range: Range | undefined, settings: StreamSettings): ByteStream {
  const { chunkSize, signal, timeoutMs } = settings;
  check(Number.isSafeInteger(chunkSize) && chunkSize > 0, 'chunkSize', chunkSize, 'a positive whole number of bytes');
  check(signal === undefined || typeof signal?.throwIfAborted === 'function', 'signal', signal, 'an AbortSignal');
  check(timeoutMs === undefined || timeoutMs >= 0, 'timeoutMs', timeoutMs, 'a number of milliseconds, 0 or more');
  const chunks = new Chunks(source, range, settings);
  // Not a byte more than was asked for: what waits in a queue is memory, and may be of no version that is there by then.
  const strategy = { highWaterMark: 0 };
  return new ReadableStream<Uint8Array>(
    { pull: (sink) => chunks.pull(sink), cancel: (reason) => chunks.cancel(reason) },
    strategy,
  );
}

/** Where the stream puts what it has read. */
interface Sink {
  enqueue(bytes: Uint8Array): void;
  close(): void;
}

class Chunks {
  readonly #source: StreamSource;
  readonly #range: Range | undefined;
  readonly #settings: StreamSettings;
  #at: number;
  /** Moves on with each chunk, so that what has long been forgotten is never asked for. */
  #seq: Seq;
  /** Ends the read that is under way. */
  #controller: AbortController | undefined = undefined;

  constructor(source: StreamSource, range: Range | undefined, settings: StreamSettings) {
    this.#source = source;
    this.#range = range;
    this.#settings = settings;
    this.#at = range?.start ?? 0;
    this.#seq = settings.seq;
  }

  async pull(sink: Sink): Promise<void> {
    const { signal, timeoutMs, clock } = this.#settings;
    signal?.throwIfAborted();
    const range = this.#range;
    if (range === undefined) return sink.close();
    this.#check(range);
    const length = this.#lengthOfNext(range);
    const bytes = await bounded(clock, { signal, timeoutMs }, 'chunk of a stream', (outer) => this.#read(range, length, outer));
    this.#check(range);
    this.#at += bytes.length;
    if (bytes.length > 0) sink.enqueue(bytes);
    if (bytes.length < length || this.#at === range.end) sink.close();
  }

  cancel(reason: unknown): void {
    this.#controller?.abort(reason);
  }

  /** Up to a multiple of its length, so that the next chunks begin where pages do. */
  #lengthOfNext({ end }: Range): number {
    const { chunkSize } = this.#settings;
    return Math.min(end, (Math.floor(this.#at / chunkSize) + 1) * chunkSize) - this.#at;
  }

  /** Given up as soon as a change begins: it need not be waited for, as what is there after it is of no use here. */
  async #read(range: Range, length: number, outer: AbortSignal | undefined): Promise<Uint8Array> {
    const controller = new AbortController();
    this.#controller = controller;
    const leave = () => controller.abort(outer?.reason);
    outer?.addEventListener('abort', leave, { once: true }); // it is this read's own
    const subscription = this.#source.tracker.subscribe(range, { invalidate: () => controller.abort(this.#collision(range)) });
    try {
      return await this.#source.read(this.#at, length, { signal: controller.signal });
    } finally {
      subscription.close();
      this.#controller = undefined;
    }
  }

  #check(range: Range): void {
    const { tracker } = this.#source;
    if (tracker.collision(range, this.#seq) !== undefined) throw this.#collision(range);
    this.#seq = tracker.tryReadBegin(range) ?? this.#seq;
  }

  #collision(range: Range): CollisionError {
    return new CollisionError(this.#source.tracker.collision(range, this.#seq) ?? { reason: 'ended' });
  }
}
