/**
 * Moving: what changes where the content of pages is, and leaves the content alone.
 */
import type { Core, Slot } from './core.js';
import { allowStores, bringBack, copyFrames, isReady, type Move, movesOf, tell, touch } from './fault.js';
import { AllocationError } from './faults.js';
import { pagesOf, type Run, toRuns } from './lock.js';
import { breakHuge, hugeRuns, split } from './mapping.js';

/** Private anonymous memory of the host that nobody else has: what can be moved. */
function isMovable({ object, shared, frame, exclusive }: Slot): boolean {
  const ours = frame === undefined || (frame.refs === 1 && frame.owner === undefined);
  return object === undefined && !shared && exclusive === undefined && ours;
}

/** Into the memory of a device. Resolves with the number of pages that could be moved; the others stay, and go on working. */
export function migrate(core: Core, run: Run, owner: object): Promise<number> {
  return core.change([run], { kind: 'migrate', owner }, async (section) => {
    const { zero } = core.memory;
    const pages = core.mapped([run]).filter((page) => {
      const slot = core.slots.get(page)!;
      return slot.swap === undefined && (isMovable(slot) || (slot.frame === zero && slot.object === undefined));
    });
    const moves = movesOrSplit(core, pages, owner);
    if (moves.split) await split(core, hugeRuns(core, [run], { partly: false }), section);
    else await breakHuge(core, [run], section);
    await copyFrames(core, moves.list);
    for (const { slot } of moves.list) allowStores(slot);
    tell(core, owner, moves.list);
    return moves.list.length;
  });
}

/** Huge pages need memory in one piece; without it, they go page by page, if there is memory for that. */
function movesOrSplit(core: Core, pages: readonly number[], owner: object): { list: Move[]; split: boolean } {
  try {
    return { list: movesOf(core, pages, owner), split: false };
  } catch (error) {
    const huge = pages.some((page) => core.slots.get(page)!.huge);
    if (!(error instanceof AllocationError) || !huge) throw error;
    return { list: movesOf(core, pages, owner), split: true };
  }
}

/** Out of the memory of a device. Resolves with the number of pages that were there. */
export async function migrateBack(core: Core, run: Run, owner: object): Promise<number> {
  const its = core.mapped([run]).filter((page) => core.slots.get(page)!.frame?.owner === owner);
  return its.length === 0 ? 0 : bringBack(core, pagesOf([run]), { owner });
}

/** Gives pages to a device alone: everybody else faults, and takes them away from it. Resolves with their number. */
export async function makeExclusive(core: Core, run: Run, owner: object): Promise<number> {
  const access = { write: true, by: undefined };
  await touch(core, [run], access, () => {});
  return core.change([run], { kind: 'exclusive', owner }, async () => {
    const pages = core.mapped([run]).filter((page) => {
      const slot = core.slots.get(page)!;
      return isMovable(slot) && slot.frame !== undefined && isReady(core, [{ first: page, count: 1 }], access);
    });
    await core.inHalves(pages, (page) => {
      const slot = core.slots.get(page);
      if (slot !== undefined) slot.exclusive = owner;
    });
    return pages.length;
  });
}

/** Makes huge pages of aligned runs. Resolves with their number; runs that cannot be made huge stay as they are. */
export async function collapse(core: Core, run: Run): Promise<number> {
  const size = core.hugePages;
  const runs: Run[] = [];
  for (let first = Math.ceil(run.first / size) * size; first + size <= run.first + run.count; first += size) {
    if (isCollapsible(core, { first, count: size })) runs.push({ first, count: size });
  }
  if (runs.length === 0) return 0;
  return core.change(runs, { kind: 'clear' }, async () => {
    const still = runs.filter((one) => isCollapsible(core, one));
    const moves = movesOf(core, pagesOf(still));
    await copyFrames(core, moves);
    for (const { slot } of moves) {
      slot.huge = true;
      allowStores(slot);
    }
    return still.length;
  });
}

function isCollapsible(core: Core, run: Run): boolean {
  const { zero } = core.memory;
  const slots = pagesOf([run]).map((page) => core.slots.get(page));
  return slots.every((slot) => {
    if (slot === undefined || slot.huge || slot.swap !== undefined || slot.protection !== slots[0]?.protection) return false;
    return isMovable(slot) || (slot.frame === zero && slot.object === undefined);
  });
}

/** Splits the huge pages that the run touches. Resolves with their number. */
export function splitHuge(core: Core, run: Run): Promise<number> {
  return split(core, hugeRuns(core, [run], { partly: false }));
}

/** Content into the swap, memory to the free. Resolves with the number of pages; those that are shared stay. */
export async function swapOut(core: Core, run: Run): Promise<number> {
  const swappable = (page: number) => {
    const slot = core.slots.get(page);
    return slot?.frame !== undefined && isMovable(slot);
  };
  if (!pagesOf([run]).some(swappable)) return 0;
  return core.change([run], { kind: 'clear' }, async (section) => {
    await split(core, hugeRuns(core, [run], { partly: false }), section);
    const pages = pagesOf([run]).filter(swappable);
    const slots = pages.map((page) => core.slots.get(page)!);
    for (const slot of slots) {
      slot.swap = slot.frame!.bytes.slice();
      slot.frame!.beginFree();
    }
    await core.pause();
    for (const slot of slots) {
      slot.frame!.release();
      slot.frame = undefined;
      slot.writable = false;
    }
    return pages.length;
  });
}

/** Forgets what has been stored to; the next store to each page faults, and marks it again. */
export async function clearSoftDirty(core: Core): Promise<void> {
  const all = core.all();
  if (all.length === 0) return;
  await core.change(toRuns(all), { kind: 'soft-dirty' }, () =>
    core.inHalves(core.all(), (page) => {
      const slot = core.slots.get(page);
      if (slot === undefined) return;
      slot.softDirty = false;
      slot.writable = false;
    }),
  );
}
