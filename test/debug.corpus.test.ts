/**
 * Correct programs under the lock-order checker: whatever it says of them is a false report. Every tracker that any of them
 * makes is checked by one and the same checker, so that orders of one program are held against those of all others.
 */
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it, test, vi } from 'vitest';
import type { LockOrder, LockOrderError } from '../lib/debug/index.js';
import type { RangeTrackerOptions } from '../lib/index.js';

const checked = vi.hoisted(() => ({
  checker: undefined as LockOrder | undefined,
  reports: [] as LockOrderError[],
  trackers: 0,
  events: {} as Record<string, number>,
  errors: [] as unknown[],
}));

/** Every tracker gets the checker beside its own observer, which is called first, and whose errors are the tracker's to count. */
vi.mock('../lib/tracker.js', async (original) => {
  const { RangeTracker, ...others } = await original<typeof import('../lib/tracker.js')>();
  const { lockOrder } = await import('../lib/debug/index.js');
  checked.checker = lockOrder({ report: (error) => checked.reports.push(error) });
  class CheckedTracker extends RangeTracker {
    constructor(options: RangeTrackerOptions = {}) {
      super({ ...options, observer: wrapped(options.observer) });
      checked.trackers++;
    }
  }
  return { ...others, RangeTracker: CheckedTracker };
});

type Handlers = Record<string, ((event: unknown) => void) | undefined>;

function wrapped(observer: RangeTrackerOptions['observer']): RangeTrackerOptions['observer'] {
  if (observer !== undefined && (typeof observer !== 'object' || observer === null)) return observer; // to be refused as ever
  const checker = checked.checker as unknown as Handlers;
  const own = (observer ?? {}) as Handlers;
  const names = new Set([...Object.keys(checker), ...Object.keys(own)]);
  const entries = [...names].map((name) => {
    const both = (event: unknown) => {
      checked.events[name] = (checked.events[name] ?? 0) + 1;
      try {
        checker[name]?.(event);
      } catch (error) {
        checked.errors.push(error);
      }
      own[name]?.(event);
    };
    return [name, both] as const;
  });
  return Object.fromEntries(entries) as RangeTrackerOptions['observer'];
}

const { RangeTracker } = await import('../lib/index.js');
const { describeContract } = await import('../lib/testing/contract/index.js');
const { CASES, FAILURES, run } = await import('./hmm/variants.js');
const { forker, innocents, newCounts, Race, reader, teardown, user } = await import('./hmm/race.js');

const checker = checked.checker!;

afterEach(async () => {
  await setImmediate(); // what was suspected is judged in a timer that was set before this one, and is shorter
  await sleep(5);
  expect(checked.errors).toEqual([]);
  // A tracker that was collected with open sections has leaked them, here because some cases are there to hang at a lock.
  const reports = checked.reports.splice(0).filter(({ kind }) => kind !== 'leak');
  expect(reports.map(({ message }) => message)).toEqual([]);
});

afterAll(() => {
  // A corpus in which nothing is waited for would show nothing.
  for (const name of ['begin', 'notifying', 'begun', 'changing', 'wait', 'wake', 'gaveUp', 'held', 'attempt', 'ended']) {
    expect(checked.events[name], name).toBeGreaterThan(20);
  }
  expect(checked.trackers).toBeGreaterThan(300);
});

// Tests that ask for a time limit try every order of something: under the checker that takes minutes, so only with more runs.
const isLong = process.env.RANGEFENCE_RUNS !== undefined;
describeContract({
  name: 'contract',
  make: (options) => new RangeTracker(options),
  describe,
  it: (name, body, limit) => (limit === undefined || isLong ? it : it.skip)(name, body, limit),
});

// The contract's tests start waits and end what they wait for, so they run outside any context but those of changes and
// callbacks. These cases are sequential: each of them can be one.
describe('the cases of the HMM suite, each in a context of its own', () => {
  const names = Object.keys(CASES) as (keyof typeof CASES)[];
  describe.each(['retry', 'ban', 'lock'] as const)('with devices of the kind "%s"', (variant) => {
    test.each(names)('%s', { timeout: 20_000 }, async (name) => {
      expect(await checker.run(name, () => run(name, variant))).toBe(FAILURES[variant][name] ?? 'passes');
    });
  });
});

describe('the races of the HMM suite, each party in a context of its own', () => {
  type Body = (race: InstanceType<typeof Race>) => Promise<void>;
  const party =
    (name: string, body: Body): Body =>
    (race) =>
      checker.run(name, () => body(race));
  const SEEDS = Array.from({ length: 150 }, (_, i) => i + 1);

  test('anon_teardown', { timeout: 60_000 }, async () => {
    const counts = newCounts();
    for (const seed of SEEDS) {
      const parties = [party('first', reader(0)), party('second', reader(1)), party('host', teardown)];
      await new Race(seed, counts).run(...parties);
    }
    expect(counts.waits).toBeGreaterThan(10);
  });

  test('double_map', { timeout: 60_000 }, async () => {
    const counts = newCounts();
    for (const seed of SEEDS) {
      const parties = [party('first', user(0)), party('second', user(1)), party('host', innocents), party('forker', forker)];
      await new Race(seed, counts).run(...parties);
    }
    expect(counts.waits).toBeGreaterThan(10);
  });
});
