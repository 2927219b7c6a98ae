/**
 * Joins of a mirror under every order of steps: reads that share loads, some of them given up, while pages change.
 */
import { describe, expect, test } from 'vitest';
import { type Range, RangeTracker } from '../../lib/index.js';
import { RangeMirror } from '../../lib/mirror/index.js';
import { type Actor, explore, replay, type Scenario, ScheduleError, type Step } from '../../lib/testing/index.js';
import { listeners } from '../support/leftovers.js';
import { ManualClock, settled } from '../support/model/clock.js';
import { Content, type Copy, pagesOf } from '../support/model/content.js';
import { runs } from '../support/model/random.js';

const PAGES = 3;
/** Runs of one scenario: most have fewer orders. */
const MOST = 150;
const ABORTED = new Error('aborted');

interface Plan {
  readonly reads: readonly { readonly range: Range; readonly aborts?: boolean }[];
  readonly changes: readonly Range[];
  /** Does a page take a step to leave? */
  readonly slow?: boolean;
}

/** One page as a load has made it. */
interface Page {
  readonly index: number;
  readonly halves: readonly [number, number];
}

/** One run of a scenario. */
class World implements Scenario {
  readonly checkPoints = false; // most of them lie inside the mirror, where nobody else has anything to see
  readonly actors: Record<string, Actor> = {};
  readonly loads: number[] = new Array(PAGES).fill(0);
  readonly outcomes: string[] = [];
  readonly #clock = new ManualClock();
  readonly #tracker = new RangeTracker({ clock: this.#clock });
  readonly #mirror: RangeMirror<Page>;
  readonly #content = new Content(PAGES);
  /** What the content was after each half of a change: nothing else ever was. */
  readonly #past: Copy[] = [];
  readonly #leaving = new Set<number>();
  readonly #signals: AbortSignal[] = [];
  /** Loads that run, for each page those that no begin has hit. */
  readonly #alive = new Map<number, object>();
  /** Takes the steps of loads and drops, which no reader owns. */
  #disk: Step = () => Promise.resolve();

  constructor({ reads, changes, slow = false }: Plan) {
    this.#mirror = new RangeMirror<Page>({
      tracker: this.#tracker,
      clock: this.#clock,
      pageSize: 1,
      range: { start: 0, end: PAGES },
      maxPages: PAGES, // a table of the default size would take longer to make than the run
      load: (first, count, { signal }) => this.#load(first, count, signal),
      onDrop: slow ? ({ index }) => this.#drop(index) : undefined,
    });
    this.#remember();
    this.actors.disk = (step) => {
      this.#disk = step;
    };
    for (const [i, { range, aborts = false }] of reads.entries()) {
      this.actors[`read ${i}`] = async (step) => {
        this.outcomes[i] = await this.#read(range, aborts, step);
      };
    }
    for (const [i, range] of changes.entries()) this.actors[`change ${i}`] = (step) => this.#change(range, step);
  }

  async end(): Promise<void> {
    this.#mirror.close();
    await settled(); // each page that leaves now has a promise
    expect(this.#mirror.size).toBe(0);
    const { subscribedRanges, waiting, inFlightRanges, holds, sections } = this.#tracker.inspect();
    expect([subscribedRanges, waiting, inFlightRanges, holds.length, sections.length, this.#clock.pending]).toEqual([
      0, 0, 0, 0, 0, 0,
    ]);
    for (const signal of this.#signals) expect(listeners(signal)).toBe(0);
  }

  async #read(range: Range, aborts: boolean, step: Step): Promise<string> {
    await step('read');
    const since = this.#past.length - 1;
    const controller = aborts ? new AbortController() : undefined;
    if (controller !== undefined) this.#signals.push(controller.signal);
    const reading = this.#mirror.read(range, { signal: controller?.signal }).then(
      (pages) => this.#judge(range, pages, since),
      (error: unknown) => {
        if (error !== ABORTED) throw error;
        return 'aborted';
      },
    );
    if (controller !== undefined) await step('abort').then(() => controller.abort(ABORTED));
    return reading;
  }

  /** All of it was the content at one moment since the read began. */
  #judge(range: Range, pages: readonly Page[], since: number): string {
    expect(pages.map(({ index }) => index)).toEqual(pagesOf([range]));
    const isAsOf = ({ first, second }: Copy) =>
      pages.every(({ index, halves }) => halves[0] === halves[1] && halves[0] === first[index] && halves[1] === second[index]);
    const versions = pages.map(({ halves }) => halves.join('|'));
    if (!this.#past.slice(since).some(isAsOf)) throw new Error(`pages ${range.start} on, ${versions}, were never so together`);
    return versions.join(' ');
  }

  async #load(first: number, count: number, signal: AbortSignal): Promise<Page[]> {
    const pages = Array.from({ length: count }, (_, i) => first + i);
    const load = {};
    for (const page of pages) {
      if (this.#alive.has(page)) throw new Error(`page ${page} is loaded twice at once`);
      this.#alive.set(page, load);
      this.loads[page]!++;
    }
    const forget = () => {
      for (const page of pages) if (this.#alive.get(page) === load) this.#alive.delete(page);
    };
    signal.addEventListener('abort', forget, { once: true });
    const halves = this.#content.readFirst(pages);
    await this.#disk('load');
    forget();
    const others = this.#content.readSecond(pages);
    return pages.map((index, i) => ({ index, halves: [halves[i]!, others[i]!] }));
  }

  async #drop(index: number): Promise<void> {
    if (this.#mirror.closed) return;
    this.#leaving.add(index);
    await this.#disk('drop');
    this.#leaving.delete(index);
  }

  async #change(range: Range, step: Step): Promise<void> {
    await step('begin');
    const section = await this.#tracker.begin(range);
    for (const page of pagesOf([range])) {
      this.#alive.delete(page); // hit: it may be loaded again
      if (this.#mirror.peek(page) !== undefined) throw new Error(`page ${page} changes and is present`);
      if (this.#leaving.has(page)) throw new Error(`page ${page} changes and is still leaving`);
    }
    this.#content.writeFirst([range]);
    this.#remember();
    await step('change on');
    this.#content.writeSecond([range]);
    this.#remember();
    section.end();
  }

  /** What nobody may do. */
  changeSilently(range: Range): void {
    this.#content.writeFirst([range]);
    this.#content.writeSecond([range]);
    this.#remember();
  }

  #remember(): void {
    this.#past.push(this.#content.read(pagesOf([{ start: 0, end: PAGES }])));
  }
}

