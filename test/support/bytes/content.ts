/**
 * Content: bytes of which every block says which version it is of, and which place it belongs to.
 */

/** Bytes of a block. */
export const BLOCK = 16;

/** `v00007 b000123.` and a line feed: version 7, block 123. */
export function blocks(version: number, count: number, first = 0): Uint8Array {
  const text = Array.from({ length: count }, (_, i) => {
    const block = String(first + i).padStart(6, '0');
    return `v${String(version).padStart(5, '0')} b${block}.\n`;
  });
  return new TextEncoder().encode(text.join(''));
}

/** The versions in whole blocks read from `first` on, once each. Throws for anything that is not a block in its place. */
export function versionsOf(bytes: Uint8Array, first = 0): number[] {
  const text = new TextDecoder().decode(bytes);
  const versions = new Set<number>();
  for (let at = 0; at < text.length; at += BLOCK) {
    const match = /^v(\d{5}) b(\d{6})\.\n$/.exec(text.slice(at, at + BLOCK));
    if (Number(match?.[2]) !== first + at / BLOCK)
      throw new Error(`not block ${first + at / BLOCK}: ${text.slice(at, at + BLOCK)}`);
    versions.add(Number(match![1]));
  }
  return [...versions];
}
