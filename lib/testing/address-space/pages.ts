/**
 * Pages: the memory behind a simulated address space, and what its users get to see of it.
 *
 * A frame carries the number of its last change, its generation, at both ends of its content: a change sets the head and the
 * first half, lets others run, and then sets the second half and the tail. So a frame is whole exactly if head and tail are
 * the same, and whoever looks at it in the middle of a change can tell.
 */
import { PageFault } from './faults.js';
import type { Backing } from './shared-object.js';

/** Head and tail of a frame that nobody has any more. */
const FREED = -1;
/** What is written over a freed frame, so that nobody takes it for content. */
const POISON = 0xdb;

/** Content of one page. The only legal changes: `begin` then `finish`; both in one turn by {@link Frame.store}. */
export class Frame {
  /** Generation at the beginning of the content. */
  head = 0;
  /** Generation at its end; the content is whole exactly if it equals `head`. */
  tail = 0;
  /** Slots, objects and running copies that need it; it is freed when the last of them lets go. */
  refs = 1;
  readonly bytes: Uint8Array;
  /** The device in whose memory it is; `undefined` for the memory of the host. */
  readonly owner: object | undefined;

  constructor(size: number, owner: object | undefined) {
    this.bytes = new Uint8Array(size);
    this.owner = owner;
  }

  get whole(): boolean {
    return this.head === this.tail;
  }

  get freed(): boolean {
    return this.head === FREED;
  }

  /** First half of a change: `bytes` go in at `offset`, as far as they lie in the first half of the page. */
  begin(generation: number, bytes: Uint8Array, offset = 0): void {
    this.head = generation;
    const room = this.bytes.length / 2 - offset;
    if (room > 0) this.bytes.set(bytes.subarray(0, room), offset);
  }

  /** Second half of the change. */
  finish(generation: number, bytes: Uint8Array, offset = 0): void {
    const middle = this.bytes.length / 2;
    const skip = Math.max(0, Math.ceil(middle) - offset);
    if (skip < bytes.length) this.bytes.set(bytes.subarray(skip), offset + skip);
    this.tail = generation;
  }

  /** A change that nobody can look into. */
  store(generation: number, bytes: Uint8Array, offset = 0): void {
    this.bytes.set(bytes, offset);
    this.head = generation;
    this.tail = generation;
  }

  /** First half of freeing: the content is going, and can be seen to go. */
  beginFree(): void {
    this.head = FREED;
    this.bytes.fill(POISON, 0, this.bytes.length / 2);
  }

  /** One user less; the last one frees it. */
  release(): void {
    if (--this.refs > 0) return;
    this.head = FREED;
    this.tail = FREED;
    this.bytes.fill(POISON);
  }
}

/** What a mapping allows. */
export type Protection = 'none' | 'read' | 'read-write';

/** What was true of a page when it was looked up. It changes only under an invalidation that covers the page. */
export interface PageFlags {
  /** It may be written now, without another fault. */
  readonly writable: boolean;
  /** It lies in the memory of a device. */
  readonly devicePrivate: boolean;
  /** A device has it for itself. */
  readonly exclusive: boolean;
  /** It is part of a huge page. */
  readonly huge: boolean;
  /** It is the page of zeros that all untouched memory shares. */
  readonly zero: boolean;
  /** It belongs to a shared mapping. */
  readonly shared: boolean;
}

/**
 * A page as a device has it in its page table: the memory itself, not a copy. To be dropped when an invalidation of its
 * page begins; whoever keeps it longer meets a {@link PageFault} (`freed`, or `torn`), or old content.
 */
export interface SimulatedPage {
  /** Its number: the address divided by the page size. */
  readonly page: number;
  /** What was true when it was looked up. */
  readonly flags: PageFlags;
  /** The device in whose memory it is, or that has it for itself. */
  readonly owner: object | undefined;
  /** Number of the change that made the content that is there now. Throws {@link PageFault}: `torn`, `freed`. */
  readonly generation: number;
  /** A copy of the content that is there now. Throws {@link PageFault}: `torn`, `freed`. O(page size). */
  read(): Uint8Array;
  /** Stores at an offset in the page, in one turn. Throws {@link PageFault}: `not-writable`, `torn`, `freed`; or `RangeError`. */
  write(bytes: Uint8Array, offset?: number): void;
}

/** Where generations come from; one for all spaces that can share memory. */
export class Generations {
  #last = 0;

  /** Greater than any before, also than what the frame got from a family of spaces with numbers of its own. */
  next(frame: Frame): number {
    this.#last = Math.max(this.#last, frame.head) + 1;
    return this.#last;
  }
}

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

/** The object behind {@link SimulatedPage}. */
export class PageView implements SimulatedPage {
  readonly page: number;
  readonly flags: PageFlags;
  readonly owner: object | undefined;
  readonly #frame: Frame;
  readonly #generations: Generations;

  constructor(page: number, slot: Slot, { frame, zero, generations }: { frame: Frame; zero: Frame; generations: Generations }) {
    this.page = page;
    this.#frame = frame;
    this.#generations = generations;
    this.owner = slot.exclusive ?? frame.owner;
    this.flags = {
      writable: slot.writable,
      devicePrivate: frame.owner !== undefined,
      exclusive: slot.exclusive !== undefined,
      huge: slot.huge,
      zero: frame === zero,
      shared: slot.shared,
    };
  }

  get generation(): number {
    return this.#check().head;
  }

  read(): Uint8Array {
    return this.#check().bytes.slice();
  }

  write(bytes: Uint8Array, offset = 0): void {
    const frame = this.#check();
    if (!this.flags.writable) throw new PageFault('not-writable', this.page);
    frame.store(this.#generations.next(frame), bytes, offset);
  }

  #check(): Frame {
    const frame = this.#frame;
    if (frame.freed) throw new PageFault('freed', this.page);
    if (!frame.whole) throw new PageFault('torn', this.page);
    return frame;
  }
}
