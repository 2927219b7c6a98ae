import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Attempt, ClosedError, type Invalidation, type Range, RetryLimitError } from '../../lib/index.js';
import { settled, turns } from '../support/model/clock.js';
import { HOLD_MS, Stage } from '../support/model/holder.js';
import { property, Random, seeds } from '../support/model/random.js';
import { runWorld } from '../support/model/world.js';

const PAGE = { start: 0, end: 8 };
const NEXT = { start: 8, end: 16 };

// --- worlds in which nearly everybody holds

test.each(seeds(12))('nobody waits for ever on two pages, since no hold ever runs out (seed %i)', async (seed) => {
  const counts = await runWorld({ seed, lookups: 150, pages: 2, readers: 8, writers: 4 });
  expect(counts.holds).toBeGreaterThan(0);
  expect(counts.commits + counts.exhausted).toBe(150);
});

test.each(seeds(12))('aborts, time limits and dissolved holds leave nothing behind (seed %i)', async (seed) => {
  await runWorld({ seed, lookups: 150, pages: 6, readers: 8, writers: 4, cancels: true, tickChance: 0.3, holdMs: 4 });
});

// --- two holds and three begins

const overlapping: readonly Range[] = [PAGE, { start: 4, end: 12 }, NEXT];

test('two holds and three begins get through in every order of coming, without overtaking and without a deadlock', async () => {
  for (const order of permutations(['hold a', 'hold b', 'begin 1', 'begin 2', 'begin 3'])) {
    for (const shape of [0, 1, 2, 3]) await play(order, shape);
  }
}, 30_000);

/** Everybody comes in this order, and as soon as somebody may go on, goes on and ends, the last that came first. */
async function play(order: readonly string[], shape: number): Promise<void> {
  const stage = new Stage();
  const { tracker, witness } = stage;
  const holders = new Map<string, ReturnType<Stage['holder']>>();
  const active: Invalidation[] = [];
  let pending = 0;
  const base = await tracker.begin(overlapping[shape % 3]!, { label: 'the first' });
  for (const [i, name] of order.entries()) {
    const ranges = shape === 0 ? PAGE : overlapping[(i * shape) % 3]!;
    if (name.startsWith('hold')) holders.set(name, stage.holder(name, ranges));
    else {
      pending++;
      void tracker
        .begin(ranges, { label: name, signal: i % 2 === 0 ? new AbortController().signal : undefined })
        .then((section) => {
          pending--;
          active.push(section);
        });
    }
    await turns(i);
  }
  await stage.settle();
  base.end();
  for (let round = 0; round < 12; round++) {
    await stage.settle();
    if (round % 2 === 0) active.pop()?.end();
    else [...holders.values()].find(({ attempts, isFinishing }) => attempts.length > 0 && !isFinishing)?.finish();
    if (round > 6) while (active.length > 0) active.pop()!.end();
  }
  await stage.settle();
  const where = `${order.join(', ')}, shape ${shape}`;
  expect(pending, where).toBe(0);
  for (const [name, { outcome }] of holders) expect(outcome, `${name} in ${where}`).toBe(name);
  expect(tracker.stats.holdsExpired, where).toBe(0);
  witness.finish(tracker);
  expect(witness.violations, where).toEqual([]);
  expect(stage.clock.pending, where).toBe(0);
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, i) => permutations(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest]));
}

// --- each microtask between two steps

test('a begin that was granted goes before a hold that stood between it and a begin that ends at once', async () => {
  // Both begins are granted together; the one with a signal enters some turns later. The hold between them must not be
  // admitted in those turns, or its one attempt is lost.
  for (let gap = 0; gap < 8; gap++) {
    const stage = new Stage();
    const first = stage.holder('first', PAGE);
    await stage.settle();
    const quick = stage.tracker.begin(PAGE, { label: 'quick' }).then(async (section) => {
      await turns(gap);
      section.end();
    });
    const between = stage.holder('between', PAGE);
    await stage.settle(); // it loses once, and is announced before the next begin comes
    const slow = stage.tracker.begin(PAGE, { label: 'slow', signal: new AbortController().signal });
    await stage.settle();
    first.finish();
    await quick;
    (await slow).end();
    await stage.settle();
    between.finish();
    expect(await between.result).toBe('between');
    expect(between.attempts).toHaveLength(1);
    expect(stage.witness.violations).toEqual([]);
  }
});

