/**
 * Judge: looks at each wait at the end of the turn in which it began, or when it has stood for `graceMs`, and says whether it
 * closes a cycle.
 *
 * Not earlier: only then is it known whether the callback or change that started it has returned a promise, so that
 * somebody waits for it. Most waits are over before that, and cost nothing here.
 */
import type { Clock } from '../base/clock.js';
import { type Cycle, cycleOf } from './graph.js';
import type { Party, Wait } from './parties.js';

/** See the top of the file. */
export class Judge {
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly #found: (cycle: Cycle) => void;
  /** Waits that were not judged yet, oldest first. Armed is the timer for the first of them. */
  #suspects: Wait[] = [];
  #armed = false;

  constructor(clock: Clock, graceMs: number, found: (cycle: Cycle) => void) {
    this.#clock = clock;
    this.#graceMs = graceMs;
    this.#found = found;
  }

  /** Whoever waits for this one: who must end it is another one than before. */
  suspectAll({ waiters }: Party): void {
    for (const wait of waiters ?? []) this.suspect(wait);
  }

  /** This one, when it is due. */
  suspect(wait: Wait): void {
    if (wait.waiter.context === undefined) return; // keeps nobody from going on
    this.#suspects.push(wait);
    this.#arm(this.#graceMs);
  }

  #arm(delayMs: number): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#clock.setTimeout(() => this.#judgeDue(), delayMs);
  }

  #judgeDue(): void {
    this.#armed = false;
    const now = this.#clock.now();
    const young = this.#suspects.findIndex(({ since }) => now - since < this.#graceMs);
    const due = this.#suspects.splice(0, young < 0 ? this.#suspects.length : young);
    for (const wait of due) if (wait.waiter.wait === wait && !wait.reported) this.#judge(wait);
    const [next] = this.#suspects;
    if (next !== undefined) this.#arm(Math.max(0, next.since + this.#graceMs - now));
  }

  #judge(wait: Wait): void {
    const cycle = cycleOf(wait);
    if (cycle === undefined) return;
    for (const each of cycle.waits) each.reported = true;
    this.#found(cycle);
  }
}
