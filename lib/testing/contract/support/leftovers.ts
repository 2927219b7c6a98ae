/**
 * What a finished operation must not leave behind, in the tracker or beside it.
 */
import type { RangeTracker } from '../../../index.js';
import { expect } from './expect.js';

type Tracker = Pick<RangeTracker, 'inspect' | 'activeCount'>;

/** Where something could be left behind besides the tracker. */
export interface Places {
  readonly clock?: { readonly pending: number } | undefined;
  readonly controllers?: readonly { readonly listeners: number }[] | undefined;
  /** Ranges of subscriptions that are open on purpose. */
  readonly subscribed?: number | undefined;
  /** Sections that are active on purpose. */
  readonly active?: number | undefined;
}

/** What is there of everything that a finished operation must not leave, and what is there on purpose. */
function leftovers(
  tracker: Tracker,
  { clock, controllers = [], subscribed = 0, active = 0 }: Places,
): Record<string, readonly [found: number, expected: number]> {
  const { sections, holds, waiting, inFlightRanges, subscribedRanges } = tracker.inspect();
  return {
    activeCount: [tracker.activeCount, active],
    sections: [sections.length, active],
    holds: [holds.length, 0],
    waiting: [waiting, 0],
    inFlightRanges: [inFlightRanges, 0],
    subscribedRanges: [subscribedRanges, subscribed],
    timers: [clock?.pending ?? 0, 0],
    listeners: [controllers.reduce((sum, { listeners }) => sum + listeners, 0), 0],
  };
}

/** G7: no entry, no listener, no timer. */
export function expectNothingLeft(tracker: Tracker, places: Places = {}): void {
  const entries = Object.entries(leftovers(tracker, places));
  // Asked for by tens of thousands of runs, so the two sides are put together only to show what is wrong.
  if (entries.every(([, [found, expected]]) => found === expected)) return;
  const only = (which: 0 | 1) => Object.fromEntries(entries.map(([name, pair]) => [name, pair[which]]));
  expect(only(0)).toEqual(only(1));
}
