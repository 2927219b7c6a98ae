import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { MIXES, recordAddressSpace } from '../../bench/traces/address-space.js';
import { CONTENDERS, type Comparison, compareAll } from '../../bench/traces/compare.js';
import { playExact } from '../../bench/traces/exact.js';
import { FAMILIES, workOf } from '../../bench/traces/families.js';
import { Ledger, type Outcome } from '../../bench/traces/ledger.js';
import { figuresOf, markdownComparisons, printComparisons, withFigures } from '../../bench/traces/page.js';
import { workOfTrace } from '../../bench/traces/recorded.js';
import { epoch, hull, type MakeRule, play, rwsem } from '../../bench/traces/rules.js';
import { meetingsOf, type Work, type WorkInvalidation, type WorkLookup } from '../../bench/traces/work.js';
import type { Range } from '../../lib/index.js';
import { rangesOfTrace, type Trace, type TraceEvent } from '../../lib/trace/index.js';
import { Random } from '../support/model/random.js';
import { anyMeet } from '../support/model/ranges.js';
import { range } from '../support/reading.js';

const A = range(0, 8);
const B = range(100, 108);
/** Between the two, overlapping neither. */
const MIDDLE = range(50, 58);

function lookup(at: number, takes: number, ...ranges: Range[]): WorkLookup {
  return { at, takes, ranges };
}

function change(begin: number, end: number, ...ranges: Range[]): WorkInvalidation {
  return { begin, end, ranges };
}

function work(lookups: WorkLookup[], invalidations: WorkInvalidation[], objects: Range[] = []): Work {
  return { lookups, invalidations, objects };
}

/** What is not mentioned must be zero. */
function expectOutcome(outcome: Outcome, expected: Partial<Outcome>): void {
  const zeros = {
    waits: 0,
    falseWaits: 0,
    retries: 0,
    falseRetries: 0,
    staleCommits: 0,
    waited: 0,
    inVain: 0,
    delays: 0,
    delayed: 0,
  };
  expect(outcome).toMatchObject({ ...zeros, starved: [], ...expected });
}

describe('the model of one semaphore', () => {
  test('a change waits for a reader elsewhere, and the next reader waits for the change', () => {
    // l0 reads 0..10. The change asks at 4, gets it at 10 (6 later), ends at 14. l1 comes at 5, behind the change: reads 14..17,
    // having waited 9, and nothing that overlaps it was ever under way.
    const outcome = play(work([lookup(0, 10, A), lookup(5, 3, MIDDLE)], [change(4, 8, B)]), rwsem);
    const late = { completions: [10, 17], starved: [1] }; // undisturbed, all would have been over at 10
    expectOutcome(outcome, { waits: 1, falseWaits: 1, waited: 9, inVain: 9, delays: 1, delayed: 6, ...late });
  });

  test('a reader of what is being changed waits with reason', () => {
    // 4..10, then reads 10..12.
    const outcome = play(work([lookup(4, 2, A)], [change(0, 10, A)]), rwsem);
    expectOutcome(outcome, { waits: 1, waited: 6, completions: [12], starved: [0] });
  });

  test('two changes that have nothing to do with each other go one after the other', () => {
    // The second asks at 2 and has it 10..13, 8 later. The lookup comes at 11 and waits until 13 for a change of B.
    const outcome = play(work([lookup(11, 1, A)], [change(0, 10, A), change(2, 5, B)]), rwsem);
    expectOutcome(outcome, {
      ...{ waits: 1, falseWaits: 1, waited: 2, inVain: 2, delays: 1, delayed: 8 },
      ...{ completions: [14], starved: [0] },
    });
  });

  test('readers share it', () => {
    // 0..5 and 1..6, so the change of 2..3 has it at 6, 4 later.
    const outcome = play(work([lookup(0, 5, A), lookup(1, 5, A)], [change(2, 3, A)]), rwsem);
    expectOutcome(outcome, { delays: 1, delayed: 4, completions: [5, 6] });
  });

  test('a wait that began with reason goes on without', () => {
    // A is changed 0..4. The change of B asked at 1 and has it 4..9, 3 later. The lookup of A comes at 2, behind it, and reads
    // 9..10: 2 of its 7 were for the change of A, 5 in vain.
    const outcome = play(work([lookup(2, 1, A)], [change(0, 4, A), change(1, 6, B)]), rwsem);
    expectOutcome(outcome, { waits: 1, waited: 7, inVain: 5, delays: 1, delayed: 3, completions: [10], starved: [0] });
  });

  test('a reader that comes when a change ends does not wait; one that comes when a change begins does', () => {
    // At 4 ends go first and begins before arrivals: l0 reads 4..6 or would, but the second change asks at 4, too, and was
    // there before it: 4..5. l0 reads 5..7.
    expectOutcome(play(work([lookup(4, 2, A)], [change(0, 4, A)]), rwsem), { completions: [6] });
    const outcome = play(work([lookup(4, 2, A)], [change(0, 4, A), change(4, 5, A)]), rwsem);
    expectOutcome(outcome, { waits: 1, waited: 1, completions: [7], starved: [0] });
  });
});

