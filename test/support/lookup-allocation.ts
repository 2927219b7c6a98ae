/**
 * Prints, as JSON, how many bytes a whole call allocates in each situation, its promise and its garbage included. Run under
 * `--expose-gc`, without coverage, and with a young generation that holds a whole round (`YOUNG` in counts.heap.test.ts).
 */
import { RangeTracker } from '../../lib/index.js';

const PAGE = { start: 0, end: 8 };
const READY = Promise.resolve(1);
const CALLS = 2_000;
const ROUNDS = 10;

/** Calls that are not over at once are awaited in turn, as callers do it. */
type Round = () => Promise<void> | void;

/** Sections that are active, and subscribers that listen, where nobody reads. */
function crowded(count: number): RangeTracker {
  const tracker = new RangeTracker();
  for (let i = 1; i <= count; i++) {
    const elsewhere = { start: i * 10, end: i * 10 + 8 };
    tracker.tryBegin(elsewhere);
    tracker.subscribe(elsewhere, { invalidate() {} });
  }
  return tracker;
}

function each(call: () => PromiseLike<unknown>): Round {
  return async () => {
    for (let i = 0; i < CALLS; i++) await call();
  };
}

const kept: object[] = [{}];

/** Each situation, and a round of {@link CALLS} calls. */
const situations: Record<string, () => Round> = {
  'an object of two numbers': () => () => {
    for (let i = 0; i < CALLS; i++) kept[0] = { start: i, end: i };
  },
  'an await': () => each(() => READY),
  ...Object.fromEntries(
    [0, 1_000].flatMap((count) => [
      [
        `quiet, synchronous, ${count} elsewhere`,
        () => {
          const tracker = crowded(count);
          return () => {
            for (let i = 0; i < CALLS; i++) void tracker.lookup(PAGE, () => 1);
          };
        },
      ],
      [
        `quiet, asynchronous, ${count} elsewhere`,
        () => {
          const tracker = crowded(count);
          return each(() => tracker.lookup(PAGE, () => READY));
        },
      ],
    ]),
  ),
};

/** The least that a call takes in any round: in the first ones the compiler itself allocates. */
async function allocated(round: Round): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ROUNDS; i++) {
    gc!();
    const before = process.memoryUsage().heapUsed;
    await round();
    least = Math.min(least, process.memoryUsage().heapUsed - before);
  }
  return Math.round(least / CALLS);
}

const bytes: Record<string, number> = {};
for (const [name, make] of Object.entries(situations)) bytes[name] = await allocated(make());
console.log(JSON.stringify(bytes));
