/**
 * Core: what all operations of a simulated address space share: its page table, its memory, and the way to change something.
 *
 * Every change goes the same way: begin the invalidation, take the lock of the pages, look again (others may have changed them
 * meanwhile), ask for all the memory it needs, change in two halves with a pause between them, let go, end. What can fail
 * stands before the first change, so a change that fails has changed nothing.
 *
 * A slot names its object, an object the cores that map it, and a core its slots: one concept, in one file.
 */
import { check, InvalidRangeError } from '../../base/errors.js';
import type { Invalidation, InvalidationKind, Range, RangeTracker } from '../../index.js';
import type { Frame, Memory } from './frame.js';
import { PageLock, type Run, toRuns } from './lock.js';

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

/** Says what a change is; `held` means that the lock of the pages is held already, by the section it is nested in. */
export interface ChangeOptions {
  readonly kind: InvalidationKind;
  readonly owner?: object | undefined;
  readonly held?: Invalidation | undefined;
}

/** Some pages of one space. */
export interface Part {
  readonly core: Core;
  readonly runs: readonly Run[];
}

/** Cores made so far; their numbers give the order in which several are locked. */
let made = 0;

/** What a mapping allows. */
export type Protection = 'none' | 'read' | 'read-write';

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
}

/** The passive part of a shared object: its memory, and who may have mapped it. */
export class Backing {
  readonly label: string | undefined;
  /** Its length in pages. */
  pages: number;
  /** Who may have mapped it. */
  readonly cores: Set<Core> = new Set();
  /** Memory of the pages that are resident. */
  readonly frames: Map<number, Frame> = new Map();

  constructor(pages: number, label: string | undefined) {
    this.pages = pages;
    this.label = label;
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
    const pages: number[] = [];
    for (const { first, count } of runs) {
      for (let page = first; page < first + count; page++) if (this.slots.has(page)) pages.push(page);
    }
    return pages;
  }

  /** Numbers of all mapped pages, ascending. */
  all(): number[] {
    return [...this.slots.keys()].sort((a, b) => a - b);
  }

  /** One change, as the top of the file says. */
  change<T>(runs: readonly Run[], options: ChangeOptions, work: (section: Invalidation) => Promise<T>): Promise<T> {
    const { kind, owner, held } = options;
    const ranges = runs.map((run) => this.range(run));
    if (held !== undefined) return this.tracker.mutate(ranges, work, { kind, owner, within: held });
    const locked = async (section: Invalidation) => {
      const leave = await this.lock.enter(runs);
      try {
        return await work(section);
      } finally {
        leave();
      }
    };
    return this.tracker.mutate(ranges, locked, { kind, owner });
  }

  /** Calls `apply` for the first half of the items, lets others run, and then for the second half. */
  async inHalves<T>(items: readonly T[], apply: (item: T) => void): Promise<void> {
    const middle = Math.ceil(items.length / 2);
    for (const item of items.slice(0, middle)) apply(item);
    await this.pause();
    for (const item of items.slice(middle)) apply(item);
  }
}

/** Pages of several spaces, in the order in which everybody locks them. */
export function toParts(pages: ReadonlyMap<Core, readonly number[]>): Part[] {
  const parts = [...pages].filter(([, list]) => list.length > 0).map(([core, list]) => ({ core, runs: toRuns(list) }));
  return parts.sort((a, b) => a.core.id - b.core.id);
}

/** Begins the same invalidation in several spaces; `work` runs when it is active in all of them and all locks are held. */
export function changeAll<T>(
  parts: readonly Part[],
  options: ChangeOptions,
  work: (sections: ReadonlyMap<Core, Invalidation>) => Promise<T>,
): Promise<T> {
  const sections = new Map<Core, Invalidation>();
  const begin = (i: number): Promise<T> => {
    const part = parts[i];
    if (part === undefined) return lockAll(parts, () => work(sections));
    const ranges = part.runs.map((run) => part.core.range(run));
    const { kind, owner } = options;
    const next = (section: Invalidation) => {
      sections.set(part.core, section);
      return begin(i + 1);
    };
    return part.core.tracker.mutate(ranges, next, { kind, owner });
  };
  return begin(0);
}

/** Takes the locks of several spaces, in the order in which they are given, which is that of {@link toParts}. */
export async function lockAll<T>(parts: readonly Part[], work: () => Promise<T>): Promise<T> {
  const leave: (() => void)[] = [];
  try {
    for (const { core, runs } of parts) leave.push(await core.lock.enter(runs));
    return await work();
  } finally {
    for (const one of leave.reverse()) one();
  }
}