test('a granted begin that is aborted before it enters leaves no hold waiting and lets none be broken', async () => {
  for (let gap = 0; gap < 8; gap++) {
    const stage = new Stage();
    const first = stage.holder('first', PAGE);
    await stage.settle();
    const controller = new AbortController();
    const given = stage.tracker.begin(PAGE, { label: 'given up', signal: controller.signal }).then(
      (section) => section.end(),
      () => stage.witness.refused(),
    );
    const between = stage.holder('between', PAGE);
    await stage.settle(); // it loses once, and is announced before the next begin comes
    const later = stage.tracker.begin(PAGE, { label: 'later', signal: new AbortController().signal });
    await stage.settle();
    first.finish();
    await turns(gap);
    controller.abort();
    await given;
    (await later).end();
    await stage.settle();
    between.finish();
    expect(await between.result).toBe('between');
    expect(between.attempts).toHaveLength(1);
    expect(stage.tracker.stats.holdsExpired).toBe(0);
    expect(stage.witness.violations).toEqual([]);
  }
});

test('a begin that was granted goes before a hold that waited for another begin, which gives up in the turn of the grant', async () => {
  const stage = new Stage();
  const [ends, givesUp] = [new AbortController(), new AbortController()];
  const first = stage.holder('first', PAGE, { signal: ends.signal });
  await stage.settle();
  const given = stage.tracker.begin(PAGE, { label: 'given up', signal: givesUp.signal }).catch(() => stage.witness.refused());
  const between = stage.holder('between', PAGE);
  await stage.settle(); // it loses once, and is announced before the next begin comes
  // Has a signal, too, or it would enter before the hold has had its turn.
  const later = stage.tracker.begin(PAGE, { label: 'later', signal: new AbortController().signal });
  await stage.settle();
  givesUp.abort(); // in its next turn it leaves the queue, and the hold looks again: nothing active, and no older begin
  ends.abort(); // grants the other begin, which enters a turn later
  await given;
  const section = await later;
  await settled();
  expect(between.attempts).toHaveLength(0);
  section.end();
  await settled();
  between.finish();
  expect(await between.result).toBe('between');
  expect(between.attempts).toHaveLength(1);
  expect(await first.result).toBe(ends.signal.reason);
  expect(stage.witness.violations).toEqual([]);
});

test('a begin that queues when the tracker is closed rejects, whatever turn its grant has got to', async () => {
  for (let gap = 0; gap < 8; gap++) {
    for (const signal of [undefined, new AbortController().signal]) {
      const stage = new Stage();
      const holder = stage.holder('holder', PAGE);
      await stage.settle();
      const begin = stage.tracker.begin(PAGE, { signal }).then(
        () => 'begun',
        (error: unknown) => error,
      );
      holder.finish();
      await turns(gap);
      const { closed } = stage.tracker;
      const before = stage.tracker.stats.begins;
      expect(closed).toBe(false);
      const begun = stage.tracker.inspect().sections.some(({ state }) => state === 'active');
      await stage.tracker.close();
      if (begun) expect(await begin).toBe('begun');
      else {
        expect(await begin).toBeInstanceOf(ClosedError);
        expect(stage.tracker.stats.begins - before, 'the release alone').toBe(1);
      }
    }
  }
});

// --- what holds may not do

