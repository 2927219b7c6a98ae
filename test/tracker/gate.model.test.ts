import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Invalidation, type Range, RetryLimitError } from '../../lib/index.js';
import { insidesOf } from '../support/insides.js';
import { type Holder, Stage } from '../support/model/holder.js';
import { property } from '../support/model/random.js';
import { meet } from '../support/model/ranges.js';

/**
 * The rules of the gate, as bounds on what may happen between two moments at which nothing moves any more. What they
 * leave open is the order in which equals go.
 *
 *   a begin enters      only if every older hold in its way still waits for a begin that is older than that hold
 *                       always if no hold is in its way
 *   a begin that will not wait is refused exactly if anybody holds part of its range; a nested one never waits
 *   a begin queues      only behind a hold that is older
 *   a hold waits        only for something active, or for a begin that queues and is older (the witness sees to this)
 *   everything ends     once everybody who has had a turn has given it back, and no hold runs out by itself
 */
class Rules {
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Before a begin: what has to become of it. */
  verdict({ start, end }: Range): 'must go' | 'may go' | 'must wait' {
    const range = { start, end };
    const { witness, tracker } = this.#stage;
    const inTheWay = witness.holds.filter(({ ranges }) => ranges.some((held) => meet(held, range)));
    if (inTheWay.length === 0) return 'must go';
    const waiting = new Set(tracker.inspect().holds.flatMap(({ label, admitted }) => (admitted ? [] : [label])));
    const mayPass = inTheWay.every(
      (hold) =>
        waiting.has(hold.label) &&
        witness.queue.some(
          ({ ranges, since }) => since < hold.since && ranges.some((queued) => hold.ranges.some((held) => meet(queued, held))),
        ),
    );
    return mayPass ? 'may go' : 'must wait';
  }

  /** Whenever nothing moves: who queues does so behind somebody older. */
  check(): void {
    const { witness } = this.#stage;
    for (const { ranges, since } of witness.queue) {
      const older = witness.holds.some(
        (hold) => hold.since < since && hold.ranges.some((held) => ranges.some((range) => meet(held, range))),
      );
      expect(older, `a begin over ${JSON.stringify(ranges)} queues behind younger holds only`).toBe(true);
    }
    expect(witness.violations).toEqual([]);
  }
}

/** Few ranges, so that equal ones meet often. */
const RANGES: readonly Range[] = [
  { start: 0, end: 8 },
  { start: 8, end: 16 },
  { start: 4, end: 12 },
  { start: 0, end: 16 },
];

const step = fc.record({
  what: fc.constantFrom(
    'hold',
    'hold',
    'begin',
    'begin',
    'try',
    'nested',
    'end',
    'end',
    'finish',
    'finish',
    'abort begin',
    'abort hold',
  ),
  range: fc.nat(RANGES.length - 1),
  who: fc.nat(20),
});

interface Run {
  readonly stage: Stage;
  readonly rules: Rules;
  readonly root: Invalidation;
  readonly active: Invalidation[];
  readonly begins: { readonly controller: AbortController; state: 'pending' | 'active' | 'given up' }[];
  readonly holders: { readonly holder: Holder; readonly controller: AbortController }[];
}

