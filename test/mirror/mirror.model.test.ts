/**
 * A mirror under random readers, writers, budgets and answers of `onDrop`, in random schedules, judged by a witness that knows
 * every version of every page and when it was the current one.
 */
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { type Invalidation, type Range, RangeTracker, RetryLimitError, TimeoutError } from '../../lib/index.js';
import { type LoadContext, RangeMirror } from '../../lib/mirror/index.js';
import { ManualClock, settled } from '../support/model/clock.js';
import { Random, seeds } from '../support/model/random.js';
import { meet } from '../support/model/ranges.js';
import { Scheduler } from '../support/model/scheduler.js';

const PAGE = 8;
/** Pages of the space; the mirror covers all but the last four, from which pages are derived by `observe`. */
const PAGES = 20;
const MIRRORED = 16;
const HARMLESS = 'soft-dirty';

/** What a load makes of one page: both halves as they were read, and those of another page it was derived from. */
interface Page {
  readonly index: number;
  readonly halves: readonly [number, number];
  readonly other: { readonly index: number; readonly halves: readonly [number, number] } | undefined;
}

/** When a version was the content of its page: from the first tick to before the last. */
interface Reign {
  readonly version: number;
  readonly from: number;
  until: number;
}

/** The source: pages of two halves, and every version each of them ever had. */
class Source {
  tick = 0;
  readonly first: number[] = new Array(PAGES).fill(0);
  readonly second: number[] = new Array(PAGES).fill(0);
  readonly reigns: Reign[][] = Array.from({ length: PAGES }, () => [{ version: 0, from: 0, until: Number.POSITIVE_INFINITY }]);

  writeFirst(page: number): void {
    this.tick++;
    this.first[page]!++;
    this.#judge(page);
  }

  writeSecond(page: number): void {
    this.tick++;
    this.second[page]!++;
    this.#judge(page);
  }

  #judge(page: number): void {
    const last = this.reigns[page]!.at(-1)!;
    last.until = Math.min(last.until, this.tick);
    if (this.first[page] !== this.second[page]) return;
    this.reigns[page]!.push({ version: this.first[page]!, from: this.tick, until: Number.POSITIVE_INFINITY });
  }

  /** The time in which all of this was the content; undefined if a page is torn. */
  reign(index: number, halves: readonly [number, number]): Reign | undefined {
    if (halves[0] !== halves[1]) return undefined;
    return this.reigns[index]!.find(({ version }) => version === halves[0]);
  }

  /** What is wrong with pages that are said to have been valid together at some moment since `tick`. */
  verdict(pages: readonly Page[], since: number): string | undefined {
    let from = since;
    let until = Number.POSITIVE_INFINITY;
    for (const { index, halves, other } of pages) {
      for (const part of other === undefined ? [{ index, halves }] : [{ index, halves }, other]) {
        const reign = this.reign(part.index, part.halves);
        if (reign === undefined) return `page ${index} is torn: ${part.halves} of ${part.index}`;
        from = Math.max(from, reign.from);
        until = Math.min(until, reign.until);
      }
    }
    return from < until ? undefined : `pages ${pages.map(({ index }) => index)} were never valid together since ${since}`;
  }
}

interface Load {
  readonly first: number;
  readonly count: number;
  /** Pages that no begin has hit, nor anything the load has observed. */
  readonly alive: Set<number>;
  readonly observed: Range[];
  readonly signal: AbortSignal;
  settled: boolean;
}

interface Options {
  readonly seed: number;
  readonly maxPages: number;
  readonly maxRunPages: number;
  readonly longest: number;
  readonly observes?: boolean;
  readonly dawdles?: boolean;
}

