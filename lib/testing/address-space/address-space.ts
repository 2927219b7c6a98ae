/**
 * SimulatedAddressSpace: pages that are mapped, moved, shared, copied and freed under your eyes, for tests of anything that
 * mirrors a range of something through a {@link RangeTracker}.
 *
 * - Every operation announces what the kernel announces for it, over the same range, with its kind and owner, changes the
 *   pages in two halves with a pause in between, and ends. Sections overlap and nest as there.
 * - A page shows whether it is whole. Who reads past the tracker meets torn, freed and old pages, and can be caught.
 * - What fails (no mapping, no permission, no memory) has changed neither content nor permissions.
 *
 * Addresses are the tracker's numbers: page n is `[n × pageSize, (n + 1) × pageSize)`.
 */
import { ClosedError, check } from '../../base/errors.js';
import { checkNames, type Names, names } from '../../base/options.js';
import { type Range, RangeTracker } from '../../index.js';
import { type DeviceAccess, fault, type PageCopy, read, readPages, snapshot, write } from './access.js';
import { Core, type Pause, type Protection } from './core.js';
import { Memory } from './frame.js';
import { fork, free, map, protect, remap, unmap } from './mapping.js';
import { clearSoftDirty, collapse, makeExclusive, migrate, migrateBack, splitHuge, swapOut } from './moving.js';
import type { SimulatedPage } from './pages.js';
import { MappedObject, type SharedObject } from './shared-object.js';

/** A kernel's page on most machines. */
const DEFAULT_PAGE_SIZE = 4096;
/** Pages of a huge page: 2 MiB of 4 KiB, as on most machines. */
const DEFAULT_HUGE_PAGES = 512;

/** How a space is made. */
export interface SimulatedAddressSpaceOptions {
  /** Where changes are announced; default a new one. */
  tracker?: RangeTracker | undefined;
  /** Bytes of a page, and at the same time numbers of the tracker: an even whole number; default 4,096. */
  pageSize?: number | undefined;
  /** Pages of a huge page; default 512. */
  hugePages?: number | undefined;
  /** Lets others run, in the middle of each change; default one turn of the microtask queue. Tests inject their schedules here. */
  pause?: (() => PromiseLike<void> | void) | undefined;
  /**
   * Whether a plain store by the processor is announced (as `'clear'`); default `'announced'`, for readers that keep copies.
   * `'silent'` is the kernel's way: a device shares the memory, so a store to a page that it has is nothing to be told of.
   */
  stores?: 'announced' | 'silent' | undefined;
  /** The tracker's name, if it is a new one. */
  label?: string | undefined;
}

/** What to map. */
export interface MapOptions {
  /** What is allowed; default `'read-write'`. */
  protection?: Protection | undefined;
  /** What is mapped; default anonymous memory. */
  object?: SharedObject | undefined;
  /** The page of the object that comes first; default 0. */
  offset?: number | undefined;
  /** Stores go to the object; default false: they make a private copy. Needs an object. */
  shared?: boolean | undefined;
  /**
   * Huge pages are wanted where the grid allows them; default false. An aligned run that nobody has touched yet gets its memory
   * in one piece: by the first touch, or by a migration; without memory in one piece, its pages get it one by one. Without an
   * object only.
   */
  huge?: boolean | undefined;
  /**
   * Says what is in a page that is touched for the first time, as `userfaultfd` lets another thread do: exactly a page of bytes.
   * It may take its time, and be asked more than once for a page that several touch at once; the first answer counts. It must not
   * use the space itself: a store waits for it with the page locked. A page that was not touched does not move to a device, and
   * is full of zeros in a child. Default: pages are full of zeros. Without an object and without `huge` only.
   */
  supply?: ((page: number) => Uint8Array | PromiseLike<Uint8Array>) | undefined;
}

/** How pages are moved to another address. */
export interface RemapOptions {
  /** The old place stays mapped, as if nobody had touched it; default false: it is unmapped. */
  keep?: boolean | undefined;
}

/** How a device uses pages. */
export interface FaultOptions {
  /** It wants to store to them; default false. */
  write?: boolean | undefined;
  /** The device: it may use what is in its own memory, or its alone; by default, such pages are taken back first. */
  owner?: object | undefined;
}

/** How a child is made. */
export interface ForkOptions {
  /** Where the child's changes are announced; default a new tracker. */
  tracker?: RangeTracker | undefined;
  /** The new tracker's name. */
  label?: string | undefined;
}

const SPACE_OPTIONS: Names = /* @__PURE__ */ names('tracker pageSize hugePages pause stores label');
const MAP_OPTIONS: Names = /* @__PURE__ */ names('protection object offset shared huge supply');
const REMAP_OPTIONS: Names = /* @__PURE__ */ names('keep');
const FAULT_OPTIONS: Names = /* @__PURE__ */ names('write owner');
const COPY_OPTIONS: Names = /* @__PURE__ */ names('owner');
const FORK_OPTIONS: Names = /* @__PURE__ */ names('tracker label');