async function play(run: Run, { what, range, who }: { what: string; range: number; who: number }): Promise<void> {
  const { stage, rules, root, active, begins, holders } = run;
  const { tracker } = stage;
  const over = RANGES[range]!;
  const at = <T>(list: readonly T[]): T | undefined => list[who % Math.max(1, list.length)];
  if (what === 'hold') {
    const controller = new AbortController();
    holders.push({ holder: stage.holder(`holder ${holders.length}`, over, { signal: controller.signal }), controller });
  } else if (what === 'begin' || what === 'nested') {
    const verdict = what === 'nested' ? 'must go' : rules.verdict(over);
    const controller = new AbortController();
    const begin: Run['begins'][number] = { controller, state: 'pending' };
    begins.push(begin);
    const options = { signal: controller.signal, ...(what === 'nested' ? { within: root } : {}) };
    void tracker.begin(over, options).then(
      (section) => {
        begin.state = 'active';
        active.push(section);
      },
      () => {
        begin.state = 'given up';
      },
    );
    await stage.settle();
    if (verdict !== 'may go')
      expect(begin.state, `${what} over [${over.start}, ${over.end})`).toBe(verdict === 'must go' ? 'active' : 'pending');
  } else if (what === 'try') {
    const verdict = rules.verdict(over);
    const section = tracker.tryBegin(over);
    expect(section === undefined).toBe(verdict !== 'must go');
    if (section !== undefined) active.push(section);
  } else if (what === 'end') {
    const section = at(active);
    if (section !== undefined) active.splice(active.indexOf(section), 1);
    section?.end();
  } else if (what === 'finish') {
    at(holders.filter(({ holder }) => holder.attempts.length > 0 && !holder.isFinishing))?.holder.finish();
  } else if (what === 'abort begin') {
    at(begins.filter(({ state }) => state === 'pending'))?.controller.abort(new Error('given up'));
  } else {
    at(holders.filter(({ holder }) => holder.outcome === undefined))?.controller.abort(new Error('aborted'));
  }
  await stage.settle();
  for (const { controller, state } of begins)
    if (controller.signal.aborted && state === 'pending') throw new Error('an aborted begin still waits');
  stage.witness.refused(goneFrom(stage));
  rules.check();
}

/** Begins that have given up: the witness cannot hear of them from the tracker. */
function goneFrom({ witness, tracker }: Stage): Invalidation[] {
  const shown = new Set(insidesOf(tracker).sections.map(({ invalidation }) => invalidation));
  return witness.queuedInvalidations.filter((invalidation) => !shown.has(invalidation));
}

async function start(): Promise<Run> {
  const stage = new Stage();
  const root = await stage.tracker.begin({ start: 1000, end: 1001 }, { label: 'root' });
  return { stage, rules: new Rules(stage), root, active: [], begins: [], holders: [] };
}

/** Gives everybody a turn who has none, until nobody is left. */
async function finish({ stage, root, active, begins, holders, rules }: Run): Promise<void> {
  const isOver = () =>
    holders.every(({ holder }) => holder.outcome !== undefined) && begins.every(({ state }) => state !== 'pending');
  for (let round = 0; round < 4 * (begins.length + holders.length) + 4 && !isOver(); round++) {
    for (const { holder } of holders) if (holder.attempts.length > 0 && !holder.isFinishing) holder.finish();
    await stage.settle();
    while (active.length > 0) active.pop()!.end();
    await stage.settle();
    rules.check();
  }
  expect(isOver(), 'everybody has had a turn').toBe(true);
  while (active.length > 0) active.pop()!.end();
  root.end();
  stage.witness.finish(stage.tracker);
  expect(stage.witness.violations).toEqual([]);
  expect(stage.clock.pending).toBe(0);
}

test('holds and begins obey the rules of the gate in any order, and everybody gets a turn while time stands still', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 24 }), async (steps) => {
      const run = await start();
      for (const one of steps) await play(run, one);
      await finish(run);
      expect(run.stage.tracker.stats.holdsExpired).toBe(0);
      for (const { holder, controller } of run.holders) {
        expect(holder.outcome).toBe(
          controller.signal.aborted && holder.outcome !== holder.label ? controller.signal.reason : holder.label,
        );
      }
    }),
    property(250),
  );
});

