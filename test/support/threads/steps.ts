/**
 * Every order of the steps of a few threads, on the code of stepped.ts.
 *
 * A thread has a program and jobs (microtasks, rings, timers); it runs one at a time, each to its end, as a real one does. Each access
 * to a shared word is a step, and so is the start of a job, and whatever the scenario says of its own state. Orders that differ only
 * in neighbouring steps that do not touch the same word, or only read it, are run once (sleep sets). A run that ends with somebody
 * waiting has wedged him.
 */
import { setImmediate as macrotask } from 'node:timers/promises';

/** What a step touches; negative numbers are the scenario's own state. */
export interface Access {
  readonly at: number;
  readonly write: boolean;
}

/** The scenario's own state. */
export const GHOST: Access = { at: -1, write: true };
const ANYTHING = -2;

/** Ends the turn; the program goes on when it is so, and no job is left. */
export interface Pause {
  readonly until: () => boolean;
}

export type Program = Generator<Access | Pause, void>;
type Steps = Generator<Access, unknown>;

/** One thread of a run. */
export class SteppedThread {
  readonly name: string;
  jobs: (() => unknown)[] = [];
  timer: { readonly job: () => unknown; readonly writes: number } | undefined = undefined;
  current: Steps | Program | undefined = undefined;
  announced: Access | undefined = undefined;
  program: Program | undefined = undefined;
  pause: (() => boolean) | undefined = undefined;
  isDead = false;
  /** Steps after which it stops for good. */
  lives = Number.POSITIVE_INFINITY;
  /** Called then. */
  dies: () => void = () => {};

  constructor(name: string) {
    this.name = name;
  }
}

/** What the code of stepped.ts is called with, and a scenario. */
export class World {
  readonly threads: SteppedThread[] = [];
  readonly taken: string[] = [];
  /** Jobs may touch the scenario's own state: there are subscribers. */
  tells = false;
  #now: SteppedThread | undefined = undefined;
  #writes = 0;
  #sleepers: { readonly thread: SteppedThread; readonly at: number; job: () => unknown }[] = [];

  thread(name: string): SteppedThread {
    const thread = new SteppedThread(name);
    this.threads.push(thread);
    return thread;
  }

  /** Makes something as this thread would: what it schedules is its own. */
  as<T>(thread: SteppedThread, fn: () => T): T {
    this.#now = thread;
    return fn();
  }

