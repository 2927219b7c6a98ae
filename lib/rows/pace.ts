/**
 * Pace: when `onChange` hears of changes, and how long a read that was hit waits before it reads again.
 *
 * The first change is told at once, in a microtask: a single one is on the screen as soon as it can be. Those that follow within
 * `coalesceMs` are told together; and while those who were told still read, later, up to ten times. While changes overtake loads, both
 * times double, to sixteen times as much: reading faster than that would only be hit more often. One load that is not hit ends that.
 */
import type { Clock } from '../base/clock.js';

const MOST = 16;
const MOST_PUT_OFF = 10;

/** See the top of the file. */
export class Pace {
  readonly #clock: Clock;
  readonly #coalesceMs: number;
  readonly #emit: (start: number) => void;
  readonly #isBusy: () => boolean;
  #first = Number.POSITIVE_INFINITY;
  #lastMs = Number.NEGATIVE_INFINITY;
  #isDue = false;
  #timer: unknown = undefined;
  #putOff = 0;
  /** Loads in a row that were hit. */
  #hits = 0;

  constructor(clock: Clock, coalesceMs: number, emit: (start: number) => void, isBusy: () => boolean) {
    this.#clock = clock;
    this.#coalesceMs = coalesceMs;
    this.#emit = emit;
    this.#isBusy = isBusy;
  }

  /** Milliseconds that a read waits before it reads again what was hit: nothing the first time. */
  get retryMs(): number {
    return this.#hits < 2 ? 0 : this.#spaced(this.#hits - 2);
  }

  /** Rows from this index on may be others than before. */
  announce(start: number): void {
    this.#first = Math.min(this.#first, start);
    if (this.#isDue) return;
    this.#isDue = true;
    const waitMs = this.#lastMs + this.#spaced(this.#hits) - this.#clock.now();
    if (waitMs > 0) this.#wait(waitMs);
    else queueMicrotask(() => this.#fire());
  }

  /** A load is over. */
  landed(isHit: boolean): void {
    this.#hits = isHit ? this.#hits + 1 : 0;
  }

  close(): void {
    this.#isDue = false;
    this.#clock.clearTimeout(this.#timer);
  }

  #spaced(doublings: number): number {
    return this.#coalesceMs * Math.min(2 ** doublings, MOST);
  }

  #wait(ms: number): void {
    this.#timer = this.#clock.setTimeout(() => {
      if (this.#isBusy() && this.#putOff++ < MOST_PUT_OFF) this.#wait(Math.max(1, this.#coalesceMs));
      else this.#fire();
    }, ms);
  }

  #fire(): void {
    if (!this.#isDue) return; // closed
    const first = this.#first;
    this.#first = Number.POSITIVE_INFINITY;
    this.#isDue = false;
    this.#putOff = 0;
    this.#lastMs = this.#clock.now();
    this.#emit(first);
  }
}
