/**
 * Page: 4 KiB of the file, stamped at its end with its number, a generation and a checksum.
 *
 *     words 0 … 1020     content
 *     word  1021         number of the page
 *     word  1022         generation: the number of the write that made this content, 0 for the file's own
 *     word  1023         checksum of all words before it
 *
 * A page that was read while half of it was rewritten fails its checksum; one that is whole tells how old it is.
 */

/** Bytes of a page. */
export const PAGE_BYTES = 4096;
/** 32-bit words of a page. */
export const PAGE_WORDS = PAGE_BYTES / 4;
/** What {@link originOf} says of a page that is not whole. */
export const TORN = -1;

const NUMBER_AT = PAGE_WORDS - 3;
const GENERATION_AT = PAGE_WORDS - 2;
const CHECKSUM_AT = PAGE_WORDS - 1;

/** Stamps the page whose words begin at `at`, over whatever content it has. About 1 µs. */
export function stamp(words: Uint32Array, at: number, { page, generation }: { page: number; generation: number }): void {
  words[at + NUMBER_AT] = page;
  words[at + GENERATION_AT] = generation;
  words[at + CHECKSUM_AT] = checksum(words, at);
}

/** New content for a page, every word of it different from that of its last generation, and the stamp. */
export function rewrite(words: Uint32Array, at: number, origin: { page: number; generation: number }): void {
  words.fill(Math.imul(origin.generation, 0x9e3779b1) ^ origin.page, at, at + NUMBER_AT);
  stamp(words, at, origin);
}

/** The generation of the page whose words begin at `at`, or {@link TORN}. About 1 µs. */
export function originOf(words: Uint32Array, at: number, page: number): number {
  const whole = words[at + NUMBER_AT] === page && words[at + CHECKSUM_AT] === checksum(words, at);
  return whole ? words[at + GENERATION_AT]! : TORN;
}

/** Four lanes, so that the multiplications do not wait for each other; each word goes into exactly one of them. */
export function checksum(words: Uint32Array, at: number): number {
  let a = 1;
  let b = 2;
  let c = 3;
  let d = 4;
  for (let i = at; i < at + CHECKSUM_AT - 3; i += 4) {
    a = Math.imul(a ^ words[i]!, 0x01000193);
    b = Math.imul(b ^ words[i + 1]!, 0x01000193);
    c = Math.imul(c ^ words[i + 2]!, 0x01000193);
    d = Math.imul(d ^ words[i + 3]!, 0x01000193);
  }
  a = Math.imul(a ^ words[at + CHECKSUM_AT - 3]!, 0x01000193);
  b = Math.imul(b ^ words[at + CHECKSUM_AT - 2]!, 0x01000193);
  c = Math.imul(c ^ words[at + CHECKSUM_AT - 1]!, 0x01000193);
  return (a ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x27d4eb2f)) >>> 0;
}
