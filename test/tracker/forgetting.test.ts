import { describe, expect, it } from 'vitest';
import { type Range, RangeTracker } from '../../lib/index.js';
import { type Holder, hold } from '../support/holding.js';
import { ManualFetch, range } from '../support/reading.js';
import { Outcome, soon, turns } from '../support/turns.js';

const PAGE = range(0, 8);
const scattered = (count: number): Range[] => Array.from({ length: count }, (_, i) => range(1000 + 4 * i, 1002 + 4 * i));
const endMany = (tracker: RangeTracker, count: number) => {
  for (let i = 0; i < count; i++) tracker.tryBegin(range(100, 108))!.end();
};

/** Its attempt is not committed, and the next one is. */
async function expectHit(holder: Holder): Promise<void> {
  await holder.commit('stale');
  expect(holder.outcome.state).toBe('pending');
  await holder.commit();
  expect(holder.outcome.value).toBe('fresh');
}

describe('sections of thousands of ranges', () => {
  it.each([1, 4000, 5000])('of %i ranges each cost a lookup elsewhere not one attempt', async (count) => {
    const tracker = new RangeTracker();
    const read = new ManualFetch();
    const result = new Outcome(tracker.lookup(PAGE, read.fetch));
    for (let i = 0; i < 20; i++) await soon(tracker.mutate(scattered(count), () => {}));
    read.last.resolve('first');
    await turns();
    expect([result.value, read.calls.length, tracker.stats.historyLost]).toEqual(['first', 1, 0]);
  });

  it('are seen by whoever read one of the ranges, and by nobody between them', async () => {
    const tracker = new RangeTracker({ historyCapacity: 4 });
    const token = tracker.tryReadBegin(PAGE)!;
    for (let i = 0; i < 4; i++) await soon(tracker.invalidate(scattered(5000)));
    expect(tracker.readRetry(range(1000 + 4 * 4999, 1001 + 4 * 4999), token)).toBe(true);
    expect(tracker.readRetry(range(1002, 1004), token)).toBe(false);
    expect(tracker.inspect().history).toMatchObject({ size: 4, ranges: 20000, capacity: 4 });
    await soon(tracker.invalidate(range(5, 6)));
    expect(tracker.collision(range(1002, 1004), token)?.reason).toBe('history-lost');
  });
});

describe('a lookup that holds', () => {
  it('does not lose to forgetting: nothing can have begun over what it holds', async () => {
    const tracker = new RangeTracker({ historyCapacity: 2 });
    const holder = await hold(tracker, PAGE);
    endMany(tracker, 50);
    await holder.commit();
    expect([holder.outcome.value, tracker.stats.historyLost]).toEqual(['fresh', 0]);
  });

  it('does not lose what it has observed while it held either', async () => {
    const tracker = new RangeTracker({ historyCapacity: 2 });
    const holder = await hold(tracker, PAGE);
    holder.read.last.attempt.observe(range(20, 28));
    endMany(tracker, 50);
    await holder.commit();
    expect(holder.outcome.value).toBe('fresh');
  });

  it('collides if what it observes may have been hit before it was observed', async () => {
    const tracker = new RangeTracker({ historyCapacity: 2 });
    const holder = await hold(tracker, PAGE);
    tracker.tryBegin(range(20, 28))!.end();
    endMany(tracker, 50);
    holder.read.last.attempt.observe(range(20, 28));
    endMany(tracker, 50);
    await expectHit(holder);
  });

  it('collides if a nested section has begun over what it holds, although that is forgotten', async () => {
    const tracker = new RangeTracker({ historyCapacity: 2 });
    const outer = tracker.tryBegin(range(100, 200))!;
    const holder = await hold(tracker, PAGE);
    tracker.tryBegin(range(4, 5), { within: outer })!.end();
    endMany(tracker, 50);
    await expectHit(holder);
    outer.end();
  });

  it('collides if a nested section has begun over what it observed while it held', async () => {
    const tracker = new RangeTracker({ historyCapacity: 2 });
    const outer = tracker.tryBegin(range(100, 200))!;
    const holder = await hold(tracker, PAGE);
    holder.read.last.attempt.observe(range(20, 28));
    tracker.tryBegin(range(24, 25), { within: outer })!.end();
    endMany(tracker, 50);
    await expectHit(holder);
    outer.end();
  });

  it('collides if a begin that queued before it observed a range has begun over that', async () => {
    const tracker = new RangeTracker({ historyCapacity: 2 });
    const other = await hold(tracker, range(20, 28));
    const queued = new Outcome(tracker.begin(range(24, 25)));
    await turns();
    const holder = await hold(tracker, PAGE);
    holder.read.last.attempt.observe(range(20, 28));
    await other.commit();
    queued.value!.end();
    endMany(tracker, 50);
    await expectHit(holder);
  });
});
