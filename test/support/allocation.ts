/**
 * Prints, as JSON, how many bytes the hot path of a reader allocates in each situation. Run under `--expose-gc` and without
 * coverage.
 */
import { RangeTracker, type Seq } from '../../lib/index.js';

const PAGE = { start: 0, end: 8 };
const CALLS = 1_000_000;
/** The measurement itself takes some 200 bytes. */
const ENOUGH = 1024;

/** Where results go, so that no call can be left out as useless. */
let sink = 0;

/** Each situation, and its loop. */
const situations = {
  control() {
    return () => {
      for (let i = 0; i < 10_000; i++) sink += [i, i].concat(i).length;
    };
  },

  quiet() {
    const tracker = new RangeTracker();
    tracker.tryBegin(PAGE)!.end();
    return () => pairs(tracker, CALLS);
  },

  // Numbers below 2^31 are never boxed; greater ones are, if a function returns one and is not inlined.
  'beyond 31 bits'() {
    const tracker = new RangeTracker({ initialSeq: 2 ** 32 });
    tracker.tryBegin(PAGE)!.end();
    return () => pairs(tracker, CALLS);
  },

  'active elsewhere'() {
    const tracker = new RangeTracker();
    for (let i = 1; i <= 1000; i++) tracker.tryBegin({ start: i * 10, end: i * 10 + 8 });
    return () => pairs(tracker, CALLS / 4);
  },

  'ended elsewhere'() {
    const tracker = new RangeTracker();
    for (let i = 1; i <= 1000; i++) tracker.tryBegin({ start: i * 10, end: i * 10 + 8 })!.end();
    return () => checks(tracker, CALLS / 20);
  },

  'active here'() {
    const tracker = new RangeTracker();
    tracker.tryBegin(PAGE);
    return () => {
      pairs(tracker, CALLS / 4);
      checks(tracker, CALLS / 4);
    };
  },

  'ended here'() {
    const tracker = new RangeTracker();
    tracker.tryBegin(PAGE)!.end();
    return () => checks(tracker, CALLS / 4);
  },

  'history lost'() {
    const tracker = new RangeTracker({ historyCapacity: 8 });
    for (let i = 0; i < 10; i++) tracker.tryBegin({ start: 100, end: 108 })!.end();
    return () => checks(tracker, CALLS / 4);
  },
};

/** The name of a situation. */
export type Measured = keyof typeof situations;

function pairs(tracker: RangeTracker, calls: number): void {
  for (let i = 0; i < calls; i++) {
    const token = tracker.tryReadBegin(PAGE);
    if (token === undefined || tracker.readRetry(PAGE, token)) sink++;
  }
}

function checks(tracker: RangeTracker, calls: number): void {
  for (let i = 0; i < calls; i++) if (tracker.readRetry(PAGE, 0 as Seq)) sink++;
}

/** The least that a round allocates, whether it is garbage afterwards or not: no collection happens in between. */
function allocated(run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  // In the first rounds the compiler itself allocates; what the loop allocates shows in every round.
  for (let round = 0; round < 20 && least > ENOUGH; round++) {
    gc!();
    const before = process.memoryUsage().heapUsed;
    run();
    least = Math.min(least, process.memoryUsage().heapUsed - before);
  }
  return least;
}

const measured = Object.entries(situations).map(([name, make]) => [name, allocated(make())]);
console.log(JSON.stringify({ ...Object.fromEntries(measured), sink }));
