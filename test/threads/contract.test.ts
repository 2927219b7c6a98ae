/**
 * The contract suite on trackers of a shared space: alone; with another one in the space that does nothing; and with all begins made
 * by another one. In one thread, so that the suite's turns suffice.
 */
import { describe, expect, test } from 'vitest';
import { RangeTracker, type RangeTrackerOptions } from '../../lib/index.js';
import { type ContractTracker, describeContract, type MakeTracker } from '../../lib/testing/contract/index.js';
import { SharedSpace } from '../../lib/threads/index.js';
import { EXCEPTIONS } from './exceptions.js';

/**
 * Not run: eight tests that make hundreds of thousands of trackers, each of which would have a memory of its own here. They try every
 * order of holds and begins of one tracker, in which the link has no part.
 */
const TOO_MANY = 'come through in every order';
/** Where the group stands whose tests are being declared. */
let path: readonly string[] = [];

/** The suite without what is named. */
function contract(name: string, make: MakeTracker, without: readonly string[] = []): void {
  const left = new Set(without);
  const group = (part: string, body: () => void) => {
    const within = [...path, part]; // the body is called later
    describe(part, () => {
      const before = path;
      path = within;
      body();
      path = before;
    });
  };
  const it = (sentence: string, body: () => Promise<void>, limitMs?: number) => {
    const isLeftOut = left.delete([...path.slice(1), sentence].join(' > '));
    test.skipIf(isLeftOut || sentence.startsWith(TOO_MANY))(sentence, body, limitMs);
  };
  path = [];
  describeContract({ name, make, describe: group, it });
  path = [];
  test(`all that is left out of "${name}" is a test of the contract`, () => expect([...left]).toEqual([]));
}

const SHAPE = { threads: 3, sections: 64, events: 256, textBytes: 4096 };

contract(
  'a tracker alone in a shared space',
  (options) => new RangeTracker({ ...options, space: SharedSpace.create(SHAPE).connect() }),
);

function beside(options: RangeTrackerOptions): RangeTracker {
  const space = SharedSpace.create(SHAPE);
  new RangeTracker({ space: space.connect() });
  return new RangeTracker({ ...options, space: space.connect() });
}

contract('a tracker beside an idle one', beside);

/** Reads and subscribes in one tracker, and changes in another. */
function elsewhere(options: RangeTrackerOptions): ContractTracker {
  const space = SharedSpace.create(SHAPE);
  const { observer: _, ...rest } = options;
  const changing = new RangeTracker({ ...rest, space: space.connect() });
  const reading = new RangeTracker({ ...options, space: space.connect() });
  const begins = ['begin', 'tryBegin', 'mutate', 'invalidate'];
  return new Proxy(reading, {
    get(target, name) {
      const from = begins.includes(String(name)) && !target.closed ? changing : target;
      const value = Reflect.get(from, name, from);
      return typeof value === 'function' ? value.bind(from) : value;
    },
  });
}

contract('a tracker whose sections begin in another one', elsewhere, Object.values(EXCEPTIONS).flat());
