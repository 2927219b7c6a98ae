/**
 * Crowd: lookups and invalidators in closed loops under one guard, for a slice of time.
 *
 * Both sides' sections take the same: a timer of 1 ms, or one turn of the event loop. Under a fair lock with N invalidators a
 * lookup therefore waits for N sections and then takes one, all lookups together: that is the arithmetic behind the goals.
 */
import type { Range } from '../../lib/index.js';
import type { Guard } from '../guards/guard.js';
import { Random } from '../support/random.js';
import { median, quantile } from '../support/statistics.js';

/** Lookups under way at any time, in all scenarios. */
export const LOOKUPS = 64;

/** Who does what to which pages. */
export interface Scenario {
  readonly invalidators: number;
  readonly section: 'ms' | 'turn';
  /** Pages that invalidators change, at random. */
  readonly pages: number;
  /** Each lookup has a page of its own, or takes any. */
  readonly reads: 'own page' | 'any page';
}

/** What one slice has shown. */
export interface Crowd {
  readonly lookupsPerSecond: number;
  readonly invalidationsPerSecond: number;
  /** Milliseconds; NaN for sections of one turn, where asking for the time would cost as much as what is timed. */
  readonly p99: number;
  /** What the loop that got through least often has of the mean of its kind, 0 to 1: 0 is a loop that starved. */
  readonly leastShare: number;
}

const turn = () => new Promise<number>((resolve) => setImmediate(resolve, 1));
const millisecond = () => new Promise<number>((resolve) => setTimeout(resolve, 1, 1));

/** Runs one slice. The guard must be new. */
export async function runCrowd(guard: Guard, scenario: Scenario, ms: number): Promise<Crowd> {
  const fetch = scenario.section === 'ms' ? millisecond : turn;
  const change = fetch as () => Promise<unknown> as () => Promise<void>;
  const pages: Range[] = Array.from({ length: scenario.pages }, (_, start) => ({ start, end: start + 1 }));
  const lookups = new Array<number>(LOOKUPS).fill(0);
  const invalidations = new Array<number>(scenario.invalidators).fill(0);
  const latencies: number[] = [];
  const timed = scenario.section === 'ms';
  let stopped = false;

  async function look(i: number): Promise<void> {
    const random = new Random(1, i);
    const own = scenario.reads === 'own page' ? pages[i % pages.length] : undefined;
    while (!stopped) {
      const page = own ?? pages[random.below(pages.length)]!;
      const began = timed ? performance.now() : 0;
      await guard.read(page, fetch);
      if (stopped) return;
      if (timed) latencies.push(performance.now() - began);
      lookups[i]!++;
    }
  }

  async function invalidate(i: number): Promise<void> {
    const random = new Random(2, i);
    while (!stopped) {
      await guard.mutate(pages[random.below(pages.length)]!, change);
      if (!stopped) invalidations[i]!++;
    }
  }

  const began = performance.now();
  const loops = [...lookups.keys()].map(look).concat([...invalidations.keys()].map(invalidate));
  await new Promise((resolve) => setTimeout(resolve, ms));
  stopped = true;
  const seconds = (performance.now() - began) / 1000;
  await Promise.all(loops);
  return {
    lookupsPerSecond: sum(lookups) / seconds,
    invalidationsPerSecond: sum(invalidations) / seconds,
    p99: timed ? quantile(latencies, 0.99) : Number.NaN,
    leastShare: Math.min(leastShare(lookups), leastShare(invalidations)),
  };
}

/** One side of a comparison: a new guard for every slice. */
export type MakeGuard = () => Guard;

/** The slices of several sides, which take turns; each side's slices in the order of the rounds. */
export async function compare<Side extends string>(
  sides: Readonly<Record<Side, MakeGuard>>,
  scenario: Scenario,
  { rounds, sliceMs }: { rounds: number; sliceMs: number },
): Promise<Record<Side, Crowd[]>> {
  const names = Object.keys(sides) as Side[];
  const slices = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Side, Crowd[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) slices[name].push(await runCrowd(sides[name](), scenario, sliceMs));
  }
  return slices;
}

/** One side to another, round by round. */
export interface Ratio {
  readonly lookups: readonly number[];
  readonly invalidations: readonly number[];
  readonly p99: readonly number[];
}

/** `side` to `base`, round by round. */
export function ratioOf(side: readonly Crowd[], base: readonly Crowd[]): Ratio {
  const by = (value: (crowd: Crowd) => number) => side.map((crowd, round) => value(crowd) / value(base[round]!));
  return { lookups: by((c) => c.lookupsPerSecond), invalidations: by((c) => c.invalidationsPerSecond), p99: by((c) => c.p99) };
}

/** The median of one value over the slices. */
export function middle(slices: readonly Crowd[], value: keyof Crowd): number {
  return median(slices.map((crowd) => crowd[value]));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function leastShare(counts: readonly number[]): number {
  return Math.min(...counts) / (sum(counts) / counts.length);
}
