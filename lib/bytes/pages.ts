/**
 * Pages: bytes cut into pages and put together again. A page is full, or the thing ends in it; behind the end it is empty.
 */
import type { Range } from '../base/vocabulary.js';

/**
 * Exactly `count` pages out of the bytes of one request. Copies, if there are several: a page that stays would otherwise keep
 * the bytes of all.
 */
export function cut(bytes: Uint8Array, count: number, pageSize: number): Uint8Array[] {
  if (count === 1) return [bytes];
  return Array.from({ length: count }, (_, i) => bytes.slice(i * pageSize, (i + 1) * pageSize));
}

/** Does the thing end in one of these pages? It does so in the last, if in any but empty ones. */
export function endOf(pages: readonly Uint8Array[], pageSize: number): boolean {
  return pages[pages.length - 1]!.length < pageSize;
}

/** The bytes of the range out of the pages that cover it, up to the end of the thing. A copy. */
export function join(pages: readonly Uint8Array[], { start, end }: Range, pageSize: number): Uint8Array {
  const first = Math.floor(start / pageSize) * pageSize;
  const length = pages.reduce((sum, page) => sum + page.length, 0);
  const from = start - first;
  const bytes = new Uint8Array(Math.max(0, Math.min(end - first, length) - from));
  let at = -from;
  for (const page of pages) {
    const skipped = Math.max(0, -at);
    if (skipped < page.length && at < bytes.length)
      bytes.set(page.subarray(skipped, Math.min(page.length, bytes.length - at)), Math.max(0, at));
    at += page.length;
  }
  return bytes;
}
