/**
 * Errors: one base class with a stable `code`, one subclass for each way to fail.
 *
 * A message says what was got and what was expected. Programming errors (a bad range, use after close)
 * are raised before anything has changed; contention alone never throws, it is retried.
 */
import type { Collision, Range, SubscriptionInfo } from './vocabulary.js';

/** The stable value of {@link RangefenceError.code}, one for each error class. */
export type RangefenceErrorCode =
  | 'RANGEFENCE_INVALID_RANGE'
  | 'RANGEFENCE_INVALID_ARGUMENT'
  | 'RANGEFENCE_CLOSED'
  | 'RANGEFENCE_TIMEOUT'
  | 'RANGEFENCE_RETRY_LIMIT'
  | 'RANGEFENCE_SUBSCRIBER'
  | 'RANGEFENCE_FEEDBACK'
  | 'RANGEFENCE_COMMIT'
  | 'RANGEFENCE_COLLISION'
  | 'RANGEFENCE_BANNED'
  | 'RANGEFENCE_LOAD'
  | 'RANGEFENCE_LOCK_ORDER'
  | 'RANGEFENCE_CYCLE'
  | 'RANGEFENCE_SOURCE'
  | 'RANGEFENCE_CAPACITY';

/** The base of every error this package raises. Match on `code`, or on the class. */
export class RangefenceError extends Error {
  /** The name of the class, a literal: it survives minifying. */
  override readonly name: string = 'RangefenceError';
  /** Stable across versions and across copies of the package, unlike `instanceof`. */
  readonly code: RangefenceErrorCode;

