/**
 * Faults: makes pages usable, as a kernel's fault handler does.
 *
 * | what is found | what is done | invalidation |
 * |---|---|---|
 * | never touched | read: the shared page of zeros; write: a new frame | none: nobody can have it |
 * | the same, where somebody supplies what is in it | asks, holding no lock of its own, then a new frame | none |
 * | the same, all of a run for which huge pages are wanted | all of it, in one piece; small ones if there is none | none |
 * | in the swap | a new frame | none |
 * | in the private memory of another device | back to the host, the whole of a huge page | `migrate`, owner = that device |
 * | some other device's alone | taken away from it | `clear` |
 * | write to a page that is shared by copy-on-write, or to the page of zeros | a copy | `clear` |
 * | write to a page of its own that is write-protected | permission | none: it only grows |
 */
import { check } from '../../base/errors.js';
import type { Invalidation } from '../../index.js';
import { changeRuns, claimsOf, holding } from './change.js';
import type { Core, Slot } from './core.js';
import { AllocationError, PageFault } from './faults.js';
import type { Frame } from './frame.js';
import { hugeRuns, split } from './mapping.js';
import { isCoherent, type PageOwner, viewOf } from './pages.js';
import { pagesOf, type Run, toRuns } from './runs.js';

/** How pages are to be used. */
export interface Access {
  readonly write: boolean;
  /** The device that uses them; `undefined` for the processor. */
  readonly by: object | undefined;
  /** The section under which the lock of the pages is held. */
  readonly held?: Invalidation | undefined;
}

type Remedy = 'supply' | 'bring' | 'restore' | 'copy' | 'fill' | 'huge';

/** What must be done first, `undefined` if nothing. Throws {@link PageFault}. */
function remedy(slot: Slot | undefined, page: number, { write, by }: Access): Remedy | undefined {
  if (slot === undefined) throw new PageFault('no-mapping', page);
  const { protection, object, frame } = slot;
  if (protection === 'none') throw new PageFault('not-readable', page);
  if (write && protection === 'read') throw new PageFault('not-writable', page);
  if (object !== undefined && slot.offset >= object.pages) throw new PageFault('beyond-end', page);
  if (slot.exclusive !== undefined && slot.exclusive !== by) return 'restore';
  if (frame === undefined) return isSupplied(slot) ? 'supply' : 'fill';
  if (frame.owner !== undefined && frame.owner !== by && !isCoherent(frame.owner)) return 'bring';
  if (!write || slot.writable) return undefined;
  return slot.shared || frame.refs === 1 ? 'fill' : 'copy';
}

/** The first page that needs something, what it needs, and all others that need the same; `undefined` if none does. */
function plan(core: Core, runs: readonly Run[], access: Access): { what: Remedy; pages: number[] } | undefined {
  let what: Remedy | undefined;
  const pages: number[] = [];
  for (const { first, count } of runs) {
    for (let page = first; page < first + count; page++) {
      const needed = remedy(core.slots.get(page), page, access);
      const found = needed === 'fill' && isUntouched(core, page - (page % core.hugePages)) ? 'huge' : needed;
      what ??= found;
      if (found !== undefined && found === what) pages.push(page);
    }
  }
  return what === undefined ? undefined : { what, pages };
}

/** True if nothing has to be done. Throws {@link PageFault}. */
export function isReady(core: Core, runs: readonly Run[], access: Access): boolean {
  return plan(core, runs, access) === undefined;
}

/** Makes the pages usable, and calls `use` in the turn in which all of them are. */
export async function touch<T>(core: Core, runs: readonly Run[], access: Access, use: () => T): Promise<T> {
  for (;;) {
    const next = plan(core, runs, access);
    if (next === undefined) return use();
    const { what, pages } = next;
    if (what === 'supply') await supply(core, pages);
    else if (what === 'fill') fill(core, pages, access.write);
    else if (what === 'huge') await fillHuge(core, pages, access);
    else if (what === 'bring') await bring(core, pages, access);
    else if (what === 'restore') await restore(core, pages, access);
    else await copyOnWrite(core, pages, access);
  }
}

/** True for a page that nobody has touched, and that somebody else fills when it is. */
export function isSupplied({ frame, swap, supply }: Slot): boolean {
  return frame === undefined && swap === undefined && supply !== undefined;
}

/** Content for pages that somebody else supplies, in one turn: nobody can have had them. Asks again whether they are still without. */
async function supply(core: Core, pages: readonly number[]): Promise<void> {
  const supplied = await Promise.all(
    pages.map(async (page) => {
      const slot = core.slots.get(page)!;
      const bytes = await slot.supply!(page);
      const isPage = bytes instanceof Uint8Array && bytes.length === core.pageSize;
      check(isPage, `what supply returned for page ${page}`, bytes, `a Uint8Array of ${core.pageSize} bytes`);
      return { page, slot, bytes };
    }),
  );
  const missing = supplied.filter(({ page, slot }) => core.slots.get(page) === slot && isSupplied(slot));
  const frames = core.memory.allocate(missing.length);
  for (const { slot, bytes } of missing) {
    const frame = frames.pop()!;
    frame.store(core.memory.generations.next(frame), bytes);
    slot.frame = frame;
  }
}

