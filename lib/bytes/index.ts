/**
 * Byte ranges of files and URLs, never of two versions at once.
 *
 * The way of a read (`source.read`): source.ts checks it (options.ts) and bounds it (bounded.ts, unrest.ts), and is done if one
 * present page has it (pages.ts); otherwise its RangeMirror loads what is missing, through keeper.ts, which knows the version
 * that the pages are of, asks for it where it must (question.ts), and has the backend read: file.ts (host.ts), or url.ts (headers.ts,
 * http.ts, body.ts).
 *
 * The way of a query (`consistent`): source.ts runs it as a lookup of the tracker and hands it a view.ts, which observes what is
 * read; stream.ts is the part of it that outlives the query.
 *
 * The way of a change: announced, `mutate` goes through the tracker to keeper.ts, which asks for the version around it; by
 * somebody who tells nobody, it is noticed by a load, by `revalidate` or by the backend's watch (watch.ts), and keeper.ts
 * invalidates everything. adapters/ hand a source or a view to other packages, and know nothing but reader.ts (per-version.ts, whole.ts).
 *
 * Not to be touched: the version, which only keeper.ts moves on, inside of an invalidation; and a version's key, which must never
 * stand for two contents (backend.ts), for everything here rests on that.
 *
 * @packageDocumentation
 */

export {
  type ChunkdMetadata,
  type ChunkdOptions,
  ChunkdRangeError,
  type ChunkdSource,
  chunkdSource,
} from './adapters/chunkd.js';
export { consistentAll } from './adapters/consistent-all.js';
export {
  type GeotiffClient,
  type GeotiffPiece,
  type GeotiffResponse,
  type GeotiffSlice,
  type GeotiffSource,
  geotiffClient,
  geotiffSource,
} from './adapters/geotiff.js';
export { type HyparquetBuffer, hyparquetBuffer } from './adapters/hyparquet.js';
export { perVersion, type VersionedQuery } from './adapters/per-version.js';
export {
  type EtagMismatchClass,
  type PmtilesOptions,
  type PmtilesResponse,
  type PmtilesSource,
  pmtilesSource,
} from './adapters/pmtiles.js';
export type { ConsistentReader, VersionTracker } from './adapters/whole.js';
export {
  type ZarritaRange,
  type ZarritaReaders,
  type ZarritaReadOptions,
  type ZarritaSpan,
  type ZarritaStore,
  type ZarritaSuffix,
  zarritaStore,
} from './adapters/zarrita.js';
export type { ByteBackend, ByteReadContext, ByteReading, ByteVersion, IdentifyContext } from './backend.js';
export type { UrlBody, UrlBodyReader, UrlChunk } from './body.js';
export { SourceError, type SourceFailure } from './errors.js';
export { type FileOptions, openFile } from './file.js';
export type { UrlHeaderPairs, UrlHeadersGiven } from './headers.js';
export type { UrlHeaders } from './http.js';
export type { ByteSourceOptions, ByteSourceSettings, ConsistentOptions, SourceReadOptions } from './options.js';
export type { ByteReader, ByteReadOptions } from './reader.js';
export { ByteSource } from './source.js';
export type { ByteSourceSnapshot, ByteStats } from './stats.js';
export type { ByteStream } from './stream.js';
export { openUrl, type UrlFetch, type UrlOptions, type UrlRequest, type UrlResponse } from './url.js';
export type { ByteStreamOptions, ByteView } from './view.js';
