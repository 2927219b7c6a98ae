/**
 * Tracker world: lookups and sections of every kind over three pages, judged by the witness and by the content itself. Each
 * is an actor of the explorer.
 */
import {
  type Attempt,
  ClosedError,
  type Invalidation,
  type PlainLookupOptions,
  type Range,
  RangeTracker,
  RetryLimitError,
  type Subscription,
  TimeoutError,
} from '../../../lib/index.js';
import type { Actor, Scenario, Step, Touches } from '../../../lib/testing/index.js';
import { listeners } from '../leftovers.js';
import { ManualClock } from '../model/clock.js';
import { Content, type Copy, isTorn, pagesOf } from '../model/content.js';
import { anyMeet } from '../model/ranges.js';
import { Witness } from '../model/witness.js';
import { Memory } from './memory.js';

export const PAGES = 3;
const TIMEOUT_MS = 10;
export const LOOKUPS = ['plain', 'observe', 'abort', 'timeout', 'hold', 'throw', 'by hand', 'subscribed'] as const;
export const SECTIONS = ['change', 'try', 'nested', 'abort', 'subscribe', 'close'] as const;

export type LookupKind = (typeof LOOKUPS)[number];
export type SectionKind = (typeof SECTIONS)[number];
/** Those that come to the page behind their range, too: by observing it, or by a section inside. */
export const REACHING: ReadonlySet<string> = new Set(['observe', 'nested']);

export type Party = { readonly range: Range } & (
  | { readonly reads: true; readonly kind: LookupKind }
  | { readonly reads: false; readonly kind: SectionKind }
);

const ALL = Array.from({ length: PAGES + 1 }, (_, page) => page);

/** A party that keeps something derived from a range until it is told to drop it, or closes. */
interface Keeper {
  readonly label: string;
  readonly range: Range;
  keeps: boolean;
}

/** One run of a scenario. */
export class World implements Scenario {
  readonly actors: Record<string, Actor> = {};
  /** What became of each party, in words. */
  readonly outcomes: string[] = [];
  readonly #clock = new ManualClock();
  readonly #witness = new Witness({ now: () => this.#clock.now() });
  readonly #tracker: RangeTracker;
  readonly #content = new Content(PAGES + 1);
  readonly #keepers: Keeper[] = [];
  readonly #signals: AbortSignal[] = [];
  readonly #memory = new Memory(this.#witness);
  /** Most of what its parties do behind an await of the tracker's changes nothing, and check points triple the orders. */
  readonly checkPoints: boolean;
  /** As `Scenario` has it; only if it was asked for. */
  readonly state?: () => string;
  readonly twins?: readonly string[][];