  readonly clock = {
    now: () => 0,
    setTimeout: (job: () => unknown) => {
      const thread = this.#now!;
      thread.timer = { job, writes: this.#writes };
      return thread;
    },
    clearTimeout: (thread: unknown) => {
      (thread as SteppedThread).timer = undefined;
    },
  };

  // --- what the code calls

  readonly micro = (job: () => unknown): void => void this.#now!.jobs.push(job);
  readonly spawn = (steps: unknown): void => void this.#now!.jobs.unshift(() => steps);
  sleep(array: Int32Array, at: number, value: number): Steps {
    return sleepOn(this, array, at, value);
  }

  notify(_array: Int32Array, at: number): void {
    const rung = this.#sleepers.filter((sleeper) => sleeper.at === at);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.at !== at);
    for (const { thread, job } of rung) if (!thread.isDead) thread.jobs.push(() => job());
  }

  waitAsync(array: Int32Array, at: number, value: number): object {
    if (array[at] !== value) return { async: false, value: 'not-equal' };
    const sleeper = { thread: this.#now!, at, job: (): unknown => undefined };
    this.#sleepers.push(sleeper);
    // Not a promise, which would take turns of its own.
    const then = (job: () => unknown) => {
      sleeper.job = job;
    };
    return { async: true, value: { then } };
  }

  // --- the run

  /** What this thread would do next; undefined if it can do nothing. */
  next(thread: SteppedThread): Access | undefined {
    if (thread.isDead) return undefined;
    if (thread.current !== undefined) return thread.announced;
    const start: Access = this.tells ? GHOST : { at: -10 - this.threads.indexOf(thread), write: true };
    if (thread.jobs.length > 0) return start;
    if (thread.program !== undefined && (thread.pause === undefined || thread.pause())) return start;
    if (thread.timer !== undefined && thread.timer.writes < this.#writes) return { at: ANYTHING, write: true };
    return undefined;
  }

  /** Takes that step. Resolves when its promises have settled. */
  async take(thread: SteppedThread): Promise<void> {
    this.#now = thread;
    this.taken.push(`${thread.name} ${thread.announced?.at ?? 'starts'}`);
    if (thread.current !== undefined) {
      if (thread.announced!.write && thread.announced!.at >= 0) this.#writes++;
      this.#run(thread);
    } else if (thread.jobs.length > 0) this.#start(thread, thread.jobs.shift()!());
    else if (thread.program !== undefined && (thread.pause === undefined || thread.pause())) {
      thread.pause = undefined;
      this.#start(thread, thread.program);
    } else {
      const { job } = thread.timer!;
      thread.timer = undefined;
      this.#start(thread, job());
    }
    for (let i = 0; i < 8; i++) await undefined;
    if (--thread.lives > 0) return;
    thread.isDead = true;
    thread.dies();
  }

  #start(thread: SteppedThread, steps: unknown): void {
    if (typeof (steps as Steps | undefined)?.next !== 'function') return;
    thread.current = steps as Steps;
    this.#run(thread);
  }

  #run(thread: SteppedThread): void {
    const { value, done } = thread.current!.next();
    if (!done && 'at' in (value as Access | Pause)) {
      thread.announced = value as Access;
      return;
    }
    if (thread.current === thread.program) {
      if (done) thread.program = undefined;
      else thread.pause = (value as Pause).until;
    }
    thread.current = undefined;
    thread.announced = undefined;
  }
}

/** What an access of the code is. */
export function* step(
  words: Record<string, (at: number, value?: number) => unknown>,
  access: string,
  at: number,
  value?: number,
): Steps {
  yield { at, write: access !== 'load' };
  return words[access]!(at, value);
}

function* sleepOn(world: World, array: Int32Array, at: number, value: number): Steps {
  yield { at, write: true };
  return world.waitAsync(array, at, value);
}

function areIndependent(a: Access, b: Access): boolean {
  if (a.at === ANYTHING || b.at === ANYTHING) return false;
  return a.at !== b.at || !(a.write || b.write);
}

/** Of one run: more than any needs that comes to an end. */
const MOST_STEPS = 1000;

/** What was explored. */
export interface Explored {
  readonly runs: number;
  readonly steps: number;
  readonly isComplete: boolean;
}

/** Makes the threads of a scenario, with their programs. */
export type Scenario = (world: World) => void;

interface Choice {
  readonly sleeping: Map<number, Access>;
  chosen: number;
}

/** What is enough. */
export interface Limits {
  /** Runs at most. */
  readonly most: number;
  /**
   * Only orders in which so many times at most somebody else goes on although a thread could: every one of those is run then. Without
   * it, every order.
   */
  readonly preemptions?: number;
}

/** Runs the scenario in every order within the limits. Rejects with what failed, and the order. */
export async function exploreSteps(scenario: Scenario, { most, preemptions }: Limits): Promise<Explored> {
  const choices: Choice[] = [];
  let steps = 0;
  for (let runs = 1; ; runs++) {
    const world = new World();
    scenario(world);
    steps += await runOnce(world, choices, preemptions);
    if (runs % 200 === 0) await macrotask();
    // The deepest choice that has another one left.
    while (choices.length > 0) {
      const last = choices[choices.length - 1]!;
      if (last.chosen >= 0) break;
      choices.pop();
    }
    if (choices.length === 0) return { runs, steps, isComplete: true };
    if (runs === most) return { runs, steps, isComplete: false };
  }
}

/** Repeats the choices, then takes the first of each; turns the last choice that can be turned to its next. */
async function runOnce(world: World, choices: Choice[], preemptions: number | undefined): Promise<number> {
  let last = -1;
  let preempted = 0;
  let sleeping = new Map<number, Access>();
  const options: { choice: Choice; rest: number[]; accesses: Map<number, Access> }[] = [];
  try {
    for (let depth = 0; ; depth++) {
      if (depth > MOST_STEPS) throw new Error(`goes on for more than ${MOST_STEPS} steps`);
      const accesses = new Map<number, Access>();
      for (const [index, thread] of world.threads.entries()) {
        const access = world.next(thread);
        if (access !== undefined) accesses.set(index, access);
      }
      if (accesses.size === 0) {
        const waiting = world.threads.filter(({ program, isDead }) => program !== undefined && !isDead);
        if (waiting.length > 0) throw new Error(`${waiting.map(({ name }) => name)} waits for ever`);
        break;
      }
      if (preemptions !== undefined && preempted === preemptions && accesses.has(last)) {
        for (const index of [...accesses.keys()]) if (index !== last) accesses.delete(index);
      }
      let choice = choices[depth];
      if (choice === undefined) {
        choice = { sleeping, chosen: [...accesses.keys()].find((index) => !sleeping.has(index)) ?? -1 };
        if (choice.chosen < 0) break; // every order from here on is one of another run
        choices.push(choice);
      }
      const { chosen } = choice;
      const rest = [...accesses.keys()].filter((index) => index > chosen && !choice.sleeping.has(index));
      options.push({ choice, rest, accesses });
      const taken = accesses.get(chosen)!;
      if (preemptions === undefined)
        sleeping = new Map([...choice.sleeping].filter(([, access]) => areIndependent(access, taken)));
      else if (last !== chosen && accesses.has(last)) preempted++;
      last = chosen;
      await world.take(world.threads[chosen]!);
    }
  } catch (error) {
    throw new Error(`${(error as Error).message}\n  after ${world.taken.join(', ')}`, { cause: error });
  }
  for (let depth = options.length - 1; depth >= 0; depth--) {
    const { choice, rest, accesses } = options[depth]!;
    if (preemptions === undefined) choice.sleeping.set(choice.chosen, accesses.get(choice.chosen)!);
    choice.chosen = rest[0] ?? -1;
    choices.length = depth + 1;
    if (choice.chosen >= 0) break;
  }
  return world.taken.length;
}
