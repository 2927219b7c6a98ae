/**
 * Ledger: judges what a rule does, by the exact definition and by brute force. It is told of every step and knows nothing of
 * rules; the same ledger judges all of them, and the tracker as well.
 *
 * The definitions, for a lookup over ranges Q:
 *
 * - an invalidation is *under way* from the moment it asks to begin until it ends, and *active* from its begin on. Where
 *   begins are never delayed the two are the same;
 * - a wait is *false* if, when it starts, no invalidation that overlaps Q is under way;
 * - waiting time is *in vain* as long as no invalidation that overlaps Q is under way, however the wait started;
 * - a retry is *false* if no invalidation that overlaps Q was active at any moment of the attempt;
 * - a commit is *stale* if one was. No rule may ever do that: it would be quick, and wrong.
 */
import { horizonOf, meetingsOf, type Work } from './work.js';

/** What became of the work under one rule. */
export interface Outcome {
  /** Times a lookup had to wait, once until it goes on. */
  readonly waits: number;
  readonly falseWaits: number;
  /** Reads that were thrown away. */
  readonly retries: number;
  readonly falseRetries: number;
  readonly staleCommits: number;
  /** Milliseconds that all lookups together have waited. */
  readonly waited: number;
  /** Of these, in vain. */
  readonly inVain: number;
  /** Begins that were delayed, and by how many milliseconds together. */
  readonly delays: number;
  readonly delayed: number;
  /** When each lookup committed; `undefined` for one that never did. */
  readonly completions: readonly (number | undefined)[];
  /** Lookups, by index, that had not committed when all would have been over if nobody were in anybody's way. */
  readonly starved: readonly number[];
}

const NEVER = Number.NEGATIVE_INFINITY;

/** See the top of the file. */
export class Ledger {
  readonly #work: Work;
  readonly #now: () => number;
  readonly #ofLookup: readonly (readonly number[])[];
  readonly #ofInvalidation: readonly (readonly number[])[];
  /** Steps so far; they order what happens at the same time. */
  #step = 0;
  /** Until when waiting time has been counted. */
  #counted = 0;

  // One entry a lookup.
  readonly #underWay: number[];
  readonly #attempted: number[];
  readonly #completions: (number | undefined)[];
  readonly #waiting = new Set<number>();

  // One entry an invalidation.
  readonly #active: boolean[];
  readonly #ended: number[];

  readonly #counts = { waits: 0, falseWaits: 0, retries: 0, falseRetries: 0, staleCommits: 0, delays: 0 };
  readonly #times = { waited: 0, inVain: 0, delayed: 0 };

  constructor(work: Work, now: () => number) {
    const { ofLookup, ofInvalidation } = meetingsOf(work);
    this.#work = work;
    this.#now = now;
    this.#ofLookup = ofLookup;
    this.#ofInvalidation = ofInvalidation;
    this.#underWay = work.lookups.map(() => 0);
    this.#attempted = work.lookups.map(() => NEVER);
    this.#completions = work.lookups.map(() => undefined);
    this.#active = work.invalidations.map(() => false);
    this.#ended = work.invalidations.map(() => NEVER);
  }

  /** Is this lookup known to wait now? */
  isWaiting(lookup: number): boolean {
    return this.#waiting.has(lookup);
  }

  // --- invalidations

  asked(invalidation: number): void {
    this.#pass();
    for (const lookup of this.#ofInvalidation[invalidation]!) this.#underWay[lookup]!++;
  }

  began(invalidation: number): void {
    this.#pass();
    this.#active[invalidation] = true;
    const delay = this.#now() - this.#work.invalidations[invalidation]!.begin;
    if (delay === 0) return;
    this.#counts.delays++;
    this.#times.delayed += delay;
  }

  ended(invalidation: number): void {
    this.#pass();
    this.#active[invalidation] = false;
    this.#ended[invalidation] = this.#step;
    for (const lookup of this.#ofInvalidation[invalidation]!) this.#underWay[lookup]!--;
  }

  // --- lookups

  waits(lookup: number): void {
    this.#pass();
    this.#waiting.add(lookup);
    this.#counts.waits++;
    if (this.#underWay[lookup] === 0) this.#counts.falseWaits++;
  }

  attempts(lookup: number): void {
    this.#pass();
    this.#waiting.delete(lookup);
    this.#attempted[lookup] = this.#step;
  }

  retries(lookup: number): void {
    this.#pass();
    this.#counts.retries++;
    if (!this.#wasHit(lookup)) this.#counts.falseRetries++;
  }

  commits(lookup: number): void {
    this.#pass();
    if (this.#wasHit(lookup)) this.#counts.staleCommits++;
    this.#completions[lookup] = this.#now();
  }

  /** What has happened so far. */
  outcome(): Outcome {
    const completions = [...this.#completions];
    const horizon = horizonOf(this.#work);
    const starved = completions.flatMap((time, lookup) => (time === undefined || time > horizon ? [lookup] : []));
    return { ...this.#counts, ...this.#times, completions, starved };
  }

  /** Nothing changes between two steps, so the time since the last one is of one kind for each who waits. */
  #pass(): void {
    this.#step++;
    const ms = this.#now() - this.#counted;
    this.#counted = this.#now();
    if (ms === 0) return;
    for (const lookup of this.#waiting) {
      this.#times.waited += ms;
      if (this.#underWay[lookup] === 0) this.#times.inVain += ms;
    }
  }

  #wasHit(lookup: number): boolean {
    const since = this.#attempted[lookup]!;
    return this.#ofLookup[lookup]!.some((invalidation) => this.#active[invalidation] || this.#ended[invalidation]! > since);
  }
}
