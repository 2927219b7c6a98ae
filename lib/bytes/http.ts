/**
 * Http: what the headers of a response say about the thing and about the part of it that came. RFC 9110.
 */
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
  /** For how long the validators may be given to another content: 0 if never. */
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
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers.get('content-range') ?? '');
  if (match === null) return undefined;
  return { start: Number(match[1]), end: Number(match[2]) + 1, total: Number(match[3]) };
}

/** The total that the refusal of a range names: `bytes *`, a slash, the total. */
export function totalOf(headers: UrlHeaders): number | undefined {
  const match = /^bytes \*\/(\d+)$/.exec(headers.get('content-range') ?? '');
  return match === null ? undefined : Number(match[1]);
}

/** True for an ETag that stands for the bytes. A weak one stands for what they mean, and is never equal in If-Match. */
export function isStrong(etag: string | undefined): etag is string {
  return etag !== undefined && !etag.startsWith('W/');
}

/**
 * The version of a response; undefined if nothing in it tells one content from another. A strong ETag says it all: the
 * servers behind one name may have different dates for the same content. Otherwise whatever there is must be equal.
 */
export function versionOf(headers: UrlHeaders, size: number): UrlVersion | undefined {
  const etag = headers.get('etag') ?? undefined;
  const lastModified = headers.get('last-modified') ?? undefined;
  if (etag === undefined && lastModified === undefined) return undefined;
  const isEnough = isStrong(etag);
  const key = isEnough ? `${etag} ${size}` : `${etag ?? '-'} ${lastModified ?? '-'} ${size}`;
  return { key, size, etag, lastModified, youngMs: isEnough ? 0 : youngFor(lastModified, headers.get('date')) };
}

/**
 * Dates count whole seconds. A content that was changed in the second in which it was sent may be changed again under the same
 * date, so it must be at least a second old (RFC 9110, section 8.8.2.2). Where the server does not say what time it is, or must
 * not, nobody can tell.
 */
function youngFor(lastModified: string | undefined, date: string | null): number {
  const ageMs = Date.parse(date ?? '') - Date.parse(lastModified ?? '');
  return ageMs < 1_000 ? 1_000 : 0;
}
