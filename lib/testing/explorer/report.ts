/**
 * Reports: an order of steps as a string that can be run again, as a diagram, and as the error that carries both.
 */
import { InvalidArgumentError } from '../../base/errors.js';
import { MAX_TURNS } from './watch.js';

/** What became of an actor in a step. */
export type Mark = 'waits' | 'goes on' | 'done';

/** What became of which actor. */
export interface Marked {
  /** Index of the actor. */
  readonly actor: number;
  readonly mark: Mark;
}

/** One step as it was taken. */
export interface Taken {
  /** Index of the actor. */
  readonly actor: number;
  /** Which of the steps at which the actor stood at once: 0 nearly always. */
  readonly strand: number;
  readonly label: string;
  /** Actors for whom it changed something. */
  readonly marks: readonly Marked[];
}

/** Space between two columns. */
const GAP = 2;

/**
 * An order of steps in which a scenario failed.
 *
 * The message has the string, the diagram and the message of the `cause`, so that a test runner prints all of them.
 */
export class ScheduleError extends Error {
  /** A literal: it survives minifying. */
  override readonly name = 'ScheduleError';
  /** Hand it to `replay`. */
  readonly schedule: string;
  /** One column for each actor, time running down. */
  readonly diagram: string;

  /** @param cause what an actor, `check` or `end` has thrown, or that nobody could go on */
  constructor(cause: unknown, schedule: string, diagram: string) {
    const what = cause instanceof Error ? cause.message : String(cause);
    super(`${what}\n\nin schedule ${JSON.stringify(schedule)}:\n\n${diagram}\n`, { cause });
    this.schedule = schedule;
    this.diagram = diagram;
  }
}

/** Somebody never leaves the microtask queue: nobody else would ever go on, and no timer would run. The `cause` of a {@link ScheduleError}. */
export class MicrotaskLoopError extends Error {
  /** A literal: it survives minifying. */
  override readonly name = 'MicrotaskLoopError';
  /** Its name; `undefined` if it is not an actor, but the scenario's `end`. */
  readonly actor: string | undefined;

  /** @param who for people @param since the last that was seen of it */
  constructor(actor: string | undefined, who: string, since = '') {
    const turns = MAX_TURNS.toLocaleString('en');
    super(`${who} has not come to a step or to its end in ${turns} turns of microtasks${since === '' ? '' : `, ${since}`}`);
    this.actor = actor;
  }
}

/** `0.1.1+1.0`: which actor takes the next step, and `+n` where it is not the first of several that it could take. */
export function format(steps: readonly Pick<Taken, 'actor' | 'strand'>[]): string {
  return steps.map(({ actor, strand }) => (strand === 0 ? `${actor}` : `${actor}+${strand}`)).join('.');
}

/** The opposite of {@link format}. Throws `InvalidArgumentError`. */
export function parse(schedule: string): Pick<Taken, 'actor' | 'strand'>[] {
  if (schedule === '') return [];
  return schedule.split('.').map((text) => {
    const found = /^(\d+)(?:\+(\d+))?$/.exec(text);
    if (found === null)
      throw new InvalidArgumentError(`schedule has step ${JSON.stringify(text)}; expected the index of an actor`);
    return { actor: Number(found[1]), strand: Number(found[2] ?? 0) };
  });
}

/** One column for each actor, one line for each step; what the step did to anybody stands below it, in parentheses. */
export function draw(names: readonly string[], steps: readonly Taken[]): string {
  const widths = names.map((name) => Math.max(name.length, '(goes on)'.length));
  for (const { actor, label } of steps) widths[actor] = Math.max(widths[actor]!, label.length);
  const line = (cells: ReadonlyMap<number, string>): string =>
    widths
      .map((width, i) => (cells.get(i) ?? '').padEnd(width + GAP))
      .join('')
      .trimEnd();
  const lines = [line(new Map(names.entries())), widths.map((width) => '-'.repeat(width)).join(' '.repeat(GAP))];
  for (const { actor, label, marks } of steps) {
    lines.push(line(new Map([[actor, label]])));
    if (marks.length > 0) lines.push(line(new Map(marks.map((each) => [each.actor, `(${each.mark})`]))));
  }
  return lines.join('\n');
}
