/**
 * Http: what the headers of a response say about the thing and about the part of it that came. RFC 9110.
 *
 * Values are taken as the RFC has them, and not as one server happens to write them: units and codings in any case, with or
 * without spaces. What cannot be true (an end before the start, a total that no number can hold) is not taken at all.
 */
import { systemClock } from '../base/clock.js';
import type { ByteVersion } from './backend.js';

/** The headers of a response, as `fetch` gives them out. */
export interface UrlHeaders {
  /** The value, `null` if there is none or if it must not be seen (CORS). */
  get(name: string): string | null;
}

/** A version of a URL, with the validators to ask for it again. */
export interface UrlVersion extends ByteVersion {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  /** For how long the validators may still be given to another content: 0 if never. */
  readonly youngMs: number;
}

/** What a `Content-Range` says; the bytes `[start, end)` of `total`. */
export interface Part {
  readonly start: number;
  readonly end: number;
  readonly total: number;
}

/** `bytes 0-99/1000`; undefined for anything else, an unknown total included. */
export function partOf(headers: UrlHeaders): Part | undefined {
  const match = /^\s*bytes[\s=]+(\d+)\s*-\s*(\d+)\s*\/\s*(\d+)\s*$/i.exec(headers.get('content-range') ?? '');
  if (match === null) return undefined;
  const [start, last, total] = match.slice(1).map(Number) as [number, number, number];
  const isPossible = start <= last && last < total && Number.isSafeInteger(total);
  return isPossible ? { start, end: last + 1, total } : undefined;
}

/** The total that a refusal of a range names: `bytes *`, a slash, the total. Of an empty thing the range may be anything. */
export function totalOf(headers: UrlHeaders): number | undefined {
  const match = /^\s*bytes[\s=]+(\S*)\s*\/\s*(\d+)\s*$/i.exec(headers.get('content-range') ?? '');
  if (match === null) return undefined;
  const total = Number(match[2]);
  return (match[1] === '*' && Number.isSafeInteger(total)) || total === 0 ? total : undefined;
}

/** The length that the headers announce for the body; undefined if they do not. */
export function lengthOf(headers: UrlHeaders): number | undefined {
  const text = headers.get('content-length');
  const length = text !== null && /^\s*\d+\s*$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(length) ? length : undefined;
}

/**
 * Names that stand in Content-Encoding and code nothing: `identity`, what uploads in pieces leave behind (`aws-chunked`), and
 * names of character sets and the like that people write there. No `fetch` decodes any of them.
 */
const NO_CODING = new Set(['', 'identity', 'aws-chunked', 'none', 'binary', 'utf-8', 'utf8']);

/** The Content-Encoding as it stands there, if the bytes are not those of the thing. */
export function codingOf(headers: UrlHeaders): string | undefined {
  const text = headers.get('content-encoding') ?? '';
  return text.split(',').every((name) => NO_CODING.has(name.trim().toLowerCase())) ? undefined : text;
}

/** True for an ETag that stands for the bytes. A weak one stands for what they mean, and is never equal in If-Match. */
export function isStrong(etag: string | undefined): etag is string {
  return etag !== undefined && /^"[^"]*"$/.test(etag);
}

/**
 * The version of a response; undefined if nothing in it tells one content from another. A strong ETag says it all: the
 * servers behind one name may have different dates for the same content. Otherwise whatever there is must be equal.
 */
export function versionOf(headers: UrlHeaders, size: number): UrlVersion | undefined {
  const etag = etagOf(headers);
  const lastModified = dateOf(headers, 'last-modified');
  if (etag === undefined && lastModified === undefined) return undefined;
  const key = isStrong(etag) ? `${etag} ${size}` : `${etag ?? '-'} ${lastModified ?? '-'} ${size}`;
  return { key, size, etag, lastModified, youngMs: youngFor(lastModified, dateOf(headers, 'date')) };
}

/** An ETag with nothing in it is the same for every content. */
function etagOf(headers: UrlHeaders): string | undefined {
  const etag = headers.get('etag')?.trim();
  return etag === undefined || /^(W\/)?("")?$/i.test(etag) ? undefined : etag;
}

/** A date that cannot be read is to be taken as none (RFC 9110, section 8.8.2.1 and 13.1.4). */
function dateOf(headers: UrlHeaders, name: string): string | undefined {
  const text = headers.get(name) ?? '';
  return /[a-z]{3}/i.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined;
}

/**
 * Below this difference of Date and Last-Modified nothing is believed. Both count whole seconds, so that a difference of one may
 * be an age of a millisecond; and a file system stamps up to a tick late, so that a full second is not enough, either.
 */
const SETTLED_MS = 2_000;

/** A server's clock may differ from ours by so much; where it does not say what time it is, ours is all there is. */
const SKEW_MS = 60_000;

/**
 * A content that was changed just before it was sent may be changed again under the same date, and under the same ETag, too,
 * however strong: many servers make it of the date, in whole seconds, and of the length (RFC 9110, section 8.8.2.2).
 */
function youngFor(lastModified: string | undefined, date: string | undefined): number {
  if (lastModified === undefined) return 0;
  const changedAt = Date.parse(lastModified);
  if (date === undefined) {
    const ageMs = performance.timeOrigin + systemClock.now() - changedAt;
    return Math.abs(ageMs) < SKEW_MS ? SETTLED_MS : 0;
  }
  return Math.min(SETTLED_MS, Math.max(0, SETTLED_MS - (Date.parse(date) - changedAt)));
}
