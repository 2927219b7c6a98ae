/**
 * The tracker under every order of steps: up to three lookups and three sections of every kind, over three pages, judged by
 * the witness and by the content itself.
 *
 * Up to three parties: all orders. More: for each scenario some, chosen by priorities (`RANGEFENCE_RUNS` multiplies them, and
 * `RANGEFENCE_SEED` chooses others). A failure prints the scenario, and the order as `replay` takes it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Attempt,
  ClosedError,
  type Fetch,
  type Invalidation,
  type PlainLookupOptions,
  type Range,
  type Ranges,
  RangeTracker,
  RetryLimitError,
  TimeoutError,
} from '../lib/index.js';
import {
  type Actor,
  explore,
  replay,
  type Scenario,
  ScheduleError,
  type Step,
  sample,
  type Touches,
} from '../lib/testing/index.js';
import { ManualClock } from './model/clock.js';
import { Content, type Copy, isTorn, pagesOf } from './model/content.js';
import { runs, SEED } from './model/random.js';
import { anyMeet } from './model/ranges.js';
import { Witness } from './model/witness.js';
import { listeners } from './support/leftovers.js';

const PAGES = 3;
const TIMEOUT_MS = 10;
const LOOKUPS = ['plain', 'observe', 'abort', 'timeout', 'hold', 'throw', 'by hand'] as const;
const SECTIONS = ['change', 'try', 'nested', 'abort', 'subscribe', 'close'] as const;

type LookupKind = (typeof LOOKUPS)[number];
type SectionKind = (typeof SECTIONS)[number];
type Party = { readonly range: Range } & (
  | { readonly reads: true; readonly kind: LookupKind }
  | { readonly reads: false; readonly kind: SectionKind }
);

/** A party that keeps something derived from a range until it is told to drop it, or closes. */
interface Keeper {
  readonly range: Range;
  keeps: boolean;
}

/** One run of a scenario. */
class World implements Scenario {
  readonly actors: Record<string, Actor> = {};
  /** What became of each party, in words. */
  readonly outcomes: string[] = [];
  readonly #clock = new ManualClock();
  readonly #witness = new Witness({ now: () => this.#clock.now() });
  readonly #tracker: RangeTracker;
  readonly #content = new Content(PAGES + 1);
  readonly #keepers: Keeper[] = [];
  readonly #signals: AbortSignal[] = [];

  constructor(parties: readonly Party[], { prunes = false, Tracker = RangeTracker } = {}) {
    this.#tracker = new Tracker({ clock: this.#clock, observer: this.#witness.observer });
    for (const [i, party] of parties.entries()) {
      const label = `${party.reads ? 'lookup' : 'section'} ${i}: ${party.kind}`;
      const touches = prunes ? touchesOf(party) : undefined;
      this.actors[label] = async (step) => {
        const mine: Step = (name) => step(name, touches);
        await mine('start');
        const acting = party.reads ? this.#read(label, party, mine) : this.#change(label, party, mine);
        this.outcomes[i] = await acting.then(
          (outcome) => outcome,
          (error: unknown) => this.#forgive(party, error),
        );
      };
    }
  }

  check(): void {
    if (!this.#tracker.closed) this.#witness.walk(this.#tracker);
    this.#complain();
  }

  end(): void {
    this.#witness.finish(this.#tracker);
    if (this.#clock.pending > 0) this.#witness.violations.push(`${this.#clock.pending} timers left behind`);
    for (const signal of this.#signals) if (listeners(signal) > 0) this.#witness.violations.push('a listener left behind');
    this.#complain();
  }

  #complain(): void {
    const [first] = this.#witness.violations;
    if (first !== undefined) throw new Error(first);
  }

  #wrong(what: string): void {
    this.#witness.violations.push(what);
  }

  /** Errors that this party may meet; any other is a failure. */
  #forgive({ reads, kind }: Party, error: unknown): string {
    const isExpected =
      (error instanceof ClosedError && this.#tracker.closed) ||
      (error === ABORTED && kind === 'abort') ||
      (error instanceof TimeoutError && kind === 'timeout') ||
      (error instanceof RetryLimitError && kind === 'throw' && reads);
    if (!isExpected) throw error;
    return error instanceof Error ? error.name : String(error);
  }

  #controller(kind: Party['kind']): AbortController | undefined {
    if (kind !== 'abort') return undefined;
    const controller = new AbortController();
    this.#signals.push(controller.signal);
    return controller;
  }

