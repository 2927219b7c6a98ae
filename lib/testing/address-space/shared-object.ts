/**
 * Shared objects: what several mappings, in one space or in many, have in common: a file, or shared anonymous memory.
 */
import { check } from '../../base/errors.js';
import { type Core, changeAll, toParts } from './core.js';
import type { Frame } from './pages.js';

/** A file, or shared anonymous memory, that spaces can map. Its content is reached through mappings only. */
export interface SharedObject {
  /** A name for people. */
  readonly label: string | undefined;
  /** Its length; pages beyond it can be mapped, but not used. */
  readonly pages: number;
  /**
   * Makes it longer or shorter. What is cut off disappears from every mapping, also from private copies of it, under a
   * `'clear'` in each space that maps it. Rejects as a begin does; then nothing has changed.
   */
  truncate(pages: number): Promise<void>;
}

/** How a shared object is made. */
export interface SharedObjectOptions {
  /** Its length in pages. */
  pages: number;
  /** A name for people. */
  label?: string | undefined;
}

/** A new object, all zeros. No space maps it yet. Throws `InvalidArgumentError`. */
export function createSharedObject({ pages, label }: SharedObjectOptions): SharedObject {
  return new Backing(pages, label);
}

/** The object behind {@link SharedObject}. */
export class Backing implements SharedObject {
  readonly label: string | undefined;
  /** Who may have mapped it. */
  readonly cores: Set<Core> = new Set();
  readonly #frames = new Map<number, Frame>();
  #pages: number;

  constructor(pages: number, label: string | undefined) {
    checkPages(pages);
    this.#pages = pages;
    this.label = label;
  }

  get pages(): number {
    return this.#pages;
  }

  /** The memory of a page, if it is resident. */
  frame(page: number): Frame | undefined {
    return this.#frames.get(page);
  }

  /** Makes a page resident. */
  populate(page: number, frame: Frame): void {
    this.#frames.set(page, frame);
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

  async truncate(pages: number): Promise<void> {
    checkPages(pages);
    const before = this.#pages;
    this.#pages = pages;
    if (pages >= before) return;
    // Already now nobody can fault in what will be cut off; so the list of those who have it can only get shorter.
    const cut = this.mappings((offset) => offset >= pages);
    try {
      // Active in all spaces before the first page goes: memory that one of them still uses must not be freed for another.
      await changeAll(toParts(cut), { kind: 'clear' }, () => this.#zap(cut, pages));
    } catch (error) {
      this.#pages = before;
      throw error;
    }
  }

  async #zap(cut: ReadonlyMap<Core, readonly number[]>, pages: number): Promise<void> {
    for (const [core, list] of cut) {
      await core.inHalves(list, (page) => {
        const slot = core.slots.get(page);
        if (slot?.object !== this) return;
        slot.frame?.release();
        slot.frame = undefined;
        slot.swap = undefined;
        slot.exclusive = undefined;
        slot.writable = false;
      });
    }
    for (const [page, frame] of this.#frames) {
      if (page < pages) continue;
      this.#frames.delete(page);
      frame.release();
    }
  }
}

function checkPages(pages: number): void {
  check(Number.isSafeInteger(pages) && pages >= 0, 'pages', pages, 'a whole number of at least 0');
}