describe('the model of the hull', () => {
  test('a reader of what is being changed waits with reason', () => {
    const outcome = play(work([lookup(3, 2, A)], [change(0, 10, A)]), hull); // 3..10, reads 10..12
    expectOutcome(outcome, { waits: 1, waited: 7, completions: [12], starved: [0] });
  });

  test('a reader between two changes waits for both of them', () => {
    // The hull of A and B is [0, 108). The lookup comes at 5 and reads 10..12.
    const outcome = play(work([lookup(5, 2, MIDDLE)], [change(0, 10, A), change(0, 10, B)]), hull);
    expectOutcome(outcome, { waits: 1, falseWaits: 1, waited: 5, inVain: 5, completions: [12], starved: [0] });
  });

  test('the hull does not shrink before everything has ended', () => {
    // A is changed 0..4, B 2..20: [0, 108) until 20. The lookup of A comes at 6, waits 14, reads 20..21.
    const outcome = play(work([lookup(6, 1, A)], [change(0, 4, A), change(2, 20, B)]), hull);
    expectOutcome(outcome, { waits: 1, falseWaits: 1, waited: 14, inVain: 14, completions: [21], starved: [0] });
  });

  test('the hull of a new beginning is that of the new changes', () => {
    // 0..4 it was A's; at 4 everything has ended, and from 5 on it is B's only. The lookup of A reads 6..7.
    expectOutcome(play(work([lookup(6, 1, A)], [change(0, 4, A), change(5, 20, B)]), hull), { completions: [7] });
  });

  test('an end anywhere throws a read away', () => {
    // Reads 0..6, the counter went from 0 to 1 at 4; reads again 6..12.
    const elsewhere = play(work([lookup(0, 6, A)], [change(2, 4, B)]), hull);
    expectOutcome(elsewhere, { retries: 1, falseRetries: 1, completions: [12], starved: [0] });
    const here = play(work([lookup(0, 6, A)], [change(2, 4, A)]), hull);
    expectOutcome(here, { retries: 1, completions: [12], starved: [0] });
  });

  test('what has begun elsewhere and not ended does not', () => {
    expectOutcome(play(work([lookup(0, 6, A)], [change(2, 20, B)]), hull), { completions: [6] });
  });

  test('what has begun and covers the reader makes it retry, and then wait', () => {
    // Reads 0..6, thrown away as [50, 108) has been in progress since 3; MIDDLE's own change ended at 5: waits 6..20 in vain.
    // Reads 20..26.
    const outcome = play(work([lookup(0, 6, MIDDLE)], [change(2, 5, MIDDLE), change(3, 20, B)]), hull);
    expectOutcome(outcome, {
      ...{ waits: 1, falseWaits: 1, waited: 14, inVain: 14, retries: 1 },
      ...{ completions: [26], starved: [0] },
    });
  });
});

