/**
 * A lookup takes one of three lanes (lib/tracker/flight.ts), and nobody can tell which: what is promised is promised on each of
 * them. Each test runs a lookup that has been brought to its first attempt on one lane.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { ClosedError, CommitError, type Invalidation, type LookupOptions, RangeTracker, type Seq } from '../../lib/index.js';
import { spaceOf } from '../../lib/tracker/internal.js';
import { ManualClock } from '../support/clock.js';
import { heat } from '../support/holding.js';
import { expectNothingLeft } from '../support/leftovers.js';
import { ManualFetch, range } from '../support/reading.js';
import { failure, Outcome, soon, turns } from '../support/turns.js';

const PAGE = range(0, 8);
const ELSEWHERE = range(100, 108);

/** A tracker that has seen so many lookups lose on the page that the next ones hold it from the start. */
async function hotTracker(clock = new ManualClock()): Promise<RangeTracker> {
  const tracker = new RangeTracker({ clock });
  await heat(tracker, PAGE);
  return tracker;
}

interface Lane {
  readonly name: string;
  readonly isHeld: boolean;
  readonly make: () => Promise<RangeTracker>;
  readonly options?: () => { readonly signal?: AbortSignal };
  /** What is active when the lookup starts, and ends before its attempt. */
  readonly isBlocked?: boolean;
}

const LANES: readonly Lane[] = [
  { name: 'fast', isHeld: false, make: async () => new RangeTracker() },
  { name: 'hot', isHeld: true, make: () => hotTracker() },
  { name: 'hot, after its turn came', isHeld: true, make: () => hotTracker(), isBlocked: true },
  { name: 'slow, as it waits', isHeld: false, make: async () => new RangeTracker(), isBlocked: true },
  {
    name: 'slow, as it has a signal',
    isHeld: false,
    make: async () => new RangeTracker(),
    options: () => ({ signal: new AbortController().signal }),
  },
  { name: 'slow, as it is observed', isHeld: false, make: async () => new RangeTracker({ observer: { attempt() {} } }) },
];

interface Running {
  readonly tracker: RangeTracker;
  readonly read: ManualFetch;
  readonly result: Promise<unknown>;
  readonly outcome: Outcome<unknown>;
  /** A section that queues behind no hold. */
  nested(): Invalidation;
  /** Ends what is there for nested sections. */
  done(): void;
}

/** A lookup on its first attempt. */
async function running(lane: Lane, options: LookupOptions<string, unknown> = {}): Promise<Running> {
  const tracker = await lane.make();
  const outer = tracker.tryBegin(ELSEWHERE)!;
  const section = lane.isBlocked ? tracker.tryBegin(PAGE)! : undefined;
  const read = new ManualFetch();
  const result = tracker.lookup(PAGE, read.fetch, { ...lane.options?.(), ...options });
  const outcome = new Outcome(result);
  expect(read.calls).toHaveLength(lane.isBlocked ? 0 : 1);
  section?.end();
  await turns();
  expect(read.calls).toHaveLength(1);
  expect(tracker.inspect().holds).toHaveLength(lane.isHeld ? 1 : 0);
  return {
    ...{ tracker, read, result, outcome },
    nested: () => tracker.tryBegin(PAGE, { within: outer })!,
    done: () => outer.end(),
  };
}

