/**
 * Shared objects: what several mappings, in one space or in many, have in common: a file, or shared anonymous memory.
 */
import { check } from '../../base/errors.js';
import { change, claimsOf } from './change.js';
import { Backing, type Core } from './core.js';
import { join, toRuns } from './runs.js';

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
  return new MappedObject(pages, label);
}

/** The object behind {@link SharedObject}. */
export class MappedObject extends Backing implements SharedObject {
  /** Calls of `truncate` so far. */
  #calls = 0;
  /** The call whose length it has. */
  #setBy = 0;

  constructor(pages: number, label: string | undefined) {
    checkPages(pages);
    super(pages, label);
  }

  async truncate(pages: number): Promise<void> {
    checkPages(pages);
    const call = ++this.#calls;
    if (pages >= this.length) return this.#set(pages, call);
    // Already now nobody can fault in what will be cut off.
    this.cuts.add(pages);
    const cut = () => this.#pagesFrom(pages);
    const announce = () => new Map([...cut()].map(([core, list]) => [core, toRuns(list)]));
    const tail = new Map([[this.lock, [{ first: pages, count: Number.POSITIVE_INFINITY }]]]);
    const hold = () => join(claimsOf(announce()), tail);
    try {
      // Active in all spaces before the first page goes: memory that one of them still uses must not be freed for another.
      await change({ kind: 'clear', announce, hold }, () => this.#zap(cut(), pages));
      this.#set(pages, call);
    } finally {
      this.cuts.delete(pages);
    }
  }

  /** The length that was asked for last stays, whoever comes to the end last. */
  #set(pages: number, call: number): void {
    if (call < this.#setBy) return;
    this.#setBy = call;
    this.length = pages;
  }

  #pagesFrom(first: number): Map<Core, number[]> {
    const found = this.mappings((offset) => offset >= first);
    return new Map([...found].filter(([, list]) => list.length > 0));
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
    for (const [page, frame] of this.frames) {
      if (page < pages) continue;
      this.frames.delete(page);
      frame.release();
    }
  }
}

function checkPages(pages: number): void {
  check(Number.isSafeInteger(pages) && pages >= 0, 'pages', pages, 'a whole number of at least 0');
}