describe('the model of the epoch', () => {
  const own = epoch('lookups');
  const byObject = epoch('objects');
  /** Comes first and is over at once: it makes B a place that somebody has subscribed. */
  const subscribesB = lookup(0, 1, B);

  test('a reader that was not hit waits for nobody', () => {
    // B is hit 3..10, so the sequence is odd; A's place is of another epoch: reads 5..7.
    expectOutcome(play(work([subscribesB, lookup(5, 2, A)], [change(3, 10, B)]), own), { completions: [1, 7] });
  });

  test('a reader that was hit sleeps until the whole space is quiet', () => {
    // A is changed 0..4 and MIDDLE, which nobody has subscribed, 2..20. The lookup of A comes at 3, sleeps until 20 (1 of 17 for
    // A's change), reads 20..21.
    const outcome = play(work([lookup(3, 1, A)], [change(0, 4, A), change(2, 20, MIDDLE)]), own);
    expectOutcome(outcome, { waits: 1, waited: 17, inVain: 16, completions: [21], starved: [0] });
  });

  test('one that comes when its own change is over sleeps all the same', () => {
    const outcome = play(work([lookup(6, 1, A)], [change(0, 4, A), change(2, 20, MIDDLE)]), own); // 6..20
    expectOutcome(outcome, { waits: 1, falseWaits: 1, waited: 14, inVain: 14, completions: [21], starved: [0] });
  });

  test('a change that hits nobody prolongs an epoch, also one that had begun before it', () => {
    // The change of MIDDLE begins at 0 and hits nobody: even. A's at 1 makes it odd, 3 is not the end: MIDDLE's is, at 20.
    const outcome = play(work([lookup(5, 1, A)], [change(0, 20, MIDDLE), change(1, 3, A)]), own);
    expectOutcome(outcome, { waits: 1, falseWaits: 1, waited: 15, inVain: 15, completions: [21], starved: [0] });
  });

  test('and makes none by itself', () => {
    expectOutcome(play(work([lookup(1, 2, A)], [change(0, 10, MIDDLE)]), own), { completions: [3] });
  });

  test('a hit makes a read retry', () => {
    // Reads 0..6, A's place went from 1 to 3 at 2; since 4 the sequence is even, so it reads again 6..12.
    const outcome = play(work([lookup(0, 6, A)], [change(2, 4, A)]), own);
    expectOutcome(outcome, { retries: 1, completions: [12], starved: [0] });
  });

  test('a hit elsewhere does not', () => {
    expectOutcome(play(work([subscribesB, lookup(0, 6, A)], [change(2, 4, B)]), own), { completions: [1, 6] });
  });

  test('by object, a hit anywhere in the object does', () => {
    const object = [range(0, 64)];
    const reads = play(work([lookup(0, 6, A)], [change(2, 4, range(32, 40))], object), byObject); // 0..6, 6..12
    expectOutcome(reads, { retries: 1, falseRetries: 1, completions: [12], starved: [0] });
    const waits = play(work([lookup(3, 1, A)], [change(2, 4, range(32, 40))], object), byObject); // 3..4, reads 4..5
    expectOutcome(waits, { waits: 1, falseWaits: 1, waited: 1, inVain: 1, completions: [5], starved: [0] });
    expectOutcome(play(work([lookup(0, 6, A)], [change(2, 4, range(64, 72))], object), byObject), { completions: [6] });
  });

  test('by object, what lies in no object has a place of its own', () => {
    // [60, 68) is covered by the object to 64 only, so a hit of [0, 8) leaves it alone; one of [66, 67) hits it: reads 0..6, 6..12.
    const read = lookup(0, 6, range(60, 68));
    expectOutcome(play(work([read], [change(2, 4, A)], [range(0, 64)]), byObject), { completions: [6] });
    const outcome = play(work([read], [change(2, 4, range(66, 67))], [range(0, 64)]), byObject);
    expectOutcome(outcome, { retries: 1, completions: [12], starved: [0] });
  });
});

