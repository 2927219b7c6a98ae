/**
 * Holder: a lookup that is known to hold its ranges, made with the public calls alone.
 */
import { type Attempt, type Ignore, type PlainLookupOptions, type Ranges, RangeTracker } from '../../../lib/index.js';
import { ManualClock, settled } from './clock.js';
import { Witness } from './witness.js';

/** The limit of every hold in a {@link Stage}. */
export const HOLD_MS = 1000;

/** A lookup whose fetch goes on when it is told to. */
export interface Holder {
  readonly label: string;
  /** Attempts that were begun while it held. */
  readonly attempts: Attempt[];
  /** Lets the running and all later attempts finish. */
  finish(): void;
  isFinishing: boolean;
  /** Resolves with the label, or with the error. */
  readonly result: Promise<unknown>;
  outcome: unknown;
}

/** A tracker, a clock that stands still, and a witness. */
export class Stage {
  readonly clock = new ManualClock();
  readonly witness = new Witness({ now: () => this.clock.now(), holdMs: HOLD_MS });
  readonly tracker = new RangeTracker({ clock: this.clock, observer: this.witness.observer });
  /** Every lookup of a stage has this filter, the same function, so that they may share holds. */
  readonly ignore: Ignore = ({ kind, owner }) => kind === 'nudge' && owner !== this.#nudged;
  #nudged: unknown = undefined;
  #ids = 0;

  /** A lookup through the witness. */
  lookup<T>(ranges: Ranges, fetch: (attempt: Attempt) => T | PromiseLike<T>, options: PlainLookupOptions<T> = {}): Promise<T> {
    const label = options.label ?? `lookup ${++this.#ids}`;
    this.witness.lookup(label, ranges, this.ignore);
    const result = this.tracker.lookup(
      ranges,
      (attempt) => {
        this.witness.fetching(label, attempt.seq);
        return fetch(attempt);
      },
      { holdMs: HOLD_MS, ...options, label, ignore: this.ignore },
    );
    const over = () => this.witness.settled(label);
    result.then(over, over);
    return result;
  }

  /**
   * A lookup that loses its first attempt, if that is not held already, and holds from then on. Its first attempt falls
   * in the same turn unless something is in its way.
   */
  holder(label: string, ranges: Ranges, options: { observe?: Ranges; signal?: AbortSignal } = {}): Holder {
    const attempts: Attempt[] = [];
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const fetch = (attempt: Attempt): unknown => {
      const isHolding = this.tracker.inspect().holds.some((hold) => hold.label === label);
      return isHolding ? held(attempt) : this.#nudge(label, ranges);
    };
    const held = async (attempt: Attempt): Promise<unknown> => {
      attempts.push(attempt);
      if (options.observe !== undefined) {
        attempt.observe(options.observe);
        this.witness.observed(label, options.observe);
      }
      await finished;
      return label;
    };
    const result = this.lookup(ranges, fetch, { label, maxAttempts: 1, signal: options.signal }).then(
      (value) => {
        holder.outcome = value;
        return value;
      },
      (error: unknown) => {
        holder.outcome = error;
        return error;
      },
    );
    const holder: Holder = {
      label,
      attempts,
      finish: () => {
        holder.isFinishing = true;
        finish();
      },
      isFinishing: false,
      result,
      outcome: undefined,
    };
    return holder;
  }

  /** Hits the lookup that is just fetching, and nobody else: its check comes before anybody else's turn. */
  #nudge(label: string, ranges: Ranges): void {
    this.#nudged = { label };
    // Nested in a section far away: a begin of its own would be refused while somebody else holds the range.
    const within = this.tracker.tryBegin({ start: 1e9, end: 1e9 + 1 }, { kind: 'nudge' })!;
    this.tracker.tryBegin(ranges, { kind: 'nudge', owner: this.#nudged, within })!.end();
    within.end();
    queueMicrotask(() => {
      this.#nudged = undefined;
    });
  }

  /** Lets everything happen that can, and walks. */
  async settle(): Promise<void> {
    await settled();
    this.witness.walk(this.tracker);
  }
}
