import { describe, expect, it } from 'vitest';
import { RangeTracker, type TrackerObserver } from '../../lib/index.js';
import { ManualClock } from '../support/clock.js';
import { all, make, only, own } from '../support/events.js';
import { hold } from '../support/holding.js';
import { ManualFetch, range } from '../support/reading.js';
import { Outcome, soon, turns } from '../support/turns.js';

const PAGE = range(0, 8);

/** What a `readBegin` that was aborted while it waited rejects with. */
async function givesUp(tracker: RangeTracker): Promise<unknown> {
  const controller = new AbortController();
  const section = tracker.tryBegin(PAGE)!;
  const waiting = tracker.readBegin(PAGE, { signal: controller.signal }).catch((error) => error);
  await turns();
  controller.abort('stop');
  section.end();
  return waiting;
}

describe('an observer', () => {
  it('sees a quiet lookup: an attempt, a commit', async () => {
    const { tracker, seen } = make();
    await soon(tracker.lookup(PAGE, () => 'read', { label: 'quiet' }));
    expect(seen.map(({ name }) => name)).toEqual(['attempt', 'committed']);
    const [attempt] = only(seen, 'attempt');
    expect(attempt).toMatchObject({
      seq: 0,
      attempt: 1,
      reader: { id: 1, operation: 'lookup', label: 'quiet', ranges: [PAGE] },
    });
    expect(attempt!.tracker).toBe(tracker);
    expect(only(seen, 'committed')[0]!.reader).toBe(attempt!.reader);
  });

  it('sees a section begin and end, and who was told', async () => {
    const { tracker, seen } = make();
    const mirror = tracker.subscribe(PAGE, { invalidate() {} }, { label: 'mirror' });
    const outer = await soon(tracker.begin(PAGE, { label: 'outer' }));
    const inner = tracker.tryBegin(range(100, 108), { within: outer })!;
    inner.end();
    outer.end();
    mirror.close();
    expect(seen.map(({ name, event }) => [name, event.seq])).toEqual([
      ['subscribed', 0],
      ['begin', 1],
      ['notified', 1],
      ['begin', 2],
      ['ended', 3],
      ['ended', 4],
      ['closed', 4],
    ]);
    expect(only(seen, 'begin').map(({ invalidation }) => invalidation)).toEqual([outer, inner]);
    expect(only(seen, 'begin')[1]!.invalidation).toBe(inner);
    expect(only(seen, 'notified')[0]).toMatchObject({ answer: 'stopped' });
    expect(only(seen, 'notified')[0]!.subscription).toBe(mirror);
    expect(only(seen, 'subscribed')[0]!.subscription).toBe(mirror);
    expect(only(seen, 'closed')[0]!.subscription).toBe(mirror);
  });

  it.each([
    ['stopped', () => undefined],
    ['pending', () => Promise.resolve()],
    ['refused', () => false as const],
    [
      'failed',
      () => {
        throw new Error('no');
      },
    ],
  ])('sees the answer of a subscriber: %s', async (answer, invalidate) => {
    const { tracker, seen } = make();
    tracker.subscribe(PAGE, { invalidate });
    await tracker.begin(PAGE).then(
      (section) => section.end(),
      () => {},
    );
    expect(only(seen, 'notified').map((event) => event.answer)).toEqual([answer]);
    expect(only(seen, 'ended')).toHaveLength(1);
    expect(only(seen, 'refused')).toHaveLength(0);
  });

  it('sees a refusal, and who refused', async () => {
    const { tracker, seen, take } = make();
    const mirror = tracker.subscribe(range(4, 8), { invalidate: () => false });
    tracker.tryBegin(PAGE, { label: 'refused' });
    expect(seen.map(({ name, event }) => [name, event.seq])).toEqual([
      ['subscribed', 0],
      ['begin', 1],
      ['notified', 1],
      ['ended', 2],
      ['refused', 2],
    ]);
    expect(only(seen, 'refused')[0]).toMatchObject({ invalidation: { label: 'refused', active: false } });
    expect(only(seen, 'refused')[0]!.subscription).toBe(mirror);
    mirror.close();
    await hold(tracker, PAGE);
    take();
    tracker.tryBegin(PAGE);
    expect(seen.map(({ name }) => name)).toEqual(['refused']);
    expect(only(seen, 'refused')[0]!.subscription).toBeUndefined();
  });

  it('sees a reader wait and wake, and for whom it waited', async () => {
    const { tracker, seen } = make();
    const section = tracker.tryBegin(PAGE)!;
    const begun = tracker.readBegin(range(4, 12));
    section.end();
    await soon(begun);
    expect(seen.map(({ name, event }) => [name, event.seq])).toEqual([
      ['begin', 1],
      ['wait', 1],
      ['ended', 2],
      ['wake', 2],
    ]);
    const [wait] = only(seen, 'wait');
    expect(wait!.waiter).toMatchObject({ operation: 'readBegin', label: undefined, ranges: [range(4, 12)] });
    expect(wait!.blocker).toBe(section);
    expect(only(seen, 'wake')[0]!.waiter).toBe(wait!.waiter);
  });

  it('sees that a reader waits for somebody else than before', async () => {
    const { tracker, seen } = make();
    const sections = [tracker.tryBegin(PAGE)!, tracker.tryBegin(PAGE)!];
    const begun = tracker.readBegin(PAGE);
    for (const section of [...sections].reverse()) section.end();
    await soon(begun);
    expect(seen.map(({ name }) => name)).toEqual(['begin', 'begin', 'wait', 'ended', 'wait', 'ended', 'wake']);
    expect(only(seen, 'wait').map(({ blocker }) => sections.indexOf(blocker as never))).toEqual([1, 0]);
  });

  it('sees that a begin waits for somebody else than before', async () => {
    const { tracker, seen, take } = make();
    const holders = [await hold(tracker, range(0, 4), { label: 'a' }), await hold(tracker, range(4, 8), { label: 'b' })];
    take();
    const begun = new Outcome(tracker.begin(PAGE));
    await turns();
    const first = (only(seen, 'wait')[0]!.blocker as { label: string }).label;
    const order = first === 'a' ? holders : holders.reverse();
    for (const holder of order) await holder.commit();
    expect(begun.state).toBe('resolved');
    const blockers = only(seen, 'wait').map(({ blocker }) => (blocker as { label: string }).label);
    expect(blockers).toEqual(first === 'a' ? ['a', 'b'] : ['b', 'a']);
    begun.value!.end();
  });

  it('sees an attempt collide, a hold come and go, and the begin that it delayed', async () => {
    const { tracker, seen } = make();
    const read = new ManualFetch();
    const result = tracker.lookup(PAGE, read.fetch, { maxAttempts: 1, label: 'reader' });
    const section = tracker.tryBegin(PAGE, { label: 'one' })!;
    read.last.resolve('stale');
    await turns();
    const begun = tracker.begin(PAGE, { label: 'two' });
    section.end();
    await turns();
    read.last.resolve('fresh');
    await soon(result);
    (await soon(begun)).end();
    const lines = seen.map(({ name, event }) => {
      const who = event as unknown as Record<string, { label?: string } | undefined>;
      const labels = ['reader', 'invalidation', 'waiter', 'blocker'].flatMap((key) => who[key]?.label ?? []);
      return [name, ...labels].join(' ');
    });
    expect(lines).toEqual([
      'attempt reader',
      'begin one',
      'collided reader',
      'held reader',
      'wait reader one',
      'wait two reader',
      'ended one',
      'wake reader',
      'attempt reader',
      'committed reader',
      'released reader',
      'wake two',
      'begin two',
      'ended two',
    ]);
    expect(only(seen, 'collided')[0]).toMatchObject({
      attempt: 1,
      collision: { reason: 'active', label: 'one', range: PAGE, seq: 1 },
    });
    expect(only(seen, 'attempt').map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(
      new Set([...only(seen, 'held'), ...only(seen, 'released'), ...only(seen, 'attempt')].map(({ reader }) => reader)).size,
    ).toBe(1);
  });

  it('sees a lookup fail, and with what', async () => {
    const { tracker, seen } = make();
    const error = new Error('disk on fire');
    await tracker.lookup(PAGE, () => Promise.reject(error)).catch(() => {});
    expect(seen.map(({ name }) => name)).toEqual(['attempt', 'failed']);
    expect(only(seen, 'failed')[0]).toMatchObject({ attempt: 1, error });
  });

  it('sees a waiting lookup fail before its first attempt', async () => {
    const { tracker, seen } = make();
    const controller = new AbortController();
    const section = tracker.tryBegin(PAGE)!;
    const result = new Outcome(tracker.lookup(PAGE, () => 'read', { signal: controller.signal }));
    controller.abort('stop');
    section.end();
    await turns();
    expect(result.error).toBe('stop');
    expect(seen.map(({ name }) => name)).toEqual(['begin', 'wait', 'failed', 'ended']);
    expect(only(seen, 'failed')[0]).toMatchObject({ attempt: 0, error: 'stop' });
  });

  it('sees the tracker close: everybody told, subscriptions closed, then the tracker', async () => {
    const { tracker, seen } = make();
    const mirror = tracker.subscribe(PAGE, { invalidate() {} });
    await soon(tracker.close());
    expect(seen.map(({ name, event }) => [name, event.seq])).toEqual([
      ['subscribed', 0],
      ['begin', 1],
      ['notified', 1],
      ['ended', 2],
      ['closed', 2],
      ['closed', 2],
    ]);
    expect(only(seen, 'begin')[0]!.invalidation.kind).toBe('release');
    expect(only(seen, 'closed').map(({ subscription }) => subscription)).toEqual([mirror, undefined]);
  });

  it('may read the counter, the statistics and a snapshot', async () => {
    const inspected: number[] = [];
    const tracker: RangeTracker = new RangeTracker({
      observer: {
        begin: (event) => inspected.push(event.seq, tracker.seq, tracker.stats.begins, tracker.inspect().sections.length),
        ended: (event) => inspected.push(event.seq, tracker.seq, tracker.stats.ends, tracker.inspect().sections.length),
      },
    });
    tracker.tryBegin(PAGE)!.end();
    expect(inspected).toEqual([1, 1, 1, 1, 2, 2, 1, 0]);
  });

  it('is called as methods of the object, and may have any of them', () => {
    class Counter implements TrackerObserver {
      count = 0;
      begin() {
        this.count++;
      }
    }
    const observer = new Counter();
    const tracker = new RangeTracker({ observer });
    tracker.tryBegin(PAGE)!.end();
    expect([observer.count, tracker.stats.observerErrors]).toEqual([1, 0]);
  });
});

describe('an observer that throws', () => {
  it('changes nothing, and every error is counted', async () => {
    let calls = 0;
    const called = new Set<string>();
    const throwing = Object.fromEntries(
      all.map((name) => [
        name,
        () => {
          calls++;
          called.add(name);
          throw new Error(name);
        },
      ]),
    ) as TrackerObserver;
    const run = async (observer: TrackerObserver | undefined) => {
      const tracker = new RangeTracker({ observer, clock: new ManualClock() });
      const log: unknown[] = [];
      const invalidate = () => {
        log.push('begin');
        if (tracker.closed) void tracker.close();
      };
      const mirror = tracker.subscribe(PAGE, { invalidate, end: () => void log.push('end') });
      const holder = await hold(tracker, PAGE);
      tracker.tryBegin(PAGE);
      const begun = tracker.begin(PAGE);
      await turns();
      await holder.commit();
      const section = await soon(begun);
      const waiting = tracker.readBegin(PAGE);
      section.end();
      log.push(await soon(waiting), holder.outcome.value, await soon(tracker.readBegin(PAGE)));
      log.push(await tracker.lookup(PAGE, () => Promise.reject('failed')).catch((error) => error));
      log.push(await tracker.mutate(PAGE, () => 'changed'), await givesUp(tracker));
      await soon(tracker.close());
      mirror.close();
      const { observerErrors, ...stats } = tracker.stats;
      return { log, seq: tracker.seq, stats, observerErrors };
    };
    const { observerErrors: none, ...plain } = await run(undefined);
    const { observerErrors, ...disturbed } = await run(throwing);
    expect(disturbed).toEqual(plain);
    expect([none, observerErrors]).toEqual([0, calls]);
    expect([...called].sort()).toEqual([...own].sort());
  });
});
