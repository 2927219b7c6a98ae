/**
 * Load: lookups and invalidators in closed loops under one guard, for a slice of time.
 *
 * Rates count what was done when the time was up. Latencies also count what was under way then, and is awaited: to leave it
 * out would leave out the slowest.
 */
import type { Range } from '../../lib/index.js';
import type { Guard, GuardCounts } from '../guards/guard.js';
import { Random } from '../support/random.js';
import { Histogram } from './histogram.js';

/** Who does what. */
export interface Load {
  /** Loops that look up: lookups under way at any time. */
  readonly lookups: number;
  /** Loops that change. */
  readonly invalidators: number;
  /** What a lookup does once it may. */
  readonly fetch: () => number | Promise<number>;
  /** What an invalidator does inside of its section. */
  readonly change: () => Promise<void>;
  /** What loop `loop` looks up next. */
  readonly lookedUp: (random: Random, loop: number) => Range;
  /** What an invalidator changes next. */
  readonly changed: (random: Random) => Range;
  /** Each loop times its first operation and each of this many further on; Infinity for the first alone. */
  readonly timeEvery: number;
  /**
   * After this many operations a loop gives the event loop a turn, off the clock; Infinity for never. Loops that never wait
   * would stay in the microtask queue for ever, and no timer would fire, not even the one that ends the slice.
   */
  readonly yieldEvery: number;
  /** Equal seeds make equal choices. */
  readonly seed: number;
}

/** What the loops of one kind have done. */
export interface Done {
  /** Operations done in time, of each loop. */
  readonly byLoop: readonly number[];
  /** Their sum. */
  readonly count: number;
  /** In a second. */
  readonly perSecond: number;
  /** Operations that were under way when the time was up, and done later. */
  readonly unfinished: number;
  /** Lookups that held their range for the longest time allowed and gave up. */
  readonly failed: number;
  /** Milliseconds. */
  readonly latencies: Histogram;
}

/** What one slice has shown. */
export interface Slice {
  readonly lookups: Done;
  readonly invalidations: Done;
  /** What the guard counted during the slice, until the last operation was done. */
  readonly counts: GuardCounts;
}

/** The same while it runs. */
interface Tally {
  readonly byLoop: number[];
  readonly latencies: Histogram;
  unfinished: number;
  failed: number;
}

/** What all loops of a slice share. */
interface Run {
  readonly load: Load;
  stopped: boolean;
}

/** What the loops of one kind share. */
interface Kind {
  readonly tally: Tally;
  /** Makes the two kinds draw differently. */
  readonly seed: number;
  readonly next: (random: Random, loop: number) => Range;
  readonly operate: (range: Range) => Promise<unknown>;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Runs one slice. The guard may have been used before, but nobody else uses it now. */
export async function runLoad(guard: Guard, load: Load, ms: number): Promise<Slice> {
  const { fetch, change } = load;
  const run: Run = { load, stopped: false };
  const lookups: Kind = {
    ...{ tally: newTally(load.lookups), seed: 1, next: load.lookedUp },
    operate: (range) => guard.read(range, fetch),
  };
  const invalidations: Kind = {
    ...{ tally: newTally(load.invalidators), seed: 2, next: load.changed },
    operate: (range) => guard.mutate(range, change),
  };
  const before = guard.counts;
  const began = performance.now();
  const loops = Promise.all([...start(run, lookups), ...start(run, invalidations)]);
  const seconds = await stopAfter(run, loops, ms).then((ended) => (ended - began) / 1000);
  await loops;
  const { retries, waits } = guard.counts;
  return {
    lookups: done(lookups.tally, seconds),
    invalidations: done(invalidations.tally, seconds),
    counts: { retries: retries - before.retries, waits: waits - before.waits },
  };
}

function start(run: Run, kind: Kind): Promise<void>[] {
  return kind.tally.byLoop.map((_, loop) => repeat(run, kind, loop));
}

/** Resolves with the time at which the loops were told to stop; rejects at once if one of them fails. */
async function stopAfter(run: Run, loops: Promise<unknown>, ms: number): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const time = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([time, loops]);
    return performance.now();
  } finally {
    run.stopped = true;
    clearTimeout(timer);
  }
}

async function repeat(run: Run, kind: Kind, loop: number): Promise<void> {
  const { timeEvery, yieldEvery, seed } = run.load;
  const { tally, next, operate } = kind;
  const random = new Random(seed, kind.seed, loop);
  for (let untimed = 0, unyielded = 0; !run.stopped; ) {
    const timed = untimed === 0;
    if (++untimed >= timeEvery) untimed = 0;
    const range = next(random, loop);
    const began = timed ? performance.now() : 0;
    try {
      await operate(range);
    } catch (error) {
      if (!isGivenUp(error)) throw error;
      tally.failed++;
      continue;
    }
    if (timed) tally.latencies.record(performance.now() - began);
    if (run.stopped) tally.unfinished++;
    else tally.byLoop[loop]!++;
    if (++unyielded < yieldEvery) continue;
    unyielded = 0;
    await turn();
  }
}

/** A lookup that gave up, as lookups may after `holdMs`. By its code: the class is another one in another build. */
function isGivenUp(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 'RANGEFENCE_RETRY_LIMIT';
}

function newTally(loops: number): Tally {
  return { byLoop: new Array<number>(loops).fill(0), latencies: new Histogram(), unfinished: 0, failed: 0 };
}

function done(tally: Tally, seconds: number): Done {
  const count = tally.byLoop.reduce((sum, own) => sum + own, 0);
  return { ...tally, count, perSecond: count / seconds };
}
