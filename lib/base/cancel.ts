/**
 * Cancel: the two outer bounds of anything that waits, an AbortSignal and a time limit, attached and removed as one.
 */
import { type Clock, LONGEST_DELAY_MS } from './clock.js';
import { check, TimeoutError } from './errors.js';

/** The outer bounds of a wait. */
export interface CancelOptions {
  /** Ends it; it rejects with the signal's reason, unwrapped. */
  signal?: AbortSignal | undefined;
  /** Ends it after so many milliseconds, with `TimeoutError`. Default: no limit. Above 2^31 - 1 it counts as that. */
  timeoutMs?: number | undefined;
}

/** Checks without attaching anything; rejects a signal that has already fired. */
export function checkCancel({ signal, timeoutMs }: CancelOptions): void {
  check(signal === undefined || typeof signal?.throwIfAborted === 'function', 'signal', signal, 'an AbortSignal');
  check(timeoutMs === undefined || timeoutMs >= 0, 'timeoutMs', timeoutMs, 'a number of milliseconds, 0 or more');
  signal?.throwIfAborted();
}

/** One listener and one timer at most, both gone after `clear()` and after either has fired. */
export class Cancellation {
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  readonly #cancel: (error: unknown) => void;
  #timer: unknown = undefined;

  /** `what` names the operation in the TimeoutError. `cancel` is called once at most, and never after `clear()`. */
  constructor(clock: Clock, { signal, timeoutMs }: CancelOptions, what: unknown, cancel: (error: unknown) => void) {
    this.#clock = clock;
    this.#signal = signal;
    this.#cancel = cancel;
    signal?.addEventListener('abort', this, { once: true });
    if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
      const delayMs = Math.min(timeoutMs, LONGEST_DELAY_MS);
      this.#timer = clock.setTimeout(() => this.#fire(new TimeoutError(`${what}`, timeoutMs)), delayMs);
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
  what: unknown,
  cancel: (error: unknown) => void,
): Cancellation | undefined {
  if (options === undefined || (options.signal === undefined && options.timeoutMs === undefined)) return undefined;
  return new Cancellation(clock, options, what, cancel);
}