  /** Built by the package only; subclasses fix the code. */
  constructor(code: RangefenceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A range that is empty, inverted, not a pair of numbers, NaN, or outside what was allowed. Nothing has changed. */
export class InvalidRangeError extends RangefenceError {
  override readonly name = 'InvalidRangeError';

  /** @param message what was got and what was expected */
  constructor(message: string) {
    super('RANGEFENCE_INVALID_RANGE', message);
  }
}

/** An argument or option other than a range that cannot be used. Nothing has changed. */
export class InvalidArgumentError extends RangefenceError {
  override readonly name = 'InvalidArgumentError';

  /** @param message what was got and what was expected */
  constructor(message: string) {
    super('RANGEFENCE_INVALID_ARGUMENT', message);
  }
}

/** The tracker, or the subscription a call went through, has been closed. */
export class ClosedError extends RangefenceError {
  override readonly name = 'ClosedError';

  /** @param what the closed thing, with its label */
  constructor(what: string) {
    super('RANGEFENCE_CLOSED', `${what} is closed`);
  }
}

/** What somebody waited for when the time was over. */
export interface WaitedFor {
  /** An invalidation that has begun (or queues), a lookup that holds its ranges, or a subscriber that has not confirmed. */
  readonly what: 'invalidation' | 'lookup' | 'subscriber';
  /** Its name, if it has one. */
  readonly label?: string | undefined;
  /** Of an invalidation: its kind. */
  readonly kind?: string | undefined;
  /** The first of its ranges. */
  readonly range?: Range | undefined;
  /** The same in the words of a driver whose ranges stand for something else (`key "a"`). */
  readonly where?: string | undefined;
  /** For how long it had been waited for, in milliseconds. */
  readonly forMs: number;
}

/** A wait, a begin or a lookup was not done within its `timeoutMs`. Nothing of it is left behind. */
export class TimeoutError extends RangefenceError {
  override readonly name = 'TimeoutError';
  /** The limit that ran out, in milliseconds. */
  readonly timeoutMs: number;
  /** What it waited for then; `undefined` if that was nothing of the tracker's (a fetch that was running, say). */
  readonly waitedFor: WaitedFor | undefined;

  /** @param what the operation that ran out of time */
  constructor(what: string, timeoutMs: number, waitedFor?: WaitedFor) {
    const why = waitedFor === undefined ? '' : `: it waits for ${describeWait(waitedFor)}`;
    super('RANGEFENCE_TIMEOUT', `${what} was not done within ${timeoutMs} ms${why}`);
    this.timeoutMs = timeoutMs;
    this.waitedFor = waitedFor;
  }
}

/** A lookup collided too often with `whenExhausted: 'throw'`, or its hold ran out after `holdMs`. */
export class RetryLimitError extends RangefenceError {
  override readonly name = 'RetryLimitError';
  /** Attempts that were started. */
  readonly attempts: number;
  /** The last collision, if any attempt got as far as one. */
  readonly collision: Collision | undefined;

  /** @param message which limit was reached */
  constructor(message: string, attempts: number, collision: Collision | undefined) {
    super('RANGEFENCE_RETRY_LIMIT', message);
    this.attempts = attempts;
    this.collision = collision;
  }
}

/** A subscriber threw, rejected or refused, so the invalidation has not begun: change nothing. `cause` is the first error. */
export class SubscriberError extends RangefenceError {
  override readonly name = 'SubscriberError';
  /** What every failing subscriber threw, in the order in which they were told. */
  readonly errors: readonly unknown[];
  /** Who threw it, one for one; empty if it was nobody's fault (the section was ended too early). */
  readonly subscriptions: readonly SubscriptionInfo[];

  /** @param message who failed, and what it had been told */
  constructor(message: string, errors: readonly unknown[], subscriptions: readonly SubscriptionInfo[]) {
    super('RANGEFENCE_SUBSCRIBER', message, { cause: errors[0] });
    this.errors = errors;
    this.subscriptions = subscriptions;
  }
}

/** A subscriber's callback invalidates what it is being told about, again and again. Nothing of that is left active. */
export class FeedbackError extends RangefenceError {
  override readonly name = 'FeedbackError';

  /** @param message who calls itself, and how often */
  constructor(message: string) {
    super('RANGEFENCE_FEEDBACK', message);
  }
}

/** A lookup's `commit` returned a promise, so the check no longer covers what it installs. */
export class CommitError extends RangefenceError {
  override readonly name = 'CommitError';

  /** Takes nothing: there is one way to get it wrong. */
  constructor() {
    super(
      'RANGEFENCE_COMMIT',
      'commit returned a promise; expected it to install the value synchronously, in the turn of the check',
    );
  }
}

/** The reason with which an attempt's signal fires when an invalidation has hit the attempt. Never thrown. */
export class CollisionError extends RangefenceError {
  override readonly name = 'CollisionError';
  /** What hit the attempt. */
  readonly collision: Collision;

  /** @param collision what hit the attempt */
  constructor(collision: Collision) {
    super('RANGEFENCE_COLLISION', `the attempt was hit: ${describeCollision(collision)}`);
    this.collision = collision;
  }
}

/** A load would wait for itself: it reads what it loads, by itself or through other loads. Nothing was waited for. */
export class CycleError extends RangefenceError {
  override readonly name = 'CycleError';
  /** What is being loaded, as text: each waits for the next, and the last is the first again. */
  readonly path: readonly string[];

  /** @param works what is being loaded, each once: each waits for the next, and the last for the first */
  constructor(works: readonly string[]) {
    const path = [...works, works[0]!];
    super('RANGEFENCE_CYCLE', `a load waits for itself: ${path.join(' -> ')}; expected loads that read only what is below them`);
    this.path = path;
  }
}

/**
 * True for any error of this package, also one raised by another copy of it (another version, the other module
 * format). Costs two property reads; throws nothing, whatever it is given.
 */
export function isRangefenceError(error: unknown): error is RangefenceError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('RANGEFENCE_');
}

/** One phrase for messages: `ended "flush" over [0, 8)`. */
export function describeCollision({ reason, label, kind, range, where }: Collision): string {
  const what = label ?? kind;
  const name = what === undefined ? '' : ` ${JSON.stringify(what)}`;
  return `${reason}${name}${over(range, where)}`;
}

/** One phrase for messages: `the invalidation "flush" (clear) over [0, 8), since 12 ms`. */
function describeWait({ what, label, kind, range, where, forMs }: WaitedFor): string {
  const name = label === undefined ? '' : ` ${describe(label)}`;
  return `the ${what}${name}${kind === undefined ? '' : ` (${kind})`}${over(range, where)}, since ${Math.round(forMs)} ms`;
}

function over(range: Range | undefined, where: string | undefined): string {
  if (where !== undefined) return ` over ${where}`;
  return range === undefined ? '' : ` over [${range.start}, ${range.end})`;
}

/** Throws {@link InvalidArgumentError} unless `ok`: `name is 0; expected a whole number of at least 1`. */
export function check(ok: boolean, name: string, got: unknown, expected: string): void {
  if (!ok) throw new InvalidArgumentError(`${name} is ${describe(got)}; expected ${expected}`);
}

/** A short picture of any value for a message; never throws, never runs the value's own code. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}
