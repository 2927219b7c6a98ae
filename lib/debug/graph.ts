/**
 * Graph: who waits for whom, and who must end what is waited for.
 *
 * Algorithm note
 *
 * Every wait has an explicit set of parties that must end it [1]:
 *
 *   a queued begin            ends its wait when the holding lookup does
 *   a section that begins     needs every subscriber's callback that has asked for time
 *   a section that has begun  needs the context that must end it: the change of a `mutate`, otherwise the context that was
 *                             declared around the begin; nobody, if there is none or it is over
 *   a lookup that waits to    needs what it waits for itself (one that has its turn gives it up after `holdMs`, whatever
 *   hold                      happens: nothing to follow there)
 *
 * A context goes on only if nothing it waits for, nor anything that those started in it wait for, stands. A wait W closes
 * a cycle if, from what it waits for, one comes along these arrows to a context that W itself keeps from going on.
 * Arrows through a hold are bounded by `holdMs`: such a cycle ends, with a failed lookup; it is a warning.
 *
 * Records hold no section, reader or tracker, only what is to be said of them: the checker keeps none of those alive.
 *
 * [1] Linux, Documentation/locking/crossrelease.rst (2017), since withdrawn: it had to guess who would complete a wait.
 */

import type { Range, ReaderInfo } from '../base/vocabulary.js';
import type { Invalidation } from '../tracker/index.js';

import type { Context } from './context.js';
import type { LockOrderKind, LockOrderStep } from './errors.js';
import type { Ledger } from './ledger.js';
import type { OrderClass } from './order.js';
import type { Trace } from './stack.js';

/** One wait that stands. */
export class Wait {
  readonly waiter: Party;
  readonly blocker: Party;
  /** The clock when it began. */
  readonly since: number;
  /** True once it was part of a report. */
  reported = false;

  constructor(waiter: Party, blocker: Party, since: number) {
    this.waiter = waiter;
    this.blocker = blocker;
    this.since = since;
  }
}

/** What a section and a reader have in common: something that waits, and is waited for. */
export abstract class Party {
  readonly ledger: Ledger;
  /** Where it began. */
  readonly trace: Trace;
  /** The context in which it was called; of a section that has begun, the one that must end it. */
  context: Context | undefined;
  wait: Wait | undefined = undefined;
  /** Waits for this one. Made by the first of them: most never see one. */
  waiters: Set<Wait> | undefined = undefined;

  constructor(ledger: Ledger, trace: Trace, context: Context | undefined) {
    this.ledger = ledger;
    this.trace = trace;
    this.context = context;
  }

  /** For people; made when it is asked for. */
  abstract get name(): string;

  /** What it counts as where it comes inside a section. */
  abstract get orderClass(): OrderClass;

  /** Parks it at another blocker than before, or at the first one. */
  park(blocker: Party, now: number): Wait {
    this.unpark();
    const wait = new Wait(this, blocker, now);
    this.wait = wait;
    blocker.waiters ??= new Set();
    blocker.waiters.add(wait);
    this.context?.addWait(wait);
    return wait;
  }

  /** It waits no longer. */
  unpark(): void {
    const { wait } = this;
    if (wait === undefined) return;
    this.wait = undefined;
    wait.blocker.waiters?.delete(wait);
    this.context?.waits?.delete(wait);
  }

  /** It is over: it waits no longer, and nobody will ask where it began. */
  finish(): void {
    this.unpark();
    this.trace.drop();
  }
}

/** A lookup or a `readBegin`. */
export class ReaderRecord extends Party {
  readonly #operation: string;
  readonly #label: string | undefined;

  constructor({ operation, label }: Pick<ReaderInfo, 'operation' | 'label'>, ledger: Ledger, origin: Origin) {
    super(ledger, origin.trace, origin.context);
    this.#operation = operation;
    this.#label = label;
  }

  get name(): string {
    const what = this.#label === undefined ? this.#operation : `${this.#operation} ${JSON.stringify(this.#label)}`;
    return `${what} of the ${this.ledger.name}`;
  }

  get orderClass(): OrderClass {
    return this.ledger.orderClass;
  }
}

/** Where a party comes from. */
interface Origin {
  readonly trace: Trace;
  readonly context: Context | undefined;
}

/** The same of a section, with when, and in which class. */
interface Place extends Origin {
  readonly orderClass: OrderClass;
  /** The clock when it began or queued. */
  readonly since: number;
}

