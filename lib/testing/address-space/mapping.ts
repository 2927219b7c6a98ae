/**
 * Mapping: what changes which pages there are, and what they allow.
 */
import { ClosedError, check } from '../../base/errors.js';
import type { Invalidation } from '../../index.js';
import { change, changeRuns, claimsOf, holding } from './change.js';
import type { Backing, Core, Protection, Slot, Supply } from './core.js';
import { PageFault } from './faults.js';
import { EVERYTHING, join, type Places, pagesOf, type Run, toRuns } from './runs.js';

/** What to map. */
export interface Mapping {
  readonly protection: Protection;
  readonly shared: boolean;
  readonly object: Backing | undefined;
  readonly offset: number;
  readonly huge: boolean;
  readonly supply: Supply | undefined;
}

function newSlot(page: number, first: number, { protection, shared, object, offset, huge, supply }: Mapping): Slot {
  return {
    protection,
    object,
    offset: object === undefined ? page : offset + page - first,
    shared,
    frame: undefined,
    swap: undefined,
    writable: false,
    softDirty: false,
    exclusive: undefined,
    huge: false,
    advised: huge,
    supply,
  };
}

/** New pages; what was there before is unmapped first. New pages need no invalidation: nobody can have them. */
export async function map(core: Core, run: Run, mapping: Mapping): Promise<void> {
  const { object, offset } = mapping;
  const its = new Map(object && [[object.lock, [{ first: offset, count: run.count }]]]);
  const hold = () => join(claimsOf(all(core, run)), its);
  await change({ kind: 'unmap', announce: () => present(core, run), hold }, async (sections) => {
    requireOpen(core);
    core.memory.allocate(1); // the table
    const section = sections.get(core);
    if (section !== undefined) await drop(core, [run], section);
    object?.cores.add(core);
    await core.inHalves(pagesOf([run]), (page) => core.slots.set(page, newSlot(page, run.first, mapping)));
  });
}

/** A released space has no pages, so no section says that it is gone. Asked under the lock: it may be released in a wait. */
function requireOpen(core: Core): void {
  if (core.tracker.closed) throw new ClosedError('the address space');
}

/** Takes the pages away. Nothing mapped there: nothing to do, nobody to tell. */
export async function unmap(core: Core, run: Run): Promise<void> {
  const hold = () => claimsOf(all(core, run));
  await change({ kind: 'unmap', announce: () => present(core, run), hold }, async (sections) => {
    const section = sections.get(core);
    if (section !== undefined) await drop(core, [run], section);
  });
}

function all(core: Core, run: Run): Places<Core> {
  return new Map([[core, [run]]]);
}

/** The run, if anything is mapped there. */
function present(core: Core, run: Run): Places<Core> {
  return core.mapped([run]).length === 0 ? new Map() : all(core, run);
}

/** Lets go of pages in two halves: first their content goes, then they do. */
async function drop(core: Core, runs: readonly Run[], held: Invalidation): Promise<void> {
  await breakHuge(core, runs, held);
  for (const page of core.mapped(runs)) {
    const frame = core.slots.get(page)!.frame;
    if (frame?.refs === 1) frame.beginFree();
  }
  await core.pause();
  for (const page of core.mapped(runs)) {
    core.slots.get(page)!.frame?.release();
    core.slots.delete(page);
  }
}

/** Moves pages to another place. What was there is unmapped. With `keep`, the old place stays mapped, and is empty. */
export async function remap(core: Core, run: Run, { to, keep }: { to: number; keep: boolean }): Promise<void> {
  const target = { first: to, count: run.count };
  const apart = to + run.count <= run.first || run.first + run.count <= to;
  check(apart, 'target', to * core.pageSize, 'an address from which on the moved pages do not overlap their old place');
  requireMapped(core, run);
  const runs = [run, target];
  await changeRuns(core, { runs, kind: 'unmap' }, async (section) => {
    requireMapped(core, run);
    core.memory.allocate(1); // the table at the new place
    await breakHuge(core, [run], section, to - run.first);
    await drop(core, [target], section);
    await core.inHalves(pagesOf([run]), (page) => {
      const slot = core.slots.get(page)!;
      if (keep) core.slots.set(page, emptied(slot));
      else core.slots.delete(page);
      core.slots.set(page + to - run.first, slot);
    });
  });
}

