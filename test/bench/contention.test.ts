import { describe, expect, test } from 'vitest';
import { Ground } from '../../bench/contention/ground.js';
import { Histogram } from '../../bench/contention/histogram.js';
import { runLoad, type Slice } from '../../bench/contention/load.js';
import { METRICS, QUANTILES } from '../../bench/contention/measures.js';
import { noteOf } from '../../bench/contention/notes.js';
import { loadOf, type Sides, SUBJECTS, subscribe } from '../../bench/contention/rounds.js';
import { CENTRE, DISTRIBUTIONS, type Group, groups, HOT_SPOT, type Scenario } from '../../bench/contention/scenarios.js';
import { contentionSuite, runContention } from '../../bench/contention.bench.js';
import type { Fetch, Guard } from '../../bench/guards/guard.js';
import { RangefenceGuard } from '../../bench/guards/rangefence.js';
import { RwlockGuard } from '../../bench/guards/rwlock.js';
import { Random } from '../../bench/support/random.js';
import { quantile } from '../../bench/support/statistics.js';
import * as library from '../../lib/index.js';

const { RangeTracker } = library;
type Range = library.Range;

const overlaps = (a: Range, b: Range) => a.start < b.end && b.start < a.end;
const GUARDS: Readonly<Record<string, () => Guard>> = {
  rwlock: () => new RwlockGuard(),
  rangefence: () => new RangefenceGuard(new RangeTracker()),
};

describe('the ground', () => {
  const LOOKUPS = 20_000;

  test.each([0, 0.01, 0.1, 0.5, 1])('has a lookup overlap a given change with a probability of %d', (probability) => {
    const ground = new Ground(probability, 3);
    const random = new Random(1);
    // Of each given change, not on the average: some pages could be hot otherwise.
    for (let i = 0; i < 10; i++) {
      const change = ground.change(random);
      let hits = 0;
      for (let k = 0; k < LOOKUPS; k++) if (overlaps(ground.lookup(random), change)) hits++;
      const sigma = Math.sqrt(probability * (1 - probability) * LOOKUPS);
      expect(Math.abs(hits - probability * LOOKUPS), `${hits} hits of ${LOOKUPS}, change ${i}`).toBeLessThanOrEqual(5 * sigma);
    }
  });

  test('draws all blocks for changes', () => {
    const ground = new Ground(0.1, 3);
    const random = new Random(2);
    const starts = new Set(Array.from({ length: 1000 }, () => ground.change(random).start));
    expect(starts.size).toBe(10);
  });

  test('refuses a probability that is not one in a whole number', () => {
    expect(() => new Ground(0.3, 3)).toThrow('overlap 0.3; expected 0 or one in a whole number');
  });

  test.each([0, 0.01, 1])('gives each of 1,000 subscribers a page, and concerns a few at a time (overlap %d)', (probability) => {
    const ground = new Ground(probability, 1000);
    const pages = [...ground.subscriptions()];
    expect(new Set(pages.map(({ start }) => start)).size).toBe(1000);
    const random = new Random(3);
    const concerned = new Set<number>();
    for (let i = 0; i < 2000; i++) {
      const change = ground.change(random);
      const told = pages.filter((page) => overlaps(page, change));
      expect(told.length).toBeGreaterThanOrEqual(1);
      expect(told.length).toBeLessThanOrEqual(4);
      for (const { start } of told) concerned.add(start);
    }
    expect(concerned.size).toBeGreaterThan(900); // nearly everyone, sooner or later
  });

  test('has room for 100,000 subscribers on one block', () => {
    const ground = new Ground(1, 100_000);
    const block = ground.lookup(new Random(4));
    for (const page of ground.subscriptions()) if (!overlaps(page, block)) expect.fail(`${page.start} is outside`);
  });
});

describe('the histogram', () => {
  test('misses no quantile by more than 1 %', () => {
    const random = new Random(5);
    const values = Array.from({ length: 4000 }, () => 10 ** (-3.9 + 8.8 * random.next()));
    const histogram = new Histogram();
    for (const value of values) histogram.record(value);
    for (const share of [0, 1e-3, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1]) {
      expect(Math.abs(histogram.quantile(share) / quantile(values, share) - 1), `quantile ${share}`).toBeLessThanOrEqual(0.01);
    }
    expect(histogram.count).toBe(values.length);
  });

  test('counts what is out of its bounds at the bounds', () => {
    const histogram = new Histogram();
    for (const value of [0, 1e-9, 1e9]) histogram.record(value);
    expect(histogram.quantile(0)).toBeCloseTo(1e-4, 5);
    expect(histogram.quantile(1) / 1e5).toBeCloseTo(1, 1);
    expect(histogram.count).toBe(3);
  });

  test('has no quantile of nothing', () => {
    expect(new Histogram().quantile(0.5)).toBeNaN();
  });
});

