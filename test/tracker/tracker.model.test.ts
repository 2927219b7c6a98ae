import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Attempt,
  type Ignore,
  type Invalidation,
  type Range,
  RangeTracker,
  type Seq,
  type Subscription,
} from '../../lib/index.js';
import { ManualClock, settled } from '../support/model/clock.js';
import { property } from '../support/model/random.js';
import { anyMeet, scattered } from '../support/model/ranges.js';
import { type Moment, Witness } from '../support/model/witness.js';

const OWNER = { name: 'owner' };
const FILTERS: readonly (Ignore | undefined)[] = [
  undefined,
  ({ kind }) => kind === 'soft-dirty',
  ({ owner }) => owner === OWNER,
  () => {
    throw new Error('a filter that throws has not ignored');
  },
];

interface Told {
  readonly ranges: readonly Range[];
  readonly ignore: Ignore | undefined;
  readonly subscription: Subscription;
  readonly begins: Invalidation[];
  readonly ends: Invalidation[];
}

interface Running {
  readonly label: string;
  readonly ranges: readonly Range[];
  readonly ignore: Ignore | undefined;
  observed: Range[];
  attempt: Attempt | undefined;
  moment: Moment | undefined;
  attempts: number;
  finish: () => void;
  outcome: unknown;
}

/** The tracker and all that a user of it can know. */
class Model {
  readonly clock = new ManualClock();
  readonly witness: Witness;
  readonly tracker: RangeTracker;
  readonly sections: Invalidation[] = [];
  readonly tokens: { readonly seq: Seq; readonly moment: Moment }[] = [];
  readonly reads: { readonly ranges: readonly Range[]; readonly ignore: Ignore | undefined; outcome: unknown }[] = [];
  readonly lookups: Running[] = [];
  readonly subscribers: Told[] = [];
  #ids = 0;

  constructor(capacity: number, seq: number) {
    this.witness = new Witness({ capacity, seq });
    this.tracker = new RangeTracker({
      historyCapacity: capacity,
      initialSeq: seq,
      observer: this.witness.observer,
      clock: this.clock,
    });
  }

  /** A begin reaches exactly the subscribers that overlap and do not ignore it. */
  async begin(
    ranges: readonly Range[],
    waits: boolean,
    options: { kind: string; owner: unknown; within?: Invalidation },
  ): Promise<void> {
    const before = this.subscribers.map(({ begins }) => begins.length);
    const section = waits ? await this.tracker.begin(ranges, options) : this.tracker.tryBegin(ranges, options)!;
    expect(section.active).toBe(true);
    this.sections.push(section);
    for (const [i, told] of this.subscribers.entries()) {
      const heard = told.begins.slice(before[i]);
      const concerned = !told.subscription.closed && anyMeet(told.ranges, ranges) && !ignores(told.ignore, section);
      expect(heard).toEqual(concerned ? [section] : []);
    }
  }

  end(section: Invalidation | undefined): void {
    if (section === undefined) return;
    const wasActive = section.active;
    const before = this.subscribers.map(({ ends }) => ends.length);
    section.end();
    expect(section.active).toBe(false);
    for (const [i, told] of this.subscribers.entries()) {
      const heard = told.ends.slice(before[i]);
      const concerned =
        wasActive && !told.subscription.closed && anyMeet(told.ranges, section.ranges) && !ignores(told.ignore, section);
      expect(heard).toEqual(concerned ? [section] : []);
    }
  }

  token(ranges: readonly Range[], ignore: Ignore | undefined): void {
    const moment = this.witness.moment();
    const seq = this.tracker.tryReadBegin(ranges, { ignore });
    expect(seq === undefined).toBe(this.witness.isActive(ranges, ignore));
    if (seq === undefined) return;
    expect(seq).toBe(moment.seq);
    this.tokens.push({ seq, moment });
  }