test('holds and begins obey the rules of the gate while time passes and holds run out', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, fc.nat(400)), { maxLength: 24 }), async (steps) => {
      const run = await start();
      for (const [one, ms] of steps) {
        await play(run, one);
        run.stage.clock.advance(ms);
        await run.stage.settle();
        run.stage.witness.refused(goneFrom(run.stage));
        run.rules.check();
      }
      await finish(run);
      for (const { holder, controller } of run.holders) {
        const { outcome } = holder;
        expect(outcome === holder.label || outcome === controller.signal.reason || outcome instanceof RetryLimitError).toBe(true);
      }
    }),
    property(150),
  );
});

test('waiting holds are admitted together, and begins that queue behind them go together, in the order of coming', async () => {
  const stage = new Stage();
  const page = RANGES[0]!;
  const first = await stage.tracker.begin(page, { label: 'first' });
  const one = stage.holder('one', page);
  const two = stage.holder('two', RANGES[3]!);
  const overtaking = await stage.tracker.begin(page, { label: 'overtaking' });
  first.end();
  await stage.settle();
  const entered: string[] = [];
  const sections: Invalidation[] = [];
  for (const label of ['a', 'b', 'c']) {
    void stage.tracker.begin(page, { label }).then((section) => {
      entered.push(label);
      sections.push(section);
    });
  }
  const three = stage.holder('three', page); // after a, b and c
  await stage.settle();
  expect(stage.tracker.inspect().holds.map(({ admitted }) => admitted)).toEqual(
    [false, false, false].slice(0, stage.tracker.inspect().holds.length),
  );
  overtaking.end();
  await stage.settle();
  expect([one.attempts.length, two.attempts.length, three.attempts.length]).toEqual([1, 1, 0]);
  expect(entered).toEqual([]);
  one.finish();
  await stage.settle();
  expect(entered).toEqual([]);
  two.finish();
  await stage.settle();
  expect(entered).toEqual(['a', 'b', 'c']);
  expect(three.attempts.length).toBe(0);
  for (const section of sections) section.end();
  await stage.settle();
  expect(three.attempts.length).toBe(1);
  three.finish();
  await stage.settle();
  expect(stage.witness.violations).toEqual([]);
});

test('begins that one hold delays go in the order of coming, and so do readers that one section delays', async () => {
  const stage = new Stage();
  const page = RANGES[0]!;
  const holder = stage.holder('holder', page);
  await stage.settle();
  const order: string[] = [];
  const sections: Invalidation[] = [];
  for (const label of ['a', 'b', 'c']) {
    void stage.tracker.begin(page, { label }).then((section) => {
      order.push(label);
      sections.push(section);
    });
  }
  await stage.settle();
  holder.finish();
  await stage.settle();
  expect(order).toEqual(['a', 'b', 'c']);
  sections.pop()!.end();
  for (const label of ['d', 'e', 'f']) {
    void stage.witness.reading(undefined, () => stage.tracker.readBegin(page)).then(() => order.push(label));
  }
  for (const section of sections) section.end();
  await stage.settle();
  expect(order).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  expect(stage.witness.violations).toEqual([]);
});

test('an optimistic reader that is overtaken as often as it may lose holds, or gives up', async () => {
  for (const whenExhausted of ['hold', 'throw'] as const) {
    const stage = new Stage();
    const page = RANGES[0]!;
    let current = await stage.tracker.begin(page);
    let outcome: unknown;
    void stage
      .lookup(page, () => 'read', { maxAttempts: 2, whenExhausted })
      .then(
        (value) => {
          outcome = value;
        },
        (error: unknown) => {
          outcome = error;
        },
      );
    for (let i = 0; i < 2; i++) {
      const next = await stage.tracker.begin(page);
      current.end();
      await stage.settle();
      current = next;
    }
    if (whenExhausted === 'throw') expect(outcome).toBeInstanceOf(RetryLimitError);
    else {
      expect(outcome).toBeUndefined();
      expect(stage.tracker.tryBegin(page)).toBeUndefined();
      current.end();
      await stage.settle();
      expect(outcome).toBe('read');
    }
    expect(stage.witness.violations).toEqual([]);
  }
});
