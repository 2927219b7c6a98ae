/**
 * `npx tsx bench/threads/figures.ts`: what a shared space costs while nothing happens, and what it is worth while much does, against one
 * phase-fair reader/writer lock over the same kind of memory. With goals; a busy machine misses them.
 *
 * `--seconds N` for each load (default 3), `--only TEXT` in the name of a row.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { RangeTracker } from '../../lib/index.js';
import { SharedSpace } from '../../lib/threads/index.js';
import { BATCH, type Micro, nanoseconds } from '../support/micro.js';
import { median, quantile } from '../support/statistics.js';
import { number, table } from '../support/text.js';
import { FairLock } from './fair-lock.js';
import type { Load } from './figures.inside.js';
import { startWorker } from './start.js';

const INSIDE = new URL('figures.inside.ts', import.meta.url);
const EFFORT = { rounds: 9, microSeconds: 0.1 };
const PAGES = 1024;
const READERS = 32;
const INVALIDATORS = [1, 4, 16];
const BEGINS = 400;

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '3' }, only: { type: 'string', default: '' } } });
const seconds = Number(values.seconds);
const rows: string[][] = [];
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function row(figure: string, goal: string, measured: string, isMet: boolean | undefined): void {
  rows.push([figure, goal, measured, isMet === undefined ? '' : isMet ? 'yes' : 'NO']);
  console.error(`${figure}: ${measured}`);
}

/** A tracker here, and what makes it end. */
interface Here {
  readonly tracker: RangeTracker;
  close(): Promise<void>;
}

/** One in a space of this many threads, all places taken by trackers that do nothing. */
function crowd(threads: number): Here {
  const space = SharedSpace.create({ threads });
  const trackers = Array.from({ length: threads }, () => new RangeTracker({ space: space.connect() }));
  return {
    tracker: trackers[0]!,
    async close() {
      space.close();
    },
  };
}

/** One in a space with workers. */
async function among(load: Load, workers: number): Promise<Here> {
  const space = SharedSpace.create({ threads: workers + 1 });
  const tracker = new RangeTracker({ space: space.connect() });
  const started: Worker[] = [];
  for (let i = 0; i < workers; i++) {
    const handle = space.connect();
    started.push(startWorker(INSIDE, { load, handle }, [handle.port]));
  }
  await Promise.all(started.map((worker) => once(worker, 'message')));
  return {
    tracker,
    async close() {
      await Promise.all(started.map((worker) => worker.terminate()));
      space.close();
    },
  };
}

/** A token and its check, many in one turn: the commit slot is set once. */
function pairs(name: string, tracker: RangeTracker): Micro {
  const page = { start: 0, end: 1 };
  const batch = () => {
    let sum = 0;
    for (let i = 0; i < BATCH; i++) if (!tracker.readRetry(page, tracker.tryReadBegin(page)!)) sum++;
    return sum;
  };
  return { name, batch, expected: BATCH };
}

/** One in each turn: the slot is set, and shut by a microtask. */
function turns(name: string, tracker: RangeTracker | undefined): Micro {
  const page = { start: 0, end: 1 };
  const batch = async () => {
    let sum = 0;
    for (let i = 0; i < BATCH; i++) {
      if (tracker === undefined || !tracker.readRetry(page, tracker.tryReadBegin(page)!)) sum++;
      await undefined;
    }
    return sum;
  };
  return { name, batch, expected: BATCH };
}

/** Lookups whose fetch answers at once: token, check and commit in one turn, and a promise. */
function lookups(name: string, tracker: RangeTracker): Micro {
  const page = { start: 0, end: 1 };
  let sum = 0;
  const commit = (value: number) => {
    sum += value;
    return value;
  };
  const batch = () => {
    sum = 0;
    for (let i = 0; i < BATCH; i++) void tracker.lookup(page, () => 1, { commit });
    return sum;
  };
  return { name, batch, expected: BATCH };
}

function sections(name: string, tracker: RangeTracker): Micro {
  const page = { start: 0, end: 1 };
  const batch = () => {
    let sum = 0;
    for (let i = 0; i < BATCH; i++) {
      const section = tracker.tryBegin(page);
      if (section === undefined) continue;
      section.end();
      sum++;
    }
    return sum;
  };
  return { name, batch, expected: BATCH };
}

