import { describe, expect, it } from 'vitest';
import { type Attempt, InvalidArgumentError, InvalidRangeError, RangeTracker, type TrackerEvents } from '../../lib/index.js';
import { rangesOfTrace, type Trace, type TraceEvent, TraceRecorder, type TraceRecorderOptions } from '../../lib/trace/index.js';
import { ManualClock } from '../support/clock.js';
import { hit, hold } from '../support/holding.js';
import { ManualFetch, range } from '../support/reading.js';
import { deferred, failure, soon, turns } from '../support/turns.js';

const PAGE = range(0, 8);
const PAGES = [{ start: 0, end: 8 }];
const ELSEWHERE = range(100, 108);

function make(options: TraceRecorderOptions = {}) {
  const clock = new ManualClock();
  const recorder = new TraceRecorder({ clock, ...options });
  const tracker = new RangeTracker({ observer: recorder.observer, clock });
  return { clock, recorder, tracker };
}

/** Types only, in order. */
function types({ events }: Trace): TraceEvent['type'][] {
  return events.map(({ type }) => type);
}

/** The events of one type. */
function only<Type extends TraceEvent['type']>({ events }: Trace, type: Type): Extract<TraceEvent, { readonly type: Type }>[] {
  return events.filter((event): event is Extract<TraceEvent, { readonly type: Type }> => event.type === type);
}

