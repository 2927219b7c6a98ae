/**
 * Cancel: the two outer bounds of anything that waits, an AbortSignal and a time limit, attached and removed as one.
 */
import { type Clock, LONGEST_DELAY_MS } from './clock.js';
import { check, TimeoutError, type WaitedFor } from './errors.js';

/** The outer bounds of a wait. */
export interface CancelOptions {
  /** Ends it; it rejects with the signal's reason, unwrapped. */
  signal?: AbortSignal | undefined;
  /** Ends it after so many milliseconds, with `TimeoutError`. Default: no limit. Above 2^31 - 1 it counts as that. */
  timeoutMs?: number | undefined;
}

/** The names of {@link CancelOptions}. */
export const CANCEL_NAMES = 'signal timeoutMs';

/** Checks without attaching anything; rejects a signal that has already fired. */
export function checkCancel({ signal, timeoutMs }: CancelOptions): void {
  check(signal === undefined || typeof signal?.throwIfAborted === 'function', 'signal', signal, 'an AbortSignal');
  const isTime = timeoutMs === undefined || (typeof timeoutMs === 'number' && timeoutMs >= 0);
  check(isTime, 'timeoutMs', timeoutMs, 'a number of milliseconds, 0 or more');
  signal?.throwIfAborted();
}

/** Whatever runs out of time: its name, or a function that tells, then, what it was and what it waited for. */
export type Overdue = string | (() => { readonly what: string; readonly waitedFor?: WaitedFor | undefined });

function overdue(what: Overdue, timeoutMs: number): TimeoutError {
  const told = typeof what === 'string' ? { what } : what();
  return new TimeoutError(told.what, timeoutMs, 'waitedFor' in told ? told.waitedFor : undefined);
}

/** One listener and one timer at most, both gone after `clear()` and after either has fired. */
export class Cancellation {
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  readonly #cancel: (error: unknown) => void;
  #timer: unknown = undefined;

  /** `what` says what ran out of time, and for what it waited. `cancel` is called once at most, and never after `clear()`. */
  constructor(clock: Clock, { signal, timeoutMs }: CancelOptions, what: Overdue, cancel: (error: unknown) => void) {
    this.#clock = clock;
    this.#signal = signal;
    this.#cancel = cancel;
    signal?.addEventListener('abort', this, { once: true });
    if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
      const delayMs = Math.min(timeoutMs, LONGEST_DELAY_MS);
      this.#timer = clock.setTimeout(() => this.#fire(overdue(what, timeoutMs)), delayMs);
    }
    if (signal?.aborted) this.handleEvent(); // by code that ran since the caller looked; it will not fire again
  }

  /** The signal's listener; an object instead of a closure, so that adding and removing name the same thing. */
  handleEvent(): void {
    this.#fire(this.#signal?.reason);
  }

  /** Removes both. Idempotent. */
  clear(): void {
    this.#signal?.removeEventListener('abort', this);
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #fire(error: unknown): void {
    this.clear();
    this.#cancel(error);
  }
}

/** `undefined` where there is nothing to attach: most calls have neither bound and must not pay for them. */
export function cancelOn(
  clock: Clock,
  options: CancelOptions | undefined,
  what: Overdue,
  cancel: (error: unknown) => void,
): Cancellation | undefined {
  if (options === undefined || (options.signal === undefined && options.timeoutMs === undefined)) return undefined;
  return new Cancellation(clock, options, what, cancel);
}
