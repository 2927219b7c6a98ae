/**
 * World: readers, invalidators and subscribers over a few pages, all at once, in an order that a seed decides, under the
 * eyes of a witness. The race tests and the soak run the same one.
 */

import { getEventListeners } from 'node:events';
import {
  type Attempt,
  type CommitOptions,
  type Ignore,
  type Invalidation,
  type Range,
  RangeTracker,
  RetryLimitError,
  TimeoutError,
} from '../../../lib/index.js';
import { insidesOf } from '../insides.js';
import { ManualClock } from './clock.js';
import { Content, type Copy, isTorn, pagesOf } from './content.js';
import { Random } from './random.js';
import { anyMeet, joined, scattered } from './ranges.js';
import { Scheduler, Stuck } from './scheduler.js';
import { type Counts, Witness } from './witness.js';

/** How a world is peopled. */
export interface WorldOptions {
  readonly seed: number;
  /** Lookups in all; the world ends when they are done. */
  readonly lookups: number;
  readonly pages: number;
  readonly readers: number;
  readonly writers: number;
  readonly subscribers?: number;
  /** Longest range, in pages. */
  readonly longest?: number;
  /** Now and then somebody reads, changes or subscribes to so many ranges of a page each, as one list; 0 for never. */
  readonly scattered?: number;
  /** Small: lookups often outlive the memory. */
  readonly historyCapacity?: number;
  /** The limit of every hold. */
  readonly holdMs?: number;
  /**
   * How likely a millisecond passes in a step. With 0 time stands still while anybody can go on; then nothing may ever
   * run out, since nobody waits for ever: a hold that does is a deadlock that its limit has hidden.
   */
  readonly tickChance?: number;
  /** Readers may be aborted and may have a time limit. */
  readonly cancels?: boolean;
  /** Steps between two walks of the witness. */
  readonly walkEvery?: number;
}

/** What a world counts beyond its witness. */
export interface WorldCounts extends Counts {
  steps: number;
  torn: number;
  aborted: number;
  timedOut: number;
  exhausted: number;
  holdsExpired: number;
  tokens: number;
  writes: number;
  refused: number;
  abandoned: number;
  notified: number;
  walks: number;
}

