/**
 * Table: the pages that are present, within their budget.
 *
 * lru-cache keeps the order of use. A page that a running read counts on is not dropped by the budget before that read is
 * over: it stands aside until then, still present. So a table may hold more than `maxPages`, by what running reads need.
 */
import { LRUCache } from 'lru-cache';
import { Entry, type Source } from './drops.js';

/** See the top of the file. No method runs anybody's code. */
export class Table<Page> {
  readonly #budget: LRUCache<number, Entry<Page>>;
  /** Over the budget, but pinned. Disjoint from the budget. */
  readonly #aside: Map<number, Entry<Page>> = new Map();
  /** Pushed out by installations, and not looked at since. Empty whenever anybody's code runs. */
  #pushedOut: Entry<Page>[] = [];

  constructor(maxPages: number) {
    this.#budget = new LRUCache({
      max: maxPages,
      dispose: (entry, _index, reason) => {
        if (reason === 'evict') this.#pushedOut.push(entry);
      },
    });
  }

  get size(): number {
    return this.#budget.size + this.#aside.size;
  }

  /** The page, if it is present; counts as a use. */
  use(index: number): Entry<Page> | undefined {
    const entry = this.#budget.get(index);
    return entry === undefined && this.#aside.size > 0 ? this.#aside.get(index) : entry;
  }

  has(index: number): boolean {
    return this.#budget.has(index) || this.#aside.has(index);
  }

  /** Enters a page and returns its entry; one that is present already stays, as it is just as fresh. */
  install(index: number, page: Page, source: Source<Page> | undefined): Entry<Page> {
    const present = this.use(index);
    if (present !== undefined) return present;
    const entry = new Entry(index, page, source);
    source?.installed(entry);
    this.#budget.set(index, entry);
    return entry;
  }

  /** After installations: sets aside what is pinned, and returns what must go. */
  pushedOut(): readonly Entry<Page>[] {
    if (this.#pushedOut.length === 0) return NOTHING;
    const entries = this.#pushedOut;
    this.#pushedOut = [];
    return entries.filter((entry) => {
      if (entry.pins > 0) this.#aside.set(entry.index, entry);
      return entry.pins === 0;
    });
  }

  /** A read no longer counts on it. True if it must go: it was only there for that. */
  unpin(entry: Entry<Page>): boolean {
    entry.pins--;
    if (entry.pins > 0 || this.#aside.size === 0 || this.#aside.get(entry.index) !== entry) return false;
    return this.#aside.delete(entry.index);
  }

  /** Takes out the pages in `[from, to)`; either may be infinite. */
  take(from: number, to: number): Entry<Page>[] {
    const taken: Entry<Page>[] = [];
    for (const index of indexesWithin(this.#budget, from, to)) taken.push(this.#budget.peek(index)!);
    for (const index of indexesWithin(this.#aside, from, to)) taken.push(this.#aside.get(index)!);
    for (const entry of taken) this.remove(entry);
    return taken;
  }

  /** Takes out one entry. It must be present. */
  remove({ index }: Entry<Page>): void {
    if (!this.#budget.delete(index)) this.#aside.delete(index);
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
