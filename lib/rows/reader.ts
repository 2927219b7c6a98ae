/**
 * Reader: one read of rows by index, which waits for loads until all it needs is fresh, in one turn.
 *
 * With `allowStale` it waits for each block once: what was hit meanwhile it hands out, marked. Without, it reads again.
 */
import type { Clock } from '../base/clock.js';
import type { Loading } from './blocks.js';
import type { RowReadOptions } from './options.js';
import type { Plan } from './plan.js';

/** What a window does for its readers. */
export interface Desk<Row> {
  readonly clock: Clock;
  readonly retryMs: number;
  plan(start: number, end: number): Plan<unknown, unknown>;
  /** Loads that are on their way for what is needed, begun where there were none. */
  loads(plan: Plan<unknown, unknown>): readonly Loading[];
  take(start: number, end: number): readonly Row[];
}

/** See the top of the file. */
export class Reader<Row> {
  readonly #desk: Desk<Row>;
  readonly #start: number;
  readonly #end: number;
  readonly #options: RowReadOptions;
  #loads: readonly Loading[] = [];
  #timer: unknown = undefined;
  #hasLeft = false;
  #retried = 0;
  #outdated: Promise<unknown> | undefined = undefined;

  constructor(desk: Desk<Row>, start: number, end: number, options: RowReadOptions = {}) {
    this.#desk = desk;
    this.#start = start;
    this.#end = end;
    this.#options = options;
  }

  /**
   * `undefined` unless it has handed out stale rows; otherwise resolves when it is time to read again: at once if a change has hit them, and when the
   * loads are over that wait for a change that is going on. To be told before that would only be to ask in a circle.
   */
  get outdated(): Promise<unknown> | undefined {
    return this.#outdated;
  }

  /** Its rows, if none is missing: at once, and without a promise. */
  now(): readonly Row[] | undefined {
    return this.#desk.plan(this.#start, this.#end).blocks.length > 0 ? undefined : this.#take({ hit: true });
  }

  /** Rejects with an error of a load. What it does once it has left is nobody's business. */
  async rows(): Promise<readonly Row[]> {
    const { allowStale } = this.#options;
    for (;;) {
      const plan = this.#desk.plan(this.#start, this.#end);
      if (plan.blocks.length === 0) return this.#take({});
      const mayBeStale = allowStale === true && plan.isAtHand;
      if (mayBeStale && this.#retried > 0) return this.#take({ stale: true }, []);
      if (this.#retried > 0) await this.#pause(this.#desk.retryMs);
      if (this.#hasLeft) throw LEFT;
      this.#loads = this.#desk.loads(plan);
      for (const load of this.#loads) load.join(this);
      if (mayBeStale && this.#loads.some(({ isWaiting }) => isWaiting)) return this.#take({ stale: true }, this.#loads);
      const hits = await Promise.all(this.#loads.map(({ done }) => done)).finally(() => this.#release());
      if (this.#hasLeft) throw LEFT;
      if (hits.includes(true)) this.#retried++;
    }
  }

  /** Waits no longer. What nobody else waits for is ended. */
  leave(): void {
    this.#hasLeft = true;
    this.#desk.clock.clearTimeout(this.#timer);
    this.#release();
  }

  #release(): void {
    for (const load of this.#loads) load.leave(this);
    this.#loads = [];
  }

  /** `loads` are those that bring what is missing; they go on, whoever leaves. */
  #take(status: { readonly hit?: true; readonly stale?: true }, loads?: readonly Loading[]): readonly Row[] {
    for (const load of loads ?? []) load.join(NOBODY);
    if (loads !== undefined) this.#outdated = Promise.allSettled(loads.map(({ done }) => done));
    if (this.#options.status !== undefined) Object.assign(this.#options.status, { retried: this.#retried }, status);
    return this.#desk.take(this.#start, this.#end);
  }

  async #pause(ms: number): Promise<void> {
    if (ms === 0) return;
    await new Promise<void>((resolve) => {
      this.#timer = this.#desk.clock.setTimeout(resolve, ms);
    });
  }
}

/** In whose name a load goes on. */
const NOBODY = {};

/** Nobody sees it. */
const LEFT = new Error('the reader has left');
