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
 *     200, no longer than what was asked for     the whole thing, cut to the range
 *     200, longer                                SourceError: whoever asked for 64 KiB must not get a gigabyte
 *     204, or a total of 0                       an empty thing
 *     anything else                              SourceError
 *
 * A 412 that is followed by the version it was about was none: that server does not know its own validators, so it is asked
 * without conditions from then on.
 *
 *     load                            server                       writer
 *     asks                            Last-Modified 10:00:00       writes 1 at 10:00:00.2
 *                                     Date          10:00:00
 *     (not believed: waits)                                        writes 2 at 10:00:00.8
 *     asks again                      Last-Modified 10:00:00       -> believed at once, 1 would stay under the validators of 2
 *                                     Date          10:00:02
 *
 * No request is repeated here, apart from what a version has to be asked for: whether to try again after a broken line, and
 * how often, is the business of the `fetch` that the caller gives.
 */
import { type Clock, systemClock } from '../base/clock.js';
import { check } from '../base/errors.js';
import { checkNames, type Names, names } from '../base/options.js';
import type { Range } from '../base/vocabulary.js';

import type { ByteBackend, ByteReadContext, ByteReading, IdentifyContext } from './backend.js';
import { readBody, type UrlBody } from './body.js';
import { pause } from './bounded.js';
import { SourceError } from './errors.js';
import { checkHeaders, recordOf, type UrlHeadersGiven } from './headers.js';
import { codingOf, isStrong, lengthOf, type Part, partOf, totalOf, type UrlHeaders, type UrlVersion, versionOf } from './http.js';
import { type ByteSourceSettings, SOURCE_NAMES } from './options.js';
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
  /**
   * Headers of every request, in any form that `fetch` takes; or what returns them, or a promise of them, for those that run
   * out. It is called for each request, in the asynchronous context of the read that the request is for.
   */
  headers?: UrlHeadersGiven | (() => UrlHeadersGiven | PromiseLike<UrlHeadersGiven>) | undefined;
  /**
   * Takes a resource without ETag and Last-Modified, too: then only another length is noticed. For URLs whose content never
   * changes. Default false: such a resource is refused.
   */
  allowUnversioned?: boolean | undefined;
}

const URL_OPTIONS: Names = /* @__PURE__ */ names(SOURCE_NAMES, 'fetch headers allowUnversioned');

/**
 * A source over the resource at `url`. Sends nothing before the first read. Works in browsers as well: the server must then
 * expose Content-Range and ETag (`Access-Control-Expose-Headers`). Throws `InvalidArgumentError`.
 */
export function openUrl(url: string | { readonly href: string }, options: UrlOptions = {}): ByteSource {
  const href = typeof url === 'string' ? url : url?.href;
  check(typeof href === 'string' && href !== '', 'url', url, 'a URL');
  check(typeof options === 'object' && options !== null, 'options', options, 'an object');
  checkNames(options, URL_OPTIONS, 'openUrl');
  const { fetch, allowUnversioned, headers: given, ...settings } = options;
  const headers = lasting(given);
  check(fetch === undefined || typeof fetch === 'function', 'fetch', fetch, 'a function');
  if (headers !== undefined) checkHeaders(headers);
  check(
    allowUnversioned === undefined || typeof allowUnversioned === 'boolean',
    'allowUnversioned',
    allowUnversioned,
    'a boolean',
  );
  return new ByteSource({ ...settings, backend: new UrlBackend(href, { ...options, headers }) as ByteBackend });
}

/** A request for a place on the line, and what it says about the version that it wants. */
interface Wish {
  readonly range: Range;
  readonly condition: Readonly<Record<string, string>>;
}

/** The version and, from a response that is the whole thing, its bytes. */
interface Found {
  readonly version: UrlVersion;
  readonly whole?: Uint8Array | undefined;
}

/** Versions that are waited for at the same time: one, or a few where several servers answer under one name. */
const MOST_YOUNG = 8;

/** See the top of the file. */
class UrlBackend implements ByteBackend<UrlVersion> {
  readonly name: string;
  readonly remote = true;
  readonly #options: UrlOptions;
  readonly #clock: Clock;
  /** When the versions that are waited for are old enough, by the clock of the source. */
  readonly #young: Map<string, number> = new Map();
  /** The key that was answered by 412 last: if it comes all the same, the server does not know it. */
  #refused: string | undefined = undefined;
  #knowsConditions = true;