  read(ranges: readonly Range[], ignore: Ignore | undefined): void {
    const read: Model['reads'][number] = { ranges, ignore, outcome: undefined };
    this.reads.push(read);
    void this.witness
      .reading(ignore, () => this.tracker.readBegin(ranges, { ignore }))
      .then((seq) => {
        read.outcome = seq;
      });
  }

  ask(ranges: readonly Range[], index: number, ignore: Ignore | undefined): void {
    const token = this.tokens[index % Math.max(1, this.tokens.length)];
    if (token === undefined) return;
    const expected = this.witness.collides(ranges, token.moment, ignore);
    expect(this.tracker.readRetry(ranges, token.seq, { ignore })).toBe(expected);
    if (ranges.length === 1) expect(this.tracker.readRetry(ranges[0]!, token.seq, { ignore })).toBe(expected);
    const lost = this.tracker.stats.historyLost;
    const collision = this.tracker.collision(ranges, token.seq, { ignore });
    this.witness.judge('a token', collision, ranges, token.moment, ignore);
    expect(this.tracker.stats.historyLost - lost).toBe(collision?.reason === 'history-lost' ? 1 : 0);
  }

  lookup(ranges: readonly Range[], ignore: Ignore | undefined, wantsSignal: boolean): void {
    const label = `lookup ${++this.#ids}`;
    this.witness.lookup(label, ranges, ignore);
    const running: Running = {
      label,
      ranges,
      ignore,
      observed: [],
      attempt: undefined,
      moment: undefined,
      attempts: 0,
      finish: () => {},
      outcome: undefined,
    };
    this.lookups.push(running);
    void this.tracker
      .lookup(
        ranges,
        (attempt) => {
          this.witness.fetching(label, attempt.seq);
          if (wantsSignal) expect(attempt.signal.aborted).toBe(false);
          running.attempt = attempt;
          running.moment = this.witness.moment();
          running.observed = [];
          expect(attempt.number).toBe(++running.attempts);
          return new Promise<string>((resolve) => {
            running.finish = () => resolve(label);
          });
        },
        { label, ignore, maxAttempts: Number.POSITIVE_INFINITY },
      )
      .then((value) => {
        running.outcome = value;
        this.witness.settled(label);
      });
  }

  async finish(running: Running | undefined): Promise<void> {
    const { attempt, moment } = running ?? {};
    if (running === undefined || attempt === undefined || moment === undefined) return;
    const collides = this.witness.collides([...running.ranges, ...running.observed], moment, running.ignore);
    running.attempt = undefined;
    running.finish();
    await settled();
    expect(running.outcome).toBe(collides ? undefined : running.label);
    if (!collides) this.lookups.splice(this.lookups.indexOf(running), 1);
  }

  observe(running: Running | undefined, ranges: readonly Range[]): void {
    if (running?.attempt === undefined) return;
    running.attempt.observe(ranges);
    running.observed.push(...ranges);
    this.witness.observed(running.label, ranges);
  }

  subscribe(ranges: readonly Range[], ignore: Ignore | undefined): void {
    const begins: Invalidation[] = [];
    const ends: Invalidation[] = [];
    const subscriber = {
      invalidate: (section: Invalidation) => void begins.push(section),
      end: (section: Invalidation) => void ends.push(section),
    };
    this.subscribers.push({ ranges, ignore, begins, ends, subscription: this.tracker.subscribe(ranges, subscriber, { ignore }) });
  }

  /** Everything that must be true between two steps. */
  async walk(): Promise<void> {
    await settled();
    const { tracker, witness } = this;
    witness.walk(tracker);
    expect(witness.violations).toEqual([]);
    expect(tracker.seq).toBe(witness.seq);
    for (const read of this.reads.filter(({ outcome }) => outcome === undefined))
      expect(witness.isActive(read.ranges, read.ignore)).toBe(true);
    for (const running of this.lookups) {
      const { attempt, moment, ranges, observed, ignore } = running;
      if (attempt === undefined) {
        // Between two attempts: it waits, for something over what it reads or has discovered.
        expect(witness.isActive([...ranges, ...observed], ignore)).toBe(true);
        continue;
      }
      const all = [...ranges, ...observed];
      if (!witness.isLost(moment!)) expect(attempt.signal.aborted).toBe(witness.collides(all, moment!, ignore));
    }
    const { subscribedRanges } = tracker.inspect();
    expect(subscribedRanges).toBe(
      this.subscribers.reduce((sum, { subscription }) => sum + (subscription.closed ? 0 : subscription.ranges.length), 0),
    );
  }
}

