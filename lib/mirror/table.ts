/**
 * Table: the pages that are present, within their budget.
 *
 * The least recently used page goes first. A page that a running read counts on is not dropped by the budget before that read is
 * over: it stands aside until then, still present. So a table may hold more than `maxPages`, by what running reads need.
 *
 * States of an entry: within the budget (in `#lru`), aside (present, not in `#lru`, pinned), gone (not in `#entries`).
 */
import { Lot } from '../base/lot.js';
import { Entry, type Source } from './drops.js';

/** See the top of the file. No method runs anybody's code. */
export class Table<Page> {
  readonly #maxPages: number;
  readonly #entries: Map<number, Entry<Page>> = new Map();
  /** The entries within the budget; the one that was used last stands last. */
  readonly #lru: Lot<Entry<Page>> = new Lot();
  /** Pushed out by installations, and not looked at since. Empty whenever anybody's code runs. */
  #pushedOut: Entry<Page>[] = [];

  constructor(maxPages: number) {
    this.#maxPages = maxPages;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The page, if it is present; counts as a use. */
  use(index: number): Entry<Page> | undefined {
    const entry = this.#entries.get(index);
    if (entry?.lot !== undefined) {
      this.#lru.leave(entry);
      this.#lru.park(entry);
    }
    return entry;
  }

  has(index: number): boolean {
    return this.#entries.has(index);
  }

  /** Enters a page and returns its entry; one that is present already stays, as it is just as fresh. */
  install(index: number, page: Page, source: Source<Page> | undefined): Entry<Page> {
    const present = this.use(index);
    if (present !== undefined) {
      // Pushed out by an installation just now, and still there: it comes back.
      if (present.lot === undefined && present.pins === 0) this.#enter(present);
      return present;
    }
    const entry = new Entry(index, page, source);
    source?.installed(entry);
    this.#entries.set(index, entry);
    this.#enter(entry);
    return entry;
  }

  #enter(entry: Entry<Page>): void {
    this.#lru.park(entry);
    if (this.#lru.size > this.#maxPages) {
      const oldest = this.#lru.oldest!;
      this.#lru.leave(oldest);
      this.#pushedOut.push(oldest);
    }
  }

  /** After installations: what is pinned stays, aside; returns what must go. */
  pushedOut(): readonly Entry<Page>[] {
    if (this.#pushedOut.length === 0) return NOTHING;
    const entries = this.#pushedOut.filter((entry) => entry.pins === 0 && entry.lot === undefined);
    this.#pushedOut = [];
    for (const entry of entries) this.#entries.delete(entry.index);
    return entries;
  }

  /** A read no longer counts on it. True if it must go: it was only there for that. */
  unpin(entry: Entry<Page>): boolean {
    entry.pins--;
    if (entry.pins > 0 || entry.lot !== undefined || this.#entries.get(entry.index) !== entry) return false;
    return this.#entries.delete(entry.index);
  }

  /** Takes out the pages in `[from, to)`; either may be infinite. */
  take(from: number, to: number): Entry<Page>[] {
    const taken = indexesWithin(this.#entries, from, to).map((index) => this.#entries.get(index)!);
    for (const entry of taken) this.remove(entry);
    return taken;
  }

  /** Takes out one entry. It must be present. */
  remove(entry: Entry<Page>): void {
    if (entry.lot !== undefined) this.#lru.leave(entry);
    this.#entries.delete(entry.index);
  }
}

const NOTHING: readonly never[] = [];

/** What {@link indexesWithin} looks into: a map by page. */
interface ByIndex {
  readonly size: number;
  has(index: number): boolean;
  keys(): Iterable<number>;
}

/** The keys in `[from, to)`, as a list: by asking for each page, or by looking at each key, whichever is less. */
export function indexesWithin(map: ByIndex, from: number, to: number): number[] {
  const found: number[] = [];
  if (map.size === 0) return found;
  if (to - from <= map.size) {
    for (let index = from; index < to; index++) if (map.has(index)) found.push(index);
  } else {
    for (const index of map.keys()) if (index >= from && index < to) found.push(index);
  }
  return found;
}