/**
 * A process's memory that a tracker watches over, as the kernel's tests have it: mapped, stored to, moved, forked and released, each
 * change announced as the kernel announces it. All ranges that are not said to be addresses must consist of whole pages.
 */
export class SimulatedAddressSpace {
  /** Where every change is announced. */
  readonly tracker: RangeTracker;
  #core: Core;

  /** An empty space: nothing is mapped. Throws `InvalidArgumentError`. */
  constructor(options: SimulatedAddressSpaceOptions = {}) {
    checkNames(options, SPACE_OPTIONS, 'new SimulatedAddressSpace');
    const { pageSize = DEFAULT_PAGE_SIZE, hugePages = DEFAULT_HUGE_PAGES, pause = () => Promise.resolve() } = options;
    const { stores = 'announced', label, tracker = new RangeTracker({ label }) } = options;
    check(Number.isSafeInteger(pageSize) && pageSize >= 2 && pageSize % 2 === 0, 'pageSize', pageSize, 'an even whole number');
    check(Number.isSafeInteger(hugePages) && hugePages >= 2, 'hugePages', hugePages, 'a whole number of at least 2');
    check(typeof pause === 'function', 'pause', pause, 'a function');
    check(stores === 'announced' || stores === 'silent', 'stores', stores, '"announced" or "silent"');
    this.tracker = tracker;
    const memory = new Memory(pageSize);
    this.#core = new Core({ tracker, pageSize, hugePages, pause: pause as Pause, silentStores: stores === 'silent', memory });
  }

  /** Bytes of a page. */
  get pageSize(): number {
    return this.#core.pageSize;
  }

  /** Pages of a huge page. */
  get hugePages(): number {
    return this.#core.hugePages;
  }

  /** The range of so many pages. */
  pages(first: number, count = 1): Range {
    return this.#core.range({ first, count });
  }

  /** The next so many requests for memory fail with {@link AllocationError}, here and in all relatives by fork. */
  failAllocations(requests: number): void {
    check(Number.isSafeInteger(requests) && requests >= 0, 'requests', requests, 'a whole number of at least 0');
    this.#core.memory.fail(requests);
  }

  // --- mappings

