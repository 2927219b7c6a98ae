import { describe, expect, it } from 'vitest';
import { type BeginOptions, RangeTracker, RetryLimitError } from '../../lib/index.js';
import { ManualClock } from '../support/clock.js';
import { type Holder, heat, hit, hold } from '../support/holding.js';
import { expectNothingLeft } from '../support/leftovers.js';
import { ManualFetch, range } from '../support/reading.js';
import { Outcome, soon, turns } from '../support/turns.js';

const PAGE = range(0, 8);

function make(): { tracker: RangeTracker; clock: ManualClock } {
  const clock = new ManualClock();
  return { tracker: new RangeTracker({ clock }), clock };
}

/** A hold that waits for a section which is still active. */
async function waitingHold(tracker: RangeTracker, options: { holdMs?: number; label?: string } = {}) {
  const read = new ManualFetch();
  const outcome = new Outcome(tracker.lookup(PAGE, read.fetch, { maxAttempts: 1, ...options }));
  const section = tracker.tryBegin(PAGE)!;
  read.last.resolve('stale');
  await turns();
  return { read, outcome, section };
}

describe('the end of a hold', () => {
  it('comes after 1,000 ms unless told otherwise', async () => {
    const { tracker, clock } = make();
    const holder = await hold(tracker, PAGE, { label: 'reader' });
    expect(clock.delays).toEqual([1000]);
    clock.advance(999);
    await turns();
    expect(holder.outcome.state).toBe('pending');
    clock.advance(1);
    await turns();
    expect(holder.outcome.error).toBeInstanceOf(RetryLimitError);
    expect(holder.outcome.error).toMatchObject({
      message: 'lookup "reader" over [0, 8) held its ranges for 1000 ms without getting through; last: ended "clear" over [0, 8)',
      attempts: 2,
      collision: { reason: 'ended', range: PAGE, seq: 2 },
    });
    expectNothingLeft(tracker, { clock });
  });

  it('comes while it waits for its turn, too: it delays nobody any longer, and gets in line again', async () => {
    const { tracker, clock } = make();
    const { read, outcome, section } = await waitingHold(tracker, { holdMs: 50 });
    const begun = new Outcome(tracker.begin(PAGE));
    clock.advance(50);
    await turns();
    expect([outcome.state, begun.state, tracker.inspect().waiting, read.calls.length]).toEqual(['pending', 'resolved', 1, 1]);
    const later = new Outcome(tracker.begin(PAGE));
    begun.value!.end();
    section.end();
    await turns();
    expect([later.state, read.calls.length]).toEqual(['pending', 2]);
    read.last.resolve('fresh');
    await turns();
    expect(outcome.value).toBe('fresh');
    later.value!.end();
    expectNothingLeft(tracker, { clock });
  });

  it('comes when the time in its turn is over, however long it has waited and whomever it has delayed meanwhile', async () => {
    const { tracker, clock } = make();
    const { read, outcome, section } = await waitingHold(tracker, { holdMs: 50 });
    const delayed = new Outcome(tracker.begin(PAGE));
    clock.advance(40);
    await turns();
    section.end();
    await turns();
    expect([delayed.state, read.calls.length]).toEqual(['pending', 2]);
    clock.advance(10); // the begin has waited for 50 ms, the hold has had its turn for 10
    await turns();
    expect([delayed.state, outcome.state]).toEqual(['resolved', 'pending']);
    delayed.value!.end();
    read.last.resolve('stale');
    await turns();
    expect(tracker.inspect().holds).toMatchObject([{ admitted: true, leftMs: 40 }]);
    clock.advance(39);
    await turns();
    expect(outcome.state).toBe('pending');
    clock.advance(1);
    await turns();
    expect(outcome.error).toBeInstanceOf(RetryLimitError);
    expectNothingLeft(tracker, { clock });
  });

  it('may be very far away, and then takes as many timers as it needs', async () => {
    const { tracker, clock } = make();
    const longest = 2 ** 31 - 1;
    const holder = await hold(tracker, PAGE, { holdMs: 2 * longest });
    expect(clock.delays).toEqual([longest]);
    clock.advance(longest);
    await turns();
    expect([holder.outcome.state, clock.delays]).toEqual(['pending', [longest]]);
    clock.advance(longest);
    await turns();
    expect(holder.outcome.error).toBeInstanceOf(RetryLimitError);
    expectNothingLeft(tracker, { clock });
  });

  it('comes for each at its own time, with one timer for all', async () => {
    const { tracker, clock } = make();
    const times = [300, 100, 200, 100, 400];
    const holders: Holder[] = [];
    for (const [i, holdMs] of times.entries()) holders.push(await hold(tracker, range(i * 10, i * 10 + 8), { holdMs }));
    expect(clock.delays).toEqual([100]);
    const states = () => holders.map(({ outcome }) => (outcome.state === 'pending' ? '.' : 'x')).join('');
    const seen: (string | number)[] = [];
    for (let i = 0; i < 4; i++) {
      clock.advance(100);
      await turns();
      seen.push(states(), clock.pending);
    }
    expect(seen).toEqual(['.x.x.', 1, '.xxx.', 1, 'xxxx.', 1, 'xxxxx', 0]);
    expect(tracker.stats.holdsExpired).toBe(5);
    expectNothingLeft(tracker, { clock });
  });

  it('does not wait for the timer when a held attempt has lost and the host is busy', async () => {
    const { tracker, clock } = make();
    const outer = tracker.tryBegin(range(100, 108))!;
    const holder = await hold(tracker, PAGE, { holdMs: 50 });
    tracker.tryBegin(PAGE, { within: outer })!.end();
    clock.stall(60);
    holder.read.last.resolve('stale');
    await turns();
    expect(holder.outcome.error).toBeInstanceOf(RetryLimitError);
    expect(tracker.stats.holdsExpired).toBe(1);
    outer.end();
    expectNothingLeft(tracker, { clock });
  });

  it('does not come for an attempt that gets through late, as long as the timer has not run', async () => {
    const { tracker, clock } = make();
    const holder = await hold(tracker, PAGE, { holdMs: 50 });
    clock.stall(60);
    await holder.commit('just in time');
    expect(holder.outcome.value).toBe('just in time');
    expectNothingLeft(tracker, { clock });
  });

  it('is not put off by losing again', async () => {
    const { tracker, clock } = make();
    const outer = tracker.tryBegin(range(100, 108))!;
    const holder = await hold(tracker, PAGE, { holdMs: 100 });
    for (let i = 0; i < 9; i++) {
      clock.advance(10);
      tracker.tryBegin(PAGE, { within: outer })!.end();
      holder.read.last.resolve('stale');
      await turns();
    }
    expect([holder.outcome.state, holder.read.calls.length]).toEqual(['pending', 11]);
    clock.advance(10);
    await turns();
    expect(holder.outcome.error).toMatchObject({ attempts: 11 });
    outer.end();
    expectNothingLeft(tracker, { clock });
  });
});

