/**
 * Core: what all operations of a simulated address space share: its page table, its memory, and its objects.
 *
 * Every change goes the same way (change.ts): begin the invalidation, take the locks, look whether both still cover what it is
 * about, ask for all the memory it needs, change in two halves with a pause between them, let go, end. What can fail stands
 * before the first change, so a change that fails has changed nothing.
 *
 * A slot names its object, an object the cores that map it, and a core its slots: one concept, in one file.
 */
import { check, InvalidRangeError } from '../../base/errors.js';
import type { Range, RangeTracker } from '../../index.js';
import type { Frame, Memory } from './frame.js';
import { PageLock } from './lock.js';
import { merge, type Run } from './runs.js';

/** Lets others run: between the halves of a change, and wherever else an operation could be interrupted. */
export type Pause = () => PromiseLike<void> | void;

/** What makes a core. */
export interface CoreOptions {
  readonly tracker: RangeTracker;
  readonly pageSize: number;
  readonly hugePages: number;
  readonly pause: Pause;
  readonly silentStores: boolean;
  readonly memory: Memory;
}

/** Cores made so far. */
let made = 0;

/** What a mapping allows. */
export type Protection = 'none' | 'read' | 'read-write';

/** Says what is in a page that nobody has touched yet. */
export type Supply = (page: number) => Uint8Array | PromiseLike<Uint8Array>;

/** What stands in a page table for one mapped page. */
export interface Slot {
  protection: Protection;
  /** What is mapped; `undefined` for anonymous memory. */
  readonly object: Backing | undefined;
  /** Number of the page in the object. */
  readonly offset: number;
  /** Stores go to the object, and to everybody who maps it. */
  readonly shared: boolean;
  /** The memory; `undefined` if it was never touched, or is in the swap. */
  frame: Frame | undefined;
  /** Content that was swapped out; at most one of `frame` and `swap` is set. */
  swap: Uint8Array | undefined;
  /** The page may be stored to without a fault. Implies `protection` read-write, and `softDirty`. */
  writable: boolean;
  /** Stored to since the marks were cleared. */
  softDirty: boolean;
  /** The device that has it for itself. */
  exclusive: object | undefined;
  /** Part of a huge page; then so are all of its aligned run. */
  huge: boolean;
  /** Huge pages are wanted: an aligned run that nobody has touched yet gets its memory in one piece. */
  readonly advised: boolean;
  /** Who says what is in it when it is touched for the first time; `undefined`: it is full of zeros. */
  readonly supply: Supply | undefined;
}

/** The passive part of a shared object: its memory, and who may have mapped it. */
export class Backing {
  readonly label: string | undefined;
  /** Of its content, and of the list of those who map it. */
  readonly lock: PageLock = new PageLock();
  /** Who may have mapped it. */
  readonly cores: Set<Core> = new Set();
  /** Memory of the pages that are resident. */
  readonly frames: Map<number, Frame> = new Map();
  /** Its length, apart from what is being cut off now. */
  length: number;
  /** Lengths to which it is being cut. */
  readonly cuts: Set<number> = new Set();

  constructor(pages: number, label: string | undefined) {
    this.length = pages;
    this.label = label;
  }

  /** Its length in pages, as everybody sees it. */
  get pages(): number {
    return Math.min(this.length, ...this.cuts);
  }

  /** The memory of a page, if it is resident. */
  frame(page: number): Frame | undefined {
    return this.frames.get(page);
  }

  /** Makes a page resident. */
  populate(page: number, frame: Frame): void {
    this.frames.set(page, frame);
  }

  /** Which pages map the wanted pages of the object, in each space that maps it. */
  mappings(wanted: (offset: number) => boolean): Map<Core, number[]> {
    const found = new Map<Core, number[]>();
    for (const core of this.cores) {
      const pages = core.all().filter((page) => {
        const slot = core.slots.get(page)!;
        return slot.object === this && wanted(slot.offset);
      });
      found.set(core, pages);
    }
    return found;
  }
}

/** See the top of the file. */
export class Core {
  /** The place in the order in which a change is announced in several spaces. */
  readonly id: number = ++made;
  readonly tracker: RangeTracker;
  readonly pageSize: number;
  readonly hugePages: number;
  readonly silentStores: boolean;
  readonly memory: Memory;
  readonly options: CoreOptions;
  readonly slots: Map<number, Slot> = new Map();
  readonly lock: PageLock = new PageLock();

  constructor(options: CoreOptions) {
    this.options = options;
    this.tracker = options.tracker;
    this.pageSize = options.pageSize;
    this.hugePages = options.hugePages;
    this.silentStores = options.silentStores;
    this.memory = options.memory;
  }

  async pause(): Promise<void> {
    await this.options.pause();
  }

  /** The pages of a range that must consist of whole ones. */
  run(range: Range): Run {
    const { start, end } = range ?? {};
    const first = start / this.pageSize;
    const last = end / this.pageSize;
    if (!(Number.isSafeInteger(first) && Number.isSafeInteger(last) && 0 <= first && first < last)) {
      throw new InvalidRangeError(
        `range [${start}, ${end}) is not made of whole pages of ${this.pageSize}, at least one, from 0 on`,
      );
    }
    return { first, count: last - first };
  }

  /** The pages that hold `length` bytes at `address`. */
  around(address: number, length: number): Run {
    check(Number.isSafeInteger(address) && address >= 0, 'address', address, 'a whole number of at least 0');
    check(Number.isSafeInteger(length) && length >= 1, 'length', length, 'a whole number of at least 1');
    const first = Math.floor(address / this.pageSize);
    return { first, count: Math.floor((address + length - 1) / this.pageSize) - first + 1 };
  }

  /** The range of a run. */
  range({ first, count }: Run): Range {
    return { start: first * this.pageSize, end: (first + count) * this.pageSize };
  }

  /** Numbers of the mapped pages of the runs, ascending. */
  mapped(runs: readonly Run[]): number[] {
    const listed = runs.reduce((sum, { count }) => sum + count, 0);
    if (listed > this.slots.size) {
      return this.all().filter((page) => runs.some(({ first, count }) => first <= page && page < first + count));
    }
    const pages: number[] = [];
    for (const { first, count } of merge(runs)) {
      for (let page = first; page < first + count; page++) if (this.slots.has(page)) pages.push(page);
    }
    return pages;
  }

  /** Numbers of all mapped pages, ascending. */
  all(): number[] {
    return [...this.slots.keys()].sort((a, b) => a - b);
  }

  /** Calls `apply` for the first half of the items, lets others run, and then for the second half. */
  async inHalves<T>(items: readonly T[], apply: (item: T) => void): Promise<void> {
    const middle = Math.ceil(items.length / 2);
    for (const item of items.slice(0, middle)) apply(item);
    await this.pause();
    for (const item of items.slice(middle)) apply(item);
  }
}
