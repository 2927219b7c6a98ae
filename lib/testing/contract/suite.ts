/**
 * What each part of the contract suite is given: how to declare tests, and how to make the tracker that they examine.
 */
import type { RangeTracker, RangeTrackerOptions } from '../../index.js';
import { ManualClock } from './support/clock.js';

/** Whatever has the public surface of {@link RangeTracker}; it need not be one. */
export type ContractTracker = Pick<RangeTracker, keyof RangeTracker>;

/**
 * How the suite gets its trackers. Every option counts: time comes from `clock` alone, which the suite moves on by hand; the
 * counter starts at `initialSeq`; exactly `historyCapacity` ended ranges are remembered; messages have the `label` in them.
 */
export type MakeTracker = (options: RangeTrackerOptions) => ContractTracker;

/** The test runner, as the parts of the suite see it, and the tracker's maker. */
export interface Suite {
  readonly make: MakeTracker;
  readonly describe: (name: string, body: () => void) => void;
  /** `limitMs` only where a test takes longer than runners usually allow. */
  readonly it: (name: string, body: () => void | Promise<void>, limitMs?: number) => void;
}

/** A tracker whose time stands still. */
export function setup(
  make: MakeTracker,
  options: RangeTrackerOptions = {},
): { readonly tracker: ContractTracker; readonly clock: ManualClock } {
  const clock = new ManualClock();
  return { tracker: make({ clock, ...options }), clock };
}