  /** Maps new pages. What was there is unmapped (`'unmap'`); over nothing, nothing is announced. */
  async map(range: Range, options: MapOptions = {}): Promise<void> {
    checkNames(options, MAP_OPTIONS, 'map');
    const { protection = 'read-write', object, offset = 0, shared = false, huge = false, supply } = options;
    const run = this.#core.run(range);
    check(isProtection(protection), 'protection', protection, '"none", "read" or "read-write"');
    check(object === undefined || object instanceof MappedObject, 'object', object, 'an object of createSharedObject');
    check(Number.isSafeInteger(offset) && offset >= 0, 'offset', offset, 'a whole number of at least 0');
    check(!shared || object !== undefined, 'shared', shared, 'an object that is shared');
    check(!huge || object === undefined, 'huge', huge, 'false for an object');
    check(supply === undefined || typeof supply === 'function', 'supply', supply, 'a function of the number of a page');
    check(supply === undefined || (object === undefined && !huge), 'supply', supply, 'nothing for an object or huge pages');
    this.#open();
    await map(this.#core, run, { protection, shared, object: object as MappedObject | undefined, offset, huge, supply });
  }

  /** Takes pages away (`'unmap'`). Where nothing is mapped, nothing happens. */
  async unmap(range: Range): Promise<void> {
    await unmap(this.#core, this.#core.run(range));
  }

  /** Moves pages to another address (`'unmap'` over both places). The new place must not overlap the old one. */
  async remap(range: Range, target: number, options: RemapOptions = {}): Promise<void> {
    checkNames(options, REMAP_OPTIONS, 'remap');
    const { keep = false } = options;
    const run = this.#core.run(range);
    const to = this.#core.run({ start: target, end: target + this.pageSize });
    await remap(this.#core, run, { to: to.first, keep });
  }

  /** Changes what is allowed (`'protection-vma'`). Rejects with {@link PageFault} if not all is mapped. */
  async protect(range: Range, protection: Protection): Promise<void> {
    const run = this.#core.run(range);
    check(isProtection(protection), 'protection', protection, '"none", "read" or "read-write"');
    await protect(this.#core, run, protection);
  }

  /**
   * A new space with the same pages: shared mappings stay shared, private ones are copied when one side stores to them.
   * Announced here over all private writable pages (`'protection-page'`): nobody may store to them any more.
   */
  async fork(options: ForkOptions = {}): Promise<SimulatedAddressSpace> {
    checkNames(options, FORK_OPTIONS, 'fork');
    const { label, tracker = new RangeTracker({ label }) } = options;
    const { pageSize, hugePages } = this;
    const child = new SimulatedAddressSpace({ tracker, pageSize, hugePages });
    child.#core = await fork(this.#core, () => new Core({ ...this.#core.options, tracker }));
    return child;
  }

  /** Ends the space: closes the tracker (`'release'` over everything), then frees all pages. */
  async release(): Promise<void> {
    try {
      await this.tracker.close();
    } finally {
      await free(this.#core);
    }
  }

  // --- the processor

  /** Stores bytes at an address, in two halves. See {@link SimulatedAddressSpaceOptions.stores}; a fault may announce more. */
  async write(address: number, bytes: Uint8Array): Promise<void> {
    check(bytes instanceof Uint8Array, 'bytes', bytes, 'a Uint8Array');
    await write(this.#core, address, bytes);
  }

  /** Bytes at an address, as they were at one moment. A fault may announce something. */
  read(address: number, length: number): Promise<Uint8Array> {
    return read(this.#core, address, length);
  }

  // --- devices

  /**
   * Pages for a device's page table: the memory itself, faulted in as needed. Rejects with {@link PageFault}. Only the tracker
   * says how long they may be used: call it inside a lookup.
   */
  async fault(range: Range, options: FaultOptions = {}): Promise<SimulatedPage[]> {
    checkNames(options, FAULT_OPTIONS, 'fault');
    const { write: toWrite = false, owner } = options;
    const access: DeviceAccess = { write: toWrite, owner };
    return fault(this.#core, this.#core.run(range), access);
  }

  /** What is there now, without any fault: `undefined` for what is not mapped, not readable, or not resident. */
  snapshot(range: Range): (SimulatedPage | undefined)[] {
    return snapshot(this.#core, this.#core.run(range));
  }

  /**
   * Copies of pages, made in two halves with a pause between. What changes in between is noticed: {@link PageFault} with
   * reason `torn`. Inside a lookup this is retried, and never reaches the caller.
   */
  async readPages(first: number, count: number, options: Pick<FaultOptions, 'owner'> = {}): Promise<PageCopy[]> {
    checkNames(options, COPY_OPTIONS, 'readPages');
    return readPages(this.#core, this.#core.run(this.pages(first, count)), options.owner);
  }

  /**
   * Moves private memory into a device's (`'migrate'`, with the owner); resolves with the number of pages moved. Shared,
   * swapped and exclusive pages stay, and what is in a device already. See {@link PageOwner} for what the owner may say and hear.
   * Without memory for a huge page in one piece, its pages go one by one. Rejects with {@link PageFault}, and moves nothing, if
   * not all is mapped and may be read.
   */
  async migrate(range: Range, owner: object): Promise<number> {
    return migrate(this.#core, this.#core.run(range), owner);
  }

  /**
   * Moves back what is in the device's memory (`'migrate'`, with the owner); resolves with the number of pages moved. Without
   * memory for a huge page in one piece, its pages come one by one.
   */
  async migrateBack(range: Range, owner: object): Promise<number> {
    return migrateBack(this.#core, this.#core.run(range), owner);
  }

  /**
   * Gives private pages to a device alone (`'exclusive'`, with the owner); resolves with their number. The next who touches
   * one takes it away again (`'clear'`).
   */
  async makeExclusive(range: Range, owner: object): Promise<number> {
    return makeExclusive(this.#core, this.#core.run(range), owner);
  }

  // --- the kernel behind the scenes

  /** Makes huge pages of aligned runs (`'clear'`); resolves with the number made. */
  async collapse(range: Range): Promise<number> {
    return collapse(this.#core, this.#core.run(range));
  }

  /** Splits the huge pages that the range touches (`'clear'`, over all of them); resolves with their number. */
  async split(range: Range): Promise<number> {
    return splitHuge(this.#core, this.#core.run(range));
  }

  /** Moves private memory to the swap (`'clear'`); resolves with the number of pages. They come back by a fault. */
  async swapOut(range: Range): Promise<number> {
    return swapOut(this.#core, this.#core.run(range));
  }

  /** Forgets what has been stored to (`'soft-dirty'` over all that is mapped). */
  async clearSoftDirty(): Promise<void> {
    await clearSoftDirty(this.#core);
  }

  /** Numbers of the pages stored to since the marks were cleared, or since they were mapped; ascending. */
  get softDirtyPages(): number[] {
    return this.#core.all().filter((page) => this.#core.slots.get(page)!.softDirty);
  }

  /** Mapping announces nothing, so nobody else would notice that the space is gone. */
  #open(): void {
    if (this.tracker.closed) throw new ClosedError('the address space');
  }
}

function isProtection(value: unknown): boolean {
  return value === 'none' || value === 'read' || value === 'read-write';
}
