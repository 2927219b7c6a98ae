/**
 * Parties: who takes part in a space. Sections change it, readers read it, holds are turns that readers share, members keep
 * something derived from it. They name each other, so they are one file.
 *
 * Nothing here acts on the space: states are fields, and beside each field stands who may move it.
 *
 *   Section   FRESH -> QUEUED -> ACTIVE -> ENDED, by `state`; moved by the gate
 *   Reader    parked (`blockedBy` set), alone or in a hold (`hold` set); moved by the gate
 *   Hold      waiting (`blockedBy` set) -> admitted -> over (no members); moved by the gate
 *   Member    open -> closed; moved by its subscription
 */

import { type ClosedError, check, describe } from '../base/errors.js';
import { type Lot, Parked } from '../base/lot.js';
import { checkNames } from '../base/options.js';
import { printed } from '../base/print.js';
import { describeSpans, type Spans, toRanges, type Words } from '../base/range.js';
import type { Ignore, InvalidationInfo, Range, ReaderInfo, Seq, SubscriptionInfo } from '../base/vocabulary.js';
import { BEGIN_OPTIONS, type BeginOptions, DEFAULT_KIND, type Invalidation, type Subscriber } from './invalidation.js';
import type { Handles } from './register.js';

// --- sections

/** Before its begin. */
export const FRESH = 0;
/** Waiting for holds. Parked at one of them, entered in the gate's tree of queued sections. */
export const QUEUED = 1;
/** Between begin and end. Entered in the gate's tree of active sections. */
export const ACTIVE = 2;
/** Over: ended, rolled back, or given up while queued. */
export const ENDED = 3;

/** All sections that say nothing about themselves share one info, so that the history holds no object for each. */
const PLAIN: InvalidationInfo = Object.freeze({ kind: DEFAULT_KIND, owner: undefined, label: undefined });

/** Ends sections: the space. */
export interface SectionHome {
  /** What ranges are in a driver's own words, for messages; `undefined` where ranges are ranges. */
  readonly describe: Words | undefined;
  /** ACTIVE -> ENDED. */
  end(section: Section): void;
}

/** The object behind {@link Invalidation}. Its states are the values of `state`; only the space and the gate move it. */
export class Section extends Parked implements Invalidation {
  /** What ends it. */
  readonly home: SectionHome;
  readonly spans: Spans;
  readonly info: InvalidationInfo;
  readonly blockable: boolean;
  readonly within: Section | undefined;
  /** Queues behind no hold: it says so, or it is nested. */
  readonly urgent: boolean;
  state: typeof FRESH | typeof QUEUED | typeof ACTIVE | typeof ENDED = FRESH;
  beginSeq = 0 as Seq;
  /** The clock when it began or queued, for snapshots only. */
  since = 0;
  /** Position in the order of arrival, shared with holds. */
  ticket = 0;
  /** In the gate's tree of queued or of active sections, as `state` says. */
  handles: Handles | undefined = undefined;
  /** Who waits for this section to end. Made by the first of them: most sections never see one. */
  waiters: Lot<Waiter> | undefined = undefined;
  /** True once a queued section may go: it enters in a turn of its own, and no hold comes in between. */
  granted = false;
  /** Settle the wait of a queued section; set while it is QUEUED. */
  proceed: () => void = ignoreCall;
  refuse: (error: unknown) => void = ignoreCall;
  /** The hold at which it is parked; set while it is QUEUED. */
  behind: Hold | undefined = undefined;
  /** Who has been told, from the first callback to the end of the begin. */
  asked: Asked | undefined = undefined;
  away: object | undefined = undefined; // what the space's link keeps of it
  /** Why its begin was given up, once it was. */
  givenUp: { readonly error: unknown } | undefined = undefined;
  private frozen: readonly Range[] | undefined = undefined;
  private controller: AbortController | undefined = undefined;
  /** Set once {@link lose} was called; kept for a signal that is asked for too late. */
  private lost: { readonly reason: unknown } | undefined = undefined;

  constructor(home: SectionHome, spans: Spans, blockable: boolean, options: BeginOptions | undefined) {
    super();
    this.home = home;
    this.spans = spans;
    this.blockable = blockable;
    this.info = PLAIN;
    this.within = undefined;
    this.urgent = false;
    if (options !== undefined) {
      checkNames(options, BEGIN_OPTIONS, 'a begin');
      const { kind, owner, label, within, urgent } = options;
      if (kind !== undefined || owner !== undefined || label !== undefined) {
        check(kind === undefined || typeof kind === 'string', 'kind', kind, 'a string');
        check(label === undefined || typeof label === 'string', 'label', label, 'a string');
        this.info = { kind: kind ?? DEFAULT_KIND, owner, label };
      }
      check(urgent === undefined || typeof urgent === 'boolean', 'urgent', urgent, 'true or false');
      if (within !== undefined) this.within = enclosing(home, within);
      this.urgent = urgent === true || within !== undefined;
    }
  }

