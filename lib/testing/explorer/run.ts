/**
 * One run of a scenario: fresh state, and one step after the other as it is told.
 *
 * Algorithm note
 *
 *     an actor calls step        it stands: entered in `standing`, its promise is pending
 *     take                       resolves that promise, waits until every microtask has run (settle), then looks:
 *         stands again, or done  the ordinary case
 *         neither                it is blocked: it awaits something that another actor must do
 *
 * An actor may stand at several steps at once, if it has started something that it does not await (a lookup that was aborted,
 * and its fetch that has not noticed). They are its strands, in the order in which it came to them; any may be taken.
 *
 * A step was *alone* if its own actor was heard of in it, and no other. One that was not has woken somebody or blocked, so it
 * depends on what others do, whatever it has declared.
 */
import { describe, InvalidArgumentError } from '../../base/errors.js';
import { draw, format, type Marked, ScheduleError, type Taken } from './report.js';

/** What a step reads and writes, by names of the scenario's own choice. Steps that share nothing are tried in one order only. */
export interface Touches {
  /** What decides how it goes. */
  readonly reads?: readonly string[] | undefined;
  /** What is different afterwards. */
  readonly writes?: readonly string[] | undefined;
}

/**
 * Resolves when it is this actor's turn. What follows, up to the next `step`, is one step: nobody comes in between, except
 * those whom it wakes. Without `touches` it depends on everything.
 */
export type Step = (label: string, touches?: Touches) => Promise<void>;

/** One party. What it does before its first `step` is part of making the scenario. An error it throws is a failure. */
export type Actor = (step: Step) => unknown;

/** Some parties and what must be true of them. */
export interface Scenario {
  /** By name; their order is that of the columns, and of the indexes in a schedule. */
  readonly actors: Readonly<Record<string, Actor>>;
  /**
   * Lists of actors that do the same, but for their names: each is named in one list at most. `explore` has those of a list
   * take their first steps in its order only, since every other order is one of these with the names exchanged.
   */
  readonly twins?: readonly (readonly string[])[] | undefined;
  /** Called before the first step and after each: throws if something is wrong. */
  check?(): void;
  /** Called when all are done: throws or rejects if something is wrong. */
  end?(): unknown;
  /**
   * All that decides how it goes on, but for where each actor stands: what the actors share, and what they remember. Where two
   * orders lead to the same state, only one of them is followed.
   */
  state?(): string;
}

/** Makes everything anew: no state may be shared by two runs. */
export type MakeScenario = () => Scenario;

/** A step that may be taken. */
export interface Standing {
  readonly actor: number;
  /** The how manieth step of its actor: names it, whatever the others do. */
  readonly ordinal: number;
  readonly label: string;
  readonly touches: Touches | undefined;
  readonly resume: () => void;
}

/**
 * Waits until every microtask has run. One message to oneself: a timer would round up to a millisecond. All who wait in one
 * turn wait for the same message, so explorations that run side by side share what it costs.
 */
export class Settler {
  readonly #channel: Channel = new MessageChannel() as unknown as Channel;
  #waiting: (() => void)[] = [];

  constructor() {
    this.#channel.port1.onmessage = () => {
      const waiting = this.#waiting;
      this.#waiting = []; // whoever goes on may wait again at once
      for (const proceed of waiting) proceed();
    };
  }

  settle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) this.#channel.port2.postMessage(undefined);
    });
  }

  /** An open port would keep the process from ending. */
  close(): void {
    this.#channel.port1.close();
  }
}

/** Of the host's, as much as is used: a browser's and Node's types differ elsewhere. */
interface Channel {
  readonly port1: { onmessage: unknown; close(): void };
  readonly port2: { postMessage(message: undefined): void };
}

const NO_MARKS: readonly never[] = [];

/** The index of the one before, for all but the first of each list; -1 for everybody else. */
function eldersOf(twins: Scenario['twins'], names: readonly string[]): number[] {
  const elders: number[] = new Array(names.length).fill(-1);
  const seen = new Set<string>();
  for (const list of twins ?? []) {
    for (const [i, name] of list.entries()) {
      const at = names.indexOf(name);
      if (at < 0) throw new InvalidArgumentError(`twins name ${describe(name)}; expected one of the actors`);
      if (seen.has(name)) throw new InvalidArgumentError(`twins name ${describe(name)} twice; expected each actor once`);
      seen.add(name);
      if (i > 0) elders[at] = names.indexOf(list[i - 1]!);
    }
  }
  return elders;
}

/** See the top of the file. Whatever fails does so in a method, as `ScheduleError`. */
export class Run {
  readonly names: readonly string[];
  /** Steps taken so far. */
  readonly taken: Taken[] = [];
  readonly #scenario: Scenario;
  readonly #settler: Settler;
  /** For each actor the steps at which it stands. */
  readonly #standing: Standing[][] = [];
  readonly #calls: number[] = [];
  readonly #done: boolean[] = [];
  /** Where each actor was found after the last step. */
  readonly #places: ('standing' | 'blocked' | 'done')[] = [];
  /** For each actor its elder twin: the one who takes the first step before it; -1 without one. */
  readonly #elders: readonly number[];
  #failure: { readonly error: unknown } | undefined = undefined;
  /** Who is taking a step. */
  #current = -1;
  #heardOwn = false;
  #heardOther = false;

  private constructor(scenario: Scenario, settler: Settler) {
    this.#scenario = scenario;
    this.#settler = settler;
    this.names = Object.keys(scenario.actors);
    this.#elders = eldersOf(scenario.twins, this.names);
  }

