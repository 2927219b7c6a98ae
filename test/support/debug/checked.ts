/**
 * Checked: programs run with one lock-order checker on every tracker that any of them makes, beside the observer that the
 * tracker has itself. All of them are correct, so whatever the checker says of them is a false report.
 *
 * A test file says `vi.mock('../../lib/index.js', withChecker)` before it imports anything else of the library.
 */
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, expect } from 'vitest';
import { type LockOrderError, lockOrder } from '../../../lib/debug/index.js';
import type { RangeTrackerOptions } from '../../../lib/index.js';

type Observer = RangeTrackerOptions['observer'];
type Handlers = Record<string, ((event: unknown) => void) | undefined>;

const reports: LockOrderError[] = [];
const errors: unknown[] = [];
const events: Record<string, number> = {};
let trackers = 0;

/** The one for all: orders of one program are held against those of all others. */
export const checker = lockOrder({ report: (error) => reports.push(error) });
const checking = checker as unknown as Handlers;

/** Most trackers have no observer of their own, and share this one. */
const alone = Object.fromEntries(
  Object.entries(checking).flatMap(([name, handler]) => (isEvent(name) ? [[name, counting(name, handler!)]] : [])),
);

function isEvent(name: string): boolean {
  return typeof checking[name] === 'function' && !['run', 'bind', 'handOver', 'leaks'].includes(name);
}

function counting(name: string, handler: (event: unknown) => void): (event: unknown) => void {
  return (event) => {
    events[name] = (events[name] ?? 0) + 1;
    try {
      handler(event);
    } catch (error) {
      errors.push(error);
    }
  };
}

/** The checker is called first; what the tracker's own observer throws is the tracker's to count. */
function beside(own: Observer): Observer {
  if (own === undefined) return alone;
  if (typeof own !== 'object' || own === null) return own; // to be refused as ever
  const both = (name: string) => (event: unknown) => {
    alone[name]?.(event);
    (own as Handlers)[name]?.(event);
  };
  return Object.fromEntries([...Object.keys(alone), ...Object.keys(own)].map((name) => [name, both(name)]));
}

type Module = typeof import('../../../lib/index.js');

/** The tracker's module, in which every tracker is checked. */
export async function withChecker(original: <T>() => Promise<T>): Promise<Module> {
  const { RangeTracker, ...others } = await original<Module>();
  class CheckedTracker extends RangeTracker {
    constructor(options: RangeTrackerOptions = {}) {
      super({ ...options, observer: beside(options.observer) });
      trackers++;
    }
  }
  return { ...others, RangeTracker: CheckedTracker };
}

/** After each test: nothing was reported. After all: there were so many trackers, and each of these events occurred. */
export function expectNoReports(least: { readonly trackers: number; readonly events: readonly string[] }): void {
  afterEach(async () => {
    await setImmediate(); // what was suspected is judged in a timer that was set before this one, and is shorter
    await sleep(5);
    expect(errors).toEqual([]);
    // A tracker that was collected with open sections has leaked them: some cases are there to hang, or end none.
    const found = reports.splice(0).filter(({ kind }) => kind !== 'leak');
    expect(found.map(({ message }) => message)).toEqual([]);
  });

  afterAll(() => {
    // A corpus in which nothing is waited for would show nothing.
    for (const name of least.events) expect(events[name], name).toBeGreaterThan(20);
    expect(trackers).toBeGreaterThan(least.trackers);
  });
}