  // --- lookups

  async #read(label: string, party: Party, step: Step): Promise<string> {
    const { kind, range } = party;
    if (kind === 'by hand') return this.#readByHand(label, range, step);
    const controller = this.#controller(kind);
    this.#witness.lookup(label, range);
    const pages = pagesOf([range]);
    const looking = this.#tracker.lookup(
      range,
      async (attempt) => {
        this.#witness.fetching(label, attempt.seq);
        if (kind === 'abort') this.#signals.push(attempt.signal); // in flight from now on
        const first = this.#content.readFirst(pages);
        await step('read on');
        const copy: Copy = { pages, first, second: this.#content.readSecond(pages) };
        if (isTorn(copy)) throw TORN; // does not parse
        return kind === 'observe' ? this.#readMore(label, { copy, attempt }, step) : copy;
      },
      { label, commit: (copy) => this.#commit(label, copy), ...optionsOf(kind, controller?.signal) },
    );
    const over = () => this.#witness.settled(label);
    const done = looking.then(over, over);
    if (controller !== undefined) await step('abort').then(() => controller.abort(ABORTED));
    if (kind === 'timeout') await step('time passes').then(() => this.#clock.advance(TIMEOUT_MS));
    await done;
    return looking;
  }

  #commit(label: string, copy: Copy): string {
    const verdict = this.#content.verdict(copy);
    if (verdict !== undefined) this.#wrong(`${label} commits what is ${verdict}`);
    return `read ${copy.first}`;
  }