  /** Starts all actors, in order, and lets them come to their first steps. */
  static async start(make: MakeScenario, settler: Settler): Promise<Run> {
    const run = new Run(make(), settler);
    for (const [i, name] of run.names.entries()) run.#begin(i, run.#scenario.actors[name]!);
    await settler.settle();
    for (const [i, isDone] of run.#done.entries()) if (isDone) run.#places[i] = 'done';
    run.#look();
    return run;
  }

  /** The steps that may be taken now, by actor and then by age. */
  get standing(): readonly Standing[] {
    const all: Standing[] = []; // not flat(), which takes ten times as long
    for (const steps of this.#standing) for (const step of steps) all.push(step);
    return all;
  }

  /** The same without the first steps of those whose elder twin has not taken its own yet. */
  get choices(): readonly Standing[] {
    const all: Standing[] = [];
    for (const steps of this.#standing) for (const step of steps) if (!this.#isTooEarly(step)) all.push(step);
    return all;
  }

  #isTooEarly({ actor, ordinal }: Standing): boolean {
    const elder = this.#elders[actor]!;
    return ordinal === 0 && elder >= 0 && this.#standing[elder]![0]?.ordinal === 0;
  }

  /** The step of this actor and strand, if it may be taken. */
  find(actor: number, strand: number): Standing | undefined {
    return this.#standing[actor]?.[strand];
  }

  /** Takes one of {@link Run.standing}; resolves to whether it was alone. */
  async take(step: Standing): Promise<boolean> {
    const isAlone = await this.retake(step);
    this.#look();
    return isAlone;
  }

  /** The same where another run has taken the same steps before: what it led to has been checked. */
  async retake(step: Standing): Promise<boolean> {
    const { actor, label } = step;
    const mine = this.#standing[actor]!;
    const strand = mine.indexOf(step);
    mine.splice(strand, 1);
    const taken: { marks: readonly Marked[] } & Taken = { actor, strand, label, marks: NO_MARKS };
    this.taken.push(taken);
    this.#current = actor;
    this.#heardOwn = false;
    this.#heardOther = false;
    step.resume();
    await this.#settler.settle();
    taken.marks = this.#marks();
    return this.#heardOwn && !this.#heardOther;
  }

  /** When nobody stands anywhere: calls `end`, or fails if somebody waits for ever. */
  async finish(): Promise<void> {
    const waiting = this.names.filter((_, i) => !this.#done[i]);
    if (waiting.length > 0)
      throw this.report(new Error(`nobody can go on: ${waiting.map((name) => this.#where(name)).join(', ')}`));
    try {
      await this.#scenario.end?.();
    } catch (error) {
      throw this.report(error);
    }
  }

  /** What decides how it goes on; undefined if the scenario does not say. */
  state(): string | undefined {
    const state = this.#scenario.state?.();
    if (state === undefined) return undefined;
    const places = this.names.map(
      (_, i) => `${this.#calls[i]}${this.#done[i] ? '!' : ''}:${this.#standing[i]!.map(({ ordinal }) => ordinal)}`,
    );
    return `${places.join(' ')} ${state}`;
  }

  /** The order so far. */
  get schedule(): string {
    return format(this.taken);
  }

  /** The order so far, to be looked at. */
  get diagram(): string {
    return draw(this.names, this.taken);
  }

  /** An error as the caller of the explorer gets it. */
  report(cause: unknown): ScheduleError {
    return new ScheduleError(cause, this.schedule, this.diagram);
  }

  #begin(actor: number, act: Actor): void {
    this.#standing.push([]);
    this.#calls.push(0);
    this.#done.push(false);
    this.#places.push('standing');
    const step: Step = (label, touches) =>
      new Promise((resume) => {
        this.#heard(actor);
        this.#standing[actor]!.push({ actor, ordinal: this.#calls[actor]!++, label, touches, resume });
      });
    const over = (): void => {
      this.#heard(actor);
      this.#done[actor] = true;
    };
    const fail = (error: unknown): void => {
      over();
      this.#failure ??= { error };
    };
    try {
      Promise.resolve(act(step)).then(over, fail);
    } catch (error) {
      fail(error);
    }
  }

  #heard(actor: number): void {
    if (actor === this.#current) this.#heardOwn = true;
    else this.#heardOther = true;
  }

  #look(): void {
    if (this.#failure !== undefined) throw this.report(this.#failure.error);
    try {
      this.#scenario.check?.();
    } catch (error) {
      throw this.report(error);
    }
  }

  /** What has become of whom since the last time it was asked. */
  #marks(): readonly Marked[] {
    let marks: Marked[] | undefined;
    for (let actor = 0; actor < this.#places.length; actor++) {
      const before = this.#places[actor]!;
      const now = this.#done[actor] ? 'done' : this.#standing[actor]!.length === 0 ? 'blocked' : 'standing';
      if (now === before) continue;
      this.#places[actor] = now;
      marks ??= [];
      marks.push({ actor, mark: now === 'done' ? 'done' : now === 'blocked' ? 'waits' : 'goes on' });
    }
    return marks ?? NO_MARKS;
  }

  #where(name: string): string {
    const actor = this.names.indexOf(name);
    const last = this.taken.filter((step) => step.actor === actor).at(-1);
    return last === undefined ? `${name} waits before its first step` : `${name} waits since ${describe(last.label)}`;
  }
}