/** A section. States: coming (queued, or not yet begun), beginning, begun, over. */
export class SectionRecord extends Party {
  state: 'coming' | 'beginning' | 'begun' | 'over' = 'coming';
  override readonly orderClass: OrderClass;
  readonly since: number;
  /** Callbacks that have asked for time; none once the section has begun. */
  callbacks: Set<Context> | undefined = undefined;
  /** The context of the change, if it is a mutate's. */
  change: Context | undefined = undefined;
  readonly #label: string | undefined;
  readonly #kind: string;
  readonly #ranges: readonly Range[];

  constructor({ label, kind, ranges }: Pick<Invalidation, 'label' | 'kind' | 'ranges'>, ledger: Ledger, place: Place) {
    super(ledger, place.trace, place.context);
    this.orderClass = place.orderClass;
    this.since = place.since;
    this.#label = label;
    this.#kind = kind;
    this.#ranges = ranges;
  }

  get name(): string {
    const what = this.#label === undefined ? `of kind ${JSON.stringify(this.#kind)}` : JSON.stringify(this.#label);
    return `section ${what} over ${show(this.#ranges)} of the ${this.ledger.name}`;
  }

  /** Who must end it is from now on this context, or nobody. */
  oblige(context: Context | undefined): void {
    this.context?.held?.delete(this);
    this.context = context;
    context?.hold(this);
  }

  /** A callback has asked for time. */
  await(callback: Context): void {
    this.callbacks ??= new Set();
    this.callbacks.add(callback);
  }

  /** -> over. */
  override finish(): void {
    super.finish();
    this.state = 'over';
    this.settle();
    this.change?.finish();
    this.context?.held?.delete(this);
  }

  /** No callback is waited for any more. */
  settle(): void {
    for (const callback of this.callbacks ?? []) callback.finish();
    this.callbacks = undefined;
  }
}

function show(ranges: readonly Range[]): string {
  const [first] = ranges;
  const more = ranges.length > 1 ? ` and ${ranges.length - 1} more` : '';
  return `[${first!.start}, ${first!.end})${more}`;
}

/** A cycle of waits: each waits for what the next one's context must end. */
export interface Cycle {
  readonly kind: LockOrderKind;
  readonly severity: 'error' | 'warning';
  readonly waits: readonly Wait[];
  readonly steps: readonly LockOrderStep[];
}

interface Arrow {
  readonly wait: Wait;
  /** Through whom the blocker depends on the next wait; `undefined` if it waits itself. */
  readonly obliged: Context | undefined;
}

/** The cycle that this wait closes, if any. O(waits that stand in contexts that depend on each other). */
export function cycleOf(start: Wait): Cycle | undefined {
  const { context } = start.waiter;
  if (context === undefined || context.over) return undefined;
  const path = search(start, context, new Set());
  return path === undefined ? undefined : describeCycle(path);
}

/** Depth first, each blocker once. */
function search(wait: Wait, goal: Context, seen: Set<Party>): Arrow[] | undefined {
  const { blocker } = wait;
  if (seen.has(blocker)) return undefined;
  seen.add(blocker);
  for (const obliged of obligedBy(blocker)) {
    if (goal.isInside(obliged)) return [{ wait, obliged }];
    for (const next of obliged.blocking()) {
      const rest = search(next, goal, seen);
      if (rest !== undefined) return [{ wait, obliged }, ...rest];
    }
  }
  if (blocker.wait === undefined) return undefined;
  const rest = search(blocker.wait, goal, seen);
  return rest === undefined ? undefined : [{ wait, obliged: undefined }, ...rest];
}

/** The contexts that must go on for this one to end: all of them must. */
function obligedBy(party: Party): Iterable<Context> {
  if (!(party instanceof SectionRecord)) return [];
  if (party.state === 'beginning') return [...(party.callbacks ?? [])].filter(({ over }) => !over);
  const { context } = party;
  return party.state === 'begun' && context !== undefined && !context.over ? [context] : [];
}

function describeCycle(path: readonly Arrow[]): Cycle {
  const [{ wait, obliged }] = path as [Arrow];
  const isCallback = wait.blocker instanceof SectionRecord && obliged !== undefined && wait.blocker.callbacks?.has(obliged);
  const alone: LockOrderKind = isCallback === true ? 'callback-wait' : 'self-wait';
  const isBounded = path.some((arrow) => arrow.wait.blocker instanceof ReaderRecord);
  return {
    kind: path.length > 1 ? 'cycle' : alone,
    severity: isBounded ? 'warning' : 'error',
    waits: path.map((arrow) => arrow.wait),
    steps: path.map((arrow) => ({
      waiter: arrow.wait.waiter.name,
      waitedAt: arrow.wait.waiter.trace.text,
      blocker: arrow.wait.blocker.name,
      beganAt: arrow.wait.blocker.trace.text,
      obliged: arrow.obliged?.label,
    })),
  };
}
