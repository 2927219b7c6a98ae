/**
 * chunkd: the adapter for @chunkd/source.
 *
 * Its `Source` has a `metadata` that its other sources fill once and keep. Here it is what `head` has found last, and nothing is
 * read by it.
 */
import { check } from '../../base/errors.js';
import type { ByteReader } from '../reader.js';
import { bufferOf, checkReader, readToEnd } from './whole.js';

/** What is known about a source: `SourceMetadata` of @chunkd/source, as far as bytes have it. */
export interface ChunkdMetadata {
  /** The length in bytes when `head` was called last. */
  size?: number;
}

/** What readers of chunks take: `Source` of @chunkd/source. */
export interface ChunkdSource {
  /** `'rangefence'`, or the name it was given. */
  type: string;
  /** A name in the form of a URL; nothing is fetched from it. */
  url: URL;
  /** What `head` has found last. */
  metadata?: ChunkdMetadata;
  /** Finds out the size as of now, each time. */
  head(options?: { signal: AbortSignal }): Promise<ChunkdMetadata>;
  /** `length` bytes from `offset` on, all of them without a length, the last ones for a negative offset; cut off at the end. */
  fetch(offset: number, length?: number, options?: { signal: AbortSignal }): Promise<ArrayBuffer>;
}

/** How a {@link ChunkdSource} is called. */
export interface ChunkdOptions {
  /** Where it is. */
  readonly url: URL;
  /** What kind it is, for people. Default `'rangefence'`. */
  readonly type?: string | undefined;
}

/**
 * A source for @chunkd/source over the reader. Inside of `source.consistent(view => ...)` everything read through it stems from
 * one version; over a source itself, each fetch does.
 *
 * `fetch` rejects with what the reader rejects with, and with `InvalidArgumentError` for a negative offset with a length.
 */
export function chunkdSource(reader: ByteReader, options: ChunkdOptions): ChunkdSource {
  checkReader(reader);
  check(options?.url instanceof URL, 'url', options?.url, 'a URL');
  const source: ChunkdSource = {
    type: options.type ?? 'rangefence',
    url: options.url,
    async head(bounds) {
      source.metadata = { size: await reader.size(bounds) };
      return source.metadata;
    },
    async fetch(offset, length, bounds) {
      if (length === undefined || length === null) return bufferOf(await readToEnd(reader, offset, bounds));
      check(offset >= 0, 'offset', offset, 'at least 0 where there is a length');
      return bufferOf(await reader.read(offset, length, bounds));
    },
  };
  return source;
}
