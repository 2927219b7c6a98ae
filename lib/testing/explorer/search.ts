/**
 * Search: every order of steps, depth first, without ever going back in one run.
 *
 * Algorithm note
 *
 *     state is not stored but made again: a run takes the choices of the stack, then the first that is open, to its end
 *     back        the deepest choice that has another one left takes that, and the choices above it are forgotten
 *
 * Sleep sets [1] keep equivalent orders out. Two steps are independent if both have said what they touch, neither writes what
 * the other touches, and both were alone (run.ts). After a choice has been followed to all its ends it sleeps: its
 * siblings need not take it again, until something that depends on it was done. A run in which everybody who could go on
 * sleeps is cut: each of its ends has been seen. So just one order of each class is followed to its end, and every state is
 * still reached once at least, so `check` misses nothing.
 *
 * With `state()`, a state that was reached before, and with no more asleep than now, is not followed again. It cannot be one
 * of those that are still being followed: each step moves an actor on, so there is no way back.
 *
 * Twins (run.ts) start in one order: as if the first step of the elder made that of the younger possible. It is one
 * more rule of the scenario, so nothing above has to know of it.
 *
 * [1] Godefroid, Partial-order methods for the verification of concurrent systems (1996), chapter 5.
 */
import { check, InvalidArgumentError } from '../../base/errors.js';
import { checkNames, names as known, type Names } from '../../base/options.js';
import { Run, type Standing } from './run.js';
import type { MakeScenario, Touches } from './scenario.js';
import type { Settler } from './settler.js';

/** Steps of one run, unless it is said otherwise: whoever takes more goes round in a circle. */
const DEFAULT_MAX_STEPS = 1000;

/** How far to go. */
export interface ExploreOptions {
  /** Runs at most, also those that are cut: a whole number of at least 1, or `Infinity`, the default. */
  maxRuns?: number | undefined;
  /** Steps of one run at most; more are a failure. Default 1,000. */
  maxSteps?: number | undefined;
}

const EXPLORE_OPTIONS: Names = /* @__PURE__ */ known('maxRuns maxSteps');

/** What was seen. */
export interface Exploration {
  /** Orders that were followed to their end; no two are the same, nor equivalent by what their steps touch. */
  readonly schedules: number;
  /** Runs that were given up because all that could follow is equivalent to what was seen. */
  readonly cut: number;
  /** Runs that were given up because they came to a known state. */
  readonly merged: number;
  /**
   * Orders that these stand for: `schedules`, and for each run that was merged as many as there were from that state on. It is
   * the number of all orders, up to exchanged twins, if no step says what it touches; otherwise some classes may count twice.
   */
  readonly orders: number;
  /** Steps taken in all runs. */
  readonly steps: number;
  /** True if nothing is left to be seen; false if `maxRuns` came first. */
  readonly complete: boolean;
  /** True if code that awaits a promise of this library went on in steps of its own; false if the scenario did not want that. */
  readonly checkPoints: boolean;
}

/** A step that need not be taken again, and what is known of it. */
interface Sleeper {
  readonly actor: number;
  readonly ordinal: number;
  readonly touches: Touches | undefined;
  readonly alone: boolean;
}

/** A state in which there was something to choose. */
interface Choice {
  readonly steps: readonly Standing[];
  readonly sleep: Sleeper[];
  /** Which of the steps is being followed. */
  at: number;
  /** Whether that one was alone. */
  alone: boolean;
  /** What is known of this state; undefined if the scenario does not say its state. */
  readonly known: Known | undefined;
  /** Orders that were seen to go on from here. */
  orders: number;
}

/** A state that was reached. */
interface Known {
  /** What slept each time. */
  asleep: ReadonlySet<string>;
  /** Orders that go on from it, once it has been left for good. */
  orders: number;
}

/** The limit of `maxSteps`, checked. */
export function stepLimit(maxSteps: number = DEFAULT_MAX_STEPS): number {
  check(maxSteps >= 1, 'maxSteps', maxSteps, 'a number of at least 1');
  return maxSteps;
}

/** Somebody goes round in a circle. */
export function endless(run: Run, limit: number): Error {
  const last = new Set(run.taken.slice(-run.names.length - 1).map(({ actor }) => JSON.stringify(run.names[actor])));
  return run.report(
    new Error(`not done after ${limit} steps: ${[...last].join(' and ')} ${last.size > 1 ? 'go' : 'goes'} round`),
  );
}

/** See the top of the file. */
export class Search {
  readonly #make: MakeScenario;
  readonly #settler: Settler;
  readonly #maxRuns: number;
  readonly #maxSteps: number;
  readonly #stack: Choice[] = [];
  readonly #known: Map<string, Known> = new Map();
  #schedules = 0;
  #cut = 0;
  #merged = 0;
  #orders = 0;
  #steps = 0;
  #checkPoints = true;

  constructor(make: MakeScenario, settler: Settler, options: ExploreOptions) {
    checkNames(options, EXPLORE_OPTIONS, 'explore');
    const { maxRuns = Number.POSITIVE_INFINITY, maxSteps } = options;
    check(typeof make === 'function', 'scenario', make, 'a function that makes one');
    check(maxRuns >= 1, 'maxRuns', maxRuns, 'a number of at least 1');
    this.#make = make;
    this.#settler = settler;
    this.#maxRuns = maxRuns;
    this.#maxSteps = stepLimit(maxSteps);
  }

