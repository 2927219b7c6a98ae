/**
 * The contract suite on trackers of a shared space: alone; with another one in the space that does nothing; and with all begins made
 * by another one. In one thread, so that the suite's turns suffice.
 */
import { describe, it as test } from 'vitest';
import { RangeTracker, type RangeTrackerOptions } from '../../lib/index.js';
import { type ContractTracker, describeContract } from '../../lib/testing/contract/index.js';
import { SharedSpace } from '../../lib/threads/index.js';

/**
 * Not run: eight tests that make hundreds of thousands of trackers, each of which would have a memory of its own here. They try every
 * order of holds and begins of one tracker, in which the link has no part.
 */
const it = (sentence: string, body: () => Promise<void>, limitMs?: number) =>
  test.skipIf(sentence.startsWith('come through in every order'))(sentence, body, limitMs);

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

/** Reads and subscribes in one tracker, and changes in another. */
function elsewhere(options: RangeTrackerOptions): ContractTracker {
  const space = SharedSpace.create(SHAPE);
  const { clock, label } = options;
  const changing = new RangeTracker({ clock, label, space: space.connect() });
  const reading = new RangeTracker({ ...options, space: space.connect() });
  const begins = ['begin', 'tryBegin', 'mutate', 'invalidate'];
  return new Proxy(reading, {
    get(target, name) {
      const from = begins.includes(String(name)) ? changing : target;
      const value = Reflect.get(from, name, from);
      return typeof value === 'function' ? value.bind(from) : value;
    },
  });
}

describeContract({ name: 'a tracker whose sections begin in another one', make: elsewhere, describe, it });
