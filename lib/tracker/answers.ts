/**
 * Answers: who is told of a section, and what subscribers answer to its begin, in two passes.
 *
 * Pass 1 asks everyone and awaits nobody, pass 2 awaits all that was promised: N slow subscribers cost the slowest and
 * not the sum. A subscriber that fails in either pass has not confirmed that it stopped using the range. One that is
 * closed meanwhile has: closing says that it keeps nothing any more.
 */
import { describe, FeedbackError, SubscriberError } from '../base/errors.js';
import { cut, describeSpans, overlap, type Spans, toRanges } from '../base/range.js';
import { assimilate } from '../base/thenable.js';
import type { Ignore } from '../base/vocabulary.js';
import type { IntervalTree } from '../interval-tree/index.js';
import { type Answer, concerns } from './invalidation.js';
import type { Note } from './observer.js';
import type { Asked, Member, Section } from './parties.js';
import { visitSpans } from './register.js';
import type { TrackerStats } from './stats.js';

/**
 * How often a subscriber may be told of overlapping ranges from inside of its own callback. One that reacts to its own
 * invalidation comes to an end after one or two steps, if at all; each step may begin several, so the limit is low.
 */
const MOST_INSIDE = 4;
/** The same for ranges that do not overlap: a chain that steps through the space. Far below what overflows a stack. */
const MOST_NESTED = 64;
/** Answers that a subscriber may owe for overlapping ranges: what a loop through promises reaches within a second. */
const MOST_OWED = 4096;

interface Failure {
  /** The order in which it was asked. */
  readonly place: number;
  readonly member: Member | undefined;
  readonly error: unknown;
}

/** See the top of the file. */
export class Answers implements Asked {
  readonly section: Section;
  /** Told, and expected to hear the end even if the begin is rolled back: all but those that refused, who did nothing. */
  readonly told: Set<Member> = new Set();
  /** The first that could not comply at once with a begin that does not wait. */
  refusedBy: Member | undefined = undefined;
  /** Who has promised to answer, and has not. */
  readonly pending: Set<Member> = new Set();
  readonly #failures: Failure[] = [];
  #asked = 0;
  /** Settle {@link settled}; set while somebody waits for it. */
  #resolve: (() => void) | undefined = undefined;
  #reject: ((error: unknown) => void) | undefined = undefined;

  constructor(section: Section) {
    this.section = section;
  }

  /** Pass 1, for one of them: `part` is what concerns it. */
  ask(member: Member, part: Spans): Answer {
    const place = this.#asked++;
    const { section } = this;
    try {
      demandNoFeedback(member, part, section);
    } catch (error) {
      this.#failures.push({ place, member, error });
      return 'failed';
    }
    let answer: Answer = 'stopped';
    member.inside ??= [];
    member.inside.push(part);
    try {
      const returned = member.subscriber.invalidate(section.outward(), part === section.spans ? section.ranges : toRanges(part));
      const promise = assimilate<void | false>(returned);
      if (promise !== undefined) {
        answer = 'pending';
        if (!member.closed) this.#watch(member, place, promise);
        else promise.catch(ignoreCall);
      } else if (returned === false) {
        answer = 'refused';
        if (section.blockable) this.#failures.push({ place, member, error: refusal() });
      }
    } catch (error) {
      answer = 'failed';
      this.#failures.push({ place, member, error });
    } finally {
      member.inside.pop();
    }
    if (!section.blockable && (answer === 'pending' || answer === 'refused')) this.refusedBy = member;
    if (answer !== 'refused') this.told.add(member);
    return answer;
  }

  /** Waits for this one, too: it has been asked elsewhere. */
  expect(member: Member, promise: Promise<void>): void {
    this.#watch(member, this.#asked++, promise);
  }

  #watch(member: Member, place: number, promise: Promise<void | false>): void {
    this.pending.add(member);
    member.owes ??= new Set();
    member.owes.add(this);
    const failed = (error: unknown) => {
      if (this.pending.has(member)) this.#failures.push({ place, member, error });
      this.answered(member);
    };
    promise.then((value) => {
      if (value === false) failed(refusal());
      else this.answered(member);
    }, failed);
  }

  answered(member: Member): void {
    if (!this.pending.delete(member)) return;
    member.owes!.delete(this);
    if (this.pending.size === 0) this.#resolve?.();
  }

  giveUp(error: unknown): void {
    this.disregard();
    this.#reject?.(error);
  }

  /** Pass 2: resolves when nobody is waited for any more. Rejects with the error with which it is given up. */
  settled(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      if (this.pending.size === 0) resolve();
    });
  }

  /** Waits for nobody any more: how it ends no longer matters. */
  disregard(): void {
    for (const member of this.pending) member.owes!.delete(this);
    this.pending.clear();
  }

  /** Throws if the begin must fail; counts who has failed. */
  demandConfirmed(count: (failures: number) => void): void {
    const failures = this.#failures.sort((a, b) => a.place - b.place);
    count(failures.length);
    const feedback = failures.find(({ error }) => error instanceof FeedbackError);
    // As it is: every level of a feedback would wrap it once more.
    if (feedback !== undefined) throw feedback.error;
    if (failures.length > 0) throw subscriberError(this.section, failures);
    if (this.refusedBy === undefined && !this.section.active)
      throw subscriberError(this.section, [
        { place: 0, member: undefined, error: new Error('the section was ended before its begin was done') },
      ]);
  }
}