describe.each(LANES)('on the lane: $name', (lane) => {
  it('a value is committed in the turn in which it comes, once', async () => {
    const committed: string[] = [];
    const { tracker, read, result, done } = await running(lane, { commit: (value) => committed.push(value) });
    read.last.resolve('fresh');
    expect(await soon(result)).toBe(1);
    expect([committed, tracker.stats.attempts - tracker.stats.collisions]).toEqual([['fresh'], tracker.stats.commits]);
    done();
    expectNothingLeft(tracker);
  });

  it('the token is older than the fetch', async () => {
    const tracker = await lane.make();
    const outer = tracker.tryBegin(ELSEWHERE)!;
    const section = lane.isBlocked ? tracker.tryBegin(PAGE)! : undefined;
    const seqs: Seq[] = [];
    const result = tracker.lookup(
      PAGE,
      ({ seq, number }) => {
        seqs.push(seq);
        // Whoever takes the token now takes it for a section that has ended before.
        if (number === 1) tracker.tryBegin(PAGE, { within: outer })!.end();
        return Promise.resolve(number);
      },
      lane.options?.(),
    );
    section?.end();
    expect(await soon(result)).toBe(2);
    expect(seqs).toHaveLength(2);
    outer.end();
    expectNothingLeft(tracker);
  });

  it('the token is not older than it must be: what has ended before the attempt does not hit it', async () => {
    const { tracker, read, result, done } = await running(lane);
    expect(read.last.attempt.seq).toBe(tracker.seq);
    const { collisions } = tracker.stats;
    read.last.resolve('fresh');
    await soon(result);
    expect(tracker.stats.collisions).toBe(collisions);
    done();
    expectNothingLeft(tracker);
  });

  it.each(['still active', 'ended'])('what is hit by a section that is %s is not committed', async (state) => {
    const committed: string[] = [];
    const { tracker, read, result, nested, done } = await running(lane, { commit: (value) => committed.push(value) });
    const section = nested();
    if (state === 'ended') section.end();
    read.last.resolve('stale');
    await turns();
    expect([committed, read.calls.length]).toEqual([[], state === 'ended' ? 2 : 1]);
    section.end();
    await turns();
    read.last.resolve('fresh');
    await soon(result);
    expect(committed).toEqual(['fresh']);
    done();
    expectNothingLeft(tracker);
  });

  it('an error of an attempt that was hit is none', async () => {
    const { tracker, read, result, nested, done } = await running(lane);
    nested().end();
    read.last.reject(new Error('torn'));
    await turns();
    read.last.resolve('fresh');
    expect(await soon(result)).toBe('fresh');
    done();
    expectNothingLeft(tracker);
  });

  it('an error of any other is passed on as it is, and what it held is free', async () => {
    const { tracker, read, result, done } = await running(lane);
    const error = new Error('no such row');
    read.last.reject(error);
    expect(await failure(result)).toBe(error);
    done();
    expectNothingLeft(tracker);
  });

  it('what commit throws is passed on as it is, and a promise of commit is refused', async () => {
    const error = new Error('full');
    for (const [commit, reason] of [
      [
        () => {
          throw error;
        },
        error,
      ],
      [async () => {}, expect.any(CommitError)],
    ] as const) {
      const { tracker, read, result, done } = await running(lane, { commit });
      read.last.resolve('fresh');
      expect(await failure(result)).toEqual(reason);
      done();
      expectNothingLeft(tracker);
    }
  });

  it('what is observed is checked from the token on, and held where the lookup holds', async () => {
    const { tracker, read, result, done } = await running(lane);
    const seen = range(40, 48);
    tracker.tryBegin(range(60, 68))!.end();
    read.last.attempt.observe([seen, range(60, 68)]);
    const begun = tracker.tryBegin(seen);
    expect(begun === undefined).toBe(lane.isHeld);
    begun?.end();
    read.last.resolve('stale');
    await turns();
    expect(read.calls).toHaveLength(2);
    read.last.resolve('fresh');
    expect(await soon(result)).toBe('fresh');
    done();
    expectNothingLeft(tracker);
  });

  it('the signal fires when the attempt is hit, and never after its commit', async () => {
    const { tracker, read, result, nested, done } = await running(lane);
    const { signal } = read.last.attempt;
    const section = nested();
    expect(signal.aborted).toBe(true);
    section.end();
    read.last.reject(signal.reason);
    await turns();
    const later = read.last.attempt.signal;
    read.last.resolve('fresh');
    await soon(result);
    tracker.tryBegin(PAGE)?.end();
    expect(later.aborted).toBe(false);
    done();
    expectNothingLeft(tracker);
  });

  it('the end of the tracker turns it away', async () => {
    const { tracker, read, outcome } = await running(lane);
    await soon(tracker.close());
    read.last.resolve('too late');
    await turns();
    expect(outcome.error).toBeInstanceOf(ClosedError);
  });

  it('every attempt runs in the context of the caller', async () => {
    const context = new AsyncLocalStorage<string>();
    const tracker = await lane.make();
    const outer = context.run('writer', () => tracker.tryBegin(ELSEWHERE)!);
    const section = lane.isBlocked ? tracker.tryBegin(PAGE)! : undefined;
    const seen: unknown[] = [];
    const result = context.run('reader', () =>
      tracker.lookup(
        PAGE,
        ({ number }) => {
          seen.push(context.getStore());
          if (number === 1) context.run('other', () => tracker.tryBegin(PAGE, { within: outer })!.end());
          return context.run('fetch', async () => number);
        },
        { ...lane.options?.(), commit: () => void seen.push(context.getStore()) },
      ),
    );
    context.run('writer', () => section?.end());
    await soon(result);
    expect(seen).toEqual(['reader', 'reader', 'reader']);
    outer.end();
    expectNothingLeft(tracker);
  });

  it('a fetch that answers at once, or throws at once, is treated alike', async () => {
    const tracker = await lane.make();
    const section = lane.isBlocked ? tracker.tryBegin(PAGE)! : undefined;
    const value = tracker.lookup(PAGE, () => 'fresh', lane.options?.());
    const error = new Error('no such row');
    const thrown = tracker.lookup(
      PAGE,
      () => {
        throw error;
      },
      lane.options?.(),
    );
    section?.end();
    expect(await soon(value)).toBe('fresh');
    expect(await failure(thrown)).toBe(error);
    expectNothingLeft(tracker);
  });

  it('a fetch that is hit in its own turn is called again in a later one', async () => {
    const tracker = await lane.make();
    const outer = tracker.tryBegin(ELSEWHERE)!;
    const section = lane.isBlocked ? tracker.tryBegin(PAGE)! : undefined;
    const order: string[] = [];
    const result = tracker.lookup(
      PAGE,
      ({ number }) => {
        order.push('call');
        queueMicrotask(() => order.push('turn'));
        if (number < 3) tracker.tryBegin(PAGE, { within: outer })!.end();
        return number;
      },
      { ...lane.options?.(), maxAttempts: 10 },
    );
    section?.end();
    expect(await soon(result)).toBe(3);
    expect(order).toEqual(['call', 'turn', 'call', 'turn', 'call', 'turn']);
    outer.end();
    expectNothingLeft(tracker);
  });

  it('a subscription that is closed meanwhile turns its lookup away', async () => {
    const tracker = await lane.make();
    const subscription = tracker.subscribe(PAGE, { invalidate() {} });
    const section = lane.isBlocked ? tracker.tryBegin(PAGE)! : undefined;
    const read = new ManualFetch();
    const outcome = new Outcome(subscription.lookup(read.fetch, lane.options?.()));
    section?.end();
    await turns();
    subscription.close();
    read.last.resolve('too late');
    await turns();
    expect(outcome.error).toBeInstanceOf(ClosedError);
    expectNothingLeft(tracker);
  });
});

