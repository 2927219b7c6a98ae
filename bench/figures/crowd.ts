/**
 * Crowd: lookups and invalidators in closed loops under one guard, for a slice of time.
 *
 * Both sides' sections take the same: a timer of 1 ms, or one turn of the event loop. Under a fair lock with N invalidators a
 * lookup therefore waits for N sections and then takes one, all lookups together: that is the arithmetic behind the goals.
 */
import type { Range } from '../../lib/index.js';
import { type Done, type Load, runLoad } from '../contention/load.js';
import type { Guard } from '../guards/guard.js';
import type { Random } from '../support/random.js';
import { median } from '../support/statistics.js';

/** Lookups under way at any time, in all scenarios. */
export const LOOKUPS = 64;
/** Equal for all sides. */
const SEED = 1;

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
  const pages: Range[] = Array.from({ length: scenario.pages }, (_, start) => ({ start, end: start + 1 }));
  const any = (random: Random) => pages[random.below(pages.length)]!;
  const timed = scenario.section === 'ms';
  const load: Load = {
    ...{ lookups: LOOKUPS, invalidators: scenario.invalidators, fetch, seed: SEED, changed: any },
    change: fetch as () => Promise<unknown> as () => Promise<void>,
    lookedUp: scenario.reads === 'any page' ? any : (_, loop) => pages[loop % pages.length]!,
    timeEvery: timed ? 1 : Number.POSITIVE_INFINITY,
    yieldEvery: Number.POSITIVE_INFINITY,
  };
  const { lookups, invalidations } = await runLoad(guard, load, ms);
  return {
    lookupsPerSecond: lookups.perSecond,
    invalidationsPerSecond: invalidations.perSecond,
    p99: timed ? lookups.latencies.quantile(0.99) : Number.NaN,
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

function leastShare({ byLoop, count }: Done): number {
  return Math.min(...byLoop) / (count / byLoop.length);
}
