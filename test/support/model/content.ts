/**
 * Content: what lookups read and sections change. Every change comes in two halves with time between them, so that torn
 * states really exist; several writers may be inside one page at once, since invalidations do not exclude each other.
 */
import type { Range } from '../../../lib/index.js';

/** A copy of some pages, as they were read. */
export interface Copy {
  readonly pages: readonly number[];
  readonly first: readonly number[];
  readonly second: readonly number[];
}

/** Pages of two halves: a page is stable exactly if both say the same, and its version is that number. */
export class Content {
  readonly #first: Int32Array;
  readonly #second: Int32Array;

  constructor(pages: number) {
    this.#first = new Int32Array(pages);
    this.#second = new Int32Array(pages);
  }

  writeFirst(ranges: readonly Range[]): void {
    for (const page of pagesOf(ranges)) this.#first[page]!++;
  }

  writeSecond(ranges: readonly Range[]): void {
    for (const page of pagesOf(ranges)) this.#second[page]!++;
  }

  readFirst(pages: readonly number[]): number[] {
    return pages.map((page) => this.#first[page]!);
  }

  readSecond(pages: readonly number[]): number[] {
    return pages.map((page) => this.#second[page]!);
  }

  /** Everything at once: still torn if somebody is inside. */
  read(pages: readonly number[]): Copy {
    return { pages, first: this.readFirst(pages), second: this.readSecond(pages) };
  }

  /** What is wrong with a copy that is being installed now; undefined if nothing is. */
  verdict({ pages, first, second }: Copy): 'torn' | 'stale' | undefined {
    for (let i = 0; i < pages.length; i++) if (first[i] !== second[i]) return 'torn';
    for (let i = 0; i < pages.length; i++) {
      if (first[i] !== this.#first[pages[i]!] || second[i] !== this.#second[pages[i]!]) return 'stale';
    }
    return undefined;
  }
}

/** True if the halves differ: a reader that parses what it read would stumble here. */
export function isTorn({ pages, first, second }: Copy): boolean {
  return pages.some((_, i) => first[i] !== second[i]);
}

/** Every whole page, once each. */
export function pagesOf(ranges: readonly Range[]): number[] {
  const pages = new Set<number>();
  for (const { start, end } of ranges) for (let page = start; page < end; page++) pages.add(page);
  return [...pages];
}
