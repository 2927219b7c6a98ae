/**
 * Explorer: runs a few asynchronous parties under every order of their steps.
 *
 * The contract; docs/exploring.md shows how it is used.
 *
 * - A scenario is made anew for each run. Each actor is an async function that calls `await step('...')` wherever others may
 *   come in between. They also come in between where it awaits a promise of this library (check-points.ts), and nowhere else.
 * - {@link explore} runs every order once. Of orders that differ only in steps that touch nothing in common, or in the names of
 *   twins, it runs one; and what follows a state that was reached before is not run again.
 * - {@link sample} runs random ones, {@link replay} just the one it is given.
 * - A failure rejects with {@link ScheduleError}: an error of an actor, of `check` or `end`, that nobody can go on, or that
 *   somebody goes on for ever (in steps, or in microtasks; one that never returns from a synchronous loop cannot be stopped).
 *
 * Everything an actor awaits must come from the scenario: promises, other actors, a clock that is moved on by hand. What the
 * host's timers or devices do comes too late, and counts as waiting for ever.
 *
 * The way of one exploration: explorer.ts, search.ts (which order comes next), run.ts (one order), settler.ts (until nothing
 * goes on), check-points.ts and watch.ts (promises, and microtasks without end), report.ts.
 */
import { InvalidArgumentError } from '../../base/errors.js';
import { MicrotaskLoopError, parse, ScheduleError } from './report.js';
import { Run } from './run.js';
import { type SampleOptions, Sampler, type Sampling } from './sample.js';
import type { Actor, MakeScenario, Scenario, Step, Touches } from './scenario.js';
import { type Exploration, type ExploreOptions, Search } from './search.js';
import { Settler } from './settler.js';

export {
  type Actor,
  type Exploration,
  type ExploreOptions,
  type MakeScenario,
  MicrotaskLoopError,
  type SampleOptions,
  type Sampling,
  type Scenario,
  ScheduleError,
  type Step,
  type Touches,
};

/** A run that did not fail. */
export interface Replayed {
  /** The order that was run. */
  readonly schedule: string;
  /** One column for each actor, time running down. */
  readonly diagram: string;
  /** True if all actors were done after it, and `end` was called. */
  readonly complete: boolean;
}

/**
 * Runs the scenario under every order of steps, and resolves to how many there are.
 *
 * Rejects with {@link ScheduleError} at the first order that fails, with `InvalidArgumentError` if the scenario does not do
 * the same when it is run again. Costs all steps of all orders; steps that say what they touch, or a scenario that says its
 * state, save most of it.
 */
export function explore(make: MakeScenario, options: ExploreOptions = {}): Promise<Exploration> {
  return settling((settler) => new Search(make, settler, options).all());
}

/**
 * Runs the scenario under random orders, chosen so that few changes at certain moments are likely, and resolves to how many
 * different ones there were. For scenarios with too many to explore. Rejects with {@link ScheduleError}.
 */
export function sample(make: MakeScenario, options: SampleOptions = {}): Promise<Sampling> {
  return settling((settler) => new Sampler(make, settler, options).all());
}

/**
 * Runs the scenario under the order of a {@link ScheduleError}, step by step, and no further.
 *
 * Rejects with the same error again, or with `InvalidArgumentError` if the scenario cannot take these steps.
 */
export function replay(make: MakeScenario, schedule: string): Promise<Replayed> {
  return settling(async (settler) => {
    const steps = parse(schedule);
    const run = await Run.start(make, settler);
    for (const [i, { actor, strand }] of steps.entries()) {
      const step = run.find(actor, strand);
      if (step === undefined) throw new InvalidArgumentError(notThere(run, i, actor));
      await run.take(step);
    }
    const isOver = run.standing.length === 0;
    if (isOver) await run.finish();
    return { schedule: run.schedule, diagram: run.diagram, complete: isOver };
  });
}

function notThere(run: Run, index: number, actor: number): string {
  const found = [...new Set(run.standing.map((step) => `${step.actor} (${run.names[step.actor]})`))];
  return `schedule names actor ${actor} for step ${index}, which is at none; expected one of ${found.join(', ') || 'none'}`;
}

/** One for all that run now. */
let shared: Settler | undefined;
let users = 0;
/** Resolves when the last one that has come is over: where they must take turns, the next one waits for it. */
let last: Promise<void> = Promise.resolve();

async function settling<T>(work: (settler: Settler) => Promise<T>): Promise<T> {
  shared ??= new Settler();
  const settler = shared;
  users++;
  const before = last;
  let leave = () => {};
  last = new Promise((resolve) => {
    leave = resolve;
  });
  try {
    if (!settler.checkPoints.mayShare) await before;
    return await work(settler);
  } finally {
    leave();
    if (--users === 0) {
      shared.close();
      shared = undefined;
    }
  }
}
