/**
 * Pages: what the users of a simulated address space get to see of its memory.
 */
import type { Core, Slot } from './core.js';
import { PageFault } from './faults.js';
import type { Frame, Generations } from './frame.js';

/** What was true of a page when it was looked up. It changes only under an invalidation that covers the page. */
export interface PageFlags {
  /** It may be written now, without another fault. */
  readonly writable: boolean;
  /** It lies in memory that only its device can use. */
  readonly devicePrivate: boolean;
  /** It lies in memory of a device that everybody can use ({@link PageOwner.coherent}). */
  readonly deviceCoherent: boolean;
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

/** What a device may say of itself, and may want to hear. Any object can be one. */
export interface PageOwner {
  /** Everybody can use its memory as it is: nobody has to take a page back first. Default false. Must never change. */
  readonly coherent?: boolean;
  /**
   * The page has moved into the device's memory or out of it, under an invalidation that the device may ignore. Called before
   * the invalidation ends; must not throw.
   */
  moved?(page: SimulatedPage): void;
}

/** Whether everybody can use the memory of the device. */
export function isCoherent(owner: PageOwner): boolean {
  return owner.coherent === true;
}

/** The page as it is now; it must be resident. */
export function viewOf({ memory: { zero, generations } }: Core, page: number, slot: Slot): SimulatedPage {
  return new PageView(page, slot, { frame: slot.frame!, zero, generations });
}

/** The object behind {@link SimulatedPage}. */
class PageView implements SimulatedPage {
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
      devicePrivate: frame.owner !== undefined && !isCoherent(frame.owner),
      deviceCoherent: frame.owner !== undefined && isCoherent(frame.owner),
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
