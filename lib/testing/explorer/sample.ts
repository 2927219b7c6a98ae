/**
 * Samples: random orders of steps, for scenarios that have too many.
 *
 * Algorithm note. Not a fair coin at each step: that finds what goes wrong in most orders. Every actor gets a random priority,
 * and whoever has the highest goes on; at `depth - 1` random moments the one who would go on falls behind everybody else [1].
 * A bug that needs d steps to come in a certain order is then found in one run with a chance of at least 1 / (n * k^(d - 1)),
 * for n actors and k steps, whatever else the program does. k is the length of the longest run so far.
 *
 * [1] Burckhardt et al., A randomized scheduler with probabilistic guarantees of finding bugs (2010).
 */
import { check } from '../../base/errors.js';
import { checkNames, type Names, names } from '../../base/options.js';
import { Run, type Standing } from './run.js';
import type { MakeScenario } from './scenario.js';
import { endless, stepLimit } from './search.js';
import type { Settler } from './settler.js';

/** As many as a test can afford: a scenario of 20 steps takes a tenth of a second or two. */
const DEFAULT_RUNS = 1000;

/** Most bugs that were looked into needed one or two changes between actors at certain moments. */
const DEFAULT_DEPTH = 3;

/** How to choose. */
export interface SampleOptions {
  /** Runs: a whole number of at least 1, default 1,000. */
  runs?: number | undefined;
  /** The same seed gives the same runs: a whole number, default 1. */
  seed?: number | undefined;
  /** Steps that must come in a certain order for what is looked for: a whole number of at least 1, default 3. */
  depth?: number | undefined;
  /** Steps of one run at most; more are a failure. Default 1,000. */
  maxSteps?: number | undefined;
}

const SAMPLE_OPTIONS: Names = /* @__PURE__ */ names('runs seed depth maxSteps');

/** What was seen. */
export interface Sampling {
  /** Runs. */
  readonly runs: number;
  /** Different orders among them. */
  readonly schedules: number;
  /** Steps taken in all runs. */
  readonly steps: number;
}

/** See the top of the file. */
export class Sampler {
  readonly #make: MakeScenario;
  readonly #settler: Settler;
  readonly #runs: number;
  readonly #depth: number;
  readonly #maxSteps: number;
  readonly #seen: Set<string> = new Set();
  #state: number;
  #longest = 0;
  #steps = 0;

  constructor(make: MakeScenario, settler: Settler, options: SampleOptions) {
    checkNames(options, SAMPLE_OPTIONS, 'sample');
    const { runs = DEFAULT_RUNS, seed = 1, depth = DEFAULT_DEPTH, maxSteps } = options;
    check(typeof make === 'function', 'scenario', make, 'a function that makes one');
    check(Number.isSafeInteger(runs) && runs >= 1, 'runs', runs, 'a whole number of at least 1');
    check(Number.isSafeInteger(seed), 'seed', seed, 'a whole number');
    check(Number.isSafeInteger(depth) && depth >= 1, 'depth', depth, 'a whole number of at least 1');
    this.#make = make;
    this.#settler = settler;
    this.#runs = runs;
    this.#depth = depth;
    this.#maxSteps = stepLimit(maxSteps);
    this.#state = seed % 2 ** 32;
  }

  async all(): Promise<Sampling> {
    for (let i = 0; i < this.#runs; i++) await this.#one();
    return { runs: this.#runs, schedules: this.#seen.size, steps: this.#steps };
  }

  async #one(): Promise<void> {
    const run = await Run.start(this.#make, this.#settler);
    const priorities = this.#shuffled(run.names.length);
    const changes = new Set(Array.from({ length: this.#depth - 1 }, () => this.#below(this.#longest)));
    let lowest = 0;
    for (let taken = 0; ; taken++) {
      const { standing } = run;
      if (standing.length === 0) break;
      if (taken >= this.#maxSteps) throw endless(run, this.#maxSteps);
      if (changes.has(taken)) priorities[first(standing, priorities)] = --lowest;
      const actor = first(standing, priorities);
      const strands = standing.filter((step) => step.actor === actor);
      await run.take(strands[this.#below(strands.length)]!);
      this.#steps++;
    }
    await run.finish();
    this.#longest = Math.max(this.#longest, run.taken.length);
    this.#seen.add(run.schedule);
  }

  /** The numbers from 0 on, in a random order. */
  #shuffled(count: number): number[] {
    const list = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.#below(i + 1);
      [list[i], list[j]] = [list[j]!, list[i]!];
    }
    return list;
  }

  /** A whole number in `[0, limit)`, by mulberry32: 32 bits of state are plenty for choices. */
  #below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) % 2 ** 32;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  }
}

/** Who has the highest priority among those who stand. */
function first(standing: readonly Standing[], priorities: readonly number[]): number {
  let best = standing[0]!.actor;
  for (const { actor } of standing) if (priorities[actor]! > priorities[best]!) best = actor;
  return best;
}