/** Memory for what has none, and permission for what needs no more. In one turn: nobody can have had these pages so. */
function fill(core: Core, pages: readonly number[], write: boolean): void {
  const { memory, slots } = core;
  const empty = pages.filter((page) => needsFrame(slots.get(page)!, write));
  const frames = memory.allocate(empty.length);
  for (const page of empty) {
    const slot = slots.get(page)!;
    const frame = frames.pop()!;
    if (slot.swap !== undefined) frame.store(memory.generations.next(frame), slot.swap);
    if (slot.object === undefined || slot.swap !== undefined) slot.frame = frame;
    else slot.object.populate(slot.offset, frame);
    slot.swap = undefined;
  }
  for (const page of pages) finishFill(core, slots.get(page)!, write);
}

function needsFrame(slot: Slot, write: boolean): boolean {
  if (slot.frame !== undefined) return false;
  if (slot.swap !== undefined) return true;
  if (slot.object !== undefined) return slot.object.frame(slot.offset) === undefined;
  return write;
}

/** Whether the aligned run that begins with this page is all new, all alike, and wanted as a huge page. */
export function isUntouched(core: Core, first: number): boolean {
  const protection = core.slots.get(first)?.protection;
  for (let page = first; page < first + core.hugePages; page++) {
    const slot = core.slots.get(page);
    if (!slot?.advised || slot.frame !== undefined || slot.swap !== undefined || slot.protection !== protection) return false;
  }
  return true;
}

/** The same for the first touch of a run that is wanted huge. It takes the lock: the pages around are not the toucher's own. */
async function fillHuge(core: Core, pages: readonly number[], { write, held }: Access): Promise<void> {
  const size = core.hugePages;
  const work = async () => {
    const firsts = new Set(pages.map((page) => page - (page % size)).filter((first) => isUntouched(core, first)));
    for (const first of firsts) {
      const run = pagesOf([{ first, count: size }]);
      try {
        fill(core, run, write);
      } catch (error) {
        if (!(error instanceof AllocationError)) throw error;
        fill(
          core,
          pages.filter((page) => first <= page && page < first + size),
          write,
        );
        continue;
      }
      for (const page of run) core.slots.get(page)!.huge = true;
    }
  };
  if (held !== undefined) return work(); // the lock is held, and wide enough
  await holding(() => claimsOf(new Map([[core, toRuns(pages)]])), work);
}

function finishFill(core: Core, slot: Slot, write: boolean): void {
  if (slot.frame === undefined) {
    slot.frame = slot.object === undefined ? core.memory.zero : slot.object.frame(slot.offset)!;
    slot.frame.refs++;
  }
  const ours = slot.shared || slot.frame.refs === 1;
  if (write && ours) {
    slot.writable = true;
    slot.softDirty = true;
  }
}

/** A page and the frame that its content goes to. */
export interface Move {
  readonly page: number;
  readonly slot: Slot;
  readonly to: Frame;
}

/** Copies content in two halves; the page is torn in between. What it leaves behind is freed if nobody else has it. */
export async function copyFrames(core: Core, moves: readonly Move[]): Promise<void> {
  const { zero, generations } = core.memory;
  const halves = moves.map(({ slot, to }) => {
    const from = slot.frame ?? zero;
    if (slot.frame === undefined) zero.refs++;
    const generation = generations.next(from);
    to.begin(generation, from.bytes);
    slot.frame = to;
    return { from, to, generation };
  });
  await core.pause();
  for (const { from, to, generation } of halves) {
    to.finish(generation, from.bytes);
    from.release();
  }
}

/** The moves of the pages into new frames. Throws {@link AllocationError}, having changed nothing. */
export function movesOf(core: Core, pages: readonly number[], owner?: object): Move[] {
  const frames = core.memory.allocate(pages.length, owner);
  return pages.map((page, i) => ({ page, slot: core.slots.get(page)!, to: frames[i]! }));
}

/**
 * Moves content to other memory, under a section and the locks of the pages: a huge page as one, if all of it moves and there is
 * memory in one piece, page by page otherwise. Throws {@link AllocationError}, having changed nothing.
 */
