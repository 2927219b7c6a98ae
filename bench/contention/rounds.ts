/**
 * Rounds: one scenario under the coarse lock and under the tracker, slice by slice in turns.
 *
 * Each side has one guard for all its slices, and a slice to warm up that nobody sees: the engine takes some hundred
 * milliseconds to compile either. The order changes from round to round, so that neither side always gets the other's garbage.
 */
import type { RangeTracker } from '../../lib/index.js';
import type { Guard } from '../guards/guard.js';
import { RangefenceGuard } from '../guards/rangefence.js';
import { RwlockGuard } from '../guards/rwlock.js';
import type { Library } from '../support/library.js';
import { Ground } from './ground.js';
import { type Load, runLoad, type Slice } from './load.js';
import type { Pause, Scenario } from './scenarios.js';

/** Who is compared: the lock comes first, as what one would use otherwise. */
export const SUBJECTS = ['rwlock', 'rangefence'] as const;
export type Subject = (typeof SUBJECTS)[number];

/** The slices of each side, in the order of the rounds. */
export type Sides = Readonly<Record<Subject, readonly Slice[]>>;

/** How long to measure. */
export interface Effort {
  readonly rounds: number;
  readonly sliceMs: number;
  readonly warmMs: number;
}

/**
 * Of lookups that take less than a microsecond one in so many is timed: asking for the time twice costs about 80 ns, which
 * would be a good part of what is counted. A power of two would go with the yields, so that always the same place is timed.
 */
const TIME_EVERY = 17;
/** A turn of the event loop costs some microseconds; after so many operations that is a few per cent, on both sides alike. */
const YIELD_EVERY = 64;

/** See the top of the file. */
export async function compareSides(scenario: Scenario, library: Library, effort: Effort, seed: number): Promise<Sides> {
  const guards: Record<Subject, Guard> = {
    rwlock: new RwlockGuard(),
    rangefence: new RangefenceGuard(new library.RangeTracker() as RangeTracker),
  };
  const slices: Record<Subject, Slice[]> = { rwlock: [], rangefence: [] };
  const ground = new Ground(scenario.overlap, scenario.subscribers);
  for (const subject of SUBJECTS) {
    subscribe(guards[subject], ground);
    await runLoad(guards[subject], loadOf(scenario, ground, seed), effort.warmMs);
  }
  for (let round = 0; round < effort.rounds; round++) {
    const load = loadOf(scenario, ground, seed + 1 + round);
    const order = round % 2 === 0 ? SUBJECTS : [...SUBJECTS].reverse();
    for (const subject of order) slices[subject].push(await runLoad(guards[subject], load, effort.sliceMs));
  }
  return slices;
}

/** Everyone in the ground is told, and notes how often. */
export function subscribe(guard: Guard, ground: Ground): { calls: number } {
  const told = { calls: 0 };
  for (const page of ground.subscriptions()) guard.subscribe(() => void told.calls++, page);
  return told;
}

/** The scenario as the loops run it. */
export function loadOf(scenario: Scenario, ground: Ground, seed: number): Load {
  const { lookups, invalidators, latency, section } = scenario;
  const instant = latency === 0;
  return {
    ...{ lookups, invalidators, seed },
    fetch: instant ? () => 1 : (pause(latency) as () => Promise<number>),
    change: pause(section) as () => Promise<unknown> as () => Promise<void>,
    lookedUp: (random) => ground.lookup(random),
    changed: (random) => ground.change(random),
    timeEvery: instant ? TIME_EVERY : 1,
    yieldEvery: instant ? YIELD_EVERY : Number.POSITIVE_INFINITY,
  };
}

/** Waits for so long, and resolves with 1. */
export function pause(length: Pause): () => Promise<number> {
  if (length === 'turn') return () => new Promise((resolve) => setImmediate(resolve, 1));
  return () => new Promise((resolve) => setTimeout(resolve, length, 1));
}