/** Runs a world to its end; throws, with its seed, at the first violation. */
export async function runWorld(options: WorldOptions): Promise<WorldCounts> {
  const world = new World(options);
  try {
    return await world.run();
  } catch (error) {
    const where = `world ${JSON.stringify(options)} after ${world.counts.steps} steps`;
    throw new Error(`${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** How many of the lists are long: the witness compares each with each. */
const SCATTERED = 0.04;

const HARMLESS = 'protection-page';

/** A change of protection does not concern who reads content only. */
const contentOnly: Ignore = ({ kind }) => kind === HARMLESS;

class World {
  readonly #options: Required<WorldOptions>;
  readonly #random: Random;
  readonly #clock = new ManualClock();
  readonly #scheduler: Scheduler;
  readonly #witness: Witness;
  readonly #tracker: RangeTracker;
  readonly #content: Content;
  readonly #errors: string[] = [];
  #left: number;
  #ids = 0;
  #running = 0;
  #stopped = false;
  readonly counts: WorldCounts;

  constructor(options: WorldOptions) {
    this.#options = {
      subscribers: 0,
      longest: 3,
      scattered: 0,
      historyCapacity: 4096,
      holdMs: 1000,
      tickChance: 0,
      cancels: false,
      walkEvery: 1,
      ...options,
    };
    const { seed, historyCapacity, holdMs, tickChance, pages, lookups } = this.#options;
    this.#random = new Random(seed);
    this.#scheduler = new Scheduler(this.#random, this.#clock, tickChance);
    this.#witness = new Witness({ capacity: historyCapacity, now: () => this.#clock.now(), holdMs, forgets: true });
    this.#tracker = new RangeTracker({ historyCapacity, observer: this.#witness.observer, clock: this.#clock });
    this.#content = new Content(pages);
    this.#left = lookups;
    const none = { steps: 0, torn: 0, aborted: 0, timedOut: 0, exhausted: 0, holdsExpired: 0, tokens: 0, writes: 0 };
    this.counts = { ...this.#witness.counts, ...none, refused: 0, abandoned: 0, notified: 0, walks: 0 };
  }

  async run(): Promise<WorldCounts> {
    const { readers, writers, subscribers, walkEvery, tickChance, historyCapacity } = this.#options;
    for (let i = 0; i < readers; i++) this.#spawn(() => this.#reader());
    for (let i = 0; i < writers; i++) this.#spawn(() => this.#writer(i));
    for (let i = 0; i < subscribers; i++) this.#spawn(() => this.#subscriber());
    let sinceWalk = 0;
    // A lookup takes about ten steps where it is fought for.
    const limit = 10_000 + 200 * this.#options.lookups;
    try {
      await this.#scheduler.run(
        () => this.#running === 0,
        () => {
          if (++this.counts.steps > limit)
            throw new Error(`no end after ${limit} steps: somebody waits while others go on for ever`);
          if (++sinceWalk >= walkEvery) {
            sinceWalk = 0;
            this.#walk();
          }
          this.#demandNothingWrong();
        },
      );
    } catch (error) {
      if (!(error instanceof Stuck)) throw error;
      this.#demandNothingWrong();
      throw new Error(`${error.message}: ${JSON.stringify(this.#tracker.inspect())}`);
    }
    this.#witness.finish(this.#tracker);
    const { stats } = this.#tracker;
    this.counts.holdsExpired = stats.holdsExpired;
    this.counts.notified = stats.notified;
    Object.assign(this.counts, this.#witness.counts);
    if (this.#clock.pending > 0) this.#errors.push(`${this.#clock.pending} timers left behind`);
    if (tickChance === 0 && stats.holdsExpired > 0)
      this.#errors.push(`${stats.holdsExpired} holds ran out although time stood still`);
    if (stats.historyLost > 0 && historyCapacity >= 4096) this.#errors.push(`history lost ${stats.historyLost} times`);
    if (stats.observerErrors > 0) this.#errors.push(`${stats.observerErrors} errors of the witness`);
    this.#demandNothingWrong();
    return this.counts;
  }

  #walk(): void {
    this.counts.walks++;
    this.#witness.walk(this.#tracker);
  }

  #demandNothingWrong(): void {
    const { violations } = this.#witness;
    if (violations.length + this.#errors.length > 0) throw new Error([...violations, ...this.#errors].slice(0, 5).join('\n'));
  }

  #spawn(actor: () => Promise<void>): void {
    this.#running++;
    actor().then(
      () => {
        this.#running--;
      },
      (error: unknown) => {
        this.#running--;
        this.#errors.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
      },
    );
  }

  #range(): Range {
    const { pages, longest } = this.#options;
    const length = 1 + this.#random.below(Math.min(longest, pages));
    const start = this.#random.below(pages - length + 1);
    return { start, end: start + length };
  }

  #ranges(): Range | Range[] {
    const random = this.#random;
    if (this.#options.scattered > 0 && random.chance(SCATTERED)) return this.#scattered();
    return random.chance(0.8) ? this.#range() : Array.from({ length: 1 + random.below(3) }, () => this.#range());
  }

  /** As many as there may be, or half of them, over all pages or a part of them. */
  #scattered(): Range[] {
    const random = this.#random;
    const { pages, scattered: most } = this.#options;
    const count = Math.ceil(most / (1 + random.below(2)));
    const step = 2 + random.below(Math.floor(pages / count) - 1);
    return scattered(random.below(pages - (count - 1) * step), count, step);
  }

  async #pauses(most: number): Promise<void> {
    for (let i = this.#random.below(most + 1); i > 0; i--) await this.#scheduler.pause();
  }

  // --- readers

  async #reader(): Promise<void> {
    while (this.#left > 0) {
      this.#left--;
      await this.#scheduler.pause();
      if (this.#random.chance(0.1)) await this.#readByHand();
      await this.#lookup((label, fetch, options, ranges) => {
        this.#witness.lookup(label, ranges, options.ignore);
        return this.#tracker.lookup(ranges, fetch, options);
      }, this.#ranges());
    }
    this.#stopped = true;
  }

  /** One lookup of any kind, started by `start`. */
  async #lookup(
    start: (
      label: string,
      fetch: (attempt: Attempt) => Copy | Promise<Copy>,
      options: CommitOptions<Copy, Copy>,
      ranges: Range | Range[],
    ) => Promise<Copy>,
    ranges: Range | Range[],
    install?: (copy: Copy) => void,
  ): Promise<void> {
    const random = this.#random;
    const { cancels, holdMs } = this.#options;
    const label = `lookup ${++this.#ids}`;
    const options: CommitOptions<Copy, Copy> = {
      label,
      holdMs,
      commit: (copy) => {
        this.#install(label, copy);
        install?.(copy);
        return copy;
      },
    };
    if (random.chance(0.3)) options.ignore = contentOnly;
    if (random.chance(0.3)) options.maxAttempts = 1 + random.below(3);
    if (random.chance(0.1)) options.whenExhausted = 'throw';
    if (random.chance(0.05)) options.maxAttempts = Number.POSITIVE_INFINITY;
    const controller = cancels && random.chance(0.2) ? new AbortController() : undefined;
    if (controller !== undefined) options.signal = controller.signal;
    if (cancels && random.chance(0.1)) options.timeoutMs = random.below(8);
    const running = start(label, this.#fetch(label, ranges, random.chance(0.3)), options, ranges);
    if (controller !== undefined) this.#spawn(() => this.#aborter(controller));
    try {
      const copy = await running;
      if (isTorn(copy)) this.#errors.push(`${label} resolved with a torn copy`);
    } catch (error) {
      if (controller?.signal.aborted && error === controller.signal.reason) this.counts.aborted++;
      else if (error instanceof TimeoutError && options.timeoutMs !== undefined) this.counts.timedOut++;
      else if (error instanceof RetryLimitError) this.counts.exhausted++;
      else this.#errors.push(`${label} rejects with ${String(error)}`);
      if (error instanceof RetryLimitError && options.whenExhausted !== 'throw' && this.#options.tickChance === 0) {
        this.#errors.push(`${label} ran out of time although time stood still: ${error.message}`);
      }
    }
    this.#witness.settled(label);
    if (controller !== undefined && getEventListeners(controller.signal, 'abort').length > 0) {
      this.#errors.push(`${label} left a listener behind`);
    }
  }

  async #aborter(controller: AbortController): Promise<void> {
    await this.#pauses(6);
    controller.abort(new Error('aborted by the test'));
  }

  #fetch(label: string, ranges: Range | Range[], atOnce: boolean): (attempt: Attempt) => Copy | Promise<Copy> {
    const own = pagesOf(joined(Array.isArray(ranges) ? ranges : [ranges as Range]));
    const more = Array.from({ length: Math.max(0, this.#random.below(8) - 5) }, () => this.#range());
    return (attempt) => {
      this.#witness.fetching(label, attempt.seq);
      return atOnce ? this.#content.read(own) : this.#readSlowly(label, attempt, own, more);
    };
  }

  async #readSlowly(label: string, attempt: Attempt, own: number[], more: readonly Range[]): Promise<Copy> {
    const random = this.#random;
    const signal = random.chance(0.2) ? attempt.signal : undefined;
    const first = this.#content.readFirst(own);
    await this.#pauses(2);
    const pages = [...own];
    for (const range of more) {
      attempt.observe(range);
      this.#witness.observed(label, range);
      const extra = pagesOf([range]);
      pages.push(...extra);
      first.push(...this.#content.readFirst(extra));
      if (random.chance(0.5)) await this.#scheduler.pause();
    }
    await this.#scheduler.pause();
    signal?.throwIfAborted();
    const copy = { pages, first, second: this.#content.readSecond(pages) };
    // A torn read often does not parse: that is a collision, and must never reach the caller.
    if (isTorn(copy) && random.chance(0.5)) throw new Error(`${label} could not parse what it read`);
    return copy;
  }

  #install(label: string, copy: Copy): void {
    const verdict = this.#content.verdict(copy);
    if (verdict === undefined) return;
    this.counts.torn++;
    this.#errors.push(`${label} commits a ${verdict} copy of pages ${copy.pages.join(' ')}`);
  }

  /** readBegin, read, readRetry: the loop by hand. */
  async #readByHand(): Promise<void> {
    const range = this.#options.scattered > 0 ? this.#ranges() : this.#range();
    const ignore = this.#random.chance(0.3) ? contentOnly : undefined;
    const pages = pagesOf(Array.isArray(range) ? range : [range]);
    for (let round = 0; round < 4; round++) {
      this.counts.tokens++;
      const seq =
        this.#random.chance(0.5) || round === 0
          ? await this.#witness.reading(ignore, () => this.#tracker.readBegin(range, { ignore }))
          : this.#tracker.tryReadBegin(range, { ignore });
      if (seq === undefined) {
        if (!this.#witness.isActive(range, ignore)) this.#errors.push('tryReadBegin refuses although nothing is active');
        await this.#scheduler.pause();
        continue;
      }
      const first = this.#content.readFirst(pages);
      await this.#scheduler.pause();
      const copy = { pages, first, second: this.#content.readSecond(pages) };
      if (!this.#tracker.readRetry(range, seq, { ignore })) return this.#install('a reader by hand', copy);
    }
  }

  // --- writers

  async #writer(id: number): Promise<void> {
    const owner = { id };
    while (!this.#stopped) {
      await this.#scheduler.pause();
      const ranges = this.#ranges();
      const pages = joined(Array.isArray(ranges) ? ranges : [ranges]);
      const style = this.#random.below(10);
      if (style < 4) await this.#write(ranges, pages, owner);
      else if (style < 6) await this.#tracker.mutate(ranges, () => this.#change(pages), { owner });
      else if (style < 8) {
        const section = this.#tracker.tryBegin(ranges, { owner });
        if (section === undefined) this.counts.refused++;
        else await this.#inside(section, pages);
      } else {
        const section = await this.#tracker.begin(ranges, { kind: HARMLESS });
        await this.#pauses(2);
        section.end();
      }
    }
  }

  async #write(ranges: Range | Range[], pages: Range[], owner: unknown): Promise<void> {
    const random = this.#random;
    const controller = random.chance(0.5) ? new AbortController() : undefined;
    if (controller !== undefined && random.chance(0.3)) this.#spawn(() => this.#aborter(controller));
    let section: Invalidation;
    try {
      section = await this.#tracker.begin(ranges, { owner, signal: controller?.signal });
    } catch (error) {
      if (error !== controller?.signal.reason) throw error;
      this.counts.abandoned++;
      return;
    }
    await this.#inside(section, pages);
    if (controller !== undefined && !controller.signal.aborted && getEventListeners(controller.signal, 'abort').length > 0) {
      this.#errors.push('a begin left a listener behind');
    }
  }

  /** Changes the content inside a section; sometimes with a nested one, which may end first or last. */
  async #inside(section: Invalidation, pages: Range[]): Promise<void> {
    const style = this.#random.below(10);
    if (style < 2) {
      const range = this.#range();
      const inner = await this.#tracker.begin(range, { within: section });
      await this.#change([range]);
      if (this.#random.chance(0.5)) inner.end();
      await this.#change(pages);
      section.end();
      inner.end();
    } else if (style < 4) {
      section.end(); // a begin without a change is a change as far as anybody knows
    } else {
      await this.#change(pages);
      section.end();
    }
    section.end();
  }

  async #change(pages: readonly Range[]): Promise<void> {
    this.counts.writes++;
    this.#content.writeFirst(pages);
    await this.#pauses(2);
    this.#content.writeSecond(pages);
  }

  // --- subscribers

  /** A cache of its ranges, dropped at every begin. Whatever it holds is what the content is. */
  async #subscriber(): Promise<void> {
    const random = this.#random;
    const { pages } = this.#options;
    while (!this.#stopped) {
      const cache = new Map<number, number>();
      const open = new Set<Invalidation>();
      const slow = random.chance(0.4);
      const few = random.chance(0.5) ? this.#range() : [this.#range(), this.#range()];
      const ranges = this.#options.scattered > 0 && random.chance(0.3) ? this.#scattered() : few;
      const drop = (section: Invalidation) => {
        for (const page of pagesOf(section.ranges.map((range) => within(range, pages)))) cache.delete(page);
      };
      const subscription = this.#tracker.subscribe(
        ranges,
        {
          invalidate: (section) => {
            if (subscription.closed) this.#errors.push('a closed subscription is told of a begin');
            open.add(section);
            if (!slow || section.kind === HARMLESS) return drop(section);
            if (!section.blockable) {
              open.delete(section);
              return false;
            }
            return this.#pauses(2).then(() => drop(section));
          },
          end: (section) => {
            if (subscription.closed) this.#errors.push('a closed subscription is told of an end');
            if (!open.delete(section)) this.#errors.push('a subscriber hears the end of a section whose begin it has not heard');
          },
        },
        { ignore: contentOnly },
      );
      // Sections that are active already are heard of by their end only.
      for (const { invalidation } of insidesOf(this.#tracker).sections) {
        if (invalidation.active && invalidation.kind !== HARMLESS && anyMeet(invalidation.ranges, subscription.ranges))
          open.add(invalidation);
      }
      for (let round = 0; round < 6 && !this.#stopped; round++) {
        await this.#scheduler.pause();
        const range = subscription.ranges[random.below(subscription.ranges.length)]!;
        await this.#lookup(
          (label, fetch, options) => {
            options.ignore = contentOnly;
            this.#witness.lookup(label, range, contentOnly);
            return subscription.lookup(fetch, { ...options, ranges: range });
          },
          [range],
          ({ pages: read, first }) => {
            for (const [i, page] of read.entries()) if (page >= range.start && page < range.end) cache.set(page, first[i]!);
          },
        );
        await this.#scheduler.pause();
        // What is cached now was not dropped, so nothing changes it now: it is whole, and it is the latest.
        const cached = [...cache.keys()];
        const values = cached.map((page) => cache.get(page)!);
        this.#install('the cache of a subscriber', { pages: cached, first: values, second: values });
      }
      for (const section of open) {
        if (!section.active) this.#errors.push('a subscriber has not heard the end of a section');
      }
      subscription.close();
    }
  }
}

function within({ start, end }: Range, pages: number): Range {
  return { start: Math.max(0, start), end: Math.min(pages, end) };
}