function ignoreCall(): void {}

function subscriberError(section: Section, failures: readonly Failure[]): SubscriberError {
  const [{ member, error }] = failures as [Failure];
  const reason = error instanceof Error ? error.message : describe(error);
  const others = failures.length > 1 ? ` (and ${failures.length - 1} more)` : '';
  const who = member === undefined ? 'a subscriber' : nameOf(member);
  return new SubscriberError(
    `${who} has not confirmed that it stopped using what ${section.name} changes: ${reason}${others}`,
    failures.map((failure) => failure.error),
    failures.flatMap((failure) => failure.member ?? []),
  );
}

/** `the subscriber "cache" over [0, 8)`. */
export function nameOf({ label, spans }: Member): string {
  return `the subscriber${label === undefined ? '' : ` ${describe(label)}`} over ${describeSpans(spans)}`;
}

function refusal(): Error {
  return new Error('the subscriber answered false to a blockable invalidation; expected nothing, or a promise');
}

/** Throws `FeedbackError` for a subscriber that is being told of what it does itself when it is told. */
function demandNoFeedback(member: Member, part: Spans, section: Section): void {
  const { inside, owes } = member;
  if (inside !== undefined && inside.length > 0) {
    const times = inside.length >= MOST_NESTED ? inside.length : inside.filter((outer) => overlap(outer, part)).length;
    if (times >= MOST_INSIDE) throw feedback(member, section, `from inside of its own callback, ${times} times in each other`);
  }
  if (owes !== undefined && owes.size >= MOST_OWED) {
    let owed = 0;
    for (const { section: other } of owes) if (overlap(other.spans, part)) owed++;
    if (owed >= MOST_OWED) throw feedback(member, section, `although it owes ${owed} answers for overlapping ranges`);
  }
}

function feedback(member: Member, section: Section, how: string): FeedbackError {
  return new FeedbackError(
    `${nameOf(member)} would be told of ${section.name} ${how}; expected a callback that does not cause itself`,
  );
}

// --- telling

/** What a begin reaches besides subscribers: something that reads right now and wants to know at once. */
export interface InFlight {
  readonly ignore: Ignore | undefined;
  hit(): void;
}

/** Those who may be concerned: of one space. */
export interface Audience {
  readonly members: IntervalTree<Member>;
  readonly inFlight: IntervalTree<InFlight>;
  readonly closed: boolean;
  readonly stats: TrackerStats;
  readonly note: Note | undefined;
}

/** Marks every lookup that is in flight over these ranges. Collected first: a listener may start or end others. */
export function interrupt(audience: Audience, section: Section): void {
  if (audience.inFlight.size === 0) return;
  const hit = new Set<InFlight>();
  visitSpans(audience.inFlight, section.spans, (reader) => {
    if (audience.closed || concerns(reader.ignore, section.info)) hit.add(reader);
  });
  for (const reader of hit) reader.hit();
}

/**
 * Pass 1: starts every subscriber, awaits none, so that N slow ones cost the slowest and not the sum. Undefined if none is
 * concerned. Who has subscribed since the begin, where that is told later than it was entered, has nothing to drop.
 */
export function notify(audience: Audience, section: Section): Answers | undefined {
  if (audience.members.size === 0) return undefined;
  const members = membersOf(audience, section);
  if (members.length === 0) return undefined;
  const answers = new Answers(section);
  section.asked = answers;
  const { note, stats } = audience;
  for (const member of members) {
    if (member.closed || member.since >= section.beginSeq) continue; // closed by a callback that ran before its own
    stats.notified++;
    if (note !== undefined) note('notifying', { invalidation: section, subscription: member });
    const answer = answers.ask(member, cut(section.spans, member.spans));
    if (note !== undefined) note('notified', { invalidation: section, subscription: member, answer });
    if (answers.refusedBy !== undefined) break; // nothing may be changed: the others need not stop
  }
  return answers;
}

/**
 * Tells the end to those who have heard of the begin (`told`; all, if undefined), or have come since; but not to those who have come
 * after it, where it is told later than it was entered (`seq`).
 */
export function tellEnds(audience: Audience, section: Section, told: Set<Member> | undefined, seq: number): void {
  for (const member of membersOf(audience, section)) {
    if (member.since >= seq) continue;
    if (told === undefined || told.has(member) || member.since >= section.beginSeq) tellEnd(audience, member, section);
  }
}

/** Everyone concerned, once each, in the order of subscription, as of now: callbacks may close and add. */
function membersOf(audience: Audience, section: Section): readonly Member[] {
  const members = new Set<Member>();
  visitSpans(audience.members, section.spans, (member) => {
    if (concerns(member.ignore, section.info)) members.add(member);
  });
  return members.size < 2 ? [...members] : [...members].sort((a, b) => a.order - b.order);
}

function tellEnd(audience: Audience, member: Member, section: Section): void {
  if (member.closed || member.subscriber.end === undefined) return;
  try {
    const part = cut(section.spans, member.spans);
    member.subscriber.end(section.outward(), part === section.spans ? section.ranges : toRanges(part));
  } catch (error) {
    // Nobody here can act on it: the section has ended, and the others must hear that. The host reports it, as it
    // reports an event listener that throws.
    audience.stats.subscriberErrors++;
    queueMicrotask(() => {
      throw error;
    });
  }
}
