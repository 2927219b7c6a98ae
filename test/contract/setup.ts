import type { RangeTracker, RangeTrackerOptions } from '../../lib/index.js';
import { ManualClock } from '../support/clock.js';

/** Whatever has the tracker's public surface. */
export type ContractTracker = Pick<RangeTracker, keyof RangeTracker>;

/** How the suite gets its trackers. */
export type MakeTracker = (options?: RangeTrackerOptions) => ContractTracker;

/** A tracker whose time stands still. */
export function setup(
  makeTracker: MakeTracker,
  options: RangeTrackerOptions = {},
): { readonly tracker: ContractTracker; readonly clock: ManualClock } {
  const clock = new ManualClock();
  return { tracker: makeTracker({ clock, ...options }), clock };
}