  /** What it has read so far leads it to the page behind its range. */
  async #readMore(label: string, { copy, attempt }: { copy: Copy; attempt: Attempt }, step: Step): Promise<Copy> {
    const page = copy.pages.at(-1)! + 1;
    const range = { start: page, end: page + 1 };
    attempt.observe(range);
    this.#witness.observed(label, range);
    const more = this.#content.read([page]);
    await step('finish');
    const join = (a: readonly number[], b: readonly number[]) => [...a, ...b];
    return {
      pages: join(copy.pages, more.pages),
      first: join(copy.first, more.first),
      second: join(copy.second, more.second),
    };
  }

  async #readByHand(label: string, range: Range, step: Step): Promise<string> {
    for (;;) {
      const seq = await this.#witness.reading(undefined, () => this.#tracker.readBegin(range));
      const moment = this.#witness.moment();
      const copy = this.#content.read(pagesOf([range]));
      await step('check');
      const retries = this.#tracker.readRetry(range, seq);
      if (moment.seq === seq && !this.#tracker.closed && retries !== this.#witness.collides(range, moment))
        this.#wrong(`${label} is told ${retries ? 'to' : 'not to'} retry`);
      if (!retries) return this.#commit(label, copy);
      if (this.#tracker.closed) throw new ClosedError(label);
    }
  }

  // --- sections

  async #change(label: string, { kind, range }: Party, step: Step): Promise<string> {
    if (kind === 'subscribe') return this.#keep(label, range, step);
    if (kind === 'close') return this.#tracker.close().then(() => 'closed');
    if (kind === 'try') return this.#try(label, range, step);
    const controller = this.#controller(kind);
    const beginning = this.#tracker.invalidate(range, { label, signal: controller?.signal });
    if (controller !== undefined) {
      const changing = beginning.then((section) => this.#halves(section, step));
      const done = changing.catch(() => this.#witness.refused(queuedAs(this.#witness, label)));
      await step('abort').then(() => controller.abort(ABORTED));
      await done;
      return changing;
    }
    const section = await beginning;
    return this.#halves(section, step, kind === 'nested' ? () => this.#nest(label, section) : undefined);
  }

  /** The change itself, in two halves; `inside` runs between them. */
  async #halves(section: Invalidation, step: Step, inside?: () => Promise<void>): Promise<string> {
    this.#mayChange(section);
    this.#content.writeFirst(section.ranges);
    try {
      await step('change on');
      await inside?.();
    } finally {
      this.#content.writeSecond(section.ranges);
      section.end();
    }
    return 'changed';
  }

  /** A section inside, which reaches out of the outer one. */
  async #nest(label: string, within: Invalidation): Promise<void> {
    const { start, end } = within.ranges[0]!;
    const inner = await this.#tracker.invalidate({ start, end: end + 1 }, { label: `${label}, inner`, within });
    this.#mayChange(inner);
    const page = { start: end, end: end + 1 }; // the rest is torn already, by the outer one
    this.#content.writeFirst([page]);
    this.#content.writeSecond([page]);
    inner.end();
  }

  async #try(label: string, range: Range, step: Step): Promise<string> {
    const isKept = this.#keepers.some((keeper) => keeper.keeps && anyMeet([keeper.range], [range]));
    const isHeld = this.#witness.holds.some((hold) => anyMeet(hold.ranges, [range]));
    const section = this.#tracker.tryInvalidate(range, { label });
    if (section !== undefined) return this.#halves(section, step);
    if (!isKept && !isHeld && !this.#extended(range)) this.#wrong(`${label} was refused, and nobody was in its way`);
    return 'refused';
  }

  /** What a holding lookup has discovered is held, too. */
  #extended(range: Range): boolean {
    return this.#tracker.inspect().holds.some(({ ranges }) => anyMeet(ranges, [range]));
  }

  async #keep(label: string, range: Range, step: Step): Promise<string> {
    const keeper: Keeper = { range, keeps: true };
    let drops = 0;
    const drop = async () => {
      await step('drop');
      keeper.keeps = false;
    };
    const subscription = this.#tracker.subscribe(
      range,
      {
        invalidate: ({ blockable }) => {
          if (!keeper.keeps) return undefined;
          if (!blockable) return false;
          drops++;
          return drop();
        },
      },
      { label },
    );
    // What it keeps it has read just now: if it can be read just now.
    keeper.keeps = this.#tracker.tryReadBegin(range) !== undefined;
    this.#keepers.push(keeper);
    await step('close');
    keeper.keeps = false;
    subscription.close();
    return `told ${drops} times`;
  }

  #mayChange({ ranges, label }: Invalidation): void {
    for (const { range, keeps } of this.#keepers)
      if (keeps && anyMeet([range], ranges)) this.#wrong(`${label} changes what a subscriber still keeps`);
    if (this.#witness.isActive(ranges)) return;
    this.#wrong(`${label} changes and is not active`);
  }
}

const ABORTED = new Error('aborted');
const TORN = new Error('torn');

function optionsOf(
  kind: LookupKind | SectionKind,
  signal: AbortSignal | undefined,
): Pick<PlainLookupOptions<never>, 'signal' | 'timeoutMs' | 'maxAttempts' | 'whenExhausted'> {
  if (kind === 'abort') return { signal };
  if (kind === 'timeout') return { timeoutMs: TIMEOUT_MS };
  if (kind === 'hold') return { maxAttempts: 1 };
  return kind === 'throw' ? { maxAttempts: 1, whenExhausted: 'throw' } : {};
}

/** The section of this label, if it queued when it was given up. */
function queuedAs(witness: Witness, label: string): Invalidation[] {
  return witness.queuedInvalidations.filter((section) => section.label === label);
}

/** Pages, for who reads or changes just some; time and the end of the tracker are everybody's. */
function touchesOf({ kind, range }: Party): Touches | undefined {
  if (kind === 'timeout' || kind === 'close') return undefined;
  const reach = kind === 'observe' || kind === 'nested' ? 1 : 0;
  return { writes: pagesOf([{ start: range.start, end: range.end + reach }]).map((page) => `page ${page}`) };
}