describe('a trace recorder', () => {
  it('records a quiet lookup: an attempt and a commit, with the time of its clock', async () => {
    const { clock, recorder, tracker } = make();
    const read = new ManualFetch();
    const result = tracker.lookup(PAGE, read.fetch, { label: 'quiet' });
    clock.advance(3);
    read.last.resolve('read');
    await soon(result);
    expect(recorder.trace()).toEqual({
      version: 1,
      dropped: 0,
      events: [
        { type: 'attempt', at: 0, seq: 0, reader: 1, operation: 'lookup', ranges: PAGES, label: 'quiet', attempt: 1 },
        { type: 'committed', at: 3, seq: 0, reader: 1, attempt: 1 },
      ],
    });
  });

  it('records sections: who, over what, inside which, from when to when', async () => {
    const { clock, recorder, tracker } = make();
    const owner = {};
    const outer = await tracker.begin([PAGE, ELSEWHERE], { kind: 'migrate', label: 'outer', owner });
    clock.advance(1);
    const inner = tracker.tryBegin(PAGE, { within: outer, owner })!;
    clock.advance(1);
    inner.end();
    outer.end();
    expect(recorder.trace().events).toEqual([
      {
        ...{ type: 'begin', at: 0, seq: 1, section: 1, kind: 'migrate', label: 'outer', owner: 2 },
        ranges: [...PAGES, { start: 100, end: 108 }],
      },
      { type: 'begin', at: 1, seq: 2, section: 3, ranges: PAGES, kind: 'clear', owner: 2, within: 1 },
      { type: 'ended', at: 2, seq: 3, section: 3 },
      { type: 'ended', at: 2, seq: 4, section: 1 },
    ]);
  });

  it('tells owners apart, and keeps those that are no objects as text', () => {
    const { recorder, tracker } = make();
    const [one, other] = [{}, () => {}];
    for (const owner of [one, other, one, 'name', 7, null, Symbol('s')]) tracker.tryBegin(PAGE, { owner })!.end();
    const owners = only(recorder.trace(), 'begin').map(({ owner }) => owner);
    expect(owners[0]).toBe(owners[2]);
    expect(typeof owners[0]).toBe('number');
    expect(owners[1]).not.toBe(owners[0]);
    expect(owners.slice(3)).toEqual(['name', '7', 'null', 'Symbol(s)']);
  });

  it('records who waits for whom, and what an attempt was hit by', async () => {
    const { clock, recorder, tracker } = make();
    const section = tracker.tryBegin(PAGE, { label: 'writer' })!;
    const read = new ManualFetch();
    const result = tracker.lookup(range(4, 12), read.fetch);
    const bare = tracker.readBegin(PAGE);
    clock.advance(5);
    section.end();
    await bare;
    await turns();
    hit(tracker, PAGE);
    read.last.resolve('stale');
    await turns();
    read.last.resolve('fresh');
    await soon(result);
    const trace = recorder.trace();
    const [, lookupWaits, bareWaits] = trace.events;
    const cover = [{ start: 4, end: 12 }];
    expect(lookupWaits).toEqual({ type: 'wait', at: 0, seq: 1, reader: 2, operation: 'lookup', ranges: cover, blocker: 1 });
    expect(bareWaits).toEqual({ type: 'wait', at: 0, seq: 1, reader: 3, operation: 'readBegin', ranges: PAGES, blocker: 1 });
    expect(only(trace, 'wake').map(({ reader, at }) => [reader, at])).toEqual([
      [2, 5],
      [3, 5],
    ]);
    const hitRange = { start: 4, end: 8 };
    expect(only(trace, 'collided')).toEqual([
      { type: 'collided', at: 5, seq: 4, reader: 2, attempt: 1, reason: 'ended', range: hitRange, kind: 'clear' },
    ]);
    expect(only(trace, 'attempt').map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(only(trace, 'committed')).toHaveLength(1);
  });

  it('keeps the label of what hit an attempt', async () => {
    const { recorder, tracker } = make();
    const read = new ManualFetch();
    const result = tracker.lookup(PAGE, read.fetch);
    tracker.tryBegin(PAGE, { kind: 'unmap', label: 'writer' })!.end();
    read.last.resolve('stale');
    await turns();
    read.last.resolve('fresh');
    await soon(result);
    expect(only(recorder.trace(), 'collided')[0]).toMatchObject({ kind: 'unmap', label: 'writer', range: PAGES[0] });
  });

  it('records holds, and the begins that queue behind them', async () => {
    const { recorder, tracker } = make();
    const holder = await hold(tracker, PAGE);
    const begin = tracker.begin(PAGE, { label: 'late' });
    expect(tracker.tryBegin(PAGE)).toBeUndefined();
    await holder.commit();
    (await soon(begin)).end();
    const trace = recorder.trace();
    const [held] = only(trace, 'held');
    const [queued] = only(trace, 'queued');
    expect(held).toMatchObject({ ranges: PAGES, attempt: 1 });
    expect(queued).toMatchObject({ ranges: PAGES, kind: 'clear', label: 'late', blocker: held!.reader });
    expect(only(trace, 'granted').map(({ section }) => section)).toEqual([queued!.section]);
    expect(only(trace, 'begin').at(-1)!.section).toBe(queued!.section);
    expect(only(trace, 'released')).toMatchObject([{ reader: held!.reader, attempt: 2 }]);
    expect(only(trace, 'refused')).toMatchObject([{ ranges: PAGES }]);
    expect(only(trace, 'refused')[0]).not.toHaveProperty('subscription');
  });

  it('records subscribers: that they came, what they answered, whom they refused, that they left', async () => {
    const { recorder, tracker } = make();
    const subscription = tracker.subscribe(PAGE, { invalidate: () => false }, { label: 'mirror' });
    tracker.tryBegin(PAGE);
    subscription.close();
    await tracker.close();
    const trace = recorder.trace();
    const [subscribed] = only(trace, 'subscribed');
    const id = subscribed!.subscription;
    expect(subscribed).toEqual({ type: 'subscribed', at: 0, seq: 0, subscription: id, ranges: PAGES, label: 'mirror' });
    expect(only(trace, 'notified')).toMatchObject([{ subscription: id, answer: 'refused', ms: 0 }]);
    expect(only(trace, 'refused')).toMatchObject([{ subscription: id }]);
    expect(only(trace, 'closed').map(({ subscription }) => subscription)).toEqual([id, undefined]);
  });

  it('records when all subscribers have confirmed, of sections that had to wait for any', async () => {
    const { clock, recorder, tracker } = make();
    (await tracker.begin(PAGE)).end();
    const flushed = deferred<void>();
    tracker.subscribe(PAGE, { invalidate: () => flushed.promise });
    const begun = tracker.begin(PAGE);
    (await tracker.begin(ELSEWHERE)).end();
    clock.advance(4);
    flushed.resolve();
    const section = await soon(begun);
    clock.advance(2);
    section.end();
    const trace = recorder.trace();
    const [, mine] = only(trace, 'begin');
    expect(only(trace, 'begun')).toEqual([{ type: 'begun', at: 4, seq: 5, section: mine!.section }]);
    expect(only(trace, 'ended').map(({ at }) => at)).toEqual([0, 0, 6]);
  });

  it('records how long each callback took, also one that begins a section itself', async () => {
    const { clock, recorder, tracker } = make();
    tracker.subscribe(ELSEWHERE, { invalidate: () => clock.advance(2) }, { label: 'inner' });
    tracker.subscribe(
      PAGE,
      {
        invalidate() {
          clock.advance(3);
          tracker.tryBegin(ELSEWHERE)!.end();
        },
      },
      { label: 'outer' },
    );
    tracker.tryBegin(PAGE)!.end();
    const labels = new Map(only(recorder.trace(), 'subscribed').map(({ subscription, label }) => [subscription, label]));
    expect(only(recorder.trace(), 'notified').map(({ subscription, ms }) => [labels.get(subscription), ms])).toEqual([
      ['inner', 2],
      ['outer', 5],
    ]);
  });

  it('records who gave up waiting: a bare readBegin, and a begin that queued', async () => {
    const { clock, recorder, tracker } = make();
    const section = tracker.tryBegin(PAGE)!;
    const bare = failure(tracker.readBegin(PAGE, { timeoutMs: 5 }));
    clock.advance(5);
    await bare;
    section.end();
    const holder = await hold(tracker, PAGE);
    const leaves = new AbortController();
    const queues = failure(tracker.begin(PAGE, { signal: leaves.signal }));
    clock.advance(1);
    leaves.abort(new Error('enough'));
    await queues;
    await holder.commit();
    const trace = recorder.trace();
    expect(only(trace, 'gaveUp')).toEqual([{ type: 'gaveUp', at: 5, seq: 1, reader: only(trace, 'wait')[0]!.reader }]);
    expect(only(trace, 'withdrawn')).toMatchObject([{ at: 6, section: only(trace, 'queued')[0]!.section }]);
    expect(only(trace, 'granted')).toEqual([]);
  });

  it('records why a lookup failed, as text', async () => {
    const { recorder, tracker } = make();
    const rejections = [new TypeError('no such page'), 'a string', undefined];
    for (const error of rejections) await failure(tracker.lookup(PAGE, () => Promise.reject(error)));
    expect(only(recorder.trace(), 'failed').map(({ error }) => error)).toEqual([
      'TypeError: no such page',
      'a string',
      'undefined',
    ]);
  });

  it('keeps infinite bounds through JSON, and the release of everything', async () => {
    const { recorder, tracker } = make();
    tracker.tryBegin({ start: 7, end: Number.POSITIVE_INFINITY })!.end();
    await tracker.close();
    const trace = recorder.trace();
    const again: Trace = JSON.parse(JSON.stringify(trace));
    expect(again).toEqual(trace);
    const [first, release] = only(again, 'begin');
    expect(rangesOfTrace(first!.ranges)).toEqual([{ start: 7, end: Number.POSITIVE_INFINITY }]);
    expect(release!.kind).toBe('release');
    expect(rangesOfTrace(release!.ranges)).toEqual([{ start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY }]);
  });

  it('misses no event of the tracker, and changes nothing in their order', async () => {
    const seen: (keyof TrackerEvents)[] = [];
    const recorder = new TraceRecorder();
    const observer = Object.fromEntries(
      Object.entries(recorder.observer).map(([name, record]) => [
        name,
        (event: never) => {
          seen.push(name as keyof TrackerEvents);
          (record as (event: never) => void)(event);
        },
      ]),
    );
    const tracker = new RangeTracker({ observer });
    tracker.subscribe(PAGE, { invalidate() {} });
    const holder = await hold(tracker, PAGE);
    const begin = tracker.begin(PAGE);
    const leaves = new AbortController();
    const queues = failure(tracker.begin(PAGE, { signal: leaves.signal }));
    leaves.abort(new Error('enough'));
    await queues;
    tracker.tryBegin(PAGE);
    await holder.commit();
    const section = await soon(begin);
    const reading = tracker.lookup(PAGE, () => Promise.reject(new Error('no')));
    section.end();
    await failure(reading);
    await tracker.close();
    // Every event there is, so that one that is added later is missed here.
    const all = [
      ...['attempt', 'begin', 'begun', 'closed', 'collided', 'committed', 'ended', 'failed', 'gaveUp', 'held', 'notified'],
      ...['notifying', 'refused', 'released', 'subscribed', 'wait', 'wake'],
    ] as const satisfies readonly (keyof TrackerEvents)[];
    expect([...new Set(seen)].sort()).toEqual(all);
    const names: Partial<Record<TraceEvent['type'], keyof TrackerEvents>> = {
      ...{ queued: 'wait', granted: 'wake', withdrawn: 'gaveUp' },
    };
    expect(types(recorder.trace()).map((type) => names[type] ?? type)).toEqual(seen.filter((name) => name !== 'notifying'));
    expect(tracker.stats.observerErrors).toBe(0);
  });

  it('forgets the oldest when it is full, and counts them', () => {
    const { recorder, tracker } = make({ capacity: 3 });
    for (let i = 0; i < 4; i++) tracker.tryBegin(PAGE)!.end();
    expect(recorder.size).toBe(3);
    const { dropped, events } = recorder.trace();
    expect(dropped).toBe(5);
    expect(events.map(({ type, seq }) => [type, seq])).toEqual([
      ['ended', 6],
      ['begin', 7],
      ['ended', 8],
    ]);
  });

  it('hands out copies', () => {
    const { recorder, tracker } = make();
    const before = recorder.trace();
    tracker.tryBegin(PAGE)!.end();
    expect(before.events).toEqual([]);
    expect(recorder.trace().events).toHaveLength(2);
  });

  it('forgets on request, also what it had forgotten, and gives no id twice', () => {
    const { recorder, tracker } = make({ capacity: 2 });
    tracker.tryBegin(PAGE)!.end();
    tracker.tryBegin(PAGE)!.end();
    recorder.clear();
    expect(recorder.trace()).toEqual({ version: 1, dropped: 0, events: [] });
    tracker.tryBegin(PAGE);
    expect(recorder.trace().events).toMatchObject([{ section: 3 }]);
  });

  it('by default has the time of the host and room for 65,536 events', () => {
    const recorder = new TraceRecorder();
    const tracker = new RangeTracker({ observer: recorder.observer });
    const before = performance.now();
    for (let i = 0; i < 32_769; i++) tracker.tryBegin(PAGE)!.end();
    const { dropped, events } = recorder.trace();
    expect([events.length, dropped]).toEqual([65_536, 2]);
    expect(events[0]!.at).toBeGreaterThanOrEqual(before);
    expect(events.at(-1)!.at).toBeLessThanOrEqual(performance.now());
  });

  it.each([0, -1, 1.5, Number.NaN, '3'])('refuses %s as its capacity', (capacity) => {
    expect(() => new TraceRecorder({ capacity: capacity as number })).toThrow(InvalidArgumentError);
  });

  it('refuses a clock that tells no time', () => {
    expect(() => new TraceRecorder({ clock: {} as ManualClock })).toThrow(InvalidArgumentError);
  });
});

describe('a watched fetch', () => {
  it('has what it observes in the trace, also late, with the attempt that observed it', async () => {
    const { recorder, tracker } = make();
    const read = new ManualFetch();
    const other = new ManualFetch();
    const result = tracker.lookup(PAGE, recorder.watch(read.fetch));
    const another = tracker.lookup(PAGE, recorder.watch(other.fetch));
    read.last.attempt.observe(ELSEWHERE);
    hit(tracker, ELSEWHERE);
    other.last.attempt.observe([range(20, 24), range(22, 30)]);
    read.last.resolve('stale');
    other.last.resolve('read');
    await soon(another);
    read.last.attempt.observe(range(40, 48));
    read.last.resolve('fresh');
    await soon(result);
    expect(only(recorder.trace(), 'observed')).toEqual([
      { type: 'observed', at: 0, seq: 0, reader: 1, attempt: 1, ranges: [{ start: 100, end: 108 }] },
      { type: 'observed', at: 0, seq: 2, reader: 2, attempt: 1, ranges: [{ start: 20, end: 30 }] },
      { type: 'observed', at: 0, seq: 2, reader: 1, attempt: 2, ranges: [{ start: 40, end: 48 }] },
    ]);
    // It reached the tracker, too: the first attempt was hit there, and the second one names it.
    expect(only(recorder.trace(), 'collided')).toHaveLength(1);
    expect(only(recorder.trace(), 'attempt').at(-1)!.ranges).toEqual([...PAGES, { start: 100, end: 108 }]);
  });

  it('sees the attempt as it is, and asks for its signal only if the fetch does', async () => {
    const { recorder, tracker } = make();
    let seen: Attempt | undefined;
    const read = new ManualFetch();
    const fetch = recorder.watch((attempt) => {
      seen = attempt;
      return read.fetch(attempt);
    });
    const result = tracker.lookup(PAGE, fetch);
    expect([seen!.number, seen!.seq]).toEqual([1, 0]);
    expect(tracker.inspect().inFlightRanges).toBe(0);
    expect(seen!.signal.aborted).toBe(false);
    expect(tracker.inspect().inFlightRanges).toBe(1);
    hit(tracker, PAGE);
    expect(seen!.signal.aborted).toBe(true);
    read.last.resolve('stale');
    await turns();
    read.last.resolve('fresh');
    expect(await soon(result)).toBe('fresh');
  });

  it('records no ranges that the tracker has refused', async () => {
    const { recorder, tracker } = make();
    const result = tracker.lookup(
      PAGE,
      recorder.watch((attempt) => attempt.observe(range(3, 3))),
    );
    expect(await failure(result)).toBeInstanceOf(InvalidRangeError);
    expect(only(recorder.trace(), 'observed')).toEqual([]);
  });

  it('of a tracker that is not recorded is the fetch itself', async () => {
    const { recorder } = make();
    const fetch = recorder.watch((attempt) => attempt.observe(ELSEWHERE));
    await soon(new RangeTracker().lookup(PAGE, fetch));
    expect(recorder.size).toBe(0);
  });
});