describe('this package', () => {
  test('does, on the small traces above, what had to be done and nothing else', async () => {
    const over = async (lookups: WorkLookup[], changes: WorkInvalidation[]) => playExact(work(lookups, changes));
    expectOutcome(await over([lookup(0, 10, A), lookup(5, 3, MIDDLE)], [change(4, 8, B)]), { completions: [10, 8] });
    expectOutcome(await over([lookup(5, 2, MIDDLE)], [change(0, 10, A), change(0, 10, B)]), { completions: [7] });
    expectOutcome(await over([lookup(6, 1, A)], [change(0, 4, A), change(2, 20, B)]), { completions: [7] });
    expectOutcome(await over([lookup(0, 6, A)], [change(2, 4, B)]), { completions: [6] });
    // With reason: 3..4, then reads 4..5; and 0..6, again 6..12.
    const waits = await over([lookup(3, 1, A)], [change(0, 4, A), change(2, 20, MIDDLE)]);
    expectOutcome(waits, { waits: 1, waited: 1, completions: [5] });
    const retries = await over([lookup(0, 6, A)], [change(2, 4, A)]);
    expectOutcome(retries, { retries: 1, completions: [12], starved: [0] });
  });

  test('never holding, does exactly what the definition says, in 150 random pieces of work', async () => {
    let retries = 0;
    let waits = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const some = randomWork(seed);
      const { stats, ...outcome } = await playExact(some, { maxAttempts: Number.POSITIVE_INFINITY });
      expect(outcome, `seed ${seed}`).toEqual(play(some, ideal));
      retries += outcome.retries;
      waits += outcome.waits;
    }
    expect(retries).toBeGreaterThan(100);
    expect(waits).toBeGreaterThan(100);
  });

  test('rejects what a lookup rejects with', async () => {
    await expect(playExact(work([lookup(0, 1, range(3, 3))], []))).rejects.toThrow(/empty/);
  });
});

/** The definition itself, with no structure at all: everybody is compared with everybody. */
const ideal: MakeRule = ({ lookups, invalidations }, host) => {
  const active = new Set<number>();
  const hits = lookups.map(() => false);
  let waiting: number[] = [];
  const overlaps = (l: number, i: number) => anyMeet(lookups[l]!.ranges, invalidations[i]!.ranges);
  const mustWait = (l: number) => [...active].some((i) => overlaps(l, i));
  const read = (l: number) => {
    hits[l] = false;
    host.attempt(l);
  };
  const arrive = (l: number) => {
    if (!mustWait(l)) return read(l);
    waiting.push(l);
    host.wait(l);
  };
  return {
    arrive,
    finish(l) {
      if (!hits[l]) return host.commit(l);
      host.retry(l);
      arrive(l);
    },
    ask(i) {
      active.add(i);
      lookups.forEach((_, l) => {
        if (overlaps(l, i)) hits[l] = true;
      });
      host.begin(i);
    },
    end(i) {
      active.delete(i);
      const free = waiting.filter((l) => !mustWait(l));
      waiting = waiting.filter(mustWait);
      for (const l of free) read(l);
    },
  };
};

/** Crowded: a line of 40, mostly something under way. */
function randomWork(seed: number): Work {
  const random = new Random(seed);
  const ranges = () =>
    Array.from({ length: 1 + random.below(2) }, () => {
      const start = random.below(36);
      return range(start, start + 1 + random.below(4));
    });
  return work(
    Array.from({ length: 16 }, () => lookup(random.below(60), 1 + random.below(8), ...ranges())),
    Array.from({ length: 14 }, () => {
      const begin = random.below(60);
      return change(begin, begin + random.below(9), ...ranges());
    }),
    [range(0, 16), range(16, 40)],
  );
}

