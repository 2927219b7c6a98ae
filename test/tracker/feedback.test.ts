import { describe, expect, it } from 'vitest';
import { FeedbackError, type Invalidation, type Range, RangeTracker, SubscriberError } from '../../lib/index.js';
import { expectNothingLeft } from '../support/leftovers.js';
import { range } from '../support/reading.js';
import { soon, turns } from '../support/turns.js';

const PAGE = range(0, 8);

/** What it rejects with, however many turns that takes. */
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a subscriber that invalidates what it is told about', () => {
  // How, and after how many begins the error comes: four in each other, or 4,096 that wait.
  const ways: [string, number, (tracker: RangeTracker) => unknown][] = [
    ['returns a mutate of the same range', 5, (tracker) => tracker.mutate(PAGE, () => {})],
    ['returns an invalidate of a part of it', 5, (tracker) => tracker.invalidate(range(2, 3))],
    ['returns two of them', 31, (tracker) => Promise.all([tracker.invalidate(PAGE), tracker.invalidate(PAGE)])],
    [
      'returns one after a turn',
      4097,
      async (tracker) => {
        await turns(1);
        await tracker.mutate(PAGE, () => {});
      },
    ],
    ['returns one of everything', 5, (tracker) => tracker.invalidate(range(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY))],
  ];

  it.each(ways)('and %s ends in a FeedbackError, with nothing left active', async (_, begins, react) => {
    const tracker = new RangeTracker();
    tracker.subscribe(PAGE, { invalidate: () => react(tracker) as Promise<void> }, { label: 'cache' });
    const error = (await failure(tracker.mutate(PAGE, () => {}))) as Error;
    expect(error).toBeInstanceOf(FeedbackError);
    expect(error.message).toContain('the subscriber "cache" over [0, 8) would be told of the invalidation (clear)');
    expect(error.message.length).toBeLessThan(300);
    expect(tracker.stats.begins).toBe(begins);
    expectNothingLeft(tracker, { subscribed: 1 });
    expect(await soon(tracker.lookup(range(20, 28), () => 'fine'))).toBe('fine');
  });

  it('without waiting is told so by an exception, and its own begin has not begun', () => {
    const tracker = new RangeTracker();
    const errors: unknown[] = [];
    tracker.subscribe(PAGE, {
      invalidate: () => {
        try {
          tracker.tryBegin(PAGE)?.end();
        } catch (error) {
          errors.push(error);
          throw error;
        }
      },
    });
    expect(() => tracker.tryBegin(PAGE)).toThrow(FeedbackError);
    expect(errors.length).toBeGreaterThan(0);
    expectNothingLeft(tracker, { subscribed: 1 });
  });

  it('through another subscriber, or another tracker, is found, too', async () => {
    const [a, b] = [new RangeTracker({ label: 'a' }), new RangeTracker({ label: 'b' })];
    a.subscribe(PAGE, { invalidate: () => b.invalidate(PAGE) });
    b.subscribe(PAGE, { invalidate: () => a.invalidate(PAGE) });
    expect(await failure(a.invalidate(PAGE))).toBeInstanceOf(FeedbackError);
    expectNothingLeft(a, { subscribed: 1 });
    expectNothingLeft(b, { subscribed: 1 });
  });

  it('of the next range, and so on without end, is found before the stack overflows', async () => {
    const tracker = new RangeTracker();
    tracker.subscribe(range(0, Number.POSITIVE_INFINITY), {
      invalidate: (_, [part]) => tracker.invalidate(range(part!.end, part!.end + 8)),
    });
    expect(await failure(tracker.invalidate(PAGE))).toBeInstanceOf(FeedbackError);
    expectNothingLeft(tracker, { subscribed: 1 });
  });

  it('may do so if it comes to an end: from a leaf to the root, or once with another kind', async () => {
    const tracker = new RangeTracker();
    const told: string[] = [];
    tracker.subscribe(range(0, 1024), {
      invalidate: ({ kind }, parts) => {
        const [{ start, end }] = parts as [Range];
        told.push(`${kind} ${start}-${end}`);
        if (kind === 'clear' && end < 1024) return tracker.invalidate(range(end, end + 32));
        if (kind === 'clear') return tracker.invalidate(range(start, end), { kind: 'soft-dirty' });
        return undefined;
      },
    });
    await tracker.invalidate(range(0, 32));
    expect(told).toHaveLength(33);
    expectNothingLeft(tracker, { subscribed: 1 });
  });

  it('is not taken for one because many begin over its range at once', async () => {
    const tracker = new RangeTracker();
    const waiting: (() => void)[] = [];
    tracker.subscribe(PAGE, { invalidate: () => new Promise((resolve) => waiting.push(resolve)) });
    const all = Promise.all(Array.from({ length: 3000 }, () => tracker.invalidate(PAGE)));
    await turns();
    for (const confirm of waiting) confirm();
    await soon(all);
    expectNothingLeft(tracker, { subscribed: 1 });
  });
});