  constructor(
    parties: readonly Party[],
    { prunes = false, merges = false, twins = false, checkPoints = false, Tracker = RangeTracker } = {},
  ) {
    this.checkPoints = checkPoints;
    const { observer } = merges ? this.#memory : this.#witness;
    this.#tracker = new Tracker({ clock: this.#clock, observer });
    if (merges) this.state = () => this.#state();
    if (twins) this.twins = twinsOf(parties);
    for (const [i, party] of parties.entries()) {
      const label = labelOf(party, i);
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

  /** All that decides how it goes on, by what the tracker shows, what the witness has seen and what the parties remember. */
  #state(): string {
    const { closed } = this.#tracker;
    const shown = this.#memory.shown(this.#tracker);
    const kept = this.#keepers.map(({ label, keeps }) => `${label}${keeps ? '+' : ''}`);
    return [shown, kept, Object.values(this.#content.read(ALL)), this.#clock.now(), this.#clock.pending, closed].join(' | ');
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
      (error instanceof ClosedError && (this.#tracker.closed || kind === 'subscribed')) ||
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
    const source = kind === 'subscribed' ? this.#source(label, range) : this.#tracker;
    this.#witness.lookup(label, range);
    const fetch = (attempt: Attempt) => this.#fetch(label, party, { attempt, step });
    const options = { label, commit: (copy: Copy) => this.#commit(label, copy), ...optionsOf(kind, controller?.signal) };
    const looking =
      'close' in source && 'ranges' in source ? source.lookup(fetch, options) : source.lookup(range, fetch, options);
    const over = () => this.#witness.settled(label);
    const done = looking.then(over, over);
    if (controller !== undefined) await step('abort').then(() => controller.abort(ABORTED));
    if (kind === 'timeout') await step('time passes').then(() => this.#clock.advance(TIMEOUT_MS));
    if ('ranges' in source) await step('close').then(() => source.close());
    await done;
    return looking;
  }

  /** A lookup through a subscription, which is closed at some moment. */
  #source(label: string, range: Range): Subscription {
    this.#keepers.push({ label, range, keeps: false });
    return this.#tracker.subscribe(range, { invalidate: () => {} });
  }

  async #fetch(label: string, { kind, range }: Party, { attempt, step }: { attempt: Attempt; step: Step }): Promise<Copy> {
    this.#witness.fetching(label, attempt.seq);
    if (kind === 'abort') this.#signals.push(attempt.signal); // in flight from now on
    const pages = pagesOf([range]);
    const first = this.#content.readFirst(pages);
    const ranges = kind === 'observe' ? [range, { start: range.end, end: range.end + 1 }] : [range];
    const over = this.#memory.reads({ label, ranges, moment: this.#witness.moment(), first });
    try {
      await step('read on');
      const copy: Copy = { pages, first, second: this.#content.readSecond(pages) };
      if (isTorn(copy)) throw TORN; // does not parse
      return kind === 'observe' ? await this.#readMore(label, { copy, attempt }, step) : copy;
    } finally {
      over();
    }
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
    this.#memory.extends(label);
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
      this.#memory.caller = label;
      const seq = await this.#witness.reading(undefined, () => this.#tracker.readBegin(range));
      const moment = this.#witness.moment();
      const copy = this.#content.read(pagesOf([range]));
      const over = this.#memory.reads({ label, ranges: [range], moment, first: copy.first });
      await step('check');
      over();
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
    const beginning = this.#tracker.begin(range, { label, signal: controller?.signal });
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
    const inner = await this.#tracker.begin({ start, end: end + 1 }, { label: `${label}, inner`, within });
    this.#mayChange(inner);
    const page = { start: end, end: end + 1 }; // the rest is torn already, by the outer one
    this.#content.writeFirst([page]);
    this.#content.writeSecond([page]);
    inner.end();
  }

  async #try(label: string, range: Range, step: Step): Promise<string> {
    const isKept = this.#keepers.some((keeper) => keeper.keeps && anyMeet([keeper.range], [range]));
    const isHeld = this.#witness.holds.some((hold) => anyMeet(hold.ranges, [range]));
    const section = this.#tracker.tryBegin(range, { label });
    if (section !== undefined) return this.#halves(section, step);
    if (!isKept && !isHeld && !this.#extended(range)) this.#wrong(`${label} was refused, and nobody was in its way`);
    return 'refused';
  }

  /** What a holding lookup has discovered is held, too. */
  #extended(range: Range): boolean {
    return this.#tracker.inspect().holds.some(({ ranges }) => anyMeet(ranges, [range]));
  }

  async #keep(label: string, range: Range, step: Step): Promise<string> {
    const keeper: Keeper = { label, range, keeps: true };
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
  const reach = Number(REACHING.has(kind));
  return { writes: pagesOf([{ start: range.start, end: range.end + reach }]).map((page) => `page ${page}`) };
}

/** Names a party in messages and diagrams. */
export function labelOf({ reads, kind }: Party, index: number): string {
  return `${reads ? 'lookup' : 'section'} ${index}: ${kind}`;
}

/** Those that do the same at the same place. */
export function twinsOf(parties: readonly Party[]): string[][] {
  const groups = new Map<string, string[]>();
  for (const [i, party] of parties.entries()) {
    const { reads, kind, range } = party;
    const key = JSON.stringify([reads, kind, range.start, range.end]);
    groups.set(key, [...(groups.get(key) ?? []), labelOf(party, i)]);
  }
  return [...groups.values()].filter(({ length }) => length > 1);
}