/** One mirror and everybody around it. */
class World {
  readonly source = new Source();
  readonly violations: string[] = [];
  readonly counts = {
    reads: 0,
    aborted: 0,
    timedOut: 0,
    exhausted: 0,
    joined: 0,
    retried: 0,
    evicted: 0,
    slowDrops: 0,
    failed: 0,
  };
  readonly #options: Options;
  readonly #random: Random;
  readonly #clock = new ManualClock();
  readonly #scheduler: Scheduler;
  readonly #tracker: RangeTracker;
  readonly #mirror: RangeMirror<Page>;
  readonly #loads = new Set<Load>();
  readonly #seen = new Set<Page>();
  readonly #dropped = new Set<Page>();
  readonly #leaving = new Set<Page>();
  #running = 0;
  #left = 40;

  constructor(options: Options) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#scheduler = new Scheduler(this.#random, this.#clock);
    this.#tracker = new RangeTracker({
      clock: this.#clock,
      observer: { begin: ({ invalidation }) => this.#begun(invalidation) },
    });
    this.#mirror = new RangeMirror<Page>({
      tracker: this.#tracker,
      clock: this.#clock,
      pageSize: PAGE,
      range: { start: 0, end: MIRRORED * PAGE },
      maxPages: options.maxPages,
      maxRunPages: options.maxRunPages,
      ignore: ({ kind }) => kind === HARMLESS,
      load: (first, count, context) => this.#load(first, count, context),
      onDrop: (page, index) => this.#drop(page, index),
    });
  }

  async run(): Promise<void> {
    const actors = [...Array.from({ length: 4 }, () => this.#reader()), this.#writer(), this.#writer(), this.#dabbler()];
    for (const actor of actors) this.#spawn(actor);
    let steps = 0;
    await this.#scheduler.run(
      () => this.#running === 0,
      () => {
        if (++steps > 40_000) throw new Error('no end: somebody goes on for ever');
        this.#walk();
        if (this.violations.length > 0) throw new Error(this.violations.slice(0, 4).join('\n'));
      },
    );
    const { joined, retriedPages, evicted, failed } = this.#mirror.stats;
    Object.assign(this.counts, { joined, retried: retriedPages, evicted, failed });
    await this.#close();
  }

  /** After close nothing is left, and every page that was ever seen has been dropped, once. */
  async #close(): Promise<void> {
    this.#mirror.close();
    while (this.#leaving.size > 0) {
      await this.#scheduler.run(
        () => this.#leaving.size === 0,
        () => {},
      );
    }
    await settled();
    expect(this.#mirror.size).toBe(0);
    for (const page of this.#seen) if (!this.#dropped.has(page)) this.violations.push(`page ${page.index} was never dropped`);
    const { subscribedRanges, waiting, inFlightRanges, holds, sections } = this.#tracker.inspect();
    expect({ subscribedRanges, waiting, inFlightRanges, holds, sections }).toEqual({
      subscribedRanges: 0,
      waiting: 0,
      inFlightRanges: 0,
      holds: [],
      sections: [],
    });
    expect(this.#clock.pending).toBe(0);
    expect(this.violations).toEqual([]);
  }

  #spawn(actor: Promise<void>): void {
    this.#running++;
    actor
      .catch((error: unknown) => this.violations.push(error instanceof Error ? `${error.stack}` : String(error)))
      .finally(() => this.#running--);
  }

  async #pauses(most: number): Promise<void> {
    for (let i = this.#random.below(most + 1); i > 0; i--) await this.#scheduler.pause();
  }

  // --- what the mirror calls

  async #load(first: number, count: number, { signal, observe }: LoadContext): Promise<Page[]> {
    const random = this.#random;
    const indexes = Array.from({ length: count }, (_, i) => first + i);
    if (count > this.#options.maxRunPages) this.violations.push(`a load of ${count} pages`);
    for (const index of indexes) {
      if (this.#mirror.peek(index) !== undefined) this.violations.push(`page ${index} is loaded though it is present`);
      for (const load of this.#loads)
        if (!load.settled && !load.signal.aborted && load.alive.has(index)) this.violations.push(`page ${index} is loaded twice`);
    }
    const load: Load = { first, count, alive: new Set(indexes), observed: [], signal, settled: false };
    this.#loads.add(load);
    try {
      const begun = indexes.map((index) => this.source.first[index]!);
      await this.#pauses(2);
      const other = this.#options.observes && random.chance(0.5) ? random.below(PAGES) : undefined;
      let seen: Page['other'];
      if (other !== undefined) {
        const range = { start: other * PAGE + 2, end: other * PAGE + 3 };
        observe(range);
        load.observed.push({ start: other * PAGE, end: (other + 1) * PAGE });
        const half = this.source.first[other]!;
        await this.#scheduler.pause();
        seen = { index: other, halves: [half, this.source.second[other]!] };
      }
      await this.#scheduler.pause();
      // Who is told that nobody waits need not answer at all: a reader that waits here all the same would wait for ever.
      if (signal.aborted && random.chance(0.7)) return await new Promise<never>(() => {});
      const pages = indexes.map((index, i) => ({
        index,
        halves: [begun[i]!, this.source.second[index]!] as const,
        other: seen,
      }));
      if (pages.some((page) => this.source.verdict([page], 0) !== undefined) && random.chance(0.5)) throw new Error('torn');
      return pages;
    } finally {
      load.settled = true;
      this.#loads.delete(load);
    }
  }

  #drop(page: Page, index: number): void | Promise<void> {
    if (page.index !== index) this.violations.push(`page ${page.index} is dropped as ${index}`);
    if (this.#dropped.has(page)) this.violations.push(`page ${index} is dropped twice`);
    if (this.#mirror.peek(index) === page) this.violations.push(`page ${index} is dropped and still present`);
    this.#dropped.add(page);
    if (!this.#options.dawdles || this.#random.chance(0.5)) return undefined;
    this.counts.slowDrops++;
    this.#leaving.add(page);
    return this.#pauses(3).then(() => void this.#leaving.delete(page));
  }

  #begun({ ranges, kind }: Invalidation): void {
    if (kind === HARMLESS) return;
    for (const load of this.#loads) {
      for (const range of ranges) {
        if (load.observed.some((seen) => meet(seen, range))) load.alive.clear();
        for (const index of load.alive)
          if (meet(range, { start: index * PAGE, end: (index + 1) * PAGE })) load.alive.delete(index);
      }
    }
  }

  // --- who is around

  #range(pages: number, longest: number): Range {
    const length = 1 + this.#random.below(longest * PAGE);
    const start = this.#random.below(pages * PAGE - length + 1);
    return { start, end: start + length };
  }

  async #reader(): Promise<void> {
    const random = this.#random;
    while (this.#left > 0) {
      this.#left--;
      await this.#scheduler.pause();
      const range = this.#range(MIRRORED, this.#options.longest);
      const controller = random.chance(0.2) ? new AbortController() : undefined;
      const timeoutMs = random.chance(0.1) ? random.below(4) : undefined;
      const since = this.source.tick;
      const reading = this.#mirror.read(range, { signal: controller?.signal, timeoutMs });
      if (controller !== undefined) this.#spawn(this.#pauses(5).then(() => controller.abort(new Error('enough'))));
      if (timeoutMs !== undefined) this.#spawn(this.#pauses(5).then(() => this.#clock.advance(timeoutMs)));
      try {
        const pages = await reading;
        this.counts.reads++;
        const wanted = Math.ceil(range.end / PAGE) - Math.floor(range.start / PAGE);
        expect(pages.map(({ index }) => index)).toEqual(
          Array.from({ length: wanted }, (_, i) => Math.floor(range.start / PAGE) + i),
        );
        const verdict = this.source.verdict(pages, since);
        if (verdict !== undefined) this.violations.push(verdict);
        for (const page of pages) this.#seen.add(page);
      } catch (error) {
        if (controller?.signal.aborted && error === controller.signal.reason) this.counts.aborted++;
        else if (error instanceof TimeoutError && timeoutMs !== undefined) this.counts.timedOut++;
        else if (error instanceof RetryLimitError) this.counts.exhausted++;
        else this.violations.push(`a read rejects with ${error}`);
      }
      if (controller !== undefined) expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    }
  }

  /** Prefetches and peeks. */
  async #dabbler(): Promise<void> {
    while (this.#left > 0) {
      await this.#pauses(4);
      this.#mirror.prefetch(this.#range(MIRRORED, this.#options.longest));
      this.#mirror.peek(this.#random.below(MIRRORED));
    }
  }

  async #writer(): Promise<void> {
    const random = this.#random;
    while (this.#left > 0) {
      await this.#pauses(6);
      const range = this.#range(PAGES, 3);
      if (random.chance(0.1)) await this.#tracker.mutate(range, () => this.#pauses(2), { kind: HARMLESS });
      else if (random.chance(0.2)) {
        const section = this.#tracker.tryBegin(range);
        if (section !== undefined) await this.#change(section);
      } else await this.#change(await this.#tracker.begin(range));
    }
  }

  async #change(section: Invalidation): Promise<void> {
    const [{ start, end }] = section.ranges as [Range];
    const pages: number[] = [];
    for (let page = Math.floor(start / PAGE); page < Math.ceil(end / PAGE); page++) pages.push(page);
    const isHit = ({ index, other }: Page) =>
      pages.includes(index) || (other !== undefined && this.#observedHit(other.index, section));
    for (const page of this.#leaving)
      if (isHit(page)) this.violations.push(`a begin resolves while page ${page.index} is leaving`);
    for (const index of pages) {
      if (index < MIRRORED && this.#mirror.peek(index) !== undefined)
        this.violations.push(`page ${index} is present inside a section`);
    }
    // The part of a page that `observe` names is two units behind its start: only a section over that changes the others.
    const changed = pages.filter((page) => this.#observedHit(page, section));
    for (const page of changed) this.source.writeFirst(page);
    await this.#pauses(2);
    for (const page of changed) this.source.writeSecond(page);
    section.end();
  }

  #observedHit(page: number, { ranges }: Invalidation): boolean {
    return ranges.some((range) => meet(range, { start: page * PAGE + 2, end: page * PAGE + 3 }));
  }

  /** Whatever is present is what the source holds now. */
  #walk(): void {
    if (this.#random.chance(0.5)) return;
    for (let index = 0; index < MIRRORED; index++) {
      const page = this.#mirror.peek(index);
      if (page === undefined) continue;
      this.#seen.add(page);
      const verdict = this.source.verdict([page], this.source.tick);
      if (verdict !== undefined) this.violations.push(`present: ${verdict}`);
      if (this.#dropped.has(page)) this.violations.push(`page ${index} is present after its onDrop`);
    }
  }
}

async function runWorlds(options: Omit<Options, 'seed'>, seed: number): Promise<World['counts']> {
  const world = new World({ ...options, seed });
  await world.run();
  return world.counts;
}

test.each(seeds(40))('no page is ever stale, torn, lost or loaded in vain, with room for all (seed %i)', async (seed) => {
  const counts = await runWorlds({ maxPages: 64, maxRunPages: 8, longest: 4 }, seed);
  expect(counts.reads + counts.aborted + counts.timedOut + counts.exhausted).toBe(40);
  expect(counts.evicted).toBe(0);
});

test.each(seeds(40))('nor with room for three pages, of which reads need more (seed %i)', async (seed) => {
  const counts = await runWorlds({ maxPages: 3, maxRunPages: 3, longest: 6, dawdles: true }, seed);
  expect(counts.evicted).toBeGreaterThan(0);
  expect(counts.slowDrops).toBeGreaterThan(0);
});

test.each(seeds(40))('nor when pages are derived from others, inside and outside of the mirror (seed %i)', async (seed) => {
  await runWorlds({ maxPages: 8, maxRunPages: 2, longest: 4, observes: true, dawdles: true }, seed);
});

test('a world as above sees joined loads, retried pages, aborts and time limits', async () => {
  const sum = { joined: 0, retried: 0, aborted: 0, timedOut: 0 };
  for (const seed of seeds(20)) {
    const counts = await runWorlds({ maxPages: 64, maxRunPages: 4, longest: 4 }, seed);
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += counts[name];
  }
  for (const count of Object.values(sum)) expect(count).toBeGreaterThan(5);
});
