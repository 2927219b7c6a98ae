/**
 * Interests: what this thread wants to be asked, and to hear of, as stripes in words of its own.
 *
 *     ASKS     there are subscribers: ask before the begin resolves      HEARS    attempts in flight: tell of begins, and do not wait
 *     ENDS     somebody waits, or subscribers hear ends: tell of ends
 *
 * Whoever says so looks once more after that; whoever publishes something looks here after that. So one of both sees the other.
 */
import type { Spans } from '../base/range.js';
import { StripeCounts } from './stripes.js';
import { ASKS, ENDS, HEARS, type Words } from './words.js';

/** See the top of the file. */
export class Interests {
  readonly #words: Words;
  readonly #of: number;
  readonly #asking: StripeCounts;
  readonly #hearing: StripeCounts;
  readonly #endHearing: StripeCounts;
  #asks = 0;
  #hears = 0;
  #ends = 0;
  /** Stripes of subscribers, all that there have ever been. */
  everAsked = 0;
  /** Stripes of what is waited for. Only {@link Interests.waitFor} moves it. */
  awaited = 0;

  constructor(words: Words, thread: number) {
    this.#words = words;
    this.#of = words.of(thread);
    this.#asking = new StripeCounts(words.shape.grain);
    this.#hearing = new StripeCounts(words.shape.grain);
    this.#endHearing = new StripeCounts(words.shape.grain);
  }

  /** Is there anything that others must ring for? */
  get any(): boolean {
    return (this.#asks | this.#hears | this.#ends) !== 0;
  }

  /** One subscriber more or less. Returns whether others see a difference. */
  subscribe(spans: Spans, by: 1 | -1, hearsEnds: boolean): boolean {
    if (hearsEnds) {
      this.#endHearing.add(spans, by);
      this.waitFor(this.awaited);
    }
    this.#asking.add(spans, by);
    const { stripes } = this.#asking;
    if (stripes === this.#asks) return false;
    this.#asks = stripes;
    this.#words.store(this.#of + ASKS, stripes);
    return true;
  }

  /** Subscribers over stripes where there has never been one: returns those. */
  newlyAsked(): number {
    const more = this.#asks & ~this.everAsked;
    this.everAsked |= more;
    return more;
  }

  /** One attempt in flight more or less. */
  hear(spans: Spans, by: 1 | -1): void {
    this.#hearing.add(spans, by);
    const { stripes } = this.#hearing;
    if (stripes === this.#hears) return;
    this.#hears = stripes;
    this.#words.store(this.#of + HEARS, stripes);
  }

  /** What is waited for, all of it. */
  waitFor(awaited: number): void {
    this.awaited = awaited;
    const stripes = awaited | this.#endHearing.stripes;
    if (stripes === this.#ends) return;
    this.#ends = stripes;
    this.#words.store(this.#of + ENDS, stripes);
  }
}