  get kind(): string {
    return this.info.kind;
  }

  get owner(): unknown {
    return this.info.owner;
  }

  get label(): string | undefined {
    return this.info.label;
  }

  get active(): boolean {
    return this.state === ACTIVE;
  }

  get ranges(): readonly Range[] {
    this.frozen ??= toRanges(this.spans);
    return this.frozen;
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.lost !== undefined) this.controller.abort(this.lost.reason);
    }
    return this.controller.signal;
  }

  /** It excludes nobody any more, and those who change by it should stop. Only the first call does anything. */
  lose(reason: unknown): void {
    if (this.lost !== undefined) return;
    this.lost = { reason };
    this.controller?.abort(reason);
  }

  end(): void {
    if (this.state === ACTIVE) this.home.end(this);
  }

  /** Its begin waits no longer: the bound of whoever began ran out. */
  giveUp(error: unknown): void {
    this.givenUp = { error };
    this.refuse(error);
    this.asked?.giveUp(error);
  }

  /** For messages. */
  get name(): string {
    const { label, kind, spans } = this;
    return `the invalidation${label === undefined ? '' : ` ${describe(label)}`} (${kind}) over ${describeSpans(spans, this.home.describe)}`;
  }

  /** What users see of it. */
  outward(): Invalidation {
    return this;
  }

  /** What its owner gets. */
  give(): Invalidation {
    return this;
  }

  /** Its owner has shown what it got. */
  recall(_given: Invalidation): void {}

  [Symbol.dispose](): void {
    this.end();
  }
}

function ignoreCall(): void {}

/** What people see of a section. */
export function sectionData({ label, kind, ranges, state, blockable, beginSeq }: Section): object {
  return { label, kind, ranges, state: STATES[state], blockable, beginSeq };
}

const STATES = ['fresh', 'queued', 'active', 'ended'] as const;

printed(Section.prototype, { name: 'Invalidation', data: sectionData });

/** The section behind what users have: that itself, or the section of a handle (handle.ts). */
export function sectionOf(given: Invalidation): Invalidation {
  const { section } = (given ?? {}) as { section?: unknown };
  return section instanceof Section ? section : given;
}

function enclosing(home: SectionHome, given: Invalidation): Section {
  const within = sectionOf(given);
  const fits = within instanceof Section && within.home === home && within.active;
  check(fits, 'within', given, 'an active invalidation of the same tracker');
  (within as Section).recall(given);
  return within as Section;
}

// --- readers

/** What can wait for sections: a reader of its own, or a hold. `blockedBy` is set exactly while it is parked at one. */
export abstract class Waiter extends Parked {
  spans: Spans;
  readonly ignore: Ignore | undefined;
  /** Position in the order of arrival, shared with sections. */
  ticket = 0;
  blockedBy: Section | undefined = undefined;
  /** The clock when it was parked, for snapshots only. */
  since = 0;

  constructor(spans: Spans, ignore: Ignore | undefined) {
    super();
    this.spans = spans;
    this.ignore = ignore;
  }
}

/** A lookup as a hold knows it. `hold` is set from {@link Gate.hold} or {@link Gate.join} to {@link Gate.release}, by the gate alone. */
export interface Holder extends ReaderInfo {
  readonly spans: Spans;
  readonly ignore: Ignore | undefined;
  /** For how long its hold may delay others. */
  readonly holdMs: number;
  hold: Hold | undefined;
  /** What it has discovered while it held; over when it releases. */
  extensions: Hold[] | undefined;
  /** Where it stands among the hold's members. */
  place: number;
  /** The clock at which it holds no more. */
  readonly deadline: number;
  /** The wait is over for another reason. */
  fail(error: unknown): void;
  /** The hold ran out. */
  expire(): void;
}

/** What the gate knows of a reader that waits on its own. */
export abstract class Reader extends Waiter implements ReaderInfo {
  abstract readonly operation: 'readBegin' | 'lookup';
  abstract readonly label: string | undefined;
  readonly id: number;

  constructor(id: number, spans: Spans, ignore: Ignore | undefined) {
    super(spans, ignore);
    this.id = id;
  }

  get ranges(): readonly Range[] {
    return toRanges(this.spans);
  }

  /** Nothing blocks it any more. Called by the gate's user in the middle of an end: must only schedule. */
  abstract wake(seq: Seq): void;