export async function relocate(
  core: Core,
  { pages, owner, section }: { readonly pages: readonly number[]; readonly owner?: object; readonly section: Invalidation },
): Promise<Move[]> {
  const size = core.hugePages;
  const whole: Move[] = [];
  const small = new Set(pages);
  for (const first of wholeRuns(core, pages)) {
    const run = pagesOf([{ first, count: size }]);
    try {
      whole.push(...movesOf(core, run, owner));
    } catch (error) {
      if (!(error instanceof AllocationError)) throw error;
      continue; // page by page, then
    }
    for (const page of run) small.delete(page);
  }
  const moves = [...whole, ...movesOf(core, [...small], owner)];
  await split(core, hugeRuns(core, toRuns([...small].sort((a, b) => a - b)), { partly: false }), section);
  await copyFrames(core, moves);
  for (const { slot } of whole) slot.huge = true; // also what was wanted huge, and is there for the first time
  return moves;
}

/** First pages of the runs that can move as one: huge pages, and what would become one, all of whose pages are to move. */
function wholeRuns(core: Core, pages: readonly number[]): number[] {
  const size = core.hugePages;
  const counts = new Map<number, number>();
  for (const page of pages) counts.set(page - (page % size), (counts.get(page - (page % size)) ?? 0) + 1);
  const isHuge = (first: number) => core.slots.get(first)!.huge || isUntouched(core, first);
  return [...counts].filter(([first, count]) => count === size && isHuge(first)).map(([first]) => first);
}

async function copyOnWrite(core: Core, pages: readonly number[], access: Access): Promise<void> {
  // Before it, as in a kernel: the copy of one page of a huge one is a copy of a page.
  await split(core, hugeRuns(core, toRuns(pages), { partly: true }), access.held);
  await changeRuns(core, { runs: toRuns(pages), kind: 'clear', held: access.held }, async (section) => {
    // Again, as others were at it meanwhile: the other side of a fork may have let go, which leaves the page to this one.
    const still = pages.filter((page) => peek(core, page, access) === 'copy');
    const moves = await relocate(core, { pages: still, section });
    for (const { slot } of moves) {
      slot.softDirty = true;
      allowStores(slot);
    }
  });
}

async function restore(core: Core, pages: readonly number[], access: Access): Promise<void> {
  await changeRuns(core, { runs: toRuns(pages), kind: 'clear', held: access.held }, () => {
    // Again: meanwhile it may have become this device's own.
    const still = pages.filter((page) => peek(core, page, access) === 'restore');
    return core.inHalves(still, (page) => {
      core.slots.get(page)!.exclusive = undefined;
    });
  });
}

/** Brings pages back from the memory of a device, one device after the other. */
async function bring(core: Core, pages: readonly number[], access: Access): Promise<void> {
  const owner = core.slots.get(pages[0]!)!.frame!.owner!;
  const its = new Set(pages.filter((page) => core.slots.get(page)!.frame!.owner === owner));
  // A huge page comes back as a whole: one fault is cheaper than hundreds.
  const firsts = hugeRuns(core, toRuns(its), { partly: true });
  for (const page of pagesOf(firsts.map((first) => ({ first, count: core.hugePages })))) its.add(page);
  const wanted = [...its].sort((a, b) => a - b);
  await bringBack(core, wanted, { owner, held: access.held });
}

/** Moves those of the pages that are in the memory of `owner` back to the host's; resolves with their number. */
async function bringBack(core: Core, pages: readonly number[], { owner, held }: Back): Promise<number> {
  const runs = toRuns(pages);
  return changeRuns(core, { runs, kind: 'migrate', owner, held }, (section) => takeBack(core, { pages, owner, section }));
}

interface Back {
  readonly owner: object;
  readonly held?: Invalidation | undefined;
}

/** The same under a section and the locks of the pages. */
export async function takeBack(
  core: Core,
  { pages, owner, section }: { readonly pages: readonly number[]; readonly owner: object; readonly section: Invalidation },
): Promise<number> {
  const its = pages.filter((page) => core.slots.get(page)?.frame?.owner === owner);
  // A page that is still shared by copy-on-write gets a copy of its own by this, so it may be written.
  const moves = await relocate(core, { pages: its, section });
  for (const { slot } of moves) allowStores(slot);
  tell(core, owner, moves);
  return moves.length;
}

/** For a page that nobody shares any more. One that is not marked as stored to faults once more, to be marked. */
export function allowStores(slot: Slot): void {
  slot.writable = slot.protection === 'read-write' && slot.softDirty;
}

/** Tells a device of pages that have moved, if it wants to hear of it. */
export function tell(core: Core, owner: object, moves: readonly Move[]): void {
  const { moved } = owner as PageOwner;
  if (typeof moved === 'function') for (const { page, slot } of moves) moved.call(owner, viewOf(core, page, slot));
}

function peek(core: Core, page: number, access: Access): Remedy | undefined {
  try {
    return remedy(core.slots.get(page), page, access);
  } catch {
    return undefined; // the mapping has changed: the next look will say so
  }
}
