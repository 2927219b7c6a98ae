/**
 * What the tests of the lock-order checker start from.
 */
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { type LockOrder, type LockOrderError, type LockOrderOptions, lockOrder } from '../../../lib/debug/index.js';
import { RangeTracker, type RangeTrackerOptions } from '../../../lib/index.js';
import { range } from '../reading.js';

/** What most tests read and change. */
export const PAGE = range(0, 8);
/** What hangs on purpose must not outlive its test: every wait that is meant to stand has this limit. */
export const LIMIT = { timeoutMs: 200 };
/** What to do with the error of such a wait. */
export const ignoreTimeout = (): void => {};

interface Setup {
  readonly checker: LockOrder;
  readonly reports: LockOrderError[];
  readonly track: (label?: string, more?: RangeTrackerOptions) => RangeTracker;
}

/** A checker that collects, and trackers under it. */
export function setup(options: LockOrderOptions = {}): Setup {
  const reports: LockOrderError[] = [];
  const checker = lockOrder({ report: (error) => reports.push(error), ...options });
  const track = (label?: string, more: RangeTrackerOptions = {}) => new RangeTracker({ observer: checker, label, ...more });
  return { checker, reports, track };
}

/** Until everything suspected has been judged: this timer is set after that of the checker, and is longer. */
export async function judged(): Promise<void> {
  await setImmediate();
  await sleep(5);
}

/** The kinds, in order. */
export const kinds = (reports: readonly LockOrderError[]): string[] => reports.map(({ kind, severity }) => `${kind} ${severity}`);
