/**
 * The only place of the package that touches time. Sequence numbers decide everything; time is used for
 * deadlines the caller asked for, and for "since when" in a snapshot.
 */
import { check } from './errors.js';

/** Where a tracker gets its time from; give another one to test without sleeping. */
export interface Clock {
  /** Milliseconds since any fixed moment, never going back. */
  now(): number;
  /** Calls `callback` once after `delayMs`, unless cleared. */
  setTimeout(callback: () => void, delayMs: number): unknown;
  /** Forgets what {@link Clock.setTimeout} returned. */
  clearTimeout(timer: unknown): void;
}

/** Throws `InvalidArgumentError` unless it is a clock. */
export function checkClock(clock: Clock): void {
  const isClock = [clock?.now, clock?.setTimeout, clock?.clearTimeout].every((method) => typeof method === 'function');
  check(isClock, 'clock', clock, 'an object with now, setTimeout and clearTimeout');
}

/** The longest delay a host timer takes: 2^31 - 1 ms, about 24.8 days. Longer ones would fire at once. */
export const LONGEST_DELAY_MS: number = 2 ** 31 - 1;

/** The host's clock. Calls go through the globals each time, so that fake timers installed later are seen. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as Parameters<typeof clearTimeout>[0]),
};

/**
 * A clock that is read at most once a turn. Reading the host's clock costs 50 to 100 ns, more than beginning and
 * ending an invalidation; the reading is kept until the microtasks queued so far have run, so a burst pays once.
 * The time it gives is never ahead, and behind by no more than the turn has lasted.
 */
export class TurnClock {
  readonly #clock: Clock;
  #now: number | undefined = undefined;
  readonly #forget = (): void => {
    this.#now = undefined;
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    if (this.#now === undefined) {
      this.#now = this.#clock.now();
      SETTLED.then(this.#forget);
    }
    return this.#now;
  }
}

const SETTLED = Promise.resolve();

/** The host's wall clock, in milliseconds: unlike the other, it goes on while the machine sleeps, and may be set back. */
export const wallClock = (): number => Date.now();
