/**
 * Crowd: lookups and invalidators in closed loops under one guard, for a slice of time.
 *
 * Both sides' fetches and sections take the same: a timer, or one turn of the event loop. Under a fair lock with N invalidators a
 * lookup therefore waits for N sections and then takes one, all lookups together: that is the arithmetic behind the goals.
 */
import type { Range } from '../../lib/index.js';
import { Ground } from '../contention/ground.js';
import { type Done, type Load, runLoad } from '../contention/load.js';
import { pause, subscribe } from '../contention/rounds.js';
import type { Pause } from '../contention/scenarios.js';
import type { Guard } from '../guards/guard.js';
import type { Random } from '../support/random.js';
import { median } from '../support/statistics.js';

/** Lookups under way at any time, unless a scenario says otherwise. */
export const LOOKUPS = 64;
/** Equal for all sides. */
const SEED = 1;
/** Subscribers in the scenarios whose ground is blocks. */
const SUBSCRIBERS = 3;

/** Who does what to which pages. */
export interface Scenario {
  readonly invalidators: number;
  readonly section: Pause;
  /** What a fetch takes; as long as a section unless said. */
  readonly latency?: Pause;
  /** Default {@link LOOKUPS}. */
  readonly lookups?: number;
  /** Pages that invalidators change, at random; in the ground of blocks (bench/contention/ground.ts), blocks. */
  readonly pages: number;
  /** Each lookup has a page of its own, takes any page, or takes a whole block of pages. */
  readonly reads: 'own page' | 'any page' | 'any block';
  /** Are lookups timed? Where they take one turn, asking for the time costs as much as what is timed. */
  readonly timed?: boolean;
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

/** Runs one slice. The guard must be new. */
export async function runCrowd(guard: Guard, scenario: Scenario, ms: number): Promise<Crowd> {
  const { invalidators, section, latency = section, lookups = LOOKUPS, timed = section !== 'turn' } = scenario;
  const load: Load = {
    ...{ lookups, invalidators, seed: SEED, ...placesOf(guard, scenario) },
    fetch: pause(latency) as () => Promise<number>,
    change: pause(section) as () => Promise<unknown> as () => Promise<void>,
    timeEvery: timed ? 1 : Number.POSITIVE_INFINITY,
    yieldEvery: Number.POSITIVE_INFINITY,
  };
  const done = await runLoad(guard, load, ms);
  return {
    lookupsPerSecond: done.lookups.perSecond,
    invalidationsPerSecond: done.invalidations.perSecond,
    p99: timed ? done.lookups.latencies.quantile(0.99) : Number.NaN,
    leastShare: Math.min(leastShare(done.lookups), invalidators === 0 ? 1 : leastShare(done.invalidations)),
  };
}

function placesOf(guard: Guard, { pages, reads }: Scenario): Pick<Load, 'lookedUp' | 'changed'> {
  if (reads === 'any block') {
    const ground = new Ground(1 / pages, SUBSCRIBERS);
    subscribe(guard, ground);
    return { lookedUp: (random) => ground.lookup(random), changed: (random) => ground.change(random) };
  }
  const all: Range[] = Array.from({ length: pages }, (_, start) => ({ start, end: start + 1 }));
  const any = (random: Random) => all[random.below(all.length)]!;
  return { changed: any, lookedUp: reads === 'any page' ? any : (_, loop) => all[loop % all.length]! };
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