  /** The wait is over for another reason. */
  abstract fail(error: unknown): void;

  /**
   * What it waited for is over, but a section that began meanwhile is in the way. True if it will not wait for that,
   * and wants to go on (to hold, or to give up).
   */
  overtaken(): boolean {
    return false;
  }
}

/**
 * States: waiting (not `admitted`, `blockedBy` set), admitted, over (no members). Legal moves: waiting -> admitted ->
 * over, and waiting -> over; only the gate makes them. An extension is neither admitted nor waiting. All members have the hold's spans (or fewer) and its filter.
 */
export class Hold extends Waiter {
  readonly members: Holder[] = [];
  admitted = false;
  /** In the gate's register of holds, until it is over. */
  handles: Handles | undefined = undefined;
  /** Begins that wait for this hold. */
  begins: Lot<Section> | undefined = undefined;
  /** Would a lookup that comes now wait for the same as the members? Not once a begin over its ranges queues, or it was dissolved. */
  joinable = true;
  /** True once a section has begun over its ranges since it was admitted (or, an extension, since it came). */
  crossed = false;
  /** True once a begin has queued while it was admitted: it was of use. */
  contested = false;
  /** How many have been members. */
  joined = 0;
  /** For how long it may delay a begin. */
  readonly holdMs: number;
  /** The clock at which members that have none of their own hold no more; Infinity until a begin waits for this hold. */
  deadline: number = Number.POSITIVE_INFINITY;
  private opening: Promise<void> | undefined = undefined;
  /** Resolves `opening`; undefined while nobody waits for it, and once it is done. */
  private proceed: (() => void) | undefined = undefined;

  /** Announced with the ticket of this moment. */
  constructor(spans: Spans, ignore: Ignore | undefined, ticket: number, holdMs: number) {
    super(spans, ignore);
    this.ticket = ticket;
    this.holdMs = holdMs;
  }

  /** Has its turn, and nothing has begun over its ranges since. */
  get isQuiet(): boolean {
    return this.admitted && !this.crossed;
  }

  /** Resolves when {@link open} is called: one promise for all members. */
  turn(): Promise<void> {
    this.opening ??= new Promise((resolve) => {
      this.proceed = resolve;
    });
    return this.opening;
  }

  /** Lets all members go. Only the first call does anything. */
  open(): void {
    const { proceed } = this;
    this.proceed = undefined;
    proceed?.();
  }

  /** It will not be admitted, or has been: members that still wait for their turn go on without. */
  dissolve(): void {
    if (this.admitted) return;
    this.joinable = false;
    this.open();
  }

  /** O(1). */
  join(holder: Holder): void {
    holder.hold = this;
    holder.place = this.members.length;
    this.members.push(holder);
    this.joined++;
  }

  /** O(1): the last member takes the place. */
  leave(holder: Holder): void {
    const last = this.members.pop()!;
    if (last !== holder) {
      this.members[holder.place] = last;
      last.place = holder.place;
    }
    holder.hold = undefined;
  }
}

// --- members

/** Somebody who has asked members, and waits for their answers. */
export interface Asked {
  readonly section: Section;
  readonly pending: ReadonlySet<Member>;
  /** This member is waited for no more. */
  answered(member: Member): void;
  /** Nobody is. */
  giveUp(error: unknown): void;
}

/** Who holds derived state. In the space's tree exactly while `closed` is false. */
export abstract class Member implements SubscriptionInfo {
  readonly subscriber: Subscriber;
  readonly spans: Spans;
  readonly ignore: Ignore | undefined;
  readonly label: string | undefined;
  /** The space's counter when it subscribed: sections from then on that it was not told of began without it. */
  readonly since: Seq;
  /** Its place in the order of subscription. */
  readonly order: number;
  closed = false;
  /** What it is being told about, the outermost call first; `undefined` until it is told for the first time. */
  inside: Spans[] | undefined = undefined;
  /** Whom it has promised an answer; `undefined` until the first time. */
  owes: Set<Asked> | undefined = undefined;

  constructor(
    subscriber: Subscriber,
    spans: Spans,
    ignore: Ignore | undefined,
    label: string | undefined,
    since: Seq,
    order: number,
  ) {
    this.subscriber = subscriber;
    this.spans = spans;
    this.ignore = ignore;
    this.label = label;
    this.since = since;
    this.order = order;
  }

  get ranges(): readonly Range[] {
    return toRanges(this.spans);
  }

  /** No callback starts after this. Idempotent. */
  abstract shut(): void;

  /** The error of everything that is asked of a closed subscription. */
  abstract closedError(): ClosedError;
}