test('a lookup that joins an admitted hold waits for a nested section that has come through', async () => {
  const stage = new Stage();
  const outer = await stage.tracker.begin(NEXT, { label: 'outer' });
  const holder = stage.holder('holder', PAGE);
  await stage.settle();
  const numbers: number[] = [];
  let lose = (): void => {};
  const late = stage.lookup(
    PAGE,
    ({ number }) => {
      numbers.push(number);
      if (number === 1) return new Promise<string>((resolve) => (lose = () => resolve('lost')));
      // It would lose and come again in the same turn for ever; the owner of the nested section would never get a turn.
      return number < 10 ? 'late' : new Promise<string>(() => {});
    },
    { maxAttempts: 1 },
  );
  await stage.settle();
  const inner = await stage.tracker.begin(PAGE, { label: 'inner', within: outer });
  lose();
  await stage.settle();
  expect(numbers).toEqual([1]);
  inner.end();
  outer.end();
  expect(await late).toBe('late');
  expect(numbers).toEqual([1, 2]);
  holder.finish();
  expect(await holder.result).toBe('holder');
});

test('a begin waits no longer than a hold may last, although lookups keep coming to the hold it waits for', async () => {
  await waitBehindAChain((number) => (number === 0 ? NEXT : undefined));
});

test('a begin waits no longer than a hold may last, although each lookup that comes discovers its range', async () => {
  await waitBehindAChain(() => NEXT);
});

/** A begin over NEXT, which is held only because holds of PAGE have discovered it; every 500 ms comes another, for 600 ms. */
async function waitBehindAChain(observe: (number: number) => Range | undefined): Promise<void> {
  const stage = new Stage();
  const start = (number: number) => {
    const more = observe(number);
    return stage.holder(`holder ${number}`, PAGE, more === undefined ? {} : { observe: more });
  };
  let last = start(0);
  await stage.settle();
  let begun: number | undefined;
  const begin = stage.tracker.begin(NEXT).then((section) => {
    begun = stage.clock.now();
    section.end();
  });
  for (let number = 1; number < 8; number++) {
    stage.clock.advance(500);
    const next = start(number);
    await stage.settle();
    stage.clock.advance(100);
    last.finish();
    await stage.settle();
    last = next;
  }
  last.finish();
  await begin;
  expect(begun).toBeLessThanOrEqual(HOLD_MS);
}

test('a hold that discovers the range of an older begin does not wait for it while it waits for the hold', async () => {
  const stage = new Stage();
  const elsewhere = { start: 16, end: 24 };
  const first = stage.holder('first', NEXT);
  await stage.settle();
  const begin = stage.tracker.begin(NEXT, { label: 'older' });
  await stage.settle();
  const late = await stage.tracker.begin(elsewhere);
  const second = stage.holder('second', PAGE, { observe: { start: 8, end: 24 } });
  await stage.settle();
  first.finish();
  await stage.settle();
  second.finish(); // hit by `late`: it gets in line again, over everything it has seen
  await stage.settle();
  late.end();
  (await begin).end();
  await stage.settle();
  expect(await second.result).toBe('second');
  expect(stage.tracker.stats.holdsExpired).toBe(0);
  expect(stage.clock.now()).toBe(0);
});

test('a lookup that has lost nothing waits out a long section, also where others have fought for the range', async () => {
  const stage = new Stage();
  for (let round = 0; round < 4; round++) {
    const holder = stage.holder(`holder ${round}`, PAGE);
    await stage.settle();
    const begin = stage.tracker.begin(PAGE);
    await stage.settle();
    holder.finish();
    (await begin).end();
    await stage.settle();
  }
  const long = await stage.tracker.begin(PAGE);
  let outcome: unknown;
  const note = (settlement: unknown) => {
    outcome = settlement;
  };
  stage.lookup(PAGE, () => 'read').then(note, note);
  await stage.settle();
  // It may hold from the start, and lose the hold; but it has not collided once, so it has nothing to fail with.
  stage.clock.advance(HOLD_MS + 1);
  await stage.settle();
  expect(outcome).toBeUndefined();
  long.end();
  await stage.settle();
  expect(outcome).toBe('read');
});

