/**
 * Parties: contexts, sections and readers, the waits between them, and the tracker and class that each belongs to.
 *
 * One file, because they name each other: a wait belongs to the context that it was started in, and a section to the one that
 * must end it. Nothing here looks for anything; graph.ts and order.ts do.
 *
 * A context is one sequential activity.
 *
 * What a context starts it waits for, and what it has begun it ends: that is what makes it a party to a deadlock. Such
 * contexts are declared, never guessed: by `run`, and by the tracker's own structure, since a begin waits for its
 * subscribers' callbacks, and a `mutate` ends when its change does. Code outside any context is party to nothing.
 *
 * Only those declared by `run` must end what is begun by hand in them: a change or a callback may fork, and then it is one
 * branch that ends the section while the other one waits for it. A change waits for both of its branches, so all waits in it
 * are its own; but which of them has begun a section by hand, nobody has said.
 *
 * States: open, over. Waits and sections of a context that is over oblige nobody: whatever still runs in it was started
 * without being waited for.
 *
 * Records hold no section, reader or tracker, only what is to be said of them: the checker keeps none of those alive.
 */
import type { Range, ReaderInfo } from '../base/vocabulary.js';
import type { Invalidation } from '../tracker/index.js';

import type { LockOrderStep } from './errors.js';
import type { Trace } from './stack.js';

/** A context, as it is handed out: to enter it again, or to hand a section over to it. */
export interface LockContext {
  /** Its name in reports. */
  readonly label: string;
  /** The context it was started in, which waits for it; `undefined` if none, or if it was detached. */
  readonly parent: LockContext | undefined;
  /** True once what it was opened for is done. */
  readonly over: boolean;
}

/** What sort of context it is. */
interface Opening {
  /** True if `run` opened it. */
  readonly declared?: boolean;
  /** The section whose begin waits for this context, if it is a subscriber's callback. */
  readonly serves?: SectionRecord | undefined;
}

/** The object behind {@link LockContext}. One is made for every change and callback, so its sets are made when needed. */
export class Context implements LockContext {
  parent: Context | undefined;
  readonly declared: boolean;
  readonly serves: SectionRecord | undefined;
  over = false;
  /** Waits that were started in this one and stand. */
  waits: Set<Wait> | undefined = undefined;
  /** Sections that this one must end. */
  held: Set<SectionRecord> | undefined = undefined;
  /** Contexts that were started in this one and are not over. */
  private children: Set<Context> | undefined = undefined;
  #label: string | (() => string);

  constructor(label: string | (() => string), parent: Context | undefined, { declared = false, serves }: Opening = {}) {
    this.#label = label;
    this.parent = parent?.over === true ? undefined : parent;
    this.declared = declared;
    this.serves = serves;
    this.parent?.startChild(this);
  }

  get label(): string {
    if (typeof this.#label !== 'string') this.#label = this.#label();
    return this.#label;
  }

  /** What it was started in does not wait for it any more. */
  detach(): void {
    this.parent?.children?.delete(this);
    this.parent = undefined;
  }

  /** open -> over. Idempotent. */
  finish(): void {
    this.over = true;
    this.parent?.children?.delete(this);
  }

  private startChild(child: Context): void {
    this.children ??= new Set();
    this.children.add(child);
  }

  /** Does this context go on only when the other one does? True for itself and for those that wait for it. */
  isInside(other: Context): boolean {
    for (const each of this.chain()) if (each === other) return true;
    return false;
  }

  /** Itself and those that wait for it, innermost first. */
  *chain(): Generator<Context> {
    for (let each: Context | undefined = this; each !== undefined && !each.over; each = each.parent) yield each;
  }

  /** The one that must end what is begun by hand in this one; `undefined` if nobody has said that it does. */
  get obliged(): Context | undefined {
    for (const each of this.chain()) if (each.declared) return each;
    return undefined;
  }

  /** A wait that was started in it stands. */
  addWait(wait: Wait): void {
    this.waits ??= new Set();
    this.waits.add(wait);
  }

  /** It must end this section. */
  hold(section: SectionRecord): void {
    this.held ??= new Set();
    this.held.add(section);
  }

  /** The waits that keep this context from going on: its own, and those of what it waits for. */
  *blocking(): Generator<Wait> {
    if (this.over) return;
    yield* this.waits ?? [];
    for (const child of this.children ?? []) yield* child.blocking();
  }
}

/** What came inside what. */
export type Nesting = 'begin' | 'read';

/** A class, in one sort of nesting. */
export class OrderClass {
  readonly name: string;
  /** The classes that came inside this one, with the first time they did. */
  readonly inner: Record<Nesting, Map<OrderClass, LockOrderStep>> = { begin: new Map(), read: new Map() };

  constructor(name: string) {
    this.name = name;
  }
}

/** What is known of one tracker, without the tracker. */
export class Ledger {
  /** For people. */
  readonly name: string;
  /** The class of whatever has no label of its own. */
  readonly orderClass: OrderClass;
  readonly open: Set<SectionRecord> = new Set();

  constructor(name: string, orderClass: OrderClass = new OrderClass(`the ${name}`)) {
    this.name = name;
    this.orderClass = orderClass;
  }
}

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

/** A call that waits for something that is no section of its own: for a load that others share, or for a close that has begun. */
export class CallRecord extends Party {
  readonly name: string;

  constructor(name: string, ledger: Ledger, origin: Origin) {
    super(ledger, origin.trace, origin.context);
    this.name = name;
  }

  get orderClass(): OrderClass {
    return this.ledger.orderClass;
  }
}

/** A load that several calls wait for. Its context is that of the function that loads, once that was called. */
export class LoadRecord extends Party {
  readonly name: string;

  constructor(name: string, ledger: Ledger, trace: Trace) {
    super(ledger, trace, undefined);
    this.name = name;
  }

  get orderClass(): OrderClass {
    return this.ledger.orderClass;
  }

  /** -> over, and nobody waits for it. */
  override finish(): void {
    super.finish();
    releaseCalls(this);
    this.context?.finish();
  }
}

/** Nothing that these calls wait for here will come any more, or all of it has. */
export function releaseCalls(blocker: Party): void {
  for (const { waiter } of [...(blocker.waiters ?? [])]) if (waiter instanceof CallRecord) waiter.finish();
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
  /** True once nobody holds its handle any more. */
  dropped = false;
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
    releaseCalls(this);
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
