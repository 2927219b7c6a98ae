/**
 * Url: a resource of an HTTP server that sends ranges.
 *
 * Algorithm note
 *
 * A version is what the validators of a response say (http.ts). With a strong ETag a load asks for it (`If-Match`), so that a
 * server that has another content sends none of it (412). A weak ETag must not be used there: no server would ever find it
 * equal. Where there is a date, the load asks for that (`If-Unmodified-Since`). Whatever was asked for, the validators of every
 * response are compared: conditions are not known to all servers, and caches in between answer for them.
 *
 *     206, the range that was asked for          bytes, of the version in the headers
 *     206, another range, length, no total       SourceError
 *     412, to a condition                        another version: of what, the next request will tell
 *     416                                        the range lies behind the end: shrunk, if that was not to be expected
 *     200                                        SourceError: whoever asked for 64 KiB must not get a gigabyte. Unless it is empty
 *     anything else                              SourceError
 *
 * No request is repeated here, apart from what a version has to be asked for: whether to try again after a broken line, and
 * how often, is the business of the `fetch` that the caller gives.
 */
import { type Clock, systemClock } from '../base/clock.js';
import { check } from '../base/errors.js';
import type { Range } from '../base/vocabulary.js';

import type { ByteBackend, ByteReadContext, ByteReading, IdentifyContext } from './backend.js';
import { readBody, type UrlBody } from './body.js';
import { pause } from './bounded.js';
import { SourceError } from './errors.js';
import { isStrong, type Part, partOf, totalOf, type UrlHeaders, type UrlVersion, versionOf } from './http.js';
import type { ByteSourceSettings } from './options.js';
import { ByteSource } from './source.js';

/** The part of a response that is used. */
export interface UrlResponse {
  /** 206 for a part. */
  readonly status: number;
  /** ETag, Last-Modified, Date, Content-Range, Content-Length and Content-Encoding are read. */
  readonly headers: UrlHeaders;
  /** The bytes as they come, where there are any. */
  readonly body?: UrlBody | null | undefined;
  /** The bytes as a whole, where `body` is not known. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** What `fetch` is called with besides the URL. */
export interface UrlRequest {
  /** Those of the caller, and those of the range. */
  readonly headers: Record<string, string>;
  /** Fires when nobody wants the answer any more. */
  readonly signal: AbortSignal;
  /** A cache would answer for a server that has something newer. */
  readonly cache: 'no-store';
}

/** A `fetch`: the host's, or one that adds credentials, retries, a limit of requests. */
export type UrlFetch = (url: string, request: UrlRequest) => Promise<UrlResponse>;

/** How a URL source is made. */
export interface UrlOptions extends ByteSourceSettings {
  /** What sends the requests; default `globalThis.fetch`, as it is at the time of the request. */
  fetch?: UrlFetch | undefined;
  /** Headers of every request, or what returns them, for those that run out. */
  headers?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>) | undefined;
  /**
   * Takes a resource without ETag and Last-Modified, too: then only another length is noticed. For URLs whose content never
   * changes. Default false: such a resource is refused.
   */
  allowUnversioned?: boolean | undefined;
}

/**
 * A source over the resource at `url`. Sends nothing before the first read. Works in browsers as well: the server must then
 * expose Content-Range and ETag (`Access-Control-Expose-Headers`). Throws `InvalidArgumentError`.
 */
export function openUrl(url: string | { readonly href: string }, options: UrlOptions = {}): ByteSource {
  const href = typeof url === 'string' ? url : url?.href;
  check(typeof href === 'string' && href !== '', 'url', url, 'a URL');
  check(typeof options === 'object' && options !== null, 'options', options, 'an object');
  const { fetch, headers, allowUnversioned } = options;
  check(fetch === undefined || typeof fetch === 'function', 'fetch', fetch, 'a function');
  check(headers === undefined || isHeaders(headers), 'headers', headers, 'an object, or a function that returns one');
  check(
    allowUnversioned === undefined || typeof allowUnversioned === 'boolean',
    'allowUnversioned',
    allowUnversioned,
    'a boolean',
  );
  return new ByteSource({ ...options, backend: new UrlBackend(href, options) as ByteBackend });
}

function isHeaders(headers: unknown): boolean {
  return typeof headers === 'function' || (typeof headers === 'object' && headers !== null);
}

/** See the top of the file. */
class UrlBackend implements ByteBackend<UrlVersion> {
  readonly name: string;
  readonly #options: UrlOptions;
  readonly #clock: Clock;
  /** The youngest version that was waited for, and since when. */
  #young: { readonly key: string; readonly since: number } = { key: '', since: 0 };

