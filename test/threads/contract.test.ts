/**
 * The contract suite on trackers of a shared space: alone; with another one in the space that does nothing; and with all begins made
 * by another one. In one thread, so that the suite's turns suffice.
 */
import { describe, it } from 'vitest';
import { RangeTracker, type RangeTrackerOptions } from '../../lib/index.js';
import { describeContract } from '../../lib/testing/contract/index.js';
import { SharedSpace } from '../../lib/threads/index.js';

const SHAPE = { threads: 3, sections: 64, events: 256, textBytes: 4096 };

describeContract({
  name: 'a tracker alone in a shared space',
  make: (options) => new RangeTracker({ ...options, space: SharedSpace.create(SHAPE).connect() }),
  describe,
  it,
});

function beside(options: RangeTrackerOptions): RangeTracker {
  const space = SharedSpace.create(SHAPE);
  new RangeTracker({ space: space.connect() });
  return new RangeTracker({ ...options, space: space.connect() });
}

describeContract({ name: 'a tracker beside an idle one', make: beside, describe, it });
