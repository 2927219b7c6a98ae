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
import { checkNames, isPlain, type Names, names } from '../../base/options.js';
import type { Place } from './check-points.js';
import { draw, format, type Marked, MicrotaskLoopError, ScheduleError, type Taken } from './report.js';
import type { Actor, MakeScenario, Scenario, Step, Touches } from './scenario.js';
import type { Settler } from './settler.js';

/** A step that may be taken. */
export interface Standing {
  readonly actor: number;
  /** The how manieth step of its actor: names it, whatever the others do. */
  readonly ordinal: number;
  readonly label: string;
  readonly touches: Touches | undefined;
  readonly resume: () => void;
}

const SCENARIO: Names = /* @__PURE__ */ names('actors twins check end checkPoints state');
const TOUCHES: Names = /* @__PURE__ */ names('reads writes');

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
  /** For each actor, what its promises know of it. */
  readonly #actors: Place[] = [];
  readonly #calls: number[] = [];
  readonly #done: boolean[] = [];
  /** Where each actor was found after the last step. */
  readonly #places: ('standing' | 'blocked' | 'done')[] = [];
  /** For each actor its elder twin: the one who takes the first step before it; -1 without one. */
  readonly #elders: readonly number[];
  #failure: { readonly error: unknown } | undefined = undefined;
  /** Who is taking a step. */
  #current = -1;
  /** What the step touches that is being taken. */
  #touches: Touches | undefined = undefined;
  #heardOwn = false;
  #heardOther = false;

  private constructor(scenario: Scenario, settler: Settler) {
    if (isPlain(scenario)) checkNames(scenario, SCENARIO, 'a scenario');
    this.#scenario = scenario;
    this.#settler = settler;
    this.names = Object.keys(scenario.actors);
    this.#elders = eldersOf(scenario.twins, this.names);
  }

  /** Starts all actors, in order, and lets them come to their first steps. */
  static async start(make: MakeScenario, settler: Settler): Promise<Run> {
    const run = new Run(make(), settler);
    for (const [i, name] of run.names.entries()) run.#begin(i, run.#scenario.actors[name]!);
    run.#demandSettled(await settler.settle());
    for (const [i, isDone] of run.#done.entries()) if (isDone) run.#places[i] = 'done';
    run.#look();
    return run;
  }

  /** True unless the scenario says otherwise. */
  get hasCheckPoints(): boolean {
    return this.#scenario.checkPoints !== false;
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
    const { actor, label, touches } = step;
    const mine = this.#standing[actor]!;
    const strand = mine.indexOf(step);
    mine.splice(strand, 1);
    const taken: { marks: readonly Marked[] } & Taken = { actor, strand, label, marks: NO_MARKS };
    this.taken.push(taken);
    this.#current = actor;
    this.#touches = touches;
    this.#heardOwn = false;
    this.#heardOther = false;
    this.#enter(actor, step.resume);
    this.#demandSettled(await this.#settler.settle());
    taken.marks = this.#marks();
    return this.#heardOwn && !this.#heardOther;
  }

  /** When nobody stands anywhere: calls `end`, or fails if somebody waits for ever. */
  async finish(): Promise<void> {
    const waiting = this.names.filter((_, i) => !this.#done[i]);
    if (waiting.length > 0)
      throw this.report(new Error(`nobody can go on: ${waiting.map((name) => this.#where(name)).join(', ')}`));
    try {
      const ending = this.#scenario.end?.();
      if (isThenable(ending))
        await this.#settler.guard(ending, () => new MicrotaskLoopError(undefined, 'the end of the scenario'));
    } catch (error) {
      throw this.report(error);
    }
  }

  /** What decides how it goes on; undefined if the scenario does not say. */
  state(): string | undefined {
    const state = this.#scenario.state?.();
    if (state === undefined) return undefined;
    const places = this.names.map(
      (_, i) =>
        `${this.#calls[i]}${this.#done[i] ? '!' : ''}:${this.#standing[i]!.map(({ ordinal, label }) => `${ordinal} ${label}`)}`,
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
        checkNames(touches, TOUCHES, 'step');
        this.#heard(actor);
        this.#standing[actor]!.push({ actor, ordinal: this.#calls[actor]!++, label, touches, resume });
      });
    const run = this;
    this.#actors.push({
      stand: step,
      get touches() {
        return run.#current === actor ? run.#touches : undefined;
      },
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
      Promise.resolve(this.#enter(actor, () => act(step))).then(over, fail);
    } catch (error) {
      fail(error);
    }
  }

  /** Runs something as part of what the actor does. */
  #enter<T>(actor: number, fn: () => T): T {
    return this.hasCheckPoints ? this.#settler.checkPoints.run(this.#actors[actor]!, fn) : fn();
  }

  /** False after microtasks were cut off: of an actor that has not come to a step, nor to its end. */
  #demandSettled(isSettled: boolean): void {
    if (isSettled) return;
    const lost = this.names.filter((_, i) => !this.#done[i] && this.#standing[i]!.length === 0);
    if (lost.length === 0) return; // those of an exploration that runs beside this one
    const current = this.names[this.#current];
    const [name] = current !== undefined && lost.includes(current) ? [current] : lost;
    throw this.report(new MicrotaskLoopError(name, `actor ${describe(name)}`, this.#since(name!)));
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
    return `${name} waits ${this.#since(name)}`;
  }

  #since(name: string): string {
    const actor = this.names.indexOf(name);
    const last = this.taken.filter((step) => step.actor === actor).at(-1);
    return last === undefined ? 'before its first step' : `since ${describe(last.label)}`;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
