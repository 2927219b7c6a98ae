/**
 * A clock that stands still until it is told to go on, and turns of the microtask queue as a unit of time.
 */
import type { Clock } from '../../../lib/index.js';

/** Time for tests: timers fire inside {@link ManualClock.advance}, in order of their time. */
export class ManualClock implements Clock {
  #now = 0;
  #ids = 0;
  readonly #timers = new Map<number, { at: number; callback: () => void }>();

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, delayMs: number): number {
    this.#timers.set(++this.#ids, { at: this.#now + delayMs, callback });
    return this.#ids;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as number);
  }

  /** Timers that have neither fired nor been cleared. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Goes on by so many milliseconds. */
  advance(ms: number): void {
    const until = this.#now + ms;
    while (this.#fireBefore(until));
    this.#now = until;
  }

  /** Goes on to the next timer and fires it; false if there is none. */
  fireNext(): boolean {
    return this.#fireBefore(Number.POSITIVE_INFINITY);
  }

  #fireBefore(until: number): boolean {
    let next: number | undefined;
    for (const [id, { at }] of this.#timers)
      if (at <= until && (next === undefined || at < this.#timers.get(next)!.at)) next = id;
    if (next === undefined) return false;
    const { at, callback } = this.#timers.get(next)!;
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, at);
    callback();
    return true;
  }
}

/** Lets the microtask queue go round so many times. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await undefined;
}

/** More turns than any chain of promises in the package or in a test step is long. */
export function settled(): Promise<void> {
  return turns(40);
}
