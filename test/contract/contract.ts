/**
 * The contract suite: what every implementation of the tracker must survive, whatever it is made of. It uses nothing but the
 * public surface. The numbers behind S name the scenarios of the contract; the races among them have diagrams in
 * docs/contract.md.
 */
import { describe } from 'vitest';
import { describeCancellation } from './cancellation.js';
import { describeClosing } from './closing.js';
import { describeCollisions } from './collisions.js';
import { describeFilters } from './filters.js';
import { describeHolds } from './holds.js';
import { describeLimits } from './limits.js';
import { describeLookups } from './lookups.js';
import { describePhases } from './phases.js';
import type { MakeTracker } from './setup.js';
import { describeSubscribers } from './subscribers.js';
import { describeWaiting } from './waiting.js';

export type { MakeTracker } from './setup.js';

/** Declares the whole suite for one way to make a tracker. */
export function describeContract(name: string, makeTracker: MakeTracker): void {
  describe(name, () => {
    describeCollisions(makeTracker);
    describeLookups(makeTracker);
    describeWaiting(makeTracker);
    describeFilters(makeTracker);
    describeSubscribers(makeTracker);
    describeHolds(makeTracker);
    describePhases(makeTracker);
    describeCancellation(makeTracker);
    describeClosing(makeTracker);
    describeLimits(makeTracker);
  });
}
