/**
 * Seeded randomness for tests: the same seed gives the same run, on every machine.
 *
 * `RANGEFENCE_SEED` sets another seed, `RANGEFENCE_RUNS` multiplies the number of runs (2 = twice as many), and
 * `RANGEFENCE_PATH` replays one path that fast-check has printed (together with its seed).
 */

/** mulberry32: 32 bits of state are plenty for schedules, and every run can be named by one small number. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In `[0, 1)`. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number in `[0, limit)`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

/** The seed of this run. */
export const SEED: number = Number(process.env.RANGEFENCE_SEED ?? 2018);

const FACTOR = Number(process.env.RANGEFENCE_RUNS ?? 1);

/** How many runs, given the ordinary number. */
export function runs(ordinary: number): number {
  return Math.max(1, Math.round(ordinary * FACTOR));
}

/** The parameters of a fast-check property; it prints seed and path itself when the property fails. */
export function property(ordinary: number): { seed: number; numRuns: number; path?: string } {
  const path = process.env.RANGEFENCE_PATH;
  return { seed: SEED, numRuns: runs(ordinary), ...(path === undefined ? {} : { path }) };
}

/** One seed for each run of a test that is not fast-check's. */
export function seeds(ordinary: number): number[] {
  return Array.from({ length: runs(ordinary) }, (_, i) => SEED + i * 7919);
}