const at = (start: number, end: number): Range => ({ start, end });
const RANGES = [at(0, 1), at(0, 2), at(1, 3), at(0, 3)];

/** Two reads, over all pairs of ranges, of which the first may be given up; changes of one page or two; slow drops or not. */
function* plans(): Generator<Plan> {
  for (const changes of [[at(0, 1)], [at(1, 2)], [at(0, 1), at(1, 3)]]) {
    for (const first of RANGES) {
      for (const second of RANGES) {
        for (const aborts of [false, true]) yield { reads: [{ range: first, aborts }, { range: second }], changes, slow: aborts };
      }
    }
  }
}

async function outcomesOf(plan: Plan): Promise<Set<string>> {
  const outcomes = new Set<string>();
  await explore(() => {
    const world = new World(plan);
    const end = async () => {
      await world.end();
      outcomes.add(world.outcomes.join(', '));
    };
    return { actors: world.actors, checkPoints: false, end };
  });
  return outcomes;
}

describe('every order of reads that share loads', () => {
  test('with changes of their pages, and some given up', { timeout: 300_000 }, async () => {
    const total = { scenarios: 0, complete: 0, schedules: 0 };
    for (const plan of plans()) {
      const seen = await explore(() => new World(plan), { maxRuns: runs(MOST) }).catch((error: unknown) => {
        throw new Error(`${JSON.stringify(plan)}: ${error instanceof Error ? error.message : error}`, { cause: error });
      });
      total.scenarios++;
      total.complete += Number(seen.complete);
      total.schedules += seen.schedules;
    }
    console.log(
      `mirror: ${Object.entries(total)
        .map(([what, count]) => `${count} ${what}`)
        .join(', ')}`,
    );
    if (runs(100) >= 100) expect(total.schedules).toBeGreaterThan(10_000);
  });

  test('without a change, each page is loaded once, whoever comes when', async () => {
    let schedules = 0;
    for (const first of RANGES) {
      for (const second of RANGES) {
        const make = () => {
          const world = new World({ reads: [{ range: first }, { range: second }, { range: at(0, 3) }], changes: [] });
          const end = async () => {
            await world.end();
            expect(world.loads).toEqual([1, 1, 1]);
          };
          return { actors: world.actors, checkPoints: false, end };
        };
        schedules += (await explore(make)).schedules;
      }
    }
    expect(schedules).toBeGreaterThan(300);
  });

  test('a reader who leaves takes nothing from those who stay, and all ends are met', async () => {
    const outcomes = await outcomesOf({ reads: [{ range: at(0, 1), aborts: true }, { range: at(0, 1) }], changes: [at(0, 1)] });
    expect([...outcomes].sort()).toEqual(['0|0, 0|0', '0|0, 1|1', '1|1, 0|0', '1|1, 1|1', 'aborted, 0|0', 'aborted, 1|1']);
  });

  test('a change that is not announced is found out, in an order that can be run again', async () => {
    class Silent extends World {
      constructor() {
        super({ reads: [{ range: at(0, 2) }], changes: [] });
        this.actors.silent = async (step) => {
          await step('change silently');
          this.changeSilently(at(1, 2));
        };
      }
    }
    const error = await explore(() => new Silent()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ScheduleError);
    expect((error as ScheduleError).message).toContain('were never so together');
    await expect(replay(() => new Silent(), (error as ScheduleError).schedule)).rejects.toThrow('were never so together');
  });
});
