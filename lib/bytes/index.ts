/**
 * Byte ranges of files and URLs, never of two versions at once.
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
export type { ByteStats } from './stats.js';
export type { ByteStream } from './stream.js';
export { openUrl, type UrlFetch, type UrlOptions, type UrlRequest, type UrlResponse } from './url.js';
export type { ByteStreamOptions, ByteView } from './view.js';
