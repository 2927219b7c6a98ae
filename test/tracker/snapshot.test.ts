import { describe, expect, it } from 'vitest';
import { RangeTracker } from '../../lib/index.js';
import { ManualClock } from '../support/clock.js';
import { hold } from '../support/holding.js';
import { ManualFetch, range } from '../support/reading.js';
import { Outcome, soon, turns } from '../support/turns.js';

const PAGE = range(0, 8);

function make() {
  const clock = new ManualClock();
  return { clock, tracker: new RangeTracker({ clock, label: 'pages', historyCapacity: 16 }) };
}

describe('a snapshot', () => {
  it('of a quiet tracker is empty', () => {
    expect(make().tracker.inspect()).toEqual({
      label: 'pages',
      seq: 0,
      closed: false,
      sections: [],
      holds: [],
      waiting: 0,
      subscribedRanges: 0,
      inFlightRanges: 0,
      history: { size: 0, ranges: 0, capacity: 16, floor: 0 },
    });
    expect(new RangeTracker().inspect().label).toBeUndefined();
  });

  it('shows who is active, since when, and who waits for it, since when', async () => {
    const { tracker, clock } = make();
    clock.advance(100);
    const first = tracker.tryBegin([PAGE, range(20, 28)], { kind: 'unmap', label: 'first' })!;
    await turns();
    clock.advance(10);
    const second = tracker.tryBegin(range(100, 108))!;
    const waits = [tracker.readBegin(range(4, 6)), tracker.lookup([range(0, 2), range(22, 23)], () => 1, { label: 'reader' })];
    await turns();
    clock.advance(5);
    const { sections, waiting } = tracker.inspect();
    expect(waiting).toBe(2);
    expect(sections).toEqual([
      {
        beginSeq: 1,
        state: 'active',
        ranges: [PAGE, range(20, 28)],
        kind: 'unmap',
        label: 'first',
        forMs: 15,
        waiting: [
          { id: 1, operation: 'readBegin', label: undefined, ranges: [range(4, 6)], forMs: 5 },
          { id: 2, operation: 'lookup', label: 'reader', ranges: [range(0, 2), range(22, 23)], forMs: 5 },
        ],
        subscribers: [],
        behind: [],
      },
      {
        beginSeq: 2,
        state: 'active',
        ranges: [range(100, 108)],
        kind: 'clear',
        label: undefined,
        forMs: 5,
        waiting: [],
        subscribers: [],
        behind: [],
      },
    ]);
    first.end();
    second.end();
    await soon(Promise.all(waits));
  });

  it('is a copy: it does not change when the tracker goes on', async () => {
    const { tracker } = make();
    const section = tracker.tryBegin(PAGE)!;
    const waiting = tracker.readBegin(PAGE);
    const before = tracker.inspect();
    section.end();
    await soon(waiting);
    expect(before).toMatchObject({ seq: 1, waiting: 1, history: { size: 0 } });
    expect([before.sections.length, before.sections[0]!.state, before.sections[0]!.waiting.length]).toEqual([1, 'active', 1]);
    expect(tracker.inspect()).toMatchObject({ seq: 2, sections: [], waiting: 0, history: { size: 1 } });
  });

  it('shows who holds, for how long still, and who queues behind it', async () => {
    const { tracker, clock } = make();
    const holder = await hold(tracker, PAGE, { holdMs: 300, label: 'reader' });
    clock.advance(100);
    const begins = [1, 2].map((i) => new Outcome(tracker.begin(range(i, 20), { label: `begin ${i}` })));
    await turns();
    clock.advance(20);
    const { holds, sections, waiting } = tracker.inspect();
    expect(holds).toEqual([
      {
        id: expect.any(Number),
        label: 'reader',
        ranges: [PAGE],
        admitted: true,
        leftMs: 180,
        waiting: 2,
      },
    ]);
    expect(sections.map(({ label, state, forMs }) => [label, state, forMs])).toEqual([
      ['begin 1', 'queued', 20],
      ['begin 2', 'queued', 20],
    ]);
    expect(waiting).toBe(0);
    await holder.commit();
    clock.advance(7);
    // From the begin on it is the age of the section that counts.
    expect(tracker.inspect().sections.map(({ label, state, forMs }) => [label, state, forMs])).toEqual([
      ['begin 1', 'active', 7],
      ['begin 2', 'active', 7],
    ]);
    for (const begun of begins) begun.value!.end();
  });

  it('shows a hold that waits for its turn, and for whom', async () => {
    const { tracker } = make();
    const read = new ManualFetch();
    const result = tracker.lookup(PAGE, read.fetch, { maxAttempts: 1, label: 'reader' });
    const section = tracker.tryBegin(PAGE)!;
    read.last.resolve('stale');
    await turns();
    expect(tracker.inspect()).toMatchObject({
      waiting: 1,
      holds: [{ label: 'reader', admitted: false, waiting: 0 }],
      sections: [{ state: 'active', waiting: [{ label: 'reader', operation: 'lookup', ranges: [PAGE] }] }],
    });
    section.end();
    await turns();
    expect(tracker.inspect()).toMatchObject({ waiting: 0, holds: [{ admitted: true }], sections: [] });
    read.last.resolve('fresh');
    await soon(result);
  });

  it('counts subscribed and in-flight ranges', async () => {
    const { tracker } = make();
    const mirror = tracker.subscribe([PAGE, range(20, 28)], { invalidate() {} });
    const read = new ManualFetch();
    const result = tracker.lookup([PAGE, range(20, 28), range(40, 48)], read.fetch);
    expect(tracker.inspect()).toMatchObject({ subscribedRanges: 2, inFlightRanges: 0 });
    expect(read.last.attempt.signal.aborted).toBe(false);
    expect(tracker.inspect()).toMatchObject({ subscribedRanges: 2, inFlightRanges: 3 });
    read.last.resolve('read');
    await soon(result);
    mirror.close();
    expect(tracker.inspect()).toMatchObject({ subscribedRanges: 0, inFlightRanges: 0 });
  });

  it('shows how far back the memory reaches', () => {
    const { tracker } = make();
    for (let i = 0; i < 20; i++) tracker.tryBegin(PAGE)!.end();
    expect(tracker.inspect().history).toEqual({ size: 16, ranges: 16, capacity: 16, floor: 8 });
    tracker.tryBegin([range(0, 1), range(2, 3)])!.end();
    expect(tracker.inspect().history).toEqual({ size: 16, ranges: 17, capacity: 16, floor: 10 });
  });

  it('of a closed tracker says so', async () => {
    const { tracker } = make();
    const closing = tracker.close();
    expect(tracker.inspect().closed).toBe(true);
    await soon(closing);
    expect(tracker.inspect()).toMatchObject({ closed: true, seq: 2, sections: [] });
  });
});
