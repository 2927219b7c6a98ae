/**
 * Mapping: what changes which pages there are, and what they allow.
 */
import { check } from '../../base/errors.js';
import type { Invalidation } from '../../index.js';
import { type Backing, type Core, lockAll, type Protection, type Slot } from './core.js';
import { PageFault } from './faults.js';
import { pagesOf, type Run, toRuns } from './lock.js';

/** What to map. */
export interface Mapping {
  readonly protection: Protection;
  readonly shared: boolean;
  readonly object: Backing | undefined;
  readonly offset: number;
}

function newSlot(page: number, first: number, { protection, shared, object, offset }: Mapping): Slot {
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
  };
}

/** New pages; what was there before is unmapped first. New pages need no invalidation: nobody can have them. */
export async function map(core: Core, run: Run, mapping: Mapping): Promise<void> {
  const set = () => {
    mapping.object?.cores.add(core);
    return core.inHalves(pagesOf([run]), (page) => core.slots.set(page, newSlot(page, run.first, mapping)));
  };
  const isFresh = await lockAll([{ core, runs: [run] }], async () => {
    // Only now: somebody else may have mapped something here while this one waited.
    if (core.mapped([run]).length > 0) return false;
    core.memory.allocate(1); // the table
    await set();
    return true;
  });
  if (isFresh) return;
  await core.change([run], { kind: 'unmap' }, async (section) => {
    core.memory.allocate(1);
    await drop(core, [run], section);
    await set();
  });
}

/** Takes the pages away. Nothing mapped there: nothing to do, nobody to tell. */
export async function unmap(core: Core, run: Run): Promise<void> {
  if (core.mapped([run]).length === 0) return;
  await core.change([run], { kind: 'unmap' }, (section) => drop(core, [run], section));
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

/** Moves pages to another place. What was there is unmapped. */
export async function remap(core: Core, run: Run, to: number): Promise<void> {
  const target = { first: to, count: run.count };
  const apart = to + run.count <= run.first || run.first + run.count <= to;
  check(apart, 'target', to * core.pageSize, 'an address from which on the moved pages do not overlap their old place');
  requireMapped(core, run);
  const runs = [run, target];
  await core.change(runs, { kind: 'unmap' }, async (section) => {
    requireMapped(core, run);
    core.memory.allocate(1); // the table at the new place
    await breakHuge(core, [run], section, to - run.first);
    await drop(core, [target], section);
    await core.inHalves(pagesOf([run]), (page) => {
      const slot = core.slots.get(page)!;
      core.slots.delete(page);
      core.slots.set(page + to - run.first, slot);
    });
  });
}

/** Changes what is allowed. */
export async function protect(core: Core, run: Run, protection: Protection): Promise<void> {
  requireMapped(core, run);
  await core.change([run], { kind: 'protection-vma' }, async (section) => {
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
export async function split(core: Core, firsts: readonly number[], held?: Invalidation): Promise<number> {
  if (firsts.length === 0) return 0;
  const runs = toRuns(firsts.flatMap((first) => pagesOf([{ first, count: core.hugePages }])));
  await core.change(runs, { kind: 'clear', held }, () =>
    core.inHalves(pagesOf(runs), (page) => {
      const slot = core.slots.get(page);
      if (slot !== undefined) slot.huge = false;
    }),
  );
  return firsts.length;
}

/** Splits the huge pages that a change covers only partly. The section nested in its own reaches out of it. */
export async function breakHuge(core: Core, runs: readonly Run[], held: Invalidation, shift = 0): Promise<void> {
  await split(core, hugeRuns(core, runs, { partly: true, shift }), held);
}

/** All pages into a new space, private ones as copies that are made when one side stores to them. */
export async function fork(core: Core, makeChild: () => Core): Promise<Core> {
  const writable = core.all().filter((page) => isPrivate(core.slots.get(page)!));
  if (writable.length === 0) return share(core, makeChild);
  // Others of the kernel's sections would do as well; this one tells each device that it may not store to these any more.
  return core.change(toRuns(writable), { kind: 'protection-page' }, () => share(core, makeChild));
}

function isPrivate({ shared, protection }: Slot): boolean {
  return !shared && protection === 'read-write';
}

async function share(core: Core, makeChild: () => Core): Promise<Core> {
  core.memory.allocate(1); // the child's table
  const child = makeChild();
  await core.inHalves(core.all(), (page) => {
    const slot = core.slots.get(page);
    if (slot === undefined) return;
    slot.exclusive = undefined;
    if (!slot.shared) slot.writable = false;
    if (slot.frame !== undefined) slot.frame.refs++;
    slot.object?.cores.add(child);
    child.slots.set(page, { ...slot });
  });
  return child;
}

/** Frees everything; the tracker is closed already. */
export async function free(core: Core): Promise<void> {
  await lockAll([{ core, runs: toRuns(core.all()) }], async () => {
    for (const { frame } of core.slots.values()) if (frame?.refs === 1) frame.beginFree();
    await core.pause();
    for (const { frame, object } of core.slots.values()) {
      frame?.release();
      object?.cores.delete(core);
    }
    core.slots.clear();
  });
}