  constructor(url: string, options: UrlOptions) {
    this.name = url;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * By a request for two bytes. HEAD would cost as much, and is often not allowed where GET is; and the first byte alone is a
   * corner of other people's code: 0 is easily taken for "not given".
   */
  async identify({ signal }: IdentifyContext): Promise<UrlVersion> {
    return (await this.#identify(2, signal)) ?? (await this.#identify(1, signal))!;
  }

  /** Undefined if a server that does not cut off must be asked for less. */
  async #identify(count: 1 | 2, signal: AbortSignal): Promise<UrlVersion | undefined> {
    const range = { start: 0, end: count };
    const response = await this.#send({ range, condition: {} }, signal);
    try {
      const { status, headers } = response;
      const part = partOf(headers);
      if (status === 206 && part?.start === 0) return this.#version(response, part.total, range);
      if (status === 416 && totalOf(headers) !== 0) {
        if (count === 2) return undefined;
        // Not even the first byte is there, and nobody says that it is.
        if (totalOf(headers) === undefined) return this.#version(response, 0, range);
        throw this.#error(range, 'was refused', `a range within ${totalOf(headers)} bytes`, '416 (range not satisfiable)');
      }
      const found = await this.#whole(response, range, signal);
      if (found !== undefined) return found.version;
      if (status !== 206) throw this.#refusal(response, range);
      return this.#version(response, this.#part(response, range).total, range);
    } finally {
      discard(response);
    }
  }

  async read(range: Range, { expected, signal }: ByteReadContext<UrlVersion>): Promise<ByteReading<UrlVersion>> {
    for (;;) {
      const reading = await this.#readOnce(range, expected, signal);
      const { bytes, version } = reading;
      const leftMs = bytes === undefined || version === undefined ? 0 : this.#youngFor(version);
      if (leftMs <= 0) return reading;
      await pause(this.#clock, leftMs, signal);
    }
  }

  async #readOnce(range: Range, expected: UrlVersion | undefined, signal: AbortSignal): Promise<ByteReading<UrlVersion>> {
    const condition = this.#condition(expected);
    const response = await this.#send({ range, condition }, signal);
    let isRead = false;
    try {
      const { status, headers } = response;
      if (status === 412 && expected !== undefined && Object.keys(condition).length > 0) {
        this.#refused = expected.key;
        return changed(`412 to ${Object.entries(condition)[0]!.join(' ')}`);
      }
      if (status === 416 && totalOf(headers) !== 0) return await this.#behindEnd(response, range, expected, signal);
      const found = await this.#whole(response, range, signal);
      if (found !== undefined) {
        isRead = true;
        return this.#compared(found.version, expected) ?? { ...found, bytes: found.whole!.slice(range.start, range.end) };
      }
      if (status !== 206) throw this.#refusal(response, range);
      const part = this.#part(response, range);
      const version = this.#version(response, part.total, range);
      const other = this.#compared(version, expected);
      if (other !== undefined) return other;
      isRead = true;
      return { version, bytes: await this.#body(response, part, signal) };
    } finally {
      if (!isRead) discard(response);
    }
  }

  /** The reading if it is another version than the expected one. */
  #compared(version: UrlVersion, expected: UrlVersion | undefined): ByteReading<UrlVersion> | undefined {
    if (version.key === this.#refused) this.#knowsConditions = false;
    this.#refused = undefined;
    return expected !== undefined && version.key !== expected.key ? { version, bytes: undefined } : undefined;
  }

  #condition(expected: UrlVersion | undefined): Readonly<Record<string, string>> {
    if (expected === undefined || !this.#knowsConditions) return {};
    if (isStrong(expected.etag)) return { 'if-match': expected.etag };
    return expected.lastModified === undefined ? {} : { 'if-unmodified-since': expected.lastModified };
  }

  /**
   * There is nothing of the range; or the server refuses what it would have to cut off. The refusal need not say which version
   * it is about, so that is asked for.
   */
  async #behindEnd(
    response: UrlResponse,
    range: Range,
    expected: UrlVersion | undefined,
    signal: AbortSignal,
  ): Promise<ByteReading<UrlVersion>> {
    const isCut = (size: number | undefined) => size !== undefined && size > range.start && size < range.end;
    const total = totalOf(response.headers);
    if (expected !== undefined) {
      if (!isCut(total) || total !== expected.size) return changed('416'); // nobody asks for what lies behind its end
      return this.#readOnce({ start: range.start, end: total }, expected, signal);
    }
    const version = await this.identify({ signal });
    if (version.size <= range.start) return { version, bytes: new Uint8Array(0) };
    if (isCut(version.size)) return this.#readOnce({ start: range.start, end: version.size }, version, signal);
    throw this.#error(range, 'was refused', `a range within ${version.size} bytes`, '416 (range not satisfiable)');
  }

  /**
   * The whole thing, if that is what came, and if it is no longer than what was asked for. An empty one may come in any form:
   * no range lies within it, so servers answer as they please.
   */
  async #whole(response: UrlResponse, range: Range, signal: AbortSignal): Promise<Found | undefined> {
    const { status, headers } = response;
    const wanted = range.end - range.start;
    const length = lengthOf(headers);
    const isEmpty = status === 204 || totalOf(headers) === 0 || (length === 0 && (status === 200 || isBare(response, range)));
    if (isEmpty && (status < 300 || status === 416))
      return { version: this.#version(response, 0, range), whole: new Uint8Array(0) };
    if (status !== 200 || codingOf(headers) !== undefined || (length ?? 0) > wanted) return undefined;
    const whole = await this.#received(response, { start: 0, end: wanted }, signal);
    if (whole.length > wanted) return undefined;
    if (length !== undefined && whole.length !== length)
      throw this.#error(range, 'came with another length', `${length} bytes`, `${whole.length} bytes`);
    return { version: this.#version(response, whole.length, range), whole };
  }

  // --- one request

  async #send({ range, condition }: Wish, signal: AbortSignal): Promise<UrlResponse> {
    const { fetch = globalThis.fetch as unknown as UrlFetch, headers } = this.#options;
    try {
      const given = typeof headers === 'function' ? await headers() : headers;
      signal.throwIfAborted();
      const own = { ...condition, range: `bytes=${range.start}-${range.end - 1}` };
      const request = given === undefined ? own : { ...recordOf(given), ...own };
      return await fetch(this.name, { headers: request, signal, cache: 'no-store' });
    } catch (cause) {
      signal.throwIfAborted();
      throw new SourceError(this.name, 'could not be requested', { range, cause });
    }
  }

  async #body(response: UrlResponse, part: Part, signal: AbortSignal): Promise<Uint8Array> {
    const range = { start: part.start, end: part.end };
    const wanted = part.end - part.start;
    const bytes = await this.#received(response, range, signal);
    if (bytes.length === wanted) return bytes;
    const got = bytes.length > wanted ? `more than ${wanted} bytes` : `${bytes.length} bytes`;
    throw this.#error(range, 'came with another length', `${wanted} bytes`, got);
  }