// --- scenarios

/** Where the parties are: all on one page, each on its own and the next one, each on its own. */
const PLACES: readonly ((index: number) => Range)[] = [
  () => ({ start: 0, end: 1 }),
  (index) => ({ start: index % 2, end: (index % 2) + 2 }),
  (index) => ({ start: index % PAGES, end: (index % PAGES) + 1 }),
];

/** All lists of so many kinds, no matter in which order. */
function multisets<Kind>(kinds: readonly Kind[], count: number): Kind[][] {
  if (count === 0) return [[]];
  return kinds.flatMap((kind, i) => multisets(kinds.slice(i), count - 1).map((rest) => [kind, ...rest]));
}

/** All scenarios of so many lookups and sections, at each of the places. */
function* scenarios(lookups: number, sections: number): Generator<Party[]> {
  for (const place of PLACES) {
    for (const reading of multisets(LOOKUPS, lookups)) {
      for (const changing of multisets(SECTIONS, sections)) {
        const readers = reading.map((kind, i): Party => ({ reads: true, kind, range: place(i) }));
        yield [...readers, ...changing.map((kind, i): Party => ({ reads: false, kind, range: place(i) }))];
      }
    }
  }
}

const nameOf = (parties: readonly Party[]) =>
  parties.map(({ kind, range }) => `${kind} [${range.start}, ${range.end})`).join(', ');

/** Runs of a scenario of three parties: nearly half of them have fewer orders. */
const MOST = 150;
/** Together with what is sampled, all that must be seen. */
const ENOUGH = 100_000;
const SHAPES = [1, 2, 3].flatMap((lookups) => [1, 2, 3].map((sections) => [lookups, sections] as const));

/** A failure names its scenario. */
async function named<T>(parties: readonly Party[], running: Promise<T>): Promise<T> {
  return running.catch((error: unknown) => {
    throw new Error(`${nameOf(parties)}: ${error instanceof Error ? error.message : error}`, { cause: error });
  });
}

describe('every order of up to three parties, and some of up to six', () => {
  // An error that nobody looks at need not find out where it is, which would take a quarter of the time.
  const { stackTraceLimit } = Error;
  beforeAll(() => {
    Error.stackTraceLimit = 0;
  });
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  const total = { scenarios: 0, complete: 0, sampled: 0, schedules: 0, steps: 0 };

  test.each(SHAPES.filter(([l, s]) => l + s <= 3))(
    'all orders of %d lookups and %d sections',
    { timeout: 300_000 },
    async (l, s) => {
      for (const parties of scenarios(l, s)) {
        const maxRuns = l + s === 2 ? Number.POSITIVE_INFINITY : runs(MOST);
        const seen = await named(
          parties,
          explore(() => new World(parties, { prunes: l + s > 2 }), { maxRuns }),
        );
        total.scenarios++;
        if (seen.complete) total.complete++;
        else expect(seen.schedules + seen.cut).toBe(maxRuns);
        total.schedules += seen.schedules;
        total.steps += seen.steps;
      }
    },
  );

  test.each(SHAPES.filter(([l, s]) => l + s > 3))(
    'some orders of %d lookups and %d sections',
    { timeout: 300_000 },
    async (l, s) => {
      let index = 0;
      for (const parties of scenarios(l, s)) {
        // Each list of kinds at one of the places, turn by turn, while every run counts.
        if (runs(1) === 1 && index++ % PLACES.length !== 0) continue;
        const seen = await named(
          parties,
          sample(() => new World(parties), { runs: runs(1), seed: SEED + index }),
        );
        total.scenarios++;
        total.sampled++;
        total.schedules += seen.schedules;
        total.steps += seen.steps;
      }
    },
  );

  test('are 100,000 and more', () => {
    console.log(
      `explorer: ${Object.entries(total)
        .map(([what, count]) => `${count} ${what}`)
        .join(', ')}`,
    );
    expect(total.complete).toBeGreaterThan(500);
    if (runs(100) >= 100) expect(total.schedules).toBeGreaterThanOrEqual(ENOUGH);
  });
});