describe('the ledger', () => {
  test('notices a stale commit, a false wait and a false retry', () => {
    const some = work([lookup(0, 6, A), lookup(0, 6, MIDDLE)], [change(2, 4, A)]);
    const careless: MakeRule = (_work, host) => ({
      arrive(l) {
        if (l === 1) host.wait(l);
        host.attempt(l);
      },
      finish(l) {
        if (l === 1) host.retry(l);
        host.commit(l);
      },
      ask: (i) => host.begin(i),
      end() {},
    });
    expectOutcome(play(some, careless), {
      ...{ staleCommits: 1, waits: 1, falseWaits: 1, retries: 1, falseRetries: 1 },
      completions: [6, 6],
    });
  });

  test('counts a lookup that never commits among the starved', () => {
    const outcome = new Ledger(work([lookup(0, 1, A)], []), () => 0).outcome();
    expect(outcome).toMatchObject({ completions: [undefined], starved: [0] });
  });
});

describe('every rule', () => {
  test('lets everybody through in the end, and nobody with something stale, in 150 random pieces of work', async () => {
    for (let seed = 1; seed <= 150; seed++) {
      const some = randomWork(seed);
      for (const { name, isExact, run } of CONTENDERS) {
        const outcome = await run(some);
        const what = `${name}, seed ${seed}`;
        expect(outcome.staleCommits, what).toBe(0);
        expect(outcome.completions, what).not.toContain(undefined);
        if (isExact) expect([outcome.falseWaits, outcome.inVain, outcome.falseRetries], what).toEqual([0, 0, 0]);
      }
    }
  });
});

describe('a recorded run', () => {
  test.each(MIXES)('$name: is the same each time, and survives JSON', async (mix) => {
    const trace = await recordAddressSpace(mix);
    expect(await recordAddressSpace(mix)).toEqual(trace);
    expect(JSON.parse(JSON.stringify(trace))).toEqual(trace);
    expect(workOfTrace(JSON.parse(JSON.stringify(trace)))).toEqual(workOfTrace(trace));
  });

  test.each(MIXES)('$name: has no false wait and no false retry of its own', async (mix) => {
    const { waits, collisions, wrong } = judge(await recordAddressSpace(mix));
    expect(wrong).toEqual([]);
    expect(waits).toBeGreaterThan(10);
    expect(collisions).toBeGreaterThan(10);
  });

  test('becomes the work that was intended', () => {
    const lookupOf = (reader: number) => ({ reader, operation: 'lookup', ranges: [{ start: 0, end: 8 }] }) as const;
    const sectionOf = (section: number) => ({ section, kind: 'clear', ranges: [{ start: 0, end: 'Infinity' }] }) as const;
    const events: TraceEvent[] = [
      { type: 'subscribed', at: 0, seq: 0, subscription: 9, ranges: [{ start: 0, end: 64 }] },
      { type: 'begin', at: 1, seq: 1, ...sectionOf(1) },
      { type: 'wait', at: 2, seq: 1, ...lookupOf(2), blocker: 1 }, // comes at 2
      { type: 'ended', at: 5, seq: 2, section: 1 },
      { type: 'attempt', at: 5, seq: 2, ...lookupOf(2), attempt: 1 },
      { type: 'observed', at: 6, seq: 2, reader: 2, attempt: 1, ranges: [{ start: 20, end: 24 }] },
      { type: 'begin', at: 6, seq: 3, ...sectionOf(3) },
      { type: 'ended', at: 7, seq: 4, section: 3 },
      { type: 'collided', at: 8, seq: 4, reader: 2, attempt: 1, reason: 'ended' },
      { type: 'attempt', at: 8, seq: 4, ...lookupOf(2), attempt: 2 },
      { type: 'queued', at: 9, seq: 4, ...sectionOf(4), blocker: 2 }, // wants to begin at 9
      { type: 'committed', at: 12, seq: 4, reader: 2, attempt: 2 }, // a read takes 4
      { type: 'begin', at: 12, seq: 5, ...sectionOf(4) },
      { type: 'attempt', at: 13, seq: 5, ...lookupOf(5), attempt: 1 }, // never over
      { type: 'ended', at: 15, seq: 6, section: 4 }, // takes 3
    ];
    const everything = [range(0, Number.POSITIVE_INFINITY)];
    expect(workOfTrace({ version: 1, dropped: 0, events })).toEqual({
      lookups: [{ at: 2, takes: 4, ranges: [range(0, 8), range(20, 24)] }],
      invalidations: [
        { begin: 1, end: 5, ranges: everything },
        { begin: 6, end: 7, ranges: everything },
        { begin: 9, end: 12, ranges: everything },
      ],
      objects: [range(0, 64)],
    });
  });

  test('that has lost its beginning is refused', () => {
    expect(() => workOfTrace({ version: 1, dropped: 3, events: [] })).toThrow(/first 3 events/);
  });
});

