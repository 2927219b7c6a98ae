import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ClosedError, type Invalidation, RangeTracker, SubscriberError, type Subscription } from '../../lib/index.js';
import { ManualClock, settled, turns } from '../support/model/clock.js';
import { property, seeds } from '../support/model/random.js';
import { runWorld } from '../support/model/world.js';

const PAGE = { start: 0, end: 8 };

test.each(seeds(10))(
  'caches of subscribers never hold what has changed, whoever comes, goes, refuses or dawdles (seed %i)',
  async (seed) => {
    const counts = await runWorld({ seed, lookups: 150, pages: 16, readers: 5, writers: 4, subscribers: 4, cancels: true });
    expect(counts.notified).toBeGreaterThan(0);
  },
);

test('in no schedule does a begin resolve before every subscriber has confirmed, or a callback start after close', async () => {
  const answer = fc.constantFrom(
    'at once' as const,
    'later' as const,
    'throws' as const,
    'rejects' as const,
    'closes itself' as const,
    'closes the next' as const,
  );
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(answer, { minLength: 1, maxLength: 5 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }),
      async (s, answers, begins) => {
        const tracker = new RangeTracker();
        const members: Subscription[] = [];
        const told = answers.map(() => new Set<Invalidation>());
        const ended = answers.map(() => new Set<Invalidation>());
        const owing = answers.map(() => new Set<Invalidation>());
        for (const [i, how] of answers.entries()) {
          members.push(
            tracker.subscribe(PAGE, {
              invalidate: (section) => {
                expect(members[i]!.closed).toBe(false);
                told[i]!.add(section);
                if (how === 'throws') throw new Error('threw');
                if (how === 'closes itself') members[i]!.close();
                if (how === 'closes the next') members[(i + 1) % members.length]!.close();
                if (how !== 'later' && how !== 'rejects') return undefined;
                owing[i]!.add(section);
                return s.schedule(Promise.resolve(), `subscriber ${i}`).then(() => {
                  owing[i]!.delete(section);
                  if (how === 'rejects') throw new Error('rejected');
                });
              },
              end: (section) => {
                expect(members[i]!.closed).toBe(false);
                expect(told[i]!.has(section)).toBe(true);
                ended[i]!.add(section);
              },
            }),
          );
        }
        const fails = answers.some((how) => how === 'throws' || how === 'rejects');
        const one = async (late: boolean) => {
          if (late) await s.schedule(Promise.resolve(), 'begin');
          try {
            const section = await tracker.begin(PAGE);
            // Closing is an answer, too.
            expect(owing.filter((sections, i) => sections.has(section) && !members[i]!.closed)).toEqual([]);
            expect(section.active).toBe(true);
            section.end();
          } catch (error) {
            expect(error).toBeInstanceOf(SubscriberError);
            expect(fails).toBe(true);
          }
        };
        await s.waitFor(Promise.all(begins.map(one)));
        expect(tracker.activeCount).toBe(0);
        for (const [i, member] of members.entries()) if (!member.closed) expect(ended[i]).toEqual(told[i]);
      },
    ),
    property(200),
  );
});

test('every subscriber is started before any has finished, and a slow one costs only its own time', async () => {
  const tracker = new RangeTracker();
  const events: string[] = [];
  for (const [i, length] of [5, 1, 3].entries()) {
    tracker.subscribe(PAGE, {
      invalidate: async () => {
        events.push(`start ${i}`);
        await turns(length);
        events.push(`finish ${i}`);
      },
    });
  }
  const section = await tracker.begin(PAGE);
  expect(events.slice(0, 3).sort()).toEqual(['start 0', 'start 1', 'start 2']);
  expect(events.slice(3)).toEqual(['finish 1', 'finish 2', 'finish 0']);
  section.end();
});

