/**
 * Unrest: whether the versions that a server names are worth going on for.
 *
 * Algorithm note
 *
 * To a server that is mistaken about its own versions (it refuses its own ETag, it makes a new one for each response, two
 * machines under one name have two), a thing that never changes looks like one that changes with each request. Whoever begins
 * again with each change sends requests without end, as fast as the line lets him. Two signs tell:
 *
 *     alternating: a b a b            a version comes back that had been left: contents do that seldom, and never soon
 *     unconfirmed: a b c d e          no version was ever found twice in a row: nothing can be read by more than one request
 *
 * Both are counted for each call that is under way, so that a call that gets through is never blamed for another's trouble, and
 * so that a thing that does change fast is read whenever it can be. Between a change and the next request lies a pause, which
 * grows with either sign: none after the first two changes, then 50 ms, 100 ms, ... up to a second.
 */
import type { Clock } from '../base/clock.js';
import { pause } from './bounded.js';
import { SourceError } from './errors.js';

/** Changes in a row of which no answer has confirmed the version. With their pauses they take three quarters of a second. */
const MOST_UNCONFIRMED = 6;

/** Versions that came back, during one call. */
const MOST_RETURNS = 4;

/** Versions that are remembered as left, and shown by the error. */
const REMEMBERED = 8;

/** What came back longer ago than this has nothing to do with what comes back now. */
const FORGOTTEN_MS = 10_000;

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** One call of a reader, as long as it is under way. */
interface Call {
  unconfirmed: number;
  returns: number;
  readonly controller: AbortController;
}

/** See the top of the file. */
export class Unrest {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #calls: Set<Call> = new Set();
  /** Keys of versions that were left, the oldest first. */
  readonly #left: Set<string> = new Set();
  /** Everything that was said, in order, for the error. */
  readonly #said: string[] = [];
  #unconfirmed = 0;
  #returns = 0;
  #lastAt = Number.NEGATIVE_INFINITY;
  /** No request before this moment. */
  #until = Number.NEGATIVE_INFINITY;

  constructor(name: string, clock: Clock) {
    this.#name = name;
    this.#clock = clock;
  }

  /** `work` as one call: rejects with `SourceError` when it has seen enough, and the signal that `work` has got fires. */
  async run<T>(outer: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const call: Call = { unconfirmed: 0, returns: 0, controller: new AbortController() };
    const { controller } = call;
    const leave = () => controller.abort(outer?.reason);
    if (outer?.aborted) leave();
    outer?.addEventListener('abort', leave, { once: true });
    this.#calls.add(call);
    try {
      return await work(controller.signal);
    } finally {
      this.#calls.delete(call);
      outer?.removeEventListener('abort', leave);
    }
  }

  /** An answer was of the version that it was to be of. */
  confirmed(): void {
    this.#unconfirmed = 0;
    for (const call of this.#calls) call.unconfirmed = 0;
  }

  /** An answer was of another version than the one that was there, `left`; or only said so. */
  moved(left: string, said: string): void {
    if (this.#said.length === 0 || this.#said[this.#said.length - 1] !== left) this.#say(left);
    this.#say(said);
    this.#left.add(left);
    if (this.#left.size > REMEMBERED) for (const oldest of [...this.#left].slice(0, -REMEMBERED)) this.#left.delete(oldest);
    const now = this.#clock.now();
    if (now - this.#lastAt > FORGOTTEN_MS) this.#returns = 0;
    this.#lastAt = now;
    this.#unconfirmed++;
    this.#settleFor(now);
    for (const call of [...this.#calls]) {
      call.unconfirmed++;
      this.#judge(call);
    }
  }

  /** This version is there now: was it before? */
  arrived(key: string): void {
    if (!this.#left.delete(key)) return;
    this.#returns++;
    this.#settleFor(this.#clock.now());
    for (const call of [...this.#calls]) {
      call.returns++;
      this.#judge(call);
    }
  }

  /** Until the next request may be sent. Rejects with the signal's reason. */
  async rest(signal: AbortSignal): Promise<void> {
    for (let leftMs = this.#leftMs(); leftMs > 0; leftMs = this.#leftMs()) await pause(this.#clock, leftMs, signal);
  }

  #leftMs(): number {
    return this.#until - this.#clock.now();
  }

  #settleFor(now: number): void {
    const level = Math.max(this.#unconfirmed, this.#returns + 1) - 2;
    if (level < 0) return;
    const ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** level);
    this.#until = Math.max(this.#until, now + ms);
  }

  #judge({ unconfirmed, returns, controller }: Call): void {
    if (unconfirmed < MOST_UNCONFIRMED && returns < MOST_RETURNS) return;
    const got = this.#said.join(', then ');
    controller.abort(
      new SourceError(this.#name, 'does not keep to one version', { expected: 'the same one twice in a row', got }),
    );
  }

  #say(what: string): void {
    this.#said.push(what);
    if (this.#said.length > REMEMBERED) this.#said.shift();
  }
}
