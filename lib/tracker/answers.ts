/**
 * Answers: what subscribers answer to one begin, in two passes.
 *
 * Pass 1 asks everyone and awaits nobody, pass 2 awaits all that was promised: N slow subscribers cost the slowest and
 * not the sum. A subscriber that fails in either pass has not confirmed that it stopped using the range.
 */
import { cancelOn } from '../base/cancel.js';
import type { Clock } from '../base/clock.js';
import { describe, SubscriberError } from '../base/errors.js';
import type { Section } from './invalidation.js';
import type { Member } from './subscription.js';

/** How a subscriber's callback ended: it stopped, it needs time (a promise), it refuses, or it threw. */
export type Answer = 'stopped' | 'pending' | 'refused' | 'failed';

/** See the top of the file. */
export class Answers {
  /** Told, and expected to hear the end even if the begin is rolled back: all but those that refused, who did nothing. */
  readonly told: Set<Member> = new Set();
  /** The first that could not comply at once with a begin that does not wait. */
  refusedBy: Member | undefined = undefined;
  readonly #section: Section;
  /** Both with holes: what was thrown and what was promised, by the order in which they were asked. */
  readonly #errors: unknown[] = [];
  readonly #pending: unknown[] = [];
  #asked = 0;

  constructor(section: Section) {
    this.#section = section;
  }

  /** Pass 1, for one of them. */
  ask(member: Member): Answer {
    const { blockable } = this.#section;
    const place = this.#asked++;
    let answer: Answer = 'stopped';
    try {
      const returned = member.subscriber.invalidate(this.#section.outward());
      if (isThenable(returned)) {
        answer = 'pending';
        this.#pending[place] = adopt(returned);
      } else if (returned === false) {
        answer = 'refused';
        if (blockable) this.#errors[place] = refusal();
      }
    } catch (error) {
      answer = 'failed';
      this.#errors[place] = error;
    }
    if (!blockable && (answer === 'pending' || answer === 'refused')) this.refusedBy = member;
    if (answer !== 'refused') this.told.add(member);
    return answer;
  }

  /** Pass 2. Rejects with the signal's reason if that comes first. */
  async settle(clock: Clock, signal: AbortSignal | undefined): Promise<void> {
    if (this.#pending.length === 0) return;
    const all = Promise.allSettled(this.#pending);
    const outcomes = await (signal === undefined ? all : untilAborted(clock, all, signal));
    outcomes.forEach((outcome, place) => {
      if (outcome.status === 'rejected') this.#errors[place] = outcome.reason;
      else if (outcome.value === false) this.#errors[place] = refusal();
    });
  }

  /** Instead of pass 2: that somebody needs time was the answer, how it ends is not. */
  disregard(): void {
    for (const promise of this.#pending) Promise.resolve(promise).catch(() => {});
  }

  /** Why the begin must fail, in the order in which they were asked; empty if all is well. */
  failures(): unknown[] {
    const errors = this.#errors.filter(() => true);
    const isOver = errors.length === 0 && this.refusedBy === undefined && !this.#section.active;
    return isOver ? [new Error('the section was ended before its begin was done')] : errors;
  }
}

/** The error of a begin that has failed. */
export function subscriberError(errors: readonly unknown[]): SubscriberError {
  const first = errors[0] instanceof Error ? errors[0].message : describe(errors[0]);
  const others = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new SubscriberError(`a subscriber has not confirmed that it stopped using the range: ${first}${others}`, errors);
}

/** True for anything with a `then`. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  const mayBe = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return mayBe && typeof (value as { then?: unknown }).then === 'function';
}

/**
 * A promise for a thenable, asked here and once: a lazy one starts what it does when it is asked, and that is part of whoever has
 * returned it. An ordinary promise is handed back.
 */
export function adopt<T>(value: PromiseLike<T>): PromiseLike<T> {
  if (Object.getPrototypeOf(value) === Promise.prototype) return value;
  return new Promise((resolve, reject) => value.then(resolve, reject));
}

/** The promise, or the signal's reason if that comes first. Leaves no listener. */
export function untilAborted<T>(clock: Clock, promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancellation = cancelOn(clock, { signal }, 'begin', reject);
    promise.then(resolve, reject).finally(() => cancellation?.clear());
  });
}

function refusal(): Error {
  return new Error('the subscriber answered false to a blockable invalidation; expected nothing, or a promise');
}
