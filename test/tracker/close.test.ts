import { describe, expect, it } from 'vitest';
import { ClosedError, RangeTracker, SubscriberError } from '../../lib/index.js';
import { ManualClock } from '../support/clock.js';
import { hold } from '../support/holding.js';
import { expectNothingLeft } from '../support/leftovers.js';
import { ManualFetch, range } from '../support/reading.js';
import { failure, Outcome, soon, turns } from '../support/turns.js';

const PAGE = range(0, 8);

describe('close', () => {
  it('resolves with nothing, closes once, and returns the same promise ever after', async () => {
    const tracker = new RangeTracker();
    const closing = tracker.close();
    expect(tracker.closed).toBe(true);
    expect(tracker.close()).toBe(closing);
    expect(await soon(closing)).toBeUndefined();
    expect(tracker.close()).toBe(closing);
    expect([tracker.seq, tracker.stats.begins, tracker.stats.ends]).toEqual([2, 1, 1]);
  });

  it.each(['throws', 'rejects'] as const)('rejects if a subscriber %s, but closed it is', async (how) => {
    const clock = new ManualClock();
    const tracker = new RangeTracker({ clock });
    const error = new Error('cannot stop');
    let ended = 0;
    const failing = tracker.subscribe(PAGE, {
      invalidate() {
        if (how === 'throws') throw error;
        return Promise.reject(error);
      },
    });
    const other = tracker.subscribe(range(100, 108), { invalidate() {}, end: () => void ended++ });
    expect(await failure(tracker.close())).toBeInstanceOf(SubscriberError);
    expect([tracker.closed, failing.closed, other.closed, ended]).toEqual([true, true, true, 1]);
    expect(() => tracker.tryBegin(PAGE)).toThrow(ClosedError);
    expectNothingLeft(tracker, { clock });
  });

  it('called by a subscriber that it tells returns the promise that is under way', async () => {
    const tracker = new RangeTracker();
    const inner: Promise<void>[] = [];
    let asked = 0;
    tracker.subscribe(PAGE, {
      invalidate() {
        if (asked++ === 0) inner.push(tracker.close());
      },
    });
    const closing = tracker.close();
    await soon(closing);
    expect(inner).toEqual([closing]);
    expect(inner[0]).toBe(closing);
    expect([tracker.seq, tracker.activeCount]).toEqual([2, 0]);
  });

  it('called by the listener of an attempt that it aborts returns the promise that is under way', async () => {
    const tracker = new RangeTracker();
    const read = new ManualFetch();
    const outcome = new Outcome(tracker.lookup(PAGE, read.fetch));
    const inner: Promise<void>[] = [];
    read.last.attempt.signal.addEventListener('abort', () => inner.push(tracker.close()), { once: true });
    const closing = tracker.close();
    await soon(closing);
    expect(inner).toHaveLength(1);
    expect(inner[0]).toBe(closing);
    read.last.resolve('read');
    await turns();
    expect(outcome.error).toBeInstanceOf(ClosedError);
    expect([tracker.seq, tracker.activeCount]).toEqual([2, 0]);
  });

  it('does not wait for sections that are active, and leaves them to their owners', async () => {
    const tracker = new RangeTracker();
    const section = tracker.tryBegin(PAGE)!;
    let changed = false;
    const change = tracker.mutate(range(20, 28), async () => {
      await turns(5);
      changed = true;
      return 'changed';
    });
    await soon(tracker.close());
    expect(section.active).toBe(true);
    expect([await soon(change), changed]).toEqual(['changed', true]);
    section.end();
    expect([tracker.seq, tracker.activeCount]).toEqual([6, 0]);
  });

  it('does not hurry a begin that is waiting for a subscriber: it began before the close', async () => {
    const tracker = new RangeTracker();
    let go: () => void = () => {};
    tracker.subscribe(PAGE, {
      invalidate: ({ kind }) => {
        if (kind === 'release') return undefined;
        return new Promise<void>((resolve) => {
          go = resolve;
        });
      },
    });
    const begun = new Outcome(tracker.begin(PAGE));
    await turns();
    await soon(tracker.close());
    expect(begun.state).toBe('pending');
    go();
    await turns();
    expect(begun.value!.active).toBe(true);
    begun.value!.end();
    expect(tracker.activeCount).toBe(0);
  });

  it('passes a subscriber by that ignores releases, but closes its subscription', async () => {
    const tracker = new RangeTracker();
    let told = 0;
    const mirror = tracker.subscribe(PAGE, { invalidate: () => void told++ }, { ignore: ({ kind }) => kind === 'release' });
    await soon(tracker.close());
    expect([told, mirror.closed]).toEqual([0, true]);
  });

  it('aborts an attempt in flight whatever its reader ignores', async () => {
    const tracker = new RangeTracker();
    const read = new ManualFetch();
    const outcome = new Outcome(tracker.lookup(PAGE, read.fetch, { ignore: () => true }));
    const { signal } = read.last.attempt;
    await soon(tracker.close());
    expect(signal.reason).toBeInstanceOf(ClosedError);
    read.last.resolve('read');
    await turns();
    expect(outcome.error).toBeInstanceOf(ClosedError);
    expectNothingLeft(tracker);
  });

  it('lets nobody hang who waits for a begin that waits for a hold that waits for a section', async () => {
    const clock = new ManualClock();
    const tracker = new RangeTracker({ clock });
    const read = new ManualFetch();
    const outcomes: Outcome<unknown>[] = [new Outcome(tracker.lookup(PAGE, read.fetch, { maxAttempts: 1 }))];
    const section = tracker.tryBegin(range(0, 4))!;
    read.last.resolve('stale');
    await turns();
    outcomes.push(new Outcome(tracker.begin(range(6, 20))));
    await turns();
    const later = await hold(tracker, range(24, 32));
    outcomes.push(new Outcome(tracker.begin(range(18, 32))), new Outcome(later.result));
    await turns();
    expect(outcomes.every(({ state }) => state === 'pending')).toBe(true);
    await soon(tracker.close());
    expect(outcomes.map(({ error }) => (error as Error)?.name)).toEqual(Array(4).fill('ClosedError'));
    section.end();
    expectNothingLeft(tracker, { clock });
  });

  it('names the tracker in its errors', async () => {
    const tracker = new RangeTracker({ label: 'pages' });
    await soon(tracker.close());
    expect(await failure(tracker.readBegin(PAGE))).toEqual(new ClosedError('the tracker "pages"'));
    const unnamed = new RangeTracker();
    await soon(unnamed.close());
    expect(await failure(unnamed.readBegin(PAGE))).toEqual(new ClosedError('the tracker'));
  });

  it('refuses even calls with bad arguments with ClosedError: nothing else is looked at', async () => {
    const tracker = new RangeTracker();
    await soon(tracker.close());
    const bad = range(8, 2);
    expect(await failure(tracker.begin(bad))).toBeInstanceOf(ClosedError);
    expect(await failure(tracker.readBegin(bad))).toBeInstanceOf(ClosedError);
    expect(await failure(tracker.lookup(bad, undefined as never))).toBeInstanceOf(ClosedError);
    expect(() => tracker.tryBegin(bad)).toThrow(ClosedError);
    expect(() => tracker.tryReadBegin(bad)).toThrow(ClosedError);
    expect(() => tracker.subscribe(bad, undefined as never)).toThrow(ClosedError);
  });
});