/** A guard that counts who came and who was let go. */
class Counting implements Guard {
  readonly name = 'counting';
  reads = 0;
  mutations = 0;
  readonly #guard: Guard;

  constructor(guard: Guard) {
    this.#guard = guard;
  }

  get counts() {
    return this.#guard.counts;
  }

  async read<T, R = T>(range: Range, fetch: Fetch<T>, install?: (value: T) => R): Promise<R> {
    const result = await this.#guard.read(range, fetch, install);
    this.reads++;
    return result;
  }

  async mutate(range: Range, change: () => Promise<void>): Promise<void> {
    await this.#guard.mutate(range, change);
    this.mutations++;
  }

  subscribe(drop: (range: Range) => void, within?: Range): void {
    this.#guard.subscribe(drop, within);
  }
}

const SMALL: Scenario = { ...CENTRE, lookups: 8, overlap: 0.1 };

describe.each(Object.keys(GUARDS))('a slice under %s', (name) => {
  async function run(scenario: Scenario, ms = 40): Promise<{ guard: Counting; slice: Slice }> {
    const guard = new Counting(GUARDS[name]!());
    const ground = new Ground(scenario.overlap, scenario.subscribers);
    return { guard, slice: await runLoad(guard, loadOf(scenario, ground, 7), ms) };
  }

  test('counts and times each operation once', async () => {
    const { guard, slice } = await run(SMALL);
    const { lookups, invalidations } = slice;
    expect(lookups.count).toBeGreaterThan(0);
    expect(lookups.count + lookups.unfinished).toBe(guard.reads);
    expect(invalidations.count + invalidations.unfinished).toBe(guard.mutations);
    expect(lookups.byLoop.reduce((sum, count) => sum + count)).toBe(lookups.count);
    expect(lookups.latencies.count).toBe(guard.reads);
    expect(invalidations.latencies.count).toBe(guard.mutations);
    expect(lookups.failed).toBe(0);
    // Every loop is in an operation of 1 ms nearly all the time, also when the time is up.
    expect(lookups.unfinished).toBe(SMALL.lookups);
    expect(lookups.latencies.quantile(0.5)).toBeGreaterThan(0.8);
  });

  test('comes to its end also where no loop ever waits', async () => {
    const { guard, slice } = await run({ ...SMALL, latency: 0, invalidators: 0 });
    const { count, unfinished, latencies } = slice.lookups;
    expect(count + unfinished).toBe(guard.reads);
    expect(latencies.count).toBeGreaterThanOrEqual(count / 17);
    expect(latencies.count).toBeLessThanOrEqual(count / 17 + SMALL.lookups);
    expect(slice.invalidations).toMatchObject({ byLoop: [], count: 0, unfinished: 0 });
  });

  test('passes on what goes wrong, and stops', async () => {
    const guard = new Counting(GUARDS[name]!());
    const load = loadOf(SMALL, new Ground(0.1, 3), 7);
    const change = () => Promise.reject(new Error('disk full'));
    await expect(runLoad(guard, { ...load, change }, 60_000)).rejects.toThrow('disk full');
  });

  test('tells the subscribers whose page changes, and only them', async () => {
    const guard = GUARDS[name]!();
    const ground = new Ground(0.01, 500);
    const told = subscribe(guard, ground);
    const pages = [...ground.subscriptions()];
    const random = new Random(8);
    let expected = 0;
    for (let i = 0; i < 50; i++) {
      const change = ground.change(random);
      expected += pages.filter((page) => overlaps(page, change)).length;
      await guard.mutate(change, async () => {});
    }
    expect(told.calls).toBe(expected);
  });
});

