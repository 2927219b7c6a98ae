/**
 * Scheduler: decides by a seed who goes on next, and after how many turns of the microtask queue.
 *
 * Not fast-check's: that one drains the queue between two steps. Here the next step comes a few turns after the last one,
 * so that it falls between a check and its commit, between a grant and the begin it grants, and so on.
 */
import type { ManualClock } from './clock.js';
import type { Random } from './random.js';

/** Nobody can go on and no timer is left: somebody waits for ever. */
export class Stuck extends Error {}

/** Turns without a pause after which everybody must be waiting for something: longer than any chain of promises. */
const IDLE_TURNS = 64;

export class Scheduler {
  /** Times at which nobody could go on and the clock had to: a wait that only its time limit has ended. */
  idle = 0;
  readonly #random: Random;
  readonly #clock: ManualClock;
  readonly #tickChance: number;
  readonly #pauses: (() => void)[] = [];

  /** `tickChance`: how likely a step lets a millisecond pass; 0 means that time stands still until nobody can go on. */
  constructor(random: Random, clock: ManualClock, tickChance = 0) {
    this.#random = random;
    this.#clock = clock;
    this.#tickChance = tickChance;
  }

  /** Resolves when this party's turn has come. */
  pause(): Promise<void> {
    return new Promise((resolve) => this.#pauses.push(resolve));
  }

  /** Runs until `done`; `step` is called after each step. */
  async run(done: () => boolean, step: () => void): Promise<void> {
    const pauses = this.#pauses;
    const random = this.#random;
    for (let empty = 0; !done(); ) {
      await undefined;
      for (let gap = random.below(4); gap > 0; gap--) await undefined;
      if (pauses.length === 0) {
        if (++empty < IDLE_TURNS) continue;
        empty = 0;
        this.idle++;
        if (!this.#clock.fireNext()) throw new Stuck('nobody can go on, and no timer is left');
        continue;
      }
      empty = 0;
      const at = random.below(pauses.length);
      const resume = pauses[at]!;
      pauses[at] = pauses[pauses.length - 1]!;
      pauses.pop();
      resume();
      if (this.#tickChance > 0 && random.chance(this.#tickChance)) this.#clock.advance(1);
      step();
    }
  }
}
