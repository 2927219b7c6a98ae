/**
 * Pace: the clock of the demo. It goes on only when it is told to, frame by frame: so the demo can stand still, and a page in the
 * background does not come back to a thousand timers. The trackers and the recorder of the demo live by it, too.
 */
import type { Clock } from '../../../lib/index.js';

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** See the top of the file. */
export class Pace implements Clock {
  readonly #timers = new Set<Timer>();
  #now = 0;

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, delayMs: number): unknown {
    const timer = { due: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as Timer);
  }

  /** Time passes: what is due is called, in its order. */
  advance(ms: number): void {
    this.#now += ms;
    const due = [...this.#timers].filter((timer) => timer.due <= this.#now).sort((a, b) => a.due - b.due);
    for (const timer of due) if (this.#timers.delete(timer)) timer.callback();
  }

  /** Resolves after so many milliseconds; rejects as soon as the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.setTimeout(() => {
        signal?.removeEventListener('abort', leave);
        resolve();
      }, ms);
      const leave = (): void => {
        this.clearTimeout(timer);
        reject(signal!.reason);
      };
      if (signal?.aborted) leave();
      else signal?.addEventListener('abort', leave, { once: true });
    });
  }
}