  async all(): Promise<Exploration> {
    let complete = false;
    for (let runs = 0; runs < this.#maxRuns && !complete; runs++) {
      await this.#one();
      complete = !this.#back();
    }
    const orders = this.#stack.reduce((sum, choice) => sum + choice.orders, this.#orders);
    const seen = { schedules: this.#schedules, cut: this.#cut, merged: this.#merged, orders, steps: this.#steps };
    return { ...seen, complete, checkPoints: this.#checkPoints };
  }

  async #one(): Promise<void> {
    const run = await Run.start(this.#make, this.#settler);
    this.#checkPoints = run.hasCheckPoints;
    const seen = this.#stack.length - 1; // the last choice is another one than before
    for (let depth = 0; ; depth++) {
      const standing = run.choices;
      const known = this.#stack[depth];
      if (known !== undefined) compare(known.steps, standing, run);
      else if (standing.length === 0) {
        await run.finish();
        this.#schedules++;
        this.#count(1);
        return;
      }
      if (depth >= this.#maxSteps) throw endless(run, this.#maxSteps);
      const choice = known ?? this.#open(run, standing);
      if (choice === undefined) return;
      this.#steps++;
      const step = standing[choice.at]!;
      if (depth < seen) await run.retake(step);
      else choice.alone = await run.take(step);
    }
  }

  /** A new choice; undefined if there is no reason to go on. */
  #open(run: Run, steps: readonly Standing[]): Choice | undefined {
    const sleep = this.#inherited();
    const asleep = new Set(sleep.map(({ actor, ordinal }) => `${actor}:${ordinal}`));
    const state = run.state();
    let known = state === undefined ? undefined : this.#known.get(state);
    if (known !== undefined && [...known.asleep].every((each) => asleep.has(each))) {
      this.#merged++;
      this.#count(known.orders);
      return undefined;
    }
    if (known !== undefined) {
      known.asleep = new Set([...known.asleep].filter((each) => asleep.has(each)));
    } else if (state !== undefined) {
      known = { asleep, orders: 0 };
      this.#known.set(state, known);
    }
    const at = firstAwake(steps, sleep);
    if (at < 0) {
      this.#cut++;
      return undefined;
    }
    const choice: Choice = { steps, sleep, at, alone: false, known, orders: 0 };
    this.#stack.push(choice);
    return choice;
  }

  /** So many orders go on from the last choice. */
  #count(orders: number): void {
    const last = this.#stack.at(-1);
    if (last === undefined) this.#orders += orders;
    else last.orders += orders;
  }

  /** Who slept at the last choice and does not care about the step that was taken there. */
  #inherited(): Sleeper[] {
    const last = this.#stack.at(-1);
    if (last === undefined) return [];
    const { actor, ordinal, touches } = last.steps[last.at]!;
    const step = { actor, ordinal, touches, alone: last.alone };
    return last.sleep.filter((sleeper) => areIndependent(sleeper, step));
  }

  /** Turns to the next open choice; false if there is none. */
  #back(): boolean {
    for (let last = this.#stack.at(-1); last !== undefined; last = this.#stack.at(-1)) {
      const { actor, ordinal, touches } = last.steps[last.at]!;
      last.sleep.push({ actor, ordinal, touches, alone: last.alone });
      last.at = firstAwake(last.steps, last.sleep);
      if (last.at >= 0) return true;
      this.#stack.pop();
      if (last.known !== undefined) last.known.orders = last.orders;
      this.#count(last.orders);
    }
    return false;
  }
}

/** The same choices must lead to the same state, or nothing here means anything. */
function compare(expected: readonly Standing[], got: readonly Standing[], run: Run): void {
  const isSame = got.length === expected.length && got.every((step, i) => isSameStep(step, expected[i]!));
  if (isSame) return;
  const names = (steps: readonly Standing[]) =>
    steps.map(({ actor, label }) => `${run.names[actor]} at ${JSON.stringify(label)}`).join(', ') || 'nobody';
  throw new InvalidArgumentError(
    `the scenario is not the same each time: after ${JSON.stringify(run.schedule)} there is ${names(got)}; expected ${names(expected)}`,
  );
}

function isSameStep(a: Standing, b: Standing): boolean {
  return a.actor === b.actor && a.ordinal === b.ordinal && a.label === b.label;
}

function firstAwake(steps: readonly Standing[], sleep: readonly Sleeper[]): number {
  return steps.findIndex(
    ({ actor, ordinal }) => !sleep.some((sleeper) => sleeper.actor === actor && sleeper.ordinal === ordinal),
  );
}

function areIndependent(a: Sleeper, b: Sleeper): boolean {
  if (a.actor === b.actor || !a.alone || !b.alone || a.touches === undefined || b.touches === undefined) return false;
  return !disturbs(a.touches, b.touches) && !disturbs(b.touches, a.touches);
}

/** Does the first write what the second touches? */
function disturbs({ writes = [] }: Touches, { reads = [], writes: others = [] }: Touches): boolean {
  return writes.some((name) => reads.includes(name) || others.includes(name));
}