describe('lookups that hold together on a hot range', () => {
  it('are joined by nobody once a begin queues over it, so that begins are not put off for ever', async () => {
    const tracker = await hotTracker();
    const reads = [new ManualFetch(), new ManualFetch()];
    const results = [tracker.lookup(PAGE, reads[0]!.fetch)];
    const begun = new Outcome(tracker.begin(PAGE));
    results.push(tracker.lookup(PAGE, reads[1]!.fetch));
    expect(reads.map(({ calls }) => calls.length)).toEqual([1, 0]);
    reads[0]!.last.resolve('fresh');
    await turns();
    expect([begun.state, reads[1]!.calls.length]).toEqual(['resolved', 0]);
    begun.value!.end();
    await turns();
    reads[1]!.last.resolve('fresh');
    expect(await soon(Promise.all(results))).toEqual(['fresh', 'fresh']);
    expectNothingLeft(tracker);
  });

  it('are joined by nobody once a nested section has begun over it: whoever comes waits for that', async () => {
    const tracker = await hotTracker();
    const outer = tracker.tryBegin(ELSEWHERE)!;
    const reads = [new ManualFetch(), new ManualFetch()];
    const results = [tracker.lookup(PAGE, reads[0]!.fetch)];
    const section = tracker.tryBegin(PAGE, { within: outer })!;
    results.push(tracker.lookup(PAGE, reads[1]!.fetch));
    expect(reads.map(({ calls }) => calls.length)).toEqual([1, 0]);
    section.end();
    reads[0]!.last.resolve('stale');
    await turns();
    for (const read of reads) read.last.resolve('fresh');
    expect(await soon(Promise.all(results))).toEqual(['fresh', 'fresh']);
    outer.end();
    expectNothingLeft(tracker);
  });

  it.each([{ maxAttempts: Number.POSITIVE_INFINITY }, { whenExhausted: 'throw' as const }])(
    'are not joined by one that never holds: %j',
    async (options) => {
      const tracker = await hotTracker();
      const { holds } = tracker.stats;
      const read = new ManualFetch();
      const outcome = new Outcome(tracker.lookup(PAGE, read.fetch, options));
      expect([tracker.inspect().holds, tracker.stats.holds]).toEqual([[], holds]);
      tracker.tryBegin(PAGE)!.end();
      read.last.resolve('stale');
      await turns();
      read.last.resolve('fresh');
      await turns();
      expect(outcome.value).toBe('fresh');
      expectNothingLeft(tracker);
    },
  );

  it('are shown by inspect() under their labels and numbers, one number each', async () => {
    const tracker = await hotTracker();
    const reads = [new ManualFetch(), new ManualFetch()];
    const member = tracker.subscribe(PAGE, { invalidate() {} }, { label: 'view' });
    const results = [member.lookup(reads[0]!.fetch), tracker.lookup(PAGE, reads[1]!.fetch, { label: 'own' })];
    const begun = tracker.begin(PAGE, { label: 'change' });
    const { holds, sections } = tracker.inspect();
    expect(holds).toMatchObject([
      { label: 'view', ranges: [PAGE], admitted: true },
      { label: 'own', ranges: [PAGE], admitted: true },
    ]);
    expect(sections[0]!.behind).toEqual(
      holds.map(({ id, label }) => ({ id, operation: 'lookup', label, ranges: [PAGE], forMs: 0 })),
    );
    expect(holds[1]!.id).toBe(holds[0]!.id + 1);
    expect(tracker.inspect().holds).toEqual(holds);
    for (const read of reads) read.last.resolve('fresh');
    await soon(Promise.all(results));
    (await soon(begun)).end();
    member.close();
    expectNothingLeft(tracker);
  });

  it('read no clock, and delay a begin for holdMs at the most, counted from when it came', async () => {
    const clock = new ManualClock();
    const tracker = await hotTracker(clock);
    const read = new ManualFetch();
    const outcome = new Outcome(tracker.lookup(PAGE, read.fetch, { holdMs: 50 }));
    expect(clock.pending).toBe(0);
    clock.advance(10_000);
    await turns();
    const begun = new Outcome(tracker.begin(PAGE));
    expect(clock.delays).toEqual([50]);
    clock.advance(49);
    await turns();
    expect(begun.state).toBe('pending');
    clock.advance(1);
    await turns();
    expect([begun.state, outcome.state, tracker.stats.holdsExpired]).toEqual(['resolved', 'pending', 1]);
    begun.value!.end();
    read.last.resolve('stale');
    await turns();
    expect(read.calls).toHaveLength(2);
    read.last.resolve('fresh');
    await turns();
    expect(outcome.value).toBe('fresh');
    expectNothingLeft(tracker, { clock });
  });
});

