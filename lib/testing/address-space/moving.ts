/**
 * Moving: what changes where the content of pages is, and leaves the content alone.
 */

import type { Invalidation, InvalidationKind } from '../../index.js';
import { change, changeRuns, claimsOf } from './change.js';
import type { Core, Slot } from './core.js';
import { allowStores, copyFrames, isReady, isSupplied, movesOf, relocate, takeBack, tell, touch } from './fault.js';
import { PageFault } from './faults.js';
import { breakUp, hugeRuns, split } from './mapping.js';
import { type Places, pagesOf, type Run, toRuns } from './runs.js';

/** Private memory of the host that nobody else has: what can be moved. Of an object, that is a copy of its own. */
function isMovable(slot: Slot): boolean {
  const { object, shared, frame, exclusive } = slot;
  if (shared || exclusive !== undefined || isSupplied(slot)) return false; // nobody knows yet what is in it
  return frame === undefined ? object === undefined : frame.refs === 1 && frame.owner === undefined;
}

/** Into the memory of a device. Resolves with the number of pages that could be moved; the others stay, and go on working. */
export async function migrate(core: Core, run: Run, owner: object): Promise<number> {
  const { zero } = core.memory;
  requireReadable(core, run); // what is not allowed is not announced
  return changeRuns(core, { runs: [run], kind: 'migrate', owner }, async (section) => {
    requireReadable(core, run);
    const isNew = (slot: Slot) =>
      slot.object === undefined && (slot.frame === undefined || slot.frame === zero) && !isSupplied(slot);
    const pages = core.mapped([run]).filter((page) => {
      const slot = core.slots.get(page)!;
      return slot.swap === undefined && (isMovable(slot) || isNew(slot));
    });
    const fresh = new Set(pages.filter((page) => isNew(core.slots.get(page)!)));
    const moves = await relocate(core, { pages, owner, section });
    for (const { page, slot } of moves) {
      // The device has made it, so it may store to it at once.
      if (fresh.has(page) && slot.protection === 'read-write') slot.softDirty = true;
      allowStores(slot);
    }
    tell(core, owner, moves);
    return moves.length;
  });
}

/** Throws {@link PageFault} unless all is mapped, and may be read. */
function requireReadable(core: Core, { first, count }: Run): void {
  for (let page = first; page < first + count; page++) {
    const slot = core.slots.get(page);
    if (slot === undefined) throw new PageFault('no-mapping', page);
    if (slot.protection === 'none') throw new PageFault('not-readable', page);
  }
}

/** Out of the memory of a device. Resolves with the number of pages that were there. */
export function migrateBack(core: Core, run: Run, owner: object): Promise<number> {
  const pages = pagesOf([run]);
  const isThere = () => pages.some((page) => core.slots.get(page)?.frame?.owner === owner);
  return changeIf(core, run, { kind: 'migrate', owner, isNeeded: isThere }, (section) =>
    takeBack(core, { pages, owner, section }),
  );
}

/** A change of the run, announced if there is anything to change; otherwise it resolves with 0. */
function changeIf(
  core: Core,
  run: Run,
  { kind, owner, isNeeded }: { kind: InvalidationKind; owner?: object; isNeeded: () => boolean },
  work: (section: Invalidation) => Promise<number>,
): Promise<number> {
  const all = new Map([[core, [run]]]);
  const announce = (): Places<Core> => (isNeeded() ? all : new Map());
  return change({ kind, owner, announce, hold: () => claimsOf(all) }, async (sections) => {
    const section = sections.get(core);
    return section === undefined ? 0 : work(section);
  });
}

/** Gives pages to a device alone: everybody else faults, and takes them away from it. Resolves with their number. */
export async function makeExclusive(core: Core, run: Run, owner: object): Promise<number> {
  const access = { write: true, by: undefined };
  isReady(core, [run], access); // what is not allowed is not announced
  return changeRuns(core, { runs: [run], kind: 'exclusive', owner }, async (section) => {
    // Inside, where nobody can swap out or share what has been made ready.
    await touch(core, [run], { ...access, held: section }, () => {});
    const pages = core.mapped([run]).filter((page) => isMovable(core.slots.get(page)!));
    await core.inHalves(pages, (page) => {
      core.slots.get(page)!.exclusive = owner;
    });
    return pages.length;
  });
}

/** Makes huge pages of aligned runs. Resolves with their number; runs that cannot be made huge stay as they are. */
export function collapse(core: Core, run: Run): Promise<number> {
  const size = core.hugePages;
  const collapsible = () => {
    const runs: Run[] = [];
    for (let first = Math.ceil(run.first / size) * size; first + size <= run.first + run.count; first += size) {
      if (isCollapsible(core, { first, count: size })) runs.push({ first, count: size });
    }
    return runs;
  };
  const announce = () => new Map([[core, collapsible()]]);
  return change({ kind: 'clear', announce }, async () => {
    const runs = collapsible();
    const moves = movesOf(core, pagesOf(runs));
    await copyFrames(core, moves);
    for (const { slot } of moves) {
      slot.huge = true;
      allowStores(slot);
    }
    return runs.length;
  });
}

function isCollapsible(core: Core, run: Run): boolean {
  const { zero } = core.memory;
  const slots = pagesOf([run]).map((page) => core.slots.get(page));
  return slots.every((slot) => {
    if (slot === undefined || slot.huge || slot.swap !== undefined || slot.protection !== slots[0]?.protection) return false;
    return slot.object === undefined && (isMovable(slot) || slot.frame === zero);
  });
}

/** Splits the huge pages that the run touches. Resolves with their number. */
export function splitHuge(core: Core, run: Run): Promise<number> {
  const found = () => hugeRuns(core, [run], { partly: false });
  const announce = () => new Map([[core, found().map((first) => ({ first, count: core.hugePages }))]]);
  return change({ kind: 'clear', announce }, () => breakUp(core, found()));
}

/** Content into the swap, memory to the free. Resolves with the number of pages; those that are shared stay. */
export function swapOut(core: Core, run: Run): Promise<number> {
  const swappable = () =>
    core.mapped([run]).filter((page) => {
      const slot = core.slots.get(page)!;
      return slot.frame !== undefined && isMovable(slot);
    });
  return changeIf(core, run, { kind: 'clear', isNeeded: () => swappable().length > 0 }, async (section) => {
    await split(core, hugeRuns(core, [run], { partly: false }), section);
    const slots = swappable().map((page) => core.slots.get(page)!);
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
    return slots.length;
  });
}

/** Forgets what has been stored to; the next store to each page faults, and marks it again. */
export async function clearSoftDirty(core: Core): Promise<void> {
  const announce = () => new Map([[core, toRuns(core.all())]]);
  await change({ kind: 'soft-dirty', announce }, () =>
    core.inHalves(core.all(), (page) => {
      const slot = core.slots.get(page)!;
      slot.softDirty = false;
      slot.writable = false;
    }),
  );
}
