/**
 * Whole: what several adapters need from a reader besides one read: all of it, its end, and an `ArrayBuffer` of its own.
 *
 * "All of it" is two reads, the size and the bytes, and the thing may change in between. So both are one query wherever the
 * reader can make one; the view of a query that is running is of one version already.
 */

import { check } from '../../base/errors.js';
import type { Collision, Range, Seq } from '../../base/vocabulary.js';
import type { Attempt } from '../../tracker/index.js';

import type { ConsistentOptions } from '../options.js';
import type { ByteReader, ByteReadOptions } from '../reader.js';

/** The part of a tracker that tells versions apart. */
export interface VersionTracker {
  /** Moves whenever a change begins or ends. */
  readonly seq: Seq;
  /** As `RangeTracker.collision`: why something has changed since the token, or `undefined`. */
  collision(ranges: Range, seq: Seq): Collision | undefined;
}

/** A reader that makes whole queries, each of one version: every `ByteSource` is one. */
export interface ConsistentReader extends ByteReader {
  /** Is told of every change before it starts. Offsets of bytes are its space. */
  readonly tracker: VersionTracker;
  /** Runs a query as one lookup: what it returns stems from one version. */
  consistent<T>(query: (view: ByteReader, attempt: Attempt) => T | PromiseLike<T>, options?: ConsistentOptions): Promise<T>;
}

/** Any byte there is or may come to be. */
export const EVERYTHING: Range = { start: 0, end: Number.POSITIVE_INFINITY };

/** True for a source, false for the view of one query. */
export function isConsistentReader(reader: ByteReader): reader is ConsistentReader {
  return typeof (reader as Partial<ConsistentReader>).consistent === 'function';
}

/** Only the signal: adapters are handed whatever else the package's caller wrote down, headers for instance. */
export function signalOf(options: { readonly signal?: AbortSignal | undefined } | undefined): ByteReadOptions | undefined {
  return options?.signal === undefined ? undefined : { signal: options.signal };
}

/** Throws `InvalidArgumentError` for what cannot be read from. */
export function checkReader(reader: unknown): void {
  const { read, size } = (reader ?? {}) as Partial<ByteReader>;
  check(typeof read === 'function' && typeof size === 'function', 'reader', reader, 'a ByteReader, with read and size');
}

/** The bytes from `offset` to the end, or the last ones for a negative offset, as of one version. */
export function readToEnd(reader: ByteReader, offset: number, options?: ByteReadOptions): Promise<Uint8Array> {
  return atOnce(
    reader,
    async (view) => {
      const size = await view.size(options);
      const start = Math.min(size, offset < 0 ? Math.max(0, size + offset) : offset);
      return view.read(start, size - start, options);
    },
    options,
  );
}

function atOnce<T>(reader: ByteReader, query: (view: ByteReader) => Promise<T>, options?: ByteReadOptions): Promise<T> {
  return isConsistentReader(reader) ? reader.consistent(query, options) : query(reader);
}

/** The bytes as an `ArrayBuffer` that holds nothing else. No copy where the array has such a one already. */
export function bufferOf(bytes: Uint8Array): ArrayBuffer {
  const { buffer } = bytes;
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength;
  return isAlone ? buffer : (bytes.slice().buffer as ArrayBuffer);
}
