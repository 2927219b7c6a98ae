/**
 * Lease: until when this process may go on by what it knows.
 *
 * It runs for `leaseMs` from the sending of the last renewal that was answered: whoever waits for this process has seen that renewal
 * after it was sent, and waits longer. Two clocks are read, and the larger time counts. The monotonic one stops while a machine
 * is suspended; the other one goes on, and may be set back or forward, which costs at most a lease. A lease that is over stays
 * over until a renewal that was sent after that, so that all checks of one turn agree.
 */

/** Both clocks at one moment. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

/** See the top of the file. */
export class Lease {
  readonly leaseMs: number;
  readonly #now: () => Moment;
  #from: Moment | undefined = undefined;

  constructor(leaseMs: number, now: () => Moment) {
    this.leaseMs = leaseMs;
    this.#now = now;
  }

  /** To be kept from before a renewal is sent. */
  moment(): Moment {
    return this.#now();
  }

  /** What was sent then has been answered. */
  renewed(sent: Moment): void {
    if (this.#from === undefined || sent.monotonic > this.#from.monotonic) this.#from = sent;
  }

  /** Does it run? At `leaseMs` exactly it is over. */
  valid(): boolean {
    if (this.#from === undefined) return false;
    if (this.leftMs() > 0) return true;
    this.#from = undefined;
    return false;
  }

  /** How long it still runs, if nobody sets a clock; 0 or less if it is over. */
  leftMs(): number {
    if (this.#from === undefined) return 0;
    const { monotonic, wall } = this.#now();
    return this.leaseMs - Math.max(monotonic - this.#from.monotonic, wall - this.#from.wall);
  }

  /** It is over, whatever the clocks say. */
  drop(): void {
    this.#from = undefined;
  }
}

/** How long others wait for a lease: drift of the clocks, and what a timer may be early. */
export function waitFor(leaseMs: number, drift: number): number {
  return leaseMs * (1 + drift) + 20;
}