function ignores(ignore: Ignore | undefined, { kind, owner, label }: Invalidation): boolean {
  try {
    return ignore?.({ kind, owner, label }) ?? false;
  } catch {
    return false;
  }
}

const range = fc.tuple(fc.nat(14), fc.integer({ min: 1, max: 4 })).map(([start, length]) => ({ start, end: start + length }));
const many = fc.tuple(fc.nat(3), fc.integer({ min: 1000, max: 2000 }), fc.integer({ min: 2, max: 3 }));
const ranges = fc.oneof(
  { weight: 30, arbitrary: range.map((one) => [one]) },
  { weight: 10, arbitrary: fc.array(range, { minLength: 1, maxLength: 4 }) },
  { weight: 1, arbitrary: many.map((shape) => scattered(...shape)) },
);
const step = fc.record({
  what: fc.constantFrom(
    ...([
      'begin',
      'begin',
      'try',
      'nested',
      'end',
      'end',
      'end',
      'token',
      'token',
      'ask',
      'ask',
      'read',
      'lookup',
      'finish',
      'finish',
      'observe',
      'subscribe',
      'close',
    ] as const),
  ),
  ranges,
  who: fc.nat(30),
  filter: fc.nat(FILTERS.length - 1),
  plain: fc.boolean(),
});

test('a tracker does what a witness with a list says, whatever is called in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(2, 5, 4096),
      fc.constantFrom(0, 2 ** 31 - 9, 2 ** 32 - 9),
      fc.array(step, { minLength: 1, maxLength: 50 }),
      async (capacity, seq, steps) => {
        const model = new Model(capacity, seq);
        const { sections, lookups, subscribers } = model;
        for (const { what, ranges: over, who, filter, plain } of steps) {
          const ignore = FILTERS[filter];
          const at = <T>(list: readonly T[]): T | undefined => list[who % Math.max(1, list.length)];
          const options = { kind: plain ? 'clear' : 'soft-dirty', owner: who % 2 === 0 ? OWNER : undefined };
          if (what === 'begin') await model.begin(over, true, options);
          else if (what === 'try') await model.begin(over, false, options);
          else if (what === 'nested') {
            const within = at(sections.filter(({ active }) => active));
            await model.begin(over, plain, within === undefined ? options : { ...options, within });
          } else if (what === 'end') model.end(at(sections));
          else if (what === 'token') model.token(over, ignore);
          else if (what === 'ask') model.ask(over, who, ignore);
          else if (what === 'read') model.read(over, ignore);
          else if (what === 'lookup') model.lookup(over, ignore, plain);
          else if (what === 'finish') await model.finish(at(lookups));
          else if (what === 'observe') model.observe(at(lookups), over);
          else if (what === 'subscribe') model.subscribe(over, ignore);
          else at(subscribers)?.subscription.close();
          await model.walk();
        }
        // Everything ends: then nobody waits, and nothing is left.
        for (const section of sections) model.end(section);
        for (let round = 0; round < 3; round++) for (const running of [...lookups]) await model.finish(running);
        await model.walk();
        expect(lookups).toEqual([]);
        for (const { subscription } of subscribers) subscription.close();
        model.witness.finish(model.tracker);
        expect(model.witness.violations).toEqual([]);
        expect(model.tracker.inspect().subscribedRanges).toBe(0);
        expect(model.clock.pending).toBe(0);
      },
    ),
    property(150),
  );
});
