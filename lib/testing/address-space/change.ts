/**
 * Change: the one way in which pages are changed.
 *
 * Which pages a change concerns depends on what is mapped, and that may change while the change waits: for subscribers, for a
 * hold, for a lock. So nothing that was found before a wait is used after it. What is to be announced and what is to be locked
 * are questions, asked before the wait and once more after it, in the turn in which the work starts:
 *
 * | fork                                     | somebody else                  |
 * |------------------------------------------|--------------------------------|
 * | page 0 is writable: begin over page 0    |                                |
 * | waits                                    | makes page 1 writable          |
 * | has the locks; asks again: pages 0 and 1 | waits for the lock of page 1   |
 * | lets go, ends, begins over both          | stores to it                   |
 * | has the locks; asks again: the same      |                                |
 * | shares both, whole                       |                                |
 *
 * It ends: what is announced only grows from one try to the next, and there are only so many pages. While the locks are held
 * the answers stay true, as whatever changes them needs one of these locks ({@link claimsOf}).
 */
import type { Invalidation, InvalidationKind } from '../../index.js';
import type { Core } from './core.js';
import { enterAll, type PageLock } from './lock.js';
import { covers, join, type Places, type Run, toRuns } from './runs.js';

/** What a change is. */
export interface ChangeOptions {
  readonly kind: InvalidationKind;
  readonly owner?: object | undefined;
  /** For which pages of which spaces it is announced; for none, it needs no section. Asked again under the locks. */
  readonly announce: () => Places<Core>;
  /** What has to stand still meanwhile; default: what is announced. Asked again under the locks. */
  readonly hold?: (() => Places<PageLock>) | undefined;
}

/** The section in each space in which the change is announced. */
export type Sections = ReadonlyMap<Core, Invalidation>;

/** One change: `work` runs when all sections have begun and all locks are held, and both are all it needs. */
export async function change<T>(options: ChangeOptions, work: (sections: Sections) => Promise<T>): Promise<T> {
  const { announce, hold = () => claimsOf(announce()) } = options;
  for (let told = announce(); ; told = join(told, announce())) {
    const done = await inSections(told, options, (sections) =>
      holding(hold, async () => (covers(told, announce()) ? { value: await work(sections) } : undefined)),
    );
    if (done !== undefined) return done.value;
  }
}

/** `work`, while the pages stand still. */
export async function holding<T>(hold: () => Places<PageLock>, work: () => Promise<T>): Promise<T> {
  for (let claims = hold(); ; claims = join(claims, hold())) {
    const leave = await enterAll(claims);
    try {
      if (covers(claims, hold())) return await work();
    } finally {
      leave();
    }
  }
}

/** A change of pages that are known, in one space; in a section of its own, or nested in the one under which they are locked. */
export function changeRuns<T>(
  core: Core,
  { runs, kind, owner, held }: { runs: readonly Run[]; kind: InvalidationKind; owner?: object; held?: Invalidation | undefined },
  work: (section: Invalidation) => Promise<T>,
): Promise<T> {
  const ranges = runs.map((run) => core.range(run));
  if (held !== undefined) return core.tracker.mutate(ranges, work, { kind, owner, within: held });
  const announce = () => new Map([[core, runs]]);
  return change({ kind, owner, announce }, (sections) => work(sections.get(core)!));
}

/**
 * The locks of the pages: that of the page table over the pages and the rest of the huge pages among them, as a change of a part
 * splits them, and of what may become one; and those of the objects that are mapped there, as others map the same content.
 */
export function claimsOf(places: Places<Core>): Map<PageLock, Run[]> {
  let claims = new Map<PageLock, Run[]>();
  for (const [core, runs] of places) {
    const wide = widen(core, runs);
    const offsets = new Map<PageLock, number[]>();
    for (const page of core.mapped(wide)) {
      const { object, offset } = core.slots.get(page)!;
      if (object === undefined) continue;
      const known = offsets.get(object.lock);
      if (known === undefined) offsets.set(object.lock, [offset]);
      else known.push(offset);
    }
    claims = join(claims, new Map([[core.lock, wide]]));
    for (const [lock, list] of offsets) claims = join(claims, new Map([[lock, toRuns(list)]]));
  }
  return claims;
}

function widen(core: Core, runs: readonly Run[]): readonly Run[] {
  const size = core.hugePages;
  const huge = new Set<number>();
  for (const page of core.mapped(runs)) {
    const slot = core.slots.get(page)!;
    if (slot.huge || slot.advised) huge.add(page - (page % size));
  }
  return huge.size === 0 ? runs : [...runs, ...[...huge].map((first) => ({ first, count: size }))];
}

/** Begins in one space after the other; `work` runs inside all of the sections. */
function inSections<T>(told: Places<Core>, { kind, owner }: ChangeOptions, work: (sections: Sections) => Promise<T>): Promise<T> {
  const sections = new Map<Core, Invalidation>();
  const places = [...told].filter(([, runs]) => runs.length > 0).sort(([a], [b]) => a.id - b.id);
  const begin = (i: number): Promise<T> => {
    const place = places[i];
    if (place === undefined) return work(sections);
    const [core, runs] = place;
    const next = (section: Invalidation) => {
      sections.set(core, section);
      return begin(i + 1);
    };
    const ranges = runs.map((run) => core.range(run));
    return core.tracker.mutate(ranges, next, { kind, owner });
  };
  return begin(0);
}