it('a hot range has cooled down once lookups get through it that hold nothing', async () => {
  const tracker = await hotTracker();
  const options = { whenExhausted: 'throw' as const };
  for (let i = 0; i < 64; i++) await soon(tracker.lookup(PAGE, async () => i, options));
  const { holds } = tracker.stats;
  await soon(tracker.lookup(PAGE, async () => 'fresh'));
  expect(tracker.stats.holds).toBe(holds);
});

describe('a begin that does not wait', () => {
  it('is refused for holdMs at the most, however long the fetch of who holds takes', async () => {
    const clock = new ManualClock();
    const tracker = await hotTracker(clock);
    const read = new ManualFetch();
    const outcome = new Outcome(tracker.lookup(PAGE, read.fetch, { holdMs: 50 }));
    clock.advance(10_000);
    await turns();
    expect(tracker.tryBegin(PAGE)).toBeUndefined();
    clock.advance(50);
    await turns();
    tracker.tryBegin(PAGE)!.end();
    read.last.resolve('stale');
    await turns();
    read.last.resolve('fresh');
    await turns();
    expect(outcome.value).toBe('fresh');
    expectNothingLeft(tracker, { clock });
  });
});

describe('long fetches', () => {
  it('hold from the start once one in ten has been lost, wherever they read', async () => {
    const tracker = new RangeTracker();
    let page = 0;
    const isHeld = async () => {
      page += 10;
      const read = new ManualFetch();
      const result = tracker.lookup(range(page, page + 8), read.fetch);
      const held = tracker.inspect().holds.length > 0;
      // Ten sections, one after the other; the last one hits unless it is kept off.
      for (let i = 0; i < 9; i++) tracker.tryBegin(ELSEWHERE)!.end();
      tracker.tryBegin(range(page, page + 8))?.end();
      read.last.resolve('value');
      await turns();
      if (read.calls.length > 1) read.last.resolve('value');
      await soon(result);
      return held;
    };
    const seen: boolean[] = [];
    for (let i = 0; i < 60; i++) seen.push(await isHeld());
    expect(seen.indexOf(true)).toBeGreaterThan(6);
    expect(seen.slice(seen.indexOf(true)).filter(Boolean).length).toBeGreaterThan(0);
    expectNothingLeft(tracker);
  });

  it('hold no more from the start once nobody comes into their way', async () => {
    const tracker = new RangeTracker();
    const { heat } = spaceOf(tracker).gate;
    for (let i = 0; i < 64; i++) heat.lost([i * 10, i * 10 + 8], 20);
    const isHot = () => heat.isHot([5000, 5008]);
    expect(isHot()).toBe(true);
    let holding = 0;
    for (; isHot() && holding < 1000; holding++) await tracker.lookup(range(5000, 5008), async () => 1);
    expect(holding).toBeGreaterThan(50);
    expect(holding).toBeLessThan(200);
    expect(tracker.stats.holds).toBe(holding);
    await tracker.lookup(range(5000, 5008), async () => 1);
    expect(tracker.stats.holds).toBe(holding);
    expectNothingLeft(tracker);
  });

  it('are as long beside sections of many ranges: what counts is sections', async () => {
    const tracker = new RangeTracker();
    const { heat } = spaceOf(tracker).gate;
    const scattered = Array.from({ length: 1000 }, (_, i) => range(100_000 + i * 10, 100_001 + i * 10));
    for (let i = 0; i < 64; i++) tracker.tryBegin(scattered)!.end();
    for (let i = 0; i < 64; i++) heat.lost([i * 10, i * 10 + 8], 20);
    expect(heat.isHot([5000, 5008])).toBe(true);
    expectNothingLeft(tracker);
  });

  it('that are never hit do not', async () => {
    const tracker = new RangeTracker();
    for (let i = 0; i < 60; i++) {
      const read = new ManualFetch();
      const result = tracker.lookup(PAGE, read.fetch);
      for (let j = 0; j < 9; j++) tracker.tryBegin(ELSEWHERE)!.end();
      read.last.resolve('value');
      await soon(result);
    }
    expect(tracker.stats.holds).toBe(0);
    expectNothingLeft(tracker);
  });
});
