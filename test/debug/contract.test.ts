/**
 * The whole contract suite under the lock-order checker: correct programs, of which it must say nothing. They start waits and
 * end what they wait for themselves, so they run outside any context but those of changes and callbacks.
 */
import { describe, it, vi } from 'vitest';

vi.mock('../../lib/index.js', async (original) => (await import('../support/debug/checked.js')).withChecker(original));

const { RangeTracker } = await import('../../lib/index.js');
const { describeContract } = await import('../../lib/testing/contract/index.js');
const { expectNoReports } = await import('../support/debug/checked.js');

expectNoReports({
  trackers: 10_000,
  events: ['begin', 'notifying', 'begun', 'changing', 'wait', 'wake', 'gaveUp', 'held', 'attempt', 'ended'],
});

describeContract({ name: 'contract', make: (options) => new RangeTracker(options), describe, it });