test('a non-waiting begin that is refused ends for those that were told, moves the counter on and leaves nothing', () => {
  for (let refuser = 0; refuser < 4; refuser++) {
    const tracker = new RangeTracker();
    const told: number[] = [];
    const ended: number[] = [];
    for (let i = 0; i < 4; i++) {
      tracker.subscribe(PAGE, {
        // The order in which they are told is the tracker's; whose turn it is to refuse goes by that.
        invalidate: () => (told.push(i) > refuser ? false : undefined),
        end: () => ended.push(i),
      });
    }
    const token = tracker.tryReadBegin(PAGE)!;
    expect(tracker.tryBegin(PAGE)).toBeUndefined();
    expect(told).toHaveLength(refuser + 1);
    expect(ended.sort()).toEqual(told.slice(0, refuser).sort());
    expect(tracker.seq).toBe(2);
    expect(tracker.activeCount).toBe(0);
    expect(tracker.readRetry(PAGE, token)).toBe(true);
    expect(tracker.inspect().sections).toEqual([]);
  }
});

test('a section that a subscriber has ended is not ended again when another one refuses', () => {
  const tracker = new RangeTracker();
  let told = 0;
  const invalidate = (section: Invalidation) => {
    if (told++ > 0) return false;
    section.end();
    return undefined;
  };
  tracker.subscribe(PAGE, { invalidate });
  tracker.subscribe(PAGE, { invalidate });
  expect(tracker.tryBegin(PAGE)).toBeUndefined();
  expect(tracker.activeCount).toBe(0);
  expect(tracker.seq).toBe(2);
  expect(tracker.stats.ends).toBe(1);
});

test('a subscription closed at any turn of a begin is told nothing afterwards, and answers that what it has read is stale', async () => {
  for (let gap = 0; gap < 6; gap++) {
    const tracker = new RangeTracker();
    let closed = false;
    const subscription = tracker.subscribe(PAGE, {
      invalidate: async () => {
        expect(closed).toBe(false);
        await turns(3);
      },
      end: () => expect(closed).toBe(false),
    });
    const token = subscription.tryReadBegin()!;
    const running = subscription.lookup(async () => {
      await turns(20);
    });
    const outcome = running.catch((error: unknown) => error);
    const begin = tracker.begin({ start: 4, end: 5 });
    await turns(gap);
    subscription.close();
    closed = true;
    expect(subscription.readRetry(token)).toBe(true);
    (await begin).end();
    (await tracker.begin(PAGE)).end();
    expect(await outcome).toBeInstanceOf(ClosedError);
  }
});

test('a subscription that is closed after a quiet read answers that the read is stale', () => {
  const tracker = new RangeTracker();
  const subscription = tracker.subscribe(PAGE, { invalidate: () => {} });
  const token = subscription.tryReadBegin()!;
  expect(subscription.readRetry(token)).toBe(false);
  subscription.close();
  expect(subscription.readRetry(token)).toBe(true);
});

test('a subscription of a closed tracker answers that what it has read is stale, whatever it ignores', () => {
  const tracker = new RangeTracker();
  const subscription = tracker.subscribe(PAGE, { invalidate: () => {} }, { ignore: () => true });
  const token = subscription.tryReadBegin()!;
  void tracker.close();
  expect(subscription.readRetry(token)).toBe(true);
});

test('close turns away everybody who waits, at whatever turn it comes', async () => {
  for (let gap = 0; gap < 8; gap++) {
    const clock = new ManualClock();
    const tracker = new RangeTracker({ clock });
    const outcomes: unknown[] = [];
    const note = (promise: Promise<unknown>) => {
      promise.then(
        () => outcomes.push('through'),
        (error: unknown) => outcomes.push(error),
      );
    };
    const section = await tracker.begin(PAGE);
    note(tracker.readBegin(PAGE));
    note(tracker.readBegin(PAGE, { timeoutMs: 50 }));
    note(tracker.lookup(PAGE, () => 1));
    note(tracker.lookup(PAGE, () => 1, { maxAttempts: 1, signal: new AbortController().signal }));
    const next = await tracker.begin(PAGE); // overtakes: one of them holds from now on
    section.end();
    await settled();
    note(tracker.begin(PAGE));
    note(tracker.begin(PAGE, { signal: new AbortController().signal }));
    await turns(gap);
    await tracker.close();
    await settled();
    expect(outcomes).toHaveLength(6);
    for (const outcome of outcomes) expect(outcome).toBeInstanceOf(ClosedError);
    next.end();
    const { sections, holds, waiting } = tracker.inspect();
    expect({ sections, holds, waiting, timers: clock.pending }).toEqual({ sections: [], holds: [], waiting: 0, timers: 0 });
  }
});
