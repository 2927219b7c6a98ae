/**
 * Tables: how a simulated device keeps the pages it uses correct. Three ways, one interface:
 *
 * - `retry`: a {@link RangeMirror} on the tracker, as this package means it;
 * - `ban`: the same, given up at the first invalidation that hits it, as was argued for in 2018;
 * - `lock`: one reader/writer lock around everything, as the patch of 2018 had it: an invalidation takes it for writing from its
 *   begin to its end, whoever uses a page takes it for reading.
 */
import ReadWriteLock from 'rwlock';
import type { Invalidation, Range, Subscription } from '../../../lib/index.js';
import { RangeMirror } from '../../../lib/mirror/index.js';
import type { SimulatedAddressSpace, SimulatedPage } from '../../../lib/testing/index.js';

/** The ways, by name. */
export type Variant = 'retry' | 'ban' | 'lock';

/** What the device wants to do with pages, in one synchronous turn. */
export type Use<T> = (pages: readonly SimulatedPage[]) => T;

/** Which pages, and whether to store to them. */
export interface Wanted {
  readonly range: Range;
  readonly write: boolean;
}

/** A device's page table. */
export interface DeviceTable {
  /** Accesses that found a page missing, as the kernel's driver counts them. */
  readonly faults: number;
  /** Pages that had to be got again because of an invalidation. */
  readonly retries: number;
  /** Why nobody goes on, if somebody waits for a lock that will never be free. */
  readonly deadlock: string | undefined;
  /** Uses the pages, getting what is missing first. */
  access<T>(wanted: Wanted, use: Use<T>): Promise<T>;
  /** Looks at the space without needing any page. */
  look<T>(range: Range, look: () => T): Promise<T>;
  /** What the device has now. */
  peek(page: number): SimulatedPage | undefined;
  /** Nothing of it is left. */
  close(): void;
}

/** Device windows: pages that are faulted in at once. */
export const WINDOW = 32;

/** The device's side of the space. */
export interface Host {
  readonly space: SimulatedAddressSpace;
  readonly owner: object;
  /** Lets others run between a fault and the moment when the table has its pages. */
  readonly pause?: (() => Promise<void>) | undefined;
}

/** A table of the kind. */
export function makeTable(variant: Variant, host: Host): DeviceTable {
  return variant === 'lock' ? new LockTable(host) : new MirrorTable(host, variant);
}

/** Two mirrors: of what may be read, and of what may be stored to. */
class MirrorTable implements DeviceTable {
  faults = 0;
  readonly deadlock = undefined;
  readonly #space: SimulatedAddressSpace;
  readonly #readable: RangeMirror<SimulatedPage>;
  readonly #writable: RangeMirror<SimulatedPage>;
  readonly #policy: 'retry' | 'ban';

  constructor({ space, owner, pause }: Host, policy: 'retry' | 'ban') {
    const { tracker, pageSize } = space;
    const make = (write: boolean) =>
      new RangeMirror<SimulatedPage>({
        tracker,
        pageSize,
        policy,
        maxPages: 4096,
        maxRunPages: WINDOW,
        load: async (first, count) => {
          const pages = await space.fault(space.pages(first, count), { write, owner });
          await pause?.();
          return pages;
        },
      });
    this.#space = space;
    this.#policy = policy;
    this.#readable = make(false);
    this.#writable = make(true);
  }

  get retries(): number {
    return this.#readable.stats.retriedPages + this.#writable.stats.retriedPages;
  }

