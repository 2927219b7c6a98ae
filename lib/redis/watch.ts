/**
 * Watch: one timer for the moment at which a lease is over.
 */
import type { Clock } from '../base/clock.js';
import type { Lease } from './lease.js';

/** See the top of the file. */
export class LeaseWatch {
  readonly #lease: Lease;
  readonly #clock: Clock;
  readonly #onOver: () => void;
  #timer: unknown = undefined;

  /** `onOver` is called when it is over, whatever the timer is late; at once, if it is already. */
  constructor(lease: Lease, clock: Clock, onOver: () => void) {
    this.#lease = lease;
    this.#clock = clock;
    this.#onOver = onOver;
  }

  /** The lease has moved. */
  again(): void {
    this.stop();
    const leftMs = this.#lease.leftMs();
    if (leftMs <= 0) return this.#onOver();
    this.#timer = this.#clock.setTimeout(
      () => {
        this.#timer = undefined;
        if (this.#lease.valid()) this.again();
        else this.#onOver();
      },
      Math.max(leftMs, 1),
    ); // timers count in milliseconds: less than one may come without any time having passed
  }

  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