describe('the suite', () => {
  const context = { library, quick: true, progress: () => {} };
  const rounds = 2;
  const row = (key: string, scenario: Scenario) => ({ at: { [key]: scenario[key as keyof Scenario] }, scenario });
  const tables: readonly Group[] = [
    { name: 'by invalidators', rows: [row('invalidators', { ...CENTRE, invalidators: 0 }), row('invalidators', CENTRE)] },
    { name: 'by overlap', rows: [row('overlap', CENTRE), row('overlap', HOT_SPOT)] },
  ];

  test('hands in measures of both sides, with equal axes for each title and a finite sample for each round', async () => {
    const { suite, measures, notes } = await runContention(context, {
      groups: tables,
      effort: { rounds, sliceMs: 30, warmMs: 10 },
    });
    expect(suite).toBe(contentionSuite.name);
    for (const title of new Set(measures.map((measure) => measure.title))) {
      const own = measures.filter((measure) => measure.title === title);
      const axes = new Set(own.map(({ at }) => Object.keys(at).join()));
      expect(axes.size, title).toBe(1);
      for (const at of new Set(own.map((measure) => JSON.stringify(measure.at)))) {
        const here = own.filter((measure) => JSON.stringify(measure.at) === at);
        expect(here.map(({ subject }) => subject)).toEqual([...SUBJECTS]);
      }
    }
    for (const { title, samples } of measures) {
      expect(samples.length, title).toBe(rounds);
      expect(
        samples.every((sample) => Number.isFinite(sample) && sample >= 0),
        `${title}: ${samples}`,
      ).toBe(true);
    }
    const points = (title: string) => measures.filter((measure) => measure.title === title).map(({ at }) => at);
    expect(points('lookups per second, by invalidators')).toEqual([0, 0, 4, 4].map((invalidators) => ({ invalidators })));
    expect(points('invalidations per second, by invalidators')).toEqual([{ invalidators: 4 }, { invalidators: 4 }]);
    expect(points('latency of a lookup, distribution').length).toBe(2 * QUANTILES.length * Object.keys(DISTRIBUTIONS).length);
    expect(notes.every((note) => note.endsWith('.'))).toBe(true);
  });

  test.each([true, false])('sweeps each axis through the centre (quick: %s)', (quick) => {
    for (const { name, rows } of groups(quick)) {
      if (!name.startsWith('by ')) continue;
      expect(rows, name).toContainEqual({ at: expect.anything(), scenario: CENTRE });
      for (const { at, scenario } of rows) expect(scenario, name).toEqual({ ...CENTRE, ...at });
    }
  });

  test('gives each metric a title of its own', () => {
    expect(new Set(METRICS.map(({ title }) => title)).size).toBe(METRICS.length);
  });
});

describe('a note', () => {
  /** Slices in which lookups get through that many times a second; everything else is equal. */
  const sides = (rwlock: readonly number[], rangefence: readonly number[]): Sides => {
    const slice = (perSecond: number): Slice => ({
      lookups: { byLoop: [1], count: 1, perSecond, unfinished: 0, failed: 0, latencies: new Histogram() },
      invalidations: { byLoop: [], count: 0, perSecond: 0, unfinished: 0, failed: 0, latencies: new Histogram() },
      counts: { retries: 0, waits: 0 },
    });
    return { rwlock: rwlock.map(slice), rangefence: rangefence.map(slice) };
  };

  test('says by how much the lock does better, and why, if every round says so', () => {
    expect(noteOf(HOT_SPOT, sides([100, 110, 120], [50, 44, 90]))).toBe(
      '64 lookups in flight, 4 invalidators, overlap 100 %, fetch 1 ms, sections 1 ms, 3 subscribers: the lock does better in ' +
        'lookups per second x 0.45 (0.40 … 0.75); because there is nothing to gain where everything overlaps: under either guard ' +
        'each lookup waits for each change.',
    );
  });

  test('says that there is no difference where the rounds disagree', () => {
    const note = noteOf({ ...CENTRE, invalidators: 0 }, sides([100, 100, 100], [90, 110, 105]));
    expect(note).toContain('no difference beyond the spread in lookups per second x 1.05 (0.90 … 1.10); because nobody changes');
    expect(note).not.toContain('does better');
  });

  test('does not take the resolution of the histogram for a difference', () => {
    expect(noteOf(CENTRE, sides([100, 100, 100], [99, 98.5, 99]))).toContain('no difference beyond the spread');
  });

  test('is not made where the tracker does better in every round', () => {
    expect(noteOf(CENTRE, sides([100, 100, 100], [101, 200, 300]))).toBeUndefined();
  });
});
