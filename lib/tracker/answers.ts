/**
 * Answers: what subscribers answer to one begin, in two passes.
 *
 * Pass 1 asks everyone and awaits nobody, pass 2 awaits all that was promised: N slow subscribers cost the slowest and
 * not the sum. A subscriber that fails in either pass has not confirmed that it stopped using the range. One that is
 * closed meanwhile has: closing says that it keeps nothing any more.
 */
import { describe, FeedbackError, SubscriberError } from '../base/errors.js';
import { describeSpans, overlap, type Spans, toRanges } from '../base/range.js';
import { assimilate } from '../base/thenable.js';
import type { Answer } from './invalidation.js';
import type { Asked, Member, Section } from './parties.js';

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
