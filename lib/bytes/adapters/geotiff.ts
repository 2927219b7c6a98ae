/**
 * geotiff: two adapters for geotiff, version 3.
 *
 * `GeoTIFF.fromSource` takes a source, and reads from it without any cache of bytes of its own: that is the entry to use.
 * `fromCustomClient` takes a client that answers range requests, and keeps blocks of its own only if it is asked to by
 * `blockSize`; those blocks know nothing of changes. A `GeoTIFF` object keeps its directories either way.
 */
import { check } from '../../base/errors.js';
import { checkNames, type Names, names } from '../../base/options.js';
import type { ByteReader } from '../reader.js';
import { bufferOf, checkReader } from './whole.js';

/** A piece of a file, in bytes. */
export interface GeotiffSlice {
  /** Where it starts. */
  offset: number;
  /** How long it is; what is beyond the end of the file is not there. */
  length: number;
}

/** A piece of a file with what is in it. */
export interface GeotiffPiece extends GeotiffSlice {
  /** Its bytes, and nothing else; shorter than `length` at the end of the file. */
  data: ArrayBuffer;
}

/** What `GeoTIFF.fromSource` reads from: geotiff's `BaseSource`. */
export interface GeotiffSource {
  /** Each slice's bytes, in order; shorter only at the end of the file. */
  fetch(slices: GeotiffSlice[], signal?: AbortSignal): Promise<ArrayBuffer[]>;
  /** One slice with its bytes. */
  fetchSlice(slice: GeotiffSlice, signal?: AbortSignal): Promise<GeotiffPiece>;
  /** Always `null`, "not determined": a size that is kept could be that of an old version. */
  readonly fileSize: number | null;
  /** Does nothing: the reader belongs to its maker. */
  close(): Promise<void>;
}

/**
 * A geotiff source over the reader, for `GeoTIFF.fromSource`. Inside of `source.consistent(view => ...)` everything read through
 * it stems from one version; over a source itself, each slice does. Rejects with what the reader rejects with.
 */
export function geotiffSource(reader: ByteReader): GeotiffSource {
  checkReader(reader);
  const fetchSlice: GeotiffSource['fetchSlice'] = async ({ offset, length }, signal) => ({
    data: bufferOf(await reader.read(offset, length, { signal })),
    offset,
    length,
  });
  return {
    fetchSlice,
    fetch: async (slices, signal) => {
      const results = await Promise.all(slices.map((slice) => fetchSlice(slice, signal)));
      return results.map(({ data }) => data);
    },
    fileSize: null,
    close: async () => {},
  };
}

/** The answer to one range request: geotiff's `BaseResponse`. */
export interface GeotiffResponse {
  /** True: what could not be read rejects the request. */
  readonly ok: boolean;
  /** 206. */
  readonly status: number;
  /** `content-range` and `content-length`; `undefined` for every other name. */
  getHeader(name: string): string | undefined;
  /** The bytes. */
  getData(): Promise<ArrayBuffer>;
}

/** What `fromCustomClient` sends its requests to: geotiff's `BaseClient`. */
export interface GeotiffClient {
  /** A name; nothing is fetched from it. */
  url: string;
  /** Answers a request that has one `Range`; of several ranges in it the first, which geotiff understands. */
  request(options?: { headers?: unknown; signal?: AbortSignal | null | undefined }): Promise<GeotiffResponse>;
}

const CLIENT_OPTIONS: Names = /* @__PURE__ */ names('url');

/**
 * A geotiff client over the reader, for `fromCustomClient`; do not give that a `blockSize`, or its blocks outlive a change. Use
 * {@link geotiffSource} where you can: it is the same with less in between.
 *
 * A request rejects with what the reader rejects with, and with `InvalidArgumentError` if it has no range of bytes.
 */
export function geotiffClient(reader: ByteReader, options: { readonly url?: string | undefined } = {}): GeotiffClient {
  checkReader(reader);
  checkNames(options, CLIENT_OPTIONS, 'geotiffClient');
  return {
    url: options.url ?? '',
    async request({ headers, signal } = {}) {
      const { offset, length } = rangeOf(headers);
      const [size, bytes] = await Promise.all([
        reader.size({ signal: signal ?? undefined }),
        reader.read(offset, length, { signal: signal ?? undefined }),
      ]);
      const end = offset + bytes.byteLength - 1;
      const fields: Readonly<Record<string, string>> = {
        'content-range': `bytes ${offset}-${end}/${size}`,
        'content-length': String(bytes.byteLength),
      };
      return {
        ok: true,
        status: 206,
        getHeader: (name) => fields[name.toLowerCase()],
        getData: async () => bufferOf(bytes),
      };
    },
  };
}

function rangeOf(headers: unknown): GeotiffSlice {
  const range = (headers as { readonly Range?: unknown } | undefined)?.Range;
  const match = typeof range === 'string' ? /^bytes=(\d+)-(\d+)/.exec(range) : null;
  check(match !== null, 'headers.Range', range, 'a range such as bytes=0-1023');
  const [offset, last] = match!.slice(1).map(Number) as [number, number];
  return { offset, length: last + 1 - offset };
}
