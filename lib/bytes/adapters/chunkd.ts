/**
 * chunkd: the adapter for @chunkd/source.
 *
 * Its middleware cuts requests into chunks, and cuts those off at `metadata.size`, where that is known; where it is not, it takes
 * for granted that every chunk is full, and fills up with zeros what did not come. So the size is told as soon as anything knows
 * it, and is always that of now: a size that was kept would be one of an old version. And what lies behind the end is an error,
 * as it is for the package's own sources; none of them gives bytes that are not there.
 */
import { check } from '../../base/errors.js';
import { checkNames, type Names, names } from '../../base/options.js';
import type { ByteVersion } from '../backend.js';
import type { ByteReader } from '../reader.js';
import { bufferOf, checkReader, isConsistentReader, readToEnd, signalOf } from './whole.js';

/** What is known about a source: `SourceMetadata` of @chunkd/source, as far as bytes have it. */
export interface ChunkdMetadata {
  /** The length in bytes, as of now. */
  size?: number;
}

/** What readers of chunks take: `Source` of @chunkd/source. */
export interface ChunkdSource {
  /** `'rangefence'`, or the name it was given. */
  type: string;
  /** A name in the form of a URL; nothing is fetched from it. */
  url: URL;
  /** The size, once a read or `head` has found it; always that of the current version. */
  readonly metadata?: ChunkdMetadata;
  /** Finds out the size as of now, each time. */
  head(options?: { signal: AbortSignal }): Promise<ChunkdMetadata>;
  /**
   * `length` bytes from `offset` on, all of them without a length, the last ones for a negative offset; cut off at the end.
   * Rejects with {@link ChunkdRangeError} where it starts at the end or behind it; and where it reaches beyond the end, and
   * `metadata` had told another size, or none: middleware would take what does not come for zeros. The next one is told the size.
   */
  fetch(offset: number, length?: number, options?: { signal: AbortSignal }): Promise<ArrayBuffer>;
}

/** How a {@link ChunkdSource} is called. */
export interface ChunkdOptions {
  /** Where it is. */
  readonly url: URL;
  /** What kind it is, for people. Default `'rangefence'`. */
  readonly type?: string | undefined;
}

const CHUNKD_OPTIONS: Names = /* @__PURE__ */ names('url type');

/** What lies behind the end was asked for. The package takes it for a `SourceError` of its own: `SourceError.is(error)`. */
export class ChunkdRangeError extends Error {
  /** As the package's own. */
  override readonly name = 'SourceError';
  /** 416, range not satisfiable. */
  readonly code = 416 as const;
  /** Of the source. */
  readonly url: URL;
  /** The source that was asked. */
  readonly source: ChunkdSource;

  /** @param size the length of what was to be read, in bytes */
  constructor(source: ChunkdSource, offset: number, length: number | undefined, size: number) {
    const end = length === undefined ? 'the end' : String(offset + length);
    super(`${source.url.href}: bytes from ${offset} to ${end} were asked for; there are ${size}`);
    this.url = source.url;
    this.source = source;
    // How the package knows its own errors, also those of another copy of it.
    Object.defineProperty(this, '_sourceError', { value: 'SourceError', enumerable: false });
  }
}

/**
 * A source for @chunkd/source over the reader. Inside of `source.consistent(view => ...)` everything read through it stems from
 * one version; over a source itself, each fetch does.
 *
 * `fetch` rejects with what the reader rejects with, with {@link ChunkdRangeError} for what lies behind the end, and with
 * `InvalidArgumentError` for a negative offset with a length.
 */
export function chunkdSource(reader: ByteReader, options: ChunkdOptions): ChunkdSource {
  checkReader(reader);
  checkNames(options, CHUNKD_OPTIONS, 'chunkdSource');
  check(options?.url instanceof URL, 'url', options?.url, 'a URL');
  /** What was found last; by a source, only until it knows better. */
  let found: number | undefined;
  /** Somebody has asked for the size when it was not known: middleware that cuts chunks, and will not have cut the last one. */
  let isUncut = false;
  const sizeNow = () => versionOf(reader)?.size ?? found;
  const source: ChunkdSource = {
    type: options.type ?? 'rangefence',
    url: options.url,
    async head(options) {
      found = await reader.size(signalOf(options));
      return { size: found };
    },
    async fetch(offset, length, options) {
      const bounds = signalOf(options);
      const isWhole = length === undefined || length === null;
      check(isWhole || offset >= 0, 'offset', offset, 'at least 0 where there is a length');
      const told = sizeNow();
      const bytes = isWhole ? await readToEnd(reader, offset, bounds) : await reader.read(offset, length, bounds);
      const isShort = isWhole || bytes.length < length;
      if (offset < 0 || !isShort) return bufferOf(bytes);
      const size = bytes.length > 0 || offset === 0 ? offset + bytes.length : await reader.size(bounds);
      found = size;
      // A chunk that was not cut off at this end: what did not come would be taken for zeros.
      const isMistaken = !isWhole && (told === undefined ? isUncut : told !== size);
      if (offset > 0 && (offset >= size || isMistaken)) throw new ChunkdRangeError(source, offset, length, size);
      return bufferOf(bytes);
    },
  };
  Object.defineProperty(source, 'metadata', {
    enumerable: true,
    get: (): ChunkdMetadata | undefined => {
      const size = sizeNow();
      isUncut = size === undefined;
      return size === undefined ? undefined : { size };
    },
  });
  return source;
}

/** What a source says; the version of a view is another thing, and asking for it would be an observation. */
function versionOf(reader: ByteReader): ByteVersion | undefined {
  return isConsistentReader(reader) ? (reader as { readonly version?: ByteVersion | undefined }).version : undefined;
}