/** The same mapping, which nobody has touched. */
function emptied(slot: Slot): Slot {
  const state = { frame: undefined, swap: undefined, writable: false, softDirty: false, exclusive: undefined, huge: false };
  return { ...slot, ...state };
}

/** Changes what is allowed. */
export async function protect(core: Core, run: Run, protection: Protection): Promise<void> {
  requireMapped(core, run);
  await changeRuns(core, { runs: [run], kind: 'protection-vma' }, async (section) => {
    requireMapped(core, run);
    await breakHuge(core, [run], section);
    await core.inHalves(pagesOf([run]), (page) => {
      const slot = core.slots.get(page)!;
      slot.protection = protection;
      if (protection !== 'read-write') slot.writable = false;
    });
  });
}

function requireMapped(core: Core, { first, count }: Run): void {
  for (let page = first; page < first + count; page++) if (!core.slots.has(page)) throw new PageFault('no-mapping', page);
}

/** First pages of the huge runs that the runs touch; `partly`: only of those that they do not cover, or would move off their grid. */
export function hugeRuns(core: Core, runs: readonly Run[], { partly, shift = 0 }: { partly: boolean; shift?: number }): number[] {
  const size = core.hugePages;
  const found = new Set<number>();
  for (const run of runs) {
    for (const page of core.mapped([run])) {
      if (!core.slots.get(page)!.huge) continue;
      const first = page - (page % size);
      const covered = run.first <= first && first + size <= run.first + run.count && shift % size === 0;
      if (!(partly && covered)) found.add(first);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** Splits huge pages, in a section of its own or nested in the one that is `held`. Content and permissions stay. */
export async function split(core: Core, firsts: readonly number[], held?: Invalidation): Promise<void> {
  if (firsts.length === 0) return;
  const runs = firsts.map((first) => ({ first, count: core.hugePages }));
  await changeRuns(core, { runs, kind: 'clear', held }, () => breakUp(core, firsts));
}

/** The same under a section and the locks of the pages. Resolves with their number. */
export async function breakUp(core: Core, firsts: readonly number[]): Promise<number> {
  const pages = pagesOf(firsts.map((first) => ({ first, count: core.hugePages })));
  await core.inHalves(pages, (page) => {
    const slot = core.slots.get(page);
    if (slot !== undefined) slot.huge = false;
  });
  return firsts.length;
}

/** Splits the huge pages that a change covers only partly. The section nested in its own reaches out of it. */
export async function breakHuge(core: Core, runs: readonly Run[], held: Invalidation, shift = 0): Promise<void> {
  await split(core, hugeRuns(core, runs, { partly: true, shift }), held);
}

/** All pages into a new space, private ones as copies that are made when one side stores to them. */
export function fork(core: Core, makeChild: () => Core): Promise<Core> {
  // Others of the kernel's sections would do as well; this one tells each device that it may not store to these any more.
  const announce = () => {
    const changing = core.all().filter((page) => isChangedByFork(core.slots.get(page)!));
    return changing.length === 0 ? new Map() : new Map([[core, toRuns(changing)]]);
  };
  const hold = () => claimsOf(all(core, EVERYTHING)); // also where nothing is mapped yet
  return change({ kind: 'protection-page', announce, hold }, () => {
    requireOpen(core);
    return share(core, makeChild);
  });
}

/** Its permission to store goes, or its device loses it; the others look the same before and after. */
function isChangedByFork({ shared, protection, exclusive }: Slot): boolean {
  return (!shared && protection === 'read-write') || exclusive !== undefined;
}

async function share(core: Core, makeChild: () => Core): Promise<Core> {
  core.memory.allocate(1); // the child's table
  const child = makeChild();
  await core.inHalves(core.all(), (page) => {
    const slot = core.slots.get(page)!;
    slot.exclusive = undefined;
    if (!slot.shared) slot.writable = false;
    if (slot.frame !== undefined) slot.frame.refs++;
    slot.object?.cores.add(child);
    child.slots.set(page, { ...slot, supply: undefined }); // who supplies one process knows nothing of the other
  });
  return child;
}

/** Frees everything; the tracker is closed already. */
export async function free(core: Core): Promise<void> {
  await holding(
    () => claimsOf(all(core, EVERYTHING)),
    async () => {
      for (const { frame } of core.slots.values()) if (frame?.refs === 1) frame.beginFree();
      await core.pause();
      for (const { frame, object } of core.slots.values()) {
        frame?.release();
        object?.cores.delete(core);
      }
      core.slots.clear();
    },
  );
}
