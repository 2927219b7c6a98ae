/**
 * PageFile: the temporary copy that the demo reads and writes. The original is opened for reading only.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { Range } from '../../lib/index.js';
import { PAGE_BYTES, PAGE_WORDS, rewrite, stamp } from './page.js';

/** Bytes that are copied and stamped at a time: long enough for the disk, short enough for Ctrl-C to be heard. */
const COPY_BYTES = 1 << 20;

/** Bytes and the same memory as 32-bit words. */
export interface PageBuffer {
  readonly bytes: Buffer;
  readonly words: Uint32Array;
}

/** Room for this many pages. Not from the shared pool, whose slices need not begin at a multiple of four. */
export function pageBuffer(pages: number): PageBuffer {
  const bytes = Buffer.alloc(pages * PAGE_BYTES);
  return { bytes, words: new Uint32Array(bytes.buffer, bytes.byteOffset, pages * PAGE_WORDS) };
}

/** See the top of the file. */
export class PageFile {
  readonly pages: number;
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle, pages: number) {
    this.#handle = handle;
    this.pages = pages;
  }

  /** Copies `source` to `target`, which must not exist, and stamps every page with generation 0. A short last page is padded. */
  static async copy(source: string, target: string, signal: AbortSignal): Promise<PageFile> {
    const from = await open(source, 'r');
    try {
      const to = await open(target, 'wx+');
      try {
        return new PageFile(to, await copyPages(from, to, signal));
      } catch (error) {
        await to.close();
        throw error;
      }
    } finally {
      await from.close();
    }
  }

  /** Reads a run of pages to the beginning of the buffer. Sees whatever is on disk, half a write, too. */
  async read({ start, end }: Range, { bytes }: PageBuffer): Promise<void> {
    const length = (end - start) * PAGE_BYTES;
    const { bytesRead } = await this.#handle.read(bytes, 0, length, start * PAGE_BYTES);
    if (bytesRead !== length) throw new Error(`read ${bytesRead} bytes of pages [${start}, ${end}); expected ${length}`);
  }

  /**
   * Writes pages that {@link prepare} has made, in two halves with `pause` between. The cut goes through the middle of a page,
   * so that there is always one torn page on disk in between, however short the extent is.
   */
  async write({ start, end }: Range, { bytes }: PageBuffer, pause: () => Promise<void>): Promise<void> {
    const length = (end - start) * PAGE_BYTES;
    const cut = Math.floor((end - start) / 2) * PAGE_BYTES + PAGE_BYTES / 2;
    await this.#write(bytes, 0, { length: cut, position: start * PAGE_BYTES });
    await pause();
    await this.#write(bytes, cut, { length: length - cut, position: start * PAGE_BYTES + cut });
  }

  /** Closes the copy; removing it is the business of whoever named it. */
  close(): Promise<void> {
    return this.#handle.close();
  }

  async #write(bytes: Buffer, offset: number, { length, position }: { length: number; position: number }): Promise<void> {
    const { bytesWritten } = await this.#handle.write(bytes, offset, length, position);
    if (bytesWritten !== length) throw new Error(`wrote ${bytesWritten} bytes at ${position}; expected ${length}`);
  }
}

/** Fills the buffer with the pages of the range as the write `generation` makes them. */
export function prepare({ start, end }: Range, { words }: PageBuffer, generation: number): void {
  for (let page = start; page < end; page++) rewrite(words, (page - start) * PAGE_WORDS, { page, generation });
}

async function copyPages(from: FileHandle, to: FileHandle, signal: AbortSignal): Promise<number> {
  const { bytes, words } = pageBuffer(COPY_BYTES / PAGE_BYTES);
  let pages = 0;
  for (;;) {
    signal.throwIfAborted();
    const length = await fill(from, bytes, pages * PAGE_BYTES);
    const count = Math.ceil(length / PAGE_BYTES);
    bytes.fill(0, length);
    for (let i = 0; i < count; i++) stamp(words, i * PAGE_WORDS, { page: pages + i, generation: 0 });
    if (count > 0) await to.write(bytes, 0, count * PAGE_BYTES, pages * PAGE_BYTES);
    pages += count;
    if (length < bytes.length) return pages;
  }
}

/** Reads until the buffer is full or the file is over: one read may return less than was asked for. */
async function fill(from: FileHandle, bytes: Buffer, position: number): Promise<number> {
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await from.read(bytes, length, bytes.length - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}
