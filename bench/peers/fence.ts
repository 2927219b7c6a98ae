/**
 * Fence: `rangefence` as a technique, and its single steps.
 */
import type { Range, RangeTracker } from '../../lib/index.js';
import { RangefenceGuard } from '../guards/rangefence.js';
import { OWN } from '../report/measure.js';
import type { Library } from '../support/library.js';
import { BATCH, type Micro } from '../support/micro.js';
import { elsewhere, HERE, scattered, type Technique } from './technique.js';

/** Under a name of this module: an imported one is looked up at every use, which takes longer than some of what is measured. */
const PAGES: Range = HERE;

/** A token, and the check of it. */
export function readMicro<Name extends string>(name: Name, tracker: RangeTracker): Micro & { name: Name } {
  return {
    name,
    expected: BATCH,
    batch() {
      let fine = 0;
      for (let i = 0; i < BATCH; i++) {
        const seq = tracker.tryReadBegin(PAGES);
        if (seq !== undefined && !tracker.readRetry(PAGES, seq)) fine++;
      }
      return fine;
    },
  };
}

/** A section from begin to end. */
export function beginMicro<Name extends string>(name: Name, tracker: RangeTracker): Micro & { name: Name } {
  return {
    name,
    expected: BATCH,
    batch() {
      let begun = 0;
      for (let i = 0; i < BATCH; i++) {
        const section = tracker.tryBegin(PAGES);
        if (section === undefined) continue;
        section.end();
        begun++;
      }
      return begun;
    },
  };
}

/** The check of a token since which `ended` sections have ended elsewhere. */
export function retryMicro<Name extends string>(name: Name, { RangeTracker }: Library, ended: number): Micro & { name: Name } {
  const tracker = new RangeTracker({ historyCapacity: 16_384 });
  const seq = tracker.seq;
  for (const range of scattered(ended)) tracker.tryBegin(range)?.end();
  return {
    name,
    expected: 0,
    batch() {
      let hit = 0;
      for (let i = 0; i < BATCH; i++) if (tracker.readRetry(PAGES, seq)) hit++;
      return hit;
    },
  };
}

/** A tracker in which sections of `count` others are active. */
export function crowdedTracker({ RangeTracker }: Library, count: number): RangeTracker {
  const tracker = new RangeTracker();
  for (let i = 0; i < count; i++) tracker.tryBegin(elsewhere(i));
  return tracker;
}

/** A tracker with `count` subscribers, the first of which alone holds {@link HERE}; and how often any was called. */
export function subscribedTracker({ RangeTracker }: Library, count: number): { tracker: RangeTracker; calls: () => number } {
  const tracker = new RangeTracker();
  let calls = 0;
  const subscriber = { invalidate: () => void calls++ };
  tracker.subscribe(PAGES, subscriber);
  for (let i = 1; i < count; i++) tracker.subscribe(elsewhere(i), subscriber);
  return { tracker, calls: () => calls };
}

/** See the top of the file. */
export function fence(library: Library): Technique {
  return {
    name: OWN,
    read: () => readMicro(OWN, new library.RangeTracker()),
    write: (others) => beginMicro(OWN, crowdedTracker(library, others)),
    check: (ended) => retryMicro(OWN, library, ended),
    sections: () => new RangefenceGuard(new library.RangeTracker()),
  };
}