/** The trace's own waits and collisions against its own sections, by brute force. */
function judge({ events }: Trace): { waits: number; collisions: number; wrong: TraceEvent[] } {
  const sections = new Map<number, { readonly ranges: Range[]; ended: number }>();
  const attempts = new Map<number, { readonly ranges: Range[]; readonly since: number }>();
  const wrong: TraceEvent[] = [];
  let waits = 0;
  let collisions = 0;
  const isHit = (ranges: Range[], since: number) =>
    [...sections.values()].some((section) => section.ended > since && anyMeet(section.ranges, ranges));
  events.forEach((event, moment) => {
    if (event.type === 'begin') sections.set(event.section, { ranges: rangesOfTrace(event.ranges), ended: Infinity });
    else if (event.type === 'ended') sections.get(event.section)!.ended = moment;
    else if (event.type === 'attempt') attempts.set(event.reader, { ranges: rangesOfTrace(event.ranges), since: moment });
    else if (event.type === 'wait') {
      waits++;
      if (!isHit(rangesOfTrace(event.ranges), moment)) wrong.push(event);
    } else if (event.type === 'collided' || event.type === 'committed') {
      const { ranges, since } = attempts.get(event.reader)!;
      if (event.type === 'collided') collisions++;
      if (isHit(ranges, since) !== (event.type === 'collided')) wrong.push(event);
    }
  });
  return { waits, collisions, wrong };
}