describe('the scenarios themselves', () => {
  const at = (start: number, end: number): Range => ({ start, end });
  const outcomesOf = async (parties: readonly Party[], prunes: boolean) => {
    const outcomes = new Set<string>();
    const make = () => {
      const world = new World(parties, { prunes });
      const { actors } = world;
      const end = () => {
        world.end();
        outcomes.add(world.outcomes.join('; '));
      };
      return { actors, check: () => world.check(), end };
    };
    const seen = await explore(make);
    return { outcomes, seen };
  };

  test('pages that nobody shares may be pruned: nothing else comes out of it', async () => {
    const lookups = LOOKUPS.filter((kind) => kind !== 'timeout');
    let pruned = 0;
    for (const reading of lookups) {
      const parties: Party[] = [
        { reads: true, kind: reading, range: at(0, 1) },
        { reads: false, kind: 'change', range: at(0, 1) },
        { reads: false, kind: 'subscribe', range: at(2, 3) },
      ];
      const [all, some] = [await outcomesOf(parties, false), await outcomesOf(parties, true)];
      expect(some.outcomes).toEqual(all.outcomes);
      expect(some.seen.schedules).toBeLessThan(all.seen.schedules);
      pruned += all.seen.schedules - some.seen.schedules;
    }
    expect(pruned).toBeGreaterThan(100);
  });

  test('all ends that a party can meet are met', async () => {
    const meets = async (reading: LookupKind, changing: SectionKind) => {
      const parties: Party[] = [
        { reads: true, kind: reading, range: at(0, 1) },
        { reads: false, kind: changing, range: at(0, 1) },
      ];
      return [...(await outcomesOf(parties, false)).outcomes].sort();
    };
    expect(await meets('plain', 'change')).toEqual(['read 0; changed', 'read 1; changed']);
    expect(await meets('abort', 'change')).toEqual(['Error; changed', 'read 0; changed', 'read 1; changed']);
    expect(await meets('timeout', 'change')).toEqual(['TimeoutError; changed', 'read 0; changed', 'read 1; changed']);
    expect(await meets('throw', 'change')).toEqual(['RetryLimitError; changed', 'read 0; changed', 'read 1; changed']);
    expect(await meets('plain', 'close')).toEqual(['ClosedError; closed', 'read 0; closed']);
    const held = new Set<string>();
    for (const kind of ['change', 'try', 'abort'] as const) {
      const parties: Party[] = [
        { reads: true, kind: 'hold', range: at(0, 1) },
        { reads: false, kind: 'change', range: at(0, 1) },
        { reads: false, kind, range: at(0, 1) },
      ];
      for (const outcome of (await outcomesOf(parties, false)).outcomes) held.add(outcome);
    }
    expect(held).toContain('read 1; changed; refused'); // by a lookup that held
    expect(held).toContain('read 1; changed; Error'); // given up while it queued
    expect(held).toContain('read 1; changed; changed');
  });

  test('a tracker that does not check is found out, in an order that can be run again', async () => {
    class Careless extends RangeTracker {
      override async lookup<T, R>(_: Ranges, fetch: Fetch<T>, options?: { commit?: ((value: T) => R) | undefined }): Promise<R> {
        const value = await fetch({ number: 1, seq: this.seq, signal: new AbortController().signal, observe: () => {} });
        return options!.commit!(value);
      }
    }
    const parties: Party[] = [
      { reads: true, kind: 'plain', range: at(0, 1) },
      { reads: false, kind: 'change', range: at(0, 1) },
    ];
    const make = () => new World(parties, { Tracker: Careless });
    const error = await explore(make).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ScheduleError);
    await expect(replay(make, (error as ScheduleError).schedule)).rejects.toThrow((error as ScheduleError).message);
  });
});