describe('subscribers', () => {
  it('are told the part that lies inside their subscription, in one piece or in several', async () => {
    const tracker = new RangeTracker();
    const told: unknown[] = [];
    const subscriber = (name: string) => ({
      invalidate: (_: Invalidation, ranges: readonly Range[]) => void told.push([name, 'begin', ranges]),
      end: (_: Invalidation, ranges: readonly Range[]) => void told.push([name, 'end', ranges]),
    });
    tracker.subscribe(range(0, 100), subscriber('one'));
    tracker.subscribe([range(10, 20), range(30, 40), range(50, 60)], subscriber('many'));
    await soon(tracker.mutate([range(-50, 12), range(15, 35), range(55, Number.POSITIVE_INFINITY)], () => {}));
    const one = [range(0, 12), range(15, 35), range(55, 100)];
    const many = [range(10, 12), range(15, 20), range(30, 35), range(55, 60)];
    expect(told).toEqual([
      ['one', 'begin', one],
      ['many', 'begin', many],
      ['one', 'end', one],
      ['many', 'end', many],
    ]);
    expect(Object.isFrozen((told[0] as unknown[])[2])).toBe(true);
  });

  it('with finite ranges never get infinite ones: not from a change without end, and not from close', async () => {
    const tracker = new RangeTracker();
    const pages = new Map([
      [0, 'a'],
      [7, 'b'],
      [999, 'c'],
    ]);
    tracker.subscribe(range(0, 1000), {
      invalidate(_, ranges) {
        for (const { start, end } of ranges) for (let i = start; i < end; i++) pages.delete(i);
      },
    });
    await soon(tracker.mutate(range(7, Number.POSITIVE_INFINITY), () => {}));
    expect([...pages.keys()]).toEqual([0]);
    await soon(tracker.close());
    expect(pages.size).toBe(0);
  });

  it('are called in the order of subscription, however their ranges nest', async () => {
    for (const order of [
      [0, 1, 2, 3, 4, 5, 6, 7],
      [7, 3, 5, 1, 0, 6, 2, 4],
    ]) {
      const tracker = new RangeTracker();
      const told: number[] = [];
      const ended: number[] = [];
      for (const i of order) {
        tracker.subscribe(range(i, 16 - i), { invalidate: () => void told.push(i), end: () => void ended.push(i) });
      }
      await soon(tracker.invalidate(range(7, 9)));
      expect([told, ended]).toEqual([order, order]);
      tracker.tryBegin([range(0, 1), range(7, 9)])!.end();
      expect(told.slice(8)).toEqual(order);
    }
  });
});

describe('closing a subscription', () => {
  it('is its answer to every begin that waits for it', async () => {
    const tracker = new RangeTracker();
    const never = tracker.subscribe(PAGE, { invalidate: () => new Promise(() => {}) });
    const begins = [tracker.begin(PAGE), tracker.begin(range(4, 5)), tracker.invalidate(PAGE)];
    await turns();
    never.close();
    const [first, second] = await soon(Promise.all(begins));
    (first as Invalidation).end();
    (second as Invalidation).end();
    expectNothingLeft(tracker);
  });

  it('inside its own callback counts, whatever the callback returns', async () => {
    const tracker = new RangeTracker();
    const subscription = tracker.subscribe(PAGE, {
      invalidate() {
        subscription.close();
        return new Promise<void>((_, reject) => setTimeout(() => reject(new Error('late, and nobody asks')), 0));
      },
    });
    await soon(tracker.invalidate(PAGE));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expectNothingLeft(tracker);
  });

  it('does not undo a failure that was said before', async () => {
    const tracker = new RangeTracker();
    tracker.subscribe(PAGE, { invalidate: () => Promise.reject(new Error('no')) });
    const never = tracker.subscribe(PAGE, { invalidate: () => new Promise(() => {}) });
    const error = failure(tracker.begin(PAGE));
    await turns();
    never.close();
    expect(await soon(error)).toBeInstanceOf(SubscriberError);
    expect(tracker.activeCount).toBe(0);
  });
});