async function quiet(): Promise<void> {
  const alone = new RangeTracker();
  const [four, sixteen] = [crowd(4), crowd(16)];
  const made = [
    ...[pairs('pair', alone), pairs('pair4', four.tracker), pairs('pair16', sixteen.tracker)],
    ...[turns('bare', undefined), turns('turn', alone), turns('turn4', four.tracker), turns('turn16', sixteen.tracker)],
    ...[lookups('lookup', alone), lookups('lookup4', four.tracker), lookups('lookup16', sixteen.tracker)],
  ];
  const ns = await nanoseconds(made, EFFORT);
  const shown = (name: string) => `${number(ns[name]!)} ns`;
  const [turn4, turn16] = [ns.turn4! - ns.bare!, ns.turn16! - ns.bare!];
  row(
    'token + check, many in a turn: no space / 4 / 16 threads',
    '',
    ['pair', 'pair4', 'pair16'].map(shown).join(' / '),
    undefined,
  );
  const perTurn = `${number(ns.turn! - ns.bare!)} / ${number(turn4)} / ${number(turn16)} ns`;
  row('token + check, one a turn, without the turn: no space / 4 / 16', '', perTurn, undefined);
  row('lookup that answers at once: no space / 4 / 16', '', ['lookup', 'lookup4', 'lookup16'].map(shown).join(' / '), undefined);
  const [more4, more16] = [ns.lookup4! - ns.lookup!, ns.lookup16! - ns.lookup!];
  row('begin + commit, what 4 threads add to a lookup', '<= 40 ns', `${number(more4)} ns`, more4 <= 40);
  row('begin + commit, what 16 threads add to a lookup', '<= 60 ns', `${number(more16)} ns`, more16 <= 60);
  await Promise.all([four.close(), sixteen.close()]);
}

async function unconcerned(): Promise<void> {
  const alone = new RangeTracker();
  const others = await among({ type: 'idle' }, 2);
  const ns = await nanoseconds([sections('alone', alone), sections('others', others.tracker)], EFFORT);
  row('begin + end, nobody concerned, no space', '', `${number(ns.alone!)} ns`, undefined);
  row('begin + end, nobody concerned, two other threads', '<= 250 ns', `${number(ns.others!)} ns`, ns.others! <= 250);
  await others.close();
}

async function subscriber(): Promise<void> {
  const others = await among({ type: 'subscriber' }, 1);
  const took: number[] = [];
  for (let i = 0; i < BEGINS; i++) {
    await sleep(2); // so that the other thread sleeps
    const from = performance.now();
    const section = await others.tracker.begin({ start: 0, end: 1 });
    took.push(1000 * (performance.now() - from));
    section.end();
  }
  const middle = median(took);
  const measured = `${number(middle)} µs, p99 ${number(quantile(took, 0.99))} µs`;
  row('begin, a subscriber in a thread that sleeps, median', '<= 60 µs', measured, middle <= 60);
  await others.close();
}

interface Rates {
  readonly lookups: number;
  readonly sections: number;
}

/** Everything takes a millisecond: lookups here, sections in a worker. */
async function load(kind: 'range' | 'lock', invalidators: number): Promise<Rates> {
  const space = SharedSpace.create({ threads: 2 });
  const tracker = new RangeTracker({ space: space.connect() });
  const memory = new SharedArrayBuffer(FairLock.bytes + 4);
  const changes = new Int32Array(memory, FairLock.bytes);
  const lock = new FairLock(memory);
  const handle = space.connect();
  const what: Load = { type: kind, invalidators, pages: PAGES, memory };
  const worker = startWorker(INSIDE, { load: what, handle }, [handle.port]);
  await once(worker, 'message');
  let isOver = false;
  let done = 0;
  const commit = () => ++done;
  const reader = async () => {
    while (!isOver) {
      const start = Math.floor(Math.random() * PAGES);
      if (kind === 'range') await tracker.lookup({ start, end: start + 1 }, () => sleep(1), { commit });
      else {
        await lock.lockRead();
        await sleep(1);
        lock.unlockRead();
        done++;
      }
    }
  };
  const readers = Array.from({ length: READERS }, reader);
  await sleep(300);
  const before = { lookups: done, sections: changes[0]!, at: performance.now() };
  await sleep(1000 * seconds);
  const spent = (performance.now() - before.at) / 1000;
  const rates = { lookups: (done - before.lookups) / spent, sections: (Atomics.load(changes, 0) - before.sections) / spent };
  isOver = true;
  await Promise.all(readers);
  await worker.terminate();
  space.close();
  return rates;
}

async function contended(): Promise<void> {
  for (const invalidators of INVALIDATORS) {
    const rounds: { range: Rates; lock: Rates }[] = [];
    for (let round = 0; round < 3; round++) {
      rounds.push({ range: await load('range', invalidators), lock: await load('lock', invalidators) });
    }
    for (const side of ['lookups', 'sections'] as const) {
      const times = median(rounds.map(({ range, lock }) => range[side] / lock[side]));
      const goal = side === 'lookups' ? 1.9 : 1.9 * invalidators;
      const [ours, theirs] = (['range', 'lock'] as const).map((kind) => number(median(rounds.map((each) => each[kind][side]))));
      const name = `${side} a second, ${invalidators} invalidator${invalidators === 1 ? '' : 's'} in a worker, all of 1 ms`;
      row(name, `>= ${number(goal)} x lock`, `${ours} against ${theirs}: ${times.toFixed(2)} x`, times >= goal);
    }
  }
}

const ALL = { quiet, unconcerned, subscriber, contended };
for (const [name, measure] of Object.entries(ALL)) if (name.includes(values.only)) await measure();
console.log(table(['figure', 'goal', 'measured', 'met'], rows));
process.exit(0);
