/**
 * Subscribers: parties that mirror the file. Each keeps something derived from every page it has read, and drops it when it is
 * told to.
 *
 * State, per page: `origins[page]` is ABSENT (nothing derived), TORN (derived from half a write; only a bad guard lets that
 * happen) or the generation it was derived from. Legal operations: `install` sets it, `drop` resets it to ABSENT.
 */
import type { Range } from '../../lib/index.js';
import { checksum, PAGE_BYTES, PAGE_WORDS } from './page.js';
import type { PageBuffer } from './page-file.js';

const ABSENT = -2;

/** Bytes of a page that a preview shows: four lines of 16, as a hex viewer has them. */
const PREVIEW_BYTES = 64;

/** What one subscriber has counted. */
export interface SubscriberCounts {
  /** Reads asked of it. */
  lookups: number;
  /** Reads answered from what it had derived. */
  hits: number;
  /** Pages whose derived state it had to drop. */
  dropped: number;
  /** Reads that had to fetch more than once. */
  retried: number;
}

/** What differs between subscribers: what they keep of a page. */
export interface Derivation {
  /** Derives from the page that begins at `at` (in pages) of the buffer. */
  keep(page: number, buffer: PageBuffer, at: number): void;
}

/** See the top of the file. */
export class Subscriber {
  readonly name: string;
  readonly counts: SubscriberCounts = { lookups: 0, hits: 0, dropped: 0, retried: 0 };
  readonly #derivation: Derivation;
  readonly #origins: Int32Array;

  constructor(name: string, pages: number, derivation: Derivation) {
    this.name = name;
    this.#derivation = derivation;
    this.#origins = new Int32Array(pages).fill(ABSENT);
  }

  /** Does it have all pages of the range? If so, puts their origins into the array: the read is served. */
  serve({ start, end }: Range, origins: Int32Array): boolean {
    for (let page = start; page < end; page++) {
      const origin = this.#origins[page]!;
      if (origin === ABSENT) return false;
      origins[page - start] = origin;
    }
    return true;
  }

  /** Derives from pages just read, whose origins are given. */
  install({ start, end }: Range, buffer: PageBuffer, origins: Int32Array): void {
    for (let page = start; page < end; page++) {
      this.#derivation.keep(page, buffer, page - start);
      this.#origins[page] = origins[page - start]!;
    }
  }

  /** The invalidate callback: whatever was derived from these pages must not be served any more. */
  drop({ start, end }: Range): void {
    for (let page = start; page < end; page++) {
      if (this.#origins[page] === ABSENT) continue;
      this.#origins[page] = ABSENT;
      this.counts.dropped++;
    }
  }
}

/** Keeps whole pages. */
export class PageCache implements Derivation {
  readonly #copy: Buffer;

  constructor(pages: number) {
    this.#copy = Buffer.alloc(pages * PAGE_BYTES);
  }

  keep(page: number, { bytes }: PageBuffer, at: number): void {
    bytes.copy(this.#copy, page * PAGE_BYTES, at * PAGE_BYTES, (at + 1) * PAGE_BYTES);
  }
}

/** Keeps a checksum of each page, computed from its content. */
export class ChecksumIndex implements Derivation {
  readonly #sums: Uint32Array;

  constructor(pages: number) {
    this.#sums = new Uint32Array(pages);
  }

  keep(page: number, { words }: PageBuffer, at: number): void {
    this.#sums[page] = checksum(words, at * PAGE_WORDS);
  }
}

/** Keeps the first bytes of each page. */
export class Preview implements Derivation {
  readonly #heads: Buffer;

  constructor(pages: number) {
    this.#heads = Buffer.alloc(pages * PREVIEW_BYTES);
  }

  keep(page: number, { bytes }: PageBuffer, at: number): void {
    bytes.copy(this.#heads, page * PREVIEW_BYTES, at * PAGE_BYTES, at * PAGE_BYTES + PREVIEW_BYTES);
  }
}

const KINDS = [
  ['page cache', PageCache],
  ['checksum index', ChecksumIndex],
  ['preview', Preview],
] as const;

/** This many subscribers, the three kinds in turn. */
export function makeSubscribers(count: number, pages: number): Subscriber[] {
  return Array.from({ length: count }, (_, i) => {
    const [kind, Kind] = KINDS[i % KINDS.length]!;
    const name = i < KINDS.length ? kind : `${kind} ${Math.floor(i / KINDS.length) + 1}`;
    return new Subscriber(name, pages, new Kind(pages));
  });
}
