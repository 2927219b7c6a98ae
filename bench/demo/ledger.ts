/**
 * Ledger: the independent witness. Writers tell it when a write begins and when it has finished; it then says of anything that
 * was served whether it was torn or stale. It knows nothing of guards, trackers or derived state.
 *
 * Legal operations on its columns: `begin` sets `#started`, `finish` sets `#finished`; generations only grow. Writes that
 * overlap never run at once (each block of the file has one writer), so per page `#started` is the last write, and it is under
 * way exactly while the two columns differ.
 */
import type { Range } from '../../lib/index.js';
import { TORN } from './page.js';

/** Nothing wrong with what was served. */
export const FINE = 0;
/** Part of a write was seen: a page that is not whole, or some pages of one write and not the others. */
export const TORN_READ = 1;
/** A page was older than a write that had finished before the read began. */
export const STALE_READ = 2;

/** See the top of the file. */
export class Ledger {
  readonly #started: Uint32Array;
  readonly #finished: Uint32Array;

  /** For a file of this many pages, all of generation 0. */
  constructor(pages: number) {
    this.#started = new Uint32Array(pages);
    this.#finished = new Uint32Array(pages);
  }

  /** A write is about to touch these pages. */
  begin({ start, end }: Range, generation: number): void {
    this.#started.fill(generation, start, end);
  }

  /** That write is on disk, whole. */
  finish({ start, end }: Range, generation: number): void {
    this.#finished.fill(generation, start, end);
  }

  /** Notes, at the begin of a read, the least generations that it may serve. `marks` is at least as long as the range. */
  mark({ start, end }: Range, marks: Uint32Array): void {
    for (let page = start; page < end; page++) marks[page - start] = this.#finished[page]!;
  }

  /**
   * The verdict on a read that has just been served: `origins` holds the generation of each page or TORN, `marks` what
   * {@link Ledger.mark} noted when the read began. Returns FINE, or TORN_READ and STALE_READ as bits.
   *
   * Half a write is also seen without any page that is itself torn: in a run of pages that are neighbours in one write, one
   * has its generation and the next has not.
   */
  judge({ start, end }: Range, origins: Int32Array, marks: Uint32Array): number {
    const started = this.#started;
    let verdict = FINE;
    let writeBefore = -1;
    let newBefore = false;
    for (let page = start; page < end; page++) {
      const origin = origins[page - start]!;
      const write = started[page]!;
      const isNew = origin === write;
      if (origin === TORN || (write === writeBefore && isNew !== newBefore)) verdict |= TORN_READ;
      if (origin !== TORN && origin < marks[page - start]!) verdict |= STALE_READ;
      writeBefore = write;
      newBefore = isNew;
    }
    return verdict;
  }
}
