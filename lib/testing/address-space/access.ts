/**
 * Access: reading and storing, by the processor (which always sees whole pages, as it has the locks) and by devices (which do
 * not, and are protected by the tracker or not at all).
 */
import { change, claimsOf, holding } from './change.js';
import type { Backing, Core } from './core.js';
import { isReady, touch } from './fault.js';
import { PageFault } from './faults.js';
import { type PageFlags, type SimulatedPage, viewOf } from './pages.js';
import { join, type Places, pagesOf, type Run, toRuns } from './runs.js';

/** A page as it was read: a copy, and whole. */
export interface PageCopy {
  /** Its number. */
  readonly page: number;
  /** Number of the change that made this content. */
  readonly generation: number;
  /** The content. */
  readonly bytes: Uint8Array;
  /** What was true when it was looked up. */
  readonly flags: PageFlags;
}

const CPU_READ = { write: false, by: undefined };
const CPU_WRITE = { write: true, by: undefined };

/** Bytes, as they were at one moment. */
export async function read(core: Core, address: number, length: number): Promise<Uint8Array> {
  const run = core.around(address, length);
  for (;;) {
    await touch(core, [run], CPU_READ, () => {});
    const bytes = await holding(
      () => claimsOf(only(core, run)),
      async () => {
        if (!isReady(core, [run], CPU_READ)) return undefined;
        const result = new Uint8Array(length);
        for (const { page, offset, from, to } of pieces(core, address, length)) {
          const { bytes: content } = core.slots.get(page)!.frame!;
          result.set(content.subarray(offset, offset + to - from), from);
        }
        return result;
      },
    );
    if (bytes !== undefined) return bytes;
  }
}

/** Stores, in two halves. */
export async function write(core: Core, address: number, bytes: Uint8Array): Promise<void> {
  const run = core.around(address, bytes.length);
  if (core.silentStores) return writeSilently(core, run, { address, bytes });
  isReady(core, [run], CPU_WRITE); // what is not allowed is not announced
  const announce = () => everybody(core, run);
  const hold = () => claimsOf(only(core, run));
  return change({ kind: 'clear', announce, hold }, async (sections) => {
    const held = sections.get(core);
    await touch(core, [run], { ...CPU_WRITE, held }, () => {});
    await store(core, address, bytes);
  });
}

async function writeSilently(core: Core, run: Run, { address, bytes }: { address: number; bytes: Uint8Array }): Promise<void> {
  for (let done = false; !done; ) {
    await touch(core, [run], CPU_WRITE, () => {});
    done = await holding(
      () => claimsOf(only(core, run)),
      async () => {
        if (!isReady(core, [run], CPU_WRITE)) return false;
        await store(core, address, bytes);
        return true;
      },
    );
  }
}

async function store(core: Core, address: number, bytes: Uint8Array): Promise<void> {
  const parts = pieces(core, address, bytes.length).map(({ page, offset, from, to }) => {
    const frame = core.slots.get(page)!.frame!;
    return { frame, offset, part: bytes.subarray(from, to), generation: core.memory.generations.next(frame) };
  });
  for (const { frame, offset, part, generation } of parts) frame.begin(generation, part, offset);
  await core.pause();
  for (const { frame, offset, part, generation } of parts) frame.finish(generation, part, offset);
}

function only(core: Core, run: Run): Places<Core> {
  return new Map([[core, [run]]]);
}

/** The pages of the run, and wherever else the shared ones among them are mapped. */
function everybody(core: Core, run: Run): Places<Core> {
  let all = only(core, run);
  for (const [object, offsets] of sharedPages(core, run)) {
    const found = object.mappings((offset) => offsets.has(offset));
    all = join(all, new Map([...found].map(([other, pages]) => [other, toRuns(pages)])));
  }
  return all;
}

function sharedPages(core: Core, run: Run): Map<Backing, Set<number>> {
  const found = new Map<Backing, Set<number>>();
  for (const page of core.mapped([run])) {
    const { object, shared, offset } = core.slots.get(page)!;
    if (!shared || object === undefined) continue;
    const offsets = found.get(object) ?? new Set();
    found.set(object, offsets.add(offset));
  }
  return found;
}

interface Piece {
  readonly page: number;
  /** Where in the page. */
  readonly offset: number;
  /** Which of the bytes. */
  readonly from: number;
  readonly to: number;
}

function pieces(core: Core, address: number, length: number): Piece[] {
  const { pageSize } = core;
  return pagesOf([core.around(address, length)]).map((page) => {
    const start = Math.max(address, page * pageSize);
    const end = Math.min(address + length, (page + 1) * pageSize);
    return { page, offset: start - page * pageSize, from: start - address, to: end - address };
  });
}

/** How a device uses pages. */
export interface DeviceAccess {
  readonly write: boolean;
  readonly owner: object | undefined;
}

/** The pages for a device's page table. Nothing keeps them from changing in the next turn but the tracker. */
export function fault(core: Core, run: Run, { write: toWrite, owner }: DeviceAccess): Promise<SimulatedPage[]> {
  return touch(core, [run], { write: toWrite, by: owner }, () => pagesOf([run]).map((page) => look(core, page)));
}

/** The same without a fault: what is not there is `undefined`. */
export function snapshot(core: Core, run: Run): (SimulatedPage | undefined)[] {
  return pagesOf([run]).map((page) => {
    const slot = core.slots.get(page);
    return slot?.frame === undefined || slot.protection === 'none' ? undefined : viewOf(core, page, slot);
  });
}

/** Copies of pages, made in two halves: what changes meanwhile is noticed, and is an error. */
export async function readPages(core: Core, run: Run, owner: object | undefined): Promise<PageCopy[]> {
  const pages = await fault(core, run, { write: false, owner });
  const generations = pages.map(({ generation }) => generation);
  const middle = core.pageSize / 2;
  const copies = pages.map((page) => page.read().fill(0, middle));
  await core.pause();
  return pages.map(({ page, flags }, i) => {
    const now = look(core, page);
    const generation = now.generation;
    if (generation !== generations[i]) throw new PageFault('torn', page);
    const bytes = copies[i]!;
    bytes.set(now.read().subarray(middle), Math.floor(middle));
    return { page, generation, bytes, flags };
  });
}

function look(core: Core, page: number): SimulatedPage {
  const slot = core.slots.get(page);
  if (slot === undefined) throw new PageFault('no-mapping', page);
  if (slot.frame === undefined || !slot.frame.whole || slot.frame.freed) throw new PageFault('torn', page);
  return viewOf(core, page, slot);
}