  async access<T>(wanted: Wanted, use: Use<T>): Promise<T> {
    // As the kernel's driver does: look, and if a page is missing fault all in and look again. What `read` resolves with is
    // valid in the turn in which it resolves; looking again is what makes this turn the one of the use.
    for (;;) {
      const pages = this.#present(wanted);
      if (pages !== undefined) return use(pages);
      this.faults++;
      await (wanted.write ? this.#writable : this.#readable).read(wanted.range);
    }
  }

  async look<T>(range: Range, look: () => T): Promise<T> {
    // A mirror that is banned gives no backing store for anything; one page of it says so.
    if (this.#policy === 'ban' && this.#readable.banned) await this.#readable.read(range);
    return this.#space.tracker.lookup(range, look);
  }

  peek(page: number): SimulatedPage | undefined {
    return this.#writable.peek(page) ?? this.#readable.peek(page);
  }

  close(): void {
    this.#readable.close();
    this.#writable.close();
  }

  #present({ range, write }: Wanted): SimulatedPage[] | undefined {
    const { pageSize } = this.#space;
    const pages: SimulatedPage[] = [];
    for (let page = range.start / pageSize; page < range.end / pageSize; page++) {
      const found = write ? this.#writable.peek(page) : this.peek(page);
      if (found === undefined) return undefined;
      pages.push(found);
    }
    return pages;
  }
}

/** One lock around a plain table. */
class LockTable implements DeviceTable {
  faults = 0;
  readonly retries = 0;
  readonly #space: SimulatedAddressSpace;
  readonly #owner: object;
  readonly #lock = new ReadWriteLock();
  readonly #pages = new Map<number, SimulatedPage>();
  readonly #subscription: Subscription;
  readonly #waiting = new Set<Invalidation>();
  readonly #inside = new Map<Invalidation, () => void>();
  #readers = 0;

  constructor({ space, owner }: Host) {
    this.#space = space;
    this.#owner = owner;
    this.#subscription = space.tracker.subscribe(
      { start: 0, end: Number.POSITIVE_INFINITY },
      { invalidate: (section) => this.#enter(section), end: (section) => this.#leave(section) },
    );
  }

  get deadlock(): string | undefined {
    for (const section of this.#waiting) {
      for (let outer = section.within; outer !== undefined; outer = outer.within) if (this.#inside.has(outer)) return 'nested';
      if (this.#readers > 0) return 'own fault';
    }
    return undefined;
  }

  access<T>({ range, write }: Wanted, use: Use<T>): Promise<T> {
    return this.#reading(async () => {
      const { pageSize } = this.#space;
      const numbers = Array.from({ length: (range.end - range.start) / pageSize }, (_, i) => range.start / pageSize + i);
      const has = (page: number) => (write ? this.#pages.get(page)?.flags.writable : this.#pages.has(page)) === true;
      if (!numbers.every(has)) {
        this.faults++;
        for (const page of await this.#space.fault(range, { write, owner: this.#owner })) this.#pages.set(page.page, page);
      }
      return use(numbers.map((page) => this.#pages.get(page)!));
    });
  }

  look<T>(_range: Range, look: () => T): Promise<T> {
    return this.#reading(async () => look());
  }

  peek(page: number): SimulatedPage | undefined {
    return this.#pages.get(page);
  }

  close(): void {
    this.#subscription.close();
    this.#pages.clear();
  }

  #reading<T>(section: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#lock.readLock((release) => {
        this.#readers++;
        section()
          .then(resolve, reject)
          .finally(() => {
            this.#readers--;
            release();
          });
      });
    });
  }

  #enter(section: Invalidation): Promise<void> {
    this.#waiting.add(section);
    return new Promise((resolve) => {
      this.#lock.writeLock((release) => {
        const wanted = this.#waiting.delete(section);
        if (!wanted) return release(); // given up meanwhile
        this.#inside.set(section, release);
        this.#drop(section);
        resolve();
      });
    });
  }

  #leave(section: Invalidation): void {
    this.#waiting.delete(section);
    const release = this.#inside.get(section);
    this.#inside.delete(section);
    release?.();
  }

  #drop({ ranges }: Invalidation): void {
    const { pageSize } = this.#space;
    for (const page of this.#pages.keys()) {
      const at = page * pageSize;
      if (ranges.some(({ start, end }) => start < at + pageSize && at < end)) this.#pages.delete(page);
    }
  }
}