  /** What came, up to a little more than the range. */
  async #received(response: UrlResponse, range: Range, signal: AbortSignal): Promise<Uint8Array> {
    try {
      return await readBody(response, range.end - range.start);
    } catch (cause) {
      signal.throwIfAborted();
      throw new SourceError(this.name, 'broke off', { range, cause });
    }
  }

  /** The part that the response says it is; it must be the one that was asked for, cut off at the end. */
  #part({ headers }: UrlResponse, range: Range): Part {
    const part = partOf(headers);
    const coding = codingOf(headers);
    const wish = `bytes ${range.start}-${range.end - 1}`;
    if (coding !== undefined) throw this.#error(range, 'came encoded', 'the bytes as they are', `content-encoding ${coding}`);
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

  /** By the server's clock, or by how long it has been known here: a file server's may be ahead of both. */
  #youngFor({ key, youngMs }: UrlVersion): number {
    const young = this.#young;
    if (youngMs === 0) {
      young.delete(key);
      return 0;
    }
    const now = this.#clock.now();
    const until = young.get(key) ?? now + youngMs;
    young.set(key, until);
    if (young.size > MOST_YOUNG) for (const [oldest] of [...young].slice(0, -MOST_YOUNG)) young.delete(oldest);
    return Math.min(until - now, youngMs);
  }

  #refusal({ status }: UrlResponse, range: Range): SourceError {
    const got = status === 200 ? '200, the whole thing: the server has no range support' : String(status);
    const isMissing = status === 404 || status === 410;
    return this.#error(range, 'were not sent', '206 (partial content)', got, isMissing);
  }

  #error(range: Range, what: string, expected: string, got: string, missing = false): SourceError {
    return new SourceError(this.name, what, { range, expected, got, missing });
  }
}

/** What can be listed only once is listed now: every request needs it. */
function lasting(headers: UrlOptions['headers']): UrlOptions['headers'] {
  const isOnce = typeof headers === 'object' && headers !== null && 'next' in headers && typeof headers.next === 'function';
  return isOnce ? [...(headers as unknown as Iterable<[string, string]>)] : headers;
}

/** Another version is there than the one that was expected: of what, is not known. */
function changed(remark: string): ByteReading<UrlVersion> {
  return { version: undefined, bytes: undefined, remark };
}

/** A part that says neither which it is nor that it has any bytes, of what was to be read from its first byte on. */
function isBare({ status, headers }: UrlResponse, range: Range): boolean {
  return status === 206 && range.start === 0 && headers.get('content-range') === null;
}

/** Whatever is still to come is not wanted: the connection need not carry it. */
function discard({ body }: UrlResponse): void {
  body?.cancel?.().catch(() => {}); // read already, or broken
}