describe('the comparison', () => {
  let comparisons: Comparison[] = [];
  let seconds = 0;
  beforeAll(async () => {
    const began = process.cpuUsage(); // not by the clock on the wall: others may be busy here, too
    comparisons = await compareAll();
    const { user, system } = process.cpuUsage(began);
    seconds = (user + system) / 1e6;
  }, 60_000);

  const outcomesOf = (name: string) =>
    comparisons.map(({ source, outcomes }) => ({
      source: source.name,
      outcome: outcomes.find(({ contender }) => contender.name === name)!.outcome,
    }));

  test('covers all families and all recorded runs', () => {
    const names = [...FAMILIES, ...MIXES].map(({ name }) => name);
    expect(comparisons.map(({ source }) => source.name)).toEqual(names);
  });

  test.each(['exact', 'exact, never holding'])('%s has no false wait, no wait in vain and no false retry anywhere', (name) => {
    for (const { source, outcome } of outcomesOf(name)) {
      expect([outcome.falseWaits, outcome.inVain, outcome.falseRetries, outcome.staleCommits], source).toEqual([0, 0, 0, 0]);
      expect(outcome.starved, source).toEqual([]);
      expect(outcome.waits, source).toBeGreaterThan(0); // it had occasion
    }
  });

  test('the tracker has counted the same', async () => {
    for (const { work: some, source } of comparisons) {
      const { stats, retries, waits } = await playExact(some);
      const { collisions, commits, historyLost, begins, ends } = stats;
      expect({ collisions, commits, historyLost, begins, ends }, source.name).toEqual({
        ...{ collisions: retries, commits: some.lookups.length, historyLost: 0 },
        ...{ begins: some.invalidations.length, ends: some.invalidations.length },
      });
      expect(stats.waits, source.name).toBeGreaterThanOrEqual(waits);
    }
  });

  /** Everything but the two ends of the scale: `sparse`, `many small` (each change is over at once) and `one page`. */
  const MIXED = [...FAMILIES, ...MIXES]
    .map(({ name }) => name)
    .filter((name) => !['sparse', 'many small', 'one page'].includes(name));

  test.each(['rwsem', 'hull', 'epoch', 'epoch, by object'])('%s has false waits in every mixed family', (name) => {
    for (const { source, outcome } of outcomesOf(name)) {
      if (!MIXED.includes(source)) continue;
      expect(outcome.falseWaits, source).toBeGreaterThan(0);
      expect(outcome.inVain, source).toBeGreaterThan(0);
    }
  });

  test('the hull throws good reads away in every mixed family, the epoch by object in some, the others never', () => {
    const falseRetries = (name: string) => outcomesOf(name).filter(({ outcome }) => outcome.falseRetries > 0);
    expect(falseRetries('hull').map(({ source }) => source)).toEqual(expect.arrayContaining(MIXED));
    expect(falseRetries('epoch, by object').length).toBeGreaterThan(3);
    expect(falseRetries('epoch')).toEqual([]);
    expect(outcomesOf('rwsem').filter(({ outcome }) => outcome.retries > 0)).toEqual([]);
  });

  test('only the semaphore, and ours where it holds, delay a change', () => {
    for (const name of ['hull', 'epoch', 'epoch, by object', 'exact, never holding']) {
      expect(outcomesOf(name).filter(({ outcome }) => outcome.delays > 0)).toEqual([]);
    }
    expect(outcomesOf('exact').filter(({ outcome }) => outcome.delays > 0).length).toBeGreaterThan(0);
  });

  test('nobody commits anything stale', () => {
    for (const { name } of CONTENDERS) {
      for (const { source, outcome } of outcomesOf(name)) expect(outcome.staleCommits, `${name}, ${source}`).toBe(0);
    }
  });

  test('is printed with a row for each rule, and all of them together', () => {
    const printed = printComparisons(comparisons);
    for (const { name } of CONTENDERS) expect(printed.split(`│ ${name} `)).toHaveLength(comparisons.length + 2);
    const total = outcomesOf('hull').reduce((sum, { outcome }) => sum + outcome.falseRetries, 0);
    expect(printed.slice(printed.indexOf('all of them together'))).toContain(` ${total.toLocaleString('en-US')} `);
  });

  test('is on the page as it is now, and takes less than 5 s', () => {
    const page = readFileSync(new URL('../../docs/comparison.md', import.meta.url), 'utf8');
    const figures = markdownComparisons(comparisons);
    expect(figuresOf(page)).toBe(figures);
    expect(withFigures(page, figures)).toBe(page);
    expect(withFigures(withFigures(page, 'other'), figures)).toBe(page);
    expect(() => figuresOf('# A page')).toThrow(/no figures/);
    expect(seconds).toBeLessThan(5);
  });
});

describe('a family', () => {
  test.each(FAMILIES)(
    '$name: gives equal work for equal seeds, other work for another, and one side does not move the other',
    (family) => {
      expect(workOf(family)).toEqual(workOf(family));
      expect(workOf({ ...family, seed: family.seed + 1 })).not.toEqual(workOf(family));
      const fewer = workOf({ ...family, lookups: { ...family.lookups, count: 3 } });
      expect(fewer.invalidations).toEqual(workOf(family).invalidations);
      expect(meetingsOf(workOf(family)).ofLookup.flat().length).toBeGreaterThan(0);
    },
  );
});