  constructor(url: string, options: UrlOptions) {
    this.name = url;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** By a request for one byte. HEAD would cost as much, and is often not allowed where GET is. */
  async identify({ signal }: IdentifyContext): Promise<UrlVersion> {
    const range = { start: 0, end: 1 };
    const response = await this.#send(range, undefined, signal);
    try {
      if (response.status === 206) return this.#version(response, this.#part(response, range).total, range);
      const size = emptySize(response);
      if (size !== undefined) return this.#version(response, size, range);
      throw this.#refusal(response, range);
    } finally {
      discard(response);
    }
  }

  async read(range: Range, { expected, signal }: ByteReadContext<UrlVersion>): Promise<ByteReading<UrlVersion>> {
    for (;;) {
      const reading = await this.#readOnce(range, expected, signal);
      const leftMs = reading.version === undefined ? 0 : this.#youngFor(reading.version);
      if (leftMs <= 0) return reading;
      await pause(this.#clock, leftMs, signal);
    }
  }

  async #readOnce(range: Range, expected: UrlVersion | undefined, signal: AbortSignal): Promise<ByteReading<UrlVersion>> {
    const response = await this.#send(range, expected, signal);
    let isRead = false;
    try {
      if (response.status === 412 && expected !== undefined) return CHANGED;
      if (response.status === 416 || emptySize(response) !== undefined) return await this.#behindEnd(range, expected, signal);
      if (response.status !== 206) throw this.#refusal(response, range);
      const part = this.#part(response, range);
      const version = this.#version(response, part.total, range);
      if (expected !== undefined && version.key !== expected.key) return { version, bytes: undefined };
      isRead = true;
      return { version, bytes: await this.#body(response, part, signal) };
    } finally {
      if (!isRead) discard(response);
    }
  }

  /** There is nothing of the range. The refusal need not say which version it is about, so that is asked for. */
  async #behindEnd(range: Range, expected: UrlVersion | undefined, signal: AbortSignal): Promise<ByteReading<UrlVersion>> {
    if (expected !== undefined) return CHANGED; // nobody asks for what lies behind the end of what is expected
    const version = await this.identify({ signal });
    if (version.size <= range.start) return { version, bytes: new Uint8Array(0) };
    throw this.#error(range, 'was refused', `a range within ${version.size} bytes`, '416 (range not satisfiable)');
  }

  // --- one request

  async #send(range: Range, expected: UrlVersion | undefined, signal: AbortSignal): Promise<UrlResponse> {
    const { fetch = globalThis.fetch as unknown as UrlFetch, headers = {} } = this.#options;
    try {
      const given = typeof headers === 'function' ? headers() : headers;
      const request = { ...given, ...condition(expected), range: `bytes=${range.start}-${range.end - 1}` };
      return await fetch(this.name, { headers: request, signal, cache: 'no-store' });
    } catch (cause) {
      signal.throwIfAborted();
      throw new SourceError(this.name, 'could not be requested', { range, cause });
    }
  }

  async #body(response: UrlResponse, part: Part, signal: AbortSignal): Promise<Uint8Array> {
    const range = { start: part.start, end: part.end };
    const wanted = part.end - part.start;
    let bytes: Uint8Array;
    try {
      bytes = await readBody(response, wanted);
    } catch (cause) {
      signal.throwIfAborted();
      throw new SourceError(this.name, 'broke off', { range, cause });
    }
    if (bytes.length === wanted) return bytes;
    const got = bytes.length > wanted ? `more than ${wanted} bytes` : `${bytes.length} bytes`;
    throw this.#error(range, 'came with another length', `${wanted} bytes`, got);
  }

  /** The part that the response says it is; it must be the one that was asked for, cut off at the end. */
  #part({ headers }: UrlResponse, range: Range): Part {
    const part = partOf(headers);
    const encoding = headers.get('content-encoding');
    const wish = `bytes ${range.start}-${range.end - 1}`;
    if (encoding !== null && encoding !== 'identity')
      throw this.#error(range, 'came encoded', 'the bytes as they are', `content-encoding ${encoding}`);
    if (part === undefined) {
      const got = headers.get('content-range') ?? 'none (or one that the server does not expose to this origin)';
      throw this.#error(range, 'came without a usable Content-Range', `${wish} of a known total`, got);
    }
    const end = Math.min(range.end, part.total);
    if (part.start !== range.start || part.end !== end)
      throw this.#error(
        range,
        'came as another range',
        `bytes ${range.start}-${end - 1}/${part.total}`,
        headers.get('content-range')!,
      );
    return part;
  }

  #version({ headers }: UrlResponse, size: number, range: Range): UrlVersion {
    const version = versionOf(headers, size);
    if (version !== undefined) return version;
    if (this.#options.allowUnversioned === true || size === 0)
      return { key: `- - ${size}`, size, etag: undefined, lastModified: undefined, youngMs: 0 };
    const got = 'neither (or they are not exposed to this origin)';
    throw this.#error(range, 'came without a version', 'ETag or Last-Modified, or allowUnversioned', got);
  }

  #youngFor({ key, youngMs }: UrlVersion): number {
    if (youngMs === 0) return 0;
    const now = this.#clock.now();
    if (this.#young.key !== key) this.#young = { key, since: now };
    return this.#young.since + youngMs - now;
  }

  #refusal({ status }: UrlResponse, range: Range): SourceError {
    const got = status === 200 ? '200, the whole thing: the server has no range support' : String(status);
    return this.#error(range, 'were not sent', '206 (partial content)', got);
  }

  #error(range: Range, what: string, expected: string, got: string): SourceError {
    return new SourceError(this.name, what, { range, expected, got });
  }
}

const CHANGED: ByteReading<UrlVersion> = { version: undefined, bytes: undefined };

function condition(expected: UrlVersion | undefined): Record<string, string> {
  if (isStrong(expected?.etag)) return { 'if-match': expected!.etag! };
  return expected?.lastModified === undefined ? {} : { 'if-unmodified-since': expected.lastModified };
}

/** Length 0 if the response says that there is nothing: no range lies within that, so servers answer as they please. */
function emptySize({ status, headers }: UrlResponse): number | undefined {
  if (status === 416) return totalOf(headers) === 0 ? 0 : undefined;
  return status === 200 && headers.get('content-length') === '0' ? 0 : undefined;
}

/** Whatever is still to come is not wanted: the connection need not carry it. */
function discard({ body }: UrlResponse): void {
  body?.cancel?.().catch(() => {}); // read already, or broken
}