describe('a hold', () => {
  it('of a subscription works like one of the tracker', async () => {
    const { tracker, clock } = make();
    const mirror = tracker.subscribe(PAGE, { invalidate() {} });
    const read = new ManualFetch();
    const result = mirror.lookup(read.fetch, { maxAttempts: 1 });
    tracker.tryBegin(PAGE)!.end();
    read.last.resolve('stale');
    await turns();
    expect(tracker.tryBegin(PAGE)).toBeUndefined();
    const begun = new Outcome(tracker.begin(PAGE));
    await turns();
    read.last.resolve('fresh');
    expect(await soon(result)).toBe('fresh');
    await turns();
    begun.value!.end();
    mirror.close();
    expectNothingLeft(tracker, { clock });
  });

  it('over several ranges delays a begin over any of them, and is admitted when all of them are quiet', async () => {
    const { tracker, clock } = make();
    const ranges = [PAGE, range(20, 28), range(40, 48)];
    const read = new ManualFetch();
    const result = tracker.lookup(ranges, read.fetch, { maxAttempts: 1 });
    const sections = ranges.map((one) => tracker.tryBegin(one)!);
    read.last.resolve('stale');
    await turns();
    const begins = ranges.map((one) => new Outcome(tracker.begin(one)));
    for (const section of sections) {
      expect(read.calls).toHaveLength(1);
      section.end();
      await turns();
    }
    expect([read.calls.length, ...begins.map(({ state }) => state)]).toEqual([2, 'pending', 'pending', 'pending']);
    read.last.resolve('fresh');
    expect(await soon(result)).toBe('fresh');
    await turns();
    for (const begun of begins) begun.value!.end();
    expectNothingLeft(tracker, { clock });
  });

  it('a begin that waits for two holds goes when both are done, in either order', async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const { tracker, clock } = make();
      const holders = [await hold(tracker, range(0, 4)), await hold(tracker, range(4, 8))];
      const begun = new Outcome(tracker.begin(PAGE));
      for (const which of order) {
        await turns();
        expect(begun.state).toBe('pending');
        await holders[which]!.commit();
      }
      expect(begun.state).toBe('resolved');
      begun.value!.end();
      expect(tracker.stats.queued).toBe(1);
      expectNothingLeft(tracker, { clock });
    }
  });

  it('lookups over the same range that lose together have their turn together', async () => {
    const { tracker, clock } = make();
    const reads = Array.from({ length: 20 }, () => new ManualFetch());
    const results = reads.map((read) => tracker.lookup(PAGE, read.fetch, { maxAttempts: 1 }));
    const section = tracker.tryBegin(PAGE)!;
    for (const read of reads) read.last.resolve('stale');
    await turns();
    expect(tracker.inspect().holds).toHaveLength(20);
    const begun = new Outcome(tracker.begin(PAGE));
    section.end();
    await turns();
    expect(reads.every(({ calls }) => calls.length === 2)).toBe(true);
    for (const read of reads.slice(1)) read.last.resolve('fresh');
    await turns();
    expect(begun.state).toBe('pending');
    reads[0]!.last.resolve('fresh');
    await turns();
    expect(begun.state).toBe('resolved');
    begun.value!.end();
    await soon(Promise.all(results));
    expectNothingLeft(tracker, { clock });
  });

  it('of several that wait together one may give up without disturbing the others', async () => {
    const { tracker, clock } = make();
    const controller = new AbortController();
    const reads = Array.from({ length: 5 }, () => new ManualFetch());
    const outcomes = reads.map(
      (read, i) =>
        new Outcome(
          tracker.lookup(PAGE, read.fetch, i === 2 ? { maxAttempts: 1, signal: controller.signal } : { maxAttempts: 1 }),
        ),
    );
    const section = tracker.tryBegin(PAGE)!;
    for (const read of reads) read.last.resolve('stale');
    await turns();
    controller.abort(new Error('not me'));
    await turns();
    expect([outcomes[2]!.state, tracker.inspect().holds.length]).toEqual(['rejected', 4]);
    section.end();
    await turns();
    expect(reads.map(({ calls }) => calls.length)).toEqual([2, 2, 1, 2, 2]);
    for (const [i, read] of reads.entries()) if (i !== 2) read.last.resolve('fresh');
    await turns();
    expect(outcomes.filter(({ value }) => value === 'fresh')).toHaveLength(4);
    expectNothingLeft(tracker, { clock, signals: [controller.signal] });
  });

  it('on suspicion of a lookup with bounds of its own is over when its own time is, and the others still wait', async () => {
    const { tracker, clock } = make();
    await heat(tracker, PAGE);
    const section = await tracker.begin(PAGE);
    const suspicious = new ManualFetch();
    const patient = new ManualFetch();
    const timeoutMs = 10_000;
    const first = new Outcome(tracker.lookup(PAGE, suspicious.fetch, { holdMs: 100, timeoutMs }));
    clock.advance(50);
    await turns();
    const second = new Outcome(tracker.lookup(PAGE, patient.fetch, { holdMs: 100, timeoutMs }));
    expect(tracker.inspect().holds).toHaveLength(2);
    clock.advance(50);
    await turns();
    expect([tracker.inspect().holds.length, tracker.stats.holdsExpired]).toEqual([1, 1]);
    section.end();
    await turns();
    expect([suspicious.calls.length, patient.calls.length]).toEqual([1, 1]);
    for (const read of [suspicious, patient]) read.last.resolve('fresh');
    await turns();
    expect([first.value, second.value]).toEqual(['fresh', 'fresh']);
    expectNothingLeft(tracker, { clock });
  });

  it('on suspicion that ran out while the others still wait is over for its lookup: it reads once, when they do', async () => {
    const { tracker, clock } = make();
    await heat(tracker, PAGE);
    const section = await tracker.begin(PAGE);
    const suspicious = new ManualFetch();
    const patient = new ManualFetch();
    const outcomes = [
      new Outcome(tracker.lookup(PAGE, suspicious.fetch, { holdMs: 10 })),
      new Outcome(tracker.lookup(PAGE, patient.fetch, { holdMs: 100 })),
    ];
    expect(tracker.inspect().holds).toHaveLength(2);
    clock.advance(1000);
    await turns();
    // Nobody has waited for them.
    expect(tracker.inspect().holds.map(({ leftMs }) => leftMs)).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    const begun = new Outcome(tracker.begin(PAGE));
    clock.advance(10);
    await turns();
    expect([tracker.inspect().holds.length, tracker.stats.holdsExpired]).toEqual([1, 1]);
    clock.advance(90);
    await turns();
    expect([begun.state, tracker.inspect().holds.length]).toEqual(['resolved', 0]);
    begun.value!.end();
    expect([suspicious.calls.length, patient.calls.length]).toEqual([0, 0]);
    section.end();
    await turns();
    expect([suspicious.calls.length, patient.calls.length]).toEqual([1, 1]);
    for (const read of [suspicious, patient]) read.last.resolve('fresh');
    await turns();
    expect(outcomes.map(({ value }) => value)).toEqual(['fresh', 'fresh']);
    expectNothingLeft(tracker, { clock });
  });

  it('what it observes is held until it is released, and covers what is active there now', async () => {
    const { tracker, clock } = make();
    const holder = await hold(tracker, PAGE);
    const busy = tracker.tryBegin(range(30, 38))!;
    holder.read.last.attempt.observe([range(20, 28), range(30, 38)]);
    expect(tracker.tryBegin(range(20, 21))).toBeUndefined();
    holder.read.last.resolve('stale');
    await turns();
    // It lost to what was active there; its next turn comes when that is quiet as well.
    expect(holder.read.calls).toHaveLength(2);
    busy.end();
    await turns();
    expect(holder.read.calls).toHaveLength(3);
    await holder.commit();
    expect(holder.outcome.value).toBe('fresh');
    tracker.tryBegin(range(0, 100))!.end();
    expectNothingLeft(tracker, { clock });
  });

  it('is released before the begins that it delayed go on, which is after the turn of its commit', async () => {
    const { tracker } = make();
    const log: string[] = [];
    const read = new ManualFetch();
    const result = tracker.lookup(PAGE, read.fetch, {
      maxAttempts: 1,
      commit() {
        log.push(`commit at ${tracker.seq}, ${tracker.activeCount} active`);
      },
    });
    tracker.tryBegin(PAGE)!.end();
    read.last.resolve('stale');
    await turns();
    const begun = tracker.begin(PAGE).then((section) => {
      log.push(`begin at ${section.beginSeq}`);
      section.end();
    });
    await turns();
    read.last.resolve('fresh');
    await soon(Promise.all([result, begun]));
    expect(log).toEqual(['commit at 2, 0 active', 'begin at 3']);
  });

  it('waits for all begins that its end before it has let go, also if the first of them ends before the second has entered', async () => {
    const { tracker, clock } = make();
    const first = await hold(tracker, PAGE);
    // Ends the first section from inside of its begin.
    const impatient = tracker.subscribe(range(4, 8), { invalidate: (invalidation) => invalidation.end() });
    const wide = new ManualFetch();
    const result = tracker.lookup(range(0, 16), wide.fetch, { maxAttempts: 1 });
    hit(tracker, range(8, 16));
    const begins = [new Outcome(tracker.begin(range(4, 8)))];
    wide.last.resolve('stale');
    await turns();
    begins.push(new Outcome(tracker.begin(range(0, 4))));
    expect(tracker.inspect().holds).toHaveLength(2);
    await first.commit();
    expect(begins.map(({ state }) => state)).toEqual(['rejected', 'resolved']);
    expect(wide.calls).toHaveLength(1);
    begins[1]!.value!.end();
    await turns();
    wide.last.resolve('fresh');
    expect(await soon(result)).toBe('fresh');
    // It was never admitted in between, only to get in line again.
    expect([tracker.stats.collisions, tracker.stats.holds]).toEqual([2, 2]);
    impatient.close();
    expectNothingLeft(tracker, { clock });
  });

  it('does not outlive a fetch that never ends once its lookup has timed out', async () => {
    const { tracker, clock } = make();
    const read = new ManualFetch();
    const outcome = new Outcome(tracker.lookup(PAGE, read.fetch, { maxAttempts: 1, timeoutMs: 10, holdMs: 1000 }));
    tracker.tryBegin(PAGE)!.end();
    read.last.resolve('stale');
    await turns();
    const begun = new Outcome(tracker.begin(PAGE));
    clock.advance(10);
    await turns();
    expect([outcome.state, begun.state]).toEqual(['rejected', 'resolved']);
    begun.value!.end();
    expectNothingLeft(tracker, { clock });
  });

  it('lets begins within another through, and no others', async () => {
    const { tracker, clock } = make();
    const { read, outcome, section } = await waitingHold(tracker);
    const inner = tracker.tryBegin(range(2, 4), { within: section })!;
    expect(tracker.tryBegin(range(2, 4))).toBeUndefined();
    section.end();
    await turns();
    expect(read.calls).toHaveLength(1);
    inner.end();
    await turns();
    read.last.resolve('fresh');
    await turns();
    expect(outcome.value).toBe('fresh');
    expectNothingLeft(tracker, { clock });
  });

  it('has its filter asked about an urgent begin when the section is active already', async () => {
    const { tracker, clock } = make();
    const active: unknown[] = [];
    const ignore = ({ label }: { label?: string | undefined }) => {
      if (label === 'urgent') active.push([tracker.activeCount, tracker.tryReadBegin(PAGE)]);
      return label === 'urgent';
    };
    const holder = await hold(tracker, PAGE, { ignore });
    tracker.tryBegin(PAGE, { label: 'urgent', urgent: true } as BeginOptions)!.end();
    expect(active[0]).toEqual([1, undefined]);
    await holder.commit();
    expectNothingLeft(tracker, { clock });
  });
});