test('a nested begin that does not say so is delayed by holdMs at most, and then everybody goes on', async () => {
  const stage = new Stage();
  const outer = await stage.tracker.begin(PAGE);
  const holder = stage.holder('holder', PAGE);
  const again = await stage.tracker.begin(PAGE);
  outer.end(); // overtaken by `again`, so it holds, and waits for that
  await stage.settle();
  const nested = stage.tracker.begin(PAGE);
  const declared = await stage.tracker.begin(PAGE, { within: again });
  declared.end();
  stage.clock.advance(HOLD_MS - 1);
  await stage.settle();
  expect(holder.outcome).toBeUndefined();
  stage.clock.advance(1);
  (await nested).end();
  expect(holder.outcome).toBeUndefined(); // it has got in line again
  again.end();
  await stage.settle();
  holder.finish();
  expect(await holder.result).toBe('holder');
  expect(stage.clock.pending).toBe(0);
});

test('a holder that invalidates what it holds ends by its limit', async () => {
  const stage = new Stage();
  let held = false;
  const result = stage.lookup(
    PAGE,
    async (attempt: Attempt) => {
      if (attempt.number === 1) stage.tracker.tryBegin(PAGE)?.end();
      else {
        held = true;
        (await stage.tracker.begin(PAGE)).end();
      }
    },
    { maxAttempts: 1 },
  );
  const outcome = result.catch((error: unknown) => error);
  await stage.settle();
  expect(held).toBe(true);
  stage.clock.advance(HOLD_MS);
  expect(await outcome).toBeInstanceOf(RetryLimitError);
  await stage.settle();
  stage.witness.finish(stage.tracker);
  expect(stage.witness.violations).toEqual([]);
  expect(stage.clock.pending).toBe(0);
});

// --- random histories of holds

test('random holds and begins on a few pages get through without any of them running out of time', async () => {
  const party = fc.record({
    what: fc.constantFrom('hold' as const, 'begin' as const, 'nested' as const, 'try' as const, 'abort' as const),
    start: fc.integer({ min: 0, max: 5 }),
    length: fc.integer({ min: 1, max: 4 }),
    observe: fc.option(fc.integer({ min: 0, max: 7 }), { nil: undefined }),
    gap: fc.integer({ min: 0, max: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(party, { minLength: 3, maxLength: 14 }), fc.integer(), async (parties, seed) => {
      const stage = new Stage();
      const { tracker, witness } = stage;
      const random = new Random(seed);
      const active: Invalidation[] = [];
      const holders: ReturnType<Stage['holder']>[] = [];
      let queued = 0;
      const go = () => {
        if (random.chance(0.5) && active.length > 0) active.splice(random.below(active.length), 1)[0]!.end();
        else holders.find(({ attempts, isFinishing }) => attempts.length > 0 && !isFinishing)?.finish();
      };
      const root = await tracker.begin({ start: 100, end: 101 });
      for (const [i, { what, start, length, observe, gap }] of parties.entries()) {
        const range = { start, end: start + length };
        if (what === 'hold') {
          const more = observe === undefined ? {} : { observe: { start: observe, end: observe + 2 } };
          holders.push(stage.holder(`holder ${i}`, range, more));
        } else if (what === 'try') {
          const section = tracker.tryBegin(range);
          if (section !== undefined) active.push(section);
        } else {
          const controller = new AbortController();
          queued++;
          void tracker
            .begin(range, { label: `begin ${i}`, ...(what === 'nested' ? { within: root } : {}), signal: controller.signal })
            .then(
              (section) => active.push(section),
              () => {},
            )
            .finally(() => queued--);
          if (what === 'abort') void turns(1 + random.below(20)).then(() => controller.abort());
        }
        await turns(gap);
        if (random.chance(0.3)) go();
      }
      for (
        let round = 0;
        round < 20 * parties.length && (queued > 0 || holders.some(({ outcome }) => outcome === undefined));
        round++
      ) {
        await turns(8);
        go();
      }
      while (active.length > 0) active.pop()!.end();
      root.end();
      await stage.settle();
      expect(queued).toBe(0);
      for (const { label, outcome } of holders) expect(outcome).toBe(label);
      expect(tracker.stats.holdsExpired).toBe(0);
      expect(tracker.inspect().sections).toEqual([]);
      expect(witness.violations.filter((what) => !what.includes('which never said so'))).toEqual([]);
    }),
    property(300),
  );
});
