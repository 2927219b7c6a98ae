/**
 * Quiet: what single operations cost while nobody is in the way.
 */
import { RWLock } from '@rocicorp/lock';
import ReadWriteLock from 'rwlock';
import type { Range, RangeTracker } from '../../lib/index.js';
import { RwlockGuard } from '../guards/rwlock.js';
import type { Library } from '../support/library.js';
import type { Figure, Row } from './figure.js';
import { BATCH, type Micro, nanoseconds } from './micro.js';

/** What everything here reads and invalidates. */
const HERE: Range = { start: 1000, end: 1008 };
/** The other sections and subscriptions lie from here on, one page each, with gaps. */
const ELSEWHERE = 1_000_000;

const elsewhere = (i: number): Range => ({ start: ELSEWHERE + 2 * i, end: ELSEWHERE + 2 * i + 1 });

/** Quiet read against the locks. */
export const quietRead: Row = {
  name: 'quiet-read',
  async run(library, effort) {
    const time = await nanoseconds([readMicro('tracker', new library.RangeTracker()), rwlockMicro(), rocicorpMicro()], effort);
    const { tracker, rwlock, rocicorp } = time;
    return [
      under('tryReadBegin + readRetry, quiet', tracker, 15),
      {
        figure: '  cheaper than rwlock, read lock + unlock',
        goal: '>= 10 x',
        measured: `${(rwlock / tracker).toFixed(1)} x (${rwlock.toFixed(0)} ns)`,
        met: rwlock / tracker >= 10,
        values: { ratio: rwlock / tracker, ns: rwlock },
      },
      {
        figure: '  cheaper than @rocicorp/lock',
        goal: '>= 50 x',
        measured: `${(rocicorp / tracker).toFixed(1)} x (${rocicorp.toFixed(0)} ns)`,
        met: rocicorp / tracker >= 50,
        values: { ratio: rocicorp / tracker, ns: rocicorp },
      },
    ];
  },
};

/** Begin and end, alone and among others. */
export const beginEnd: Row = {
  name: 'begin-end',
  async run({ RangeTracker }, effort) {
    const crowded = new RangeTracker();
    for (let i = 0; i < 1000; i++) crowded.tryInvalidate(elsewhere(i));
    const time = await nanoseconds([beginMicro('alone', new RangeTracker()), beginMicro('crowded', crowded)], effort);
    return [under('tryInvalidate + end, alone', time.alone, 150), under('  with 1,000 others active', time.crowded, 500)];
  },
};

/** The check with an old token. */
export const readRetry: Row = {
  name: 'read-retry',
  async run(library, effort) {
    const counts = [10, 100, 1000, 10_000] as const;
    const time: Record<string, number> = await nanoseconds(
      counts.map((count) => retryMicro(library, count)),
      effort,
    );
    const [ten, hundred, thousand, tenThousand] = counts.map((count) => time[count]!) as [number, number, number, number];
    return [
      under('readRetry, 10 ended since the token', ten, 50),
      under('  100 ended', hundred, 150),
      under('  1,000 ended', thousand, 700),
      {
        figure: '  10,000 ended: sublinear',
        goal: '< 10 x that of 1,000',
        measured: `${(tenThousand / thousand).toFixed(1)} x (${tenThousand.toFixed(0)} ns)`,
        met: tenThousand < 10 * thousand,
        values: { ns: tenThousand, ratio: tenThousand / thousand },
      },
    ];
  },
};

/** One subscriber of many is concerned. */
export const subscribers: Row = {
  name: 'subscribers',
  async run({ RangeTracker }, effort) {
    const subscribed = new RangeTracker();
    let calls = 0;
    const subscriber = { invalidate: () => void calls++ };
    subscribed.subscribe(HERE, subscriber);
    for (let i = 1; i < 100_000; i++) subscribed.subscribe(elsewhere(i), subscriber);
    const time = await nanoseconds([beginMicro('empty', new RangeTracker()), beginMicro('subscribed', subscribed)], effort);
    if (calls !== subscribed.stats.begins)
      throw new Error(`${calls} callbacks; expected one for each of ${subscribed.stats.begins}`);
    return [under('1 of 100,000 subscribers, on top of an empty begin', time.subscribed - time.empty, 1000)];
  },
};

/** The whole lookup with a fetch that answers at once. */
export const lookup: Row = {
  name: 'lookup',
  async run(library, effort) {
    const time = await nanoseconds([lookupMicro(new library.RangeTracker()), withReadMicro()], effort);
    return [
      {
        figure: 'lookup, synchronous fetch',
        goal: '<= withRead of rwlock',
        measured: `${time.lookup.toFixed(0)} ns (rwlock ${time.withRead.toFixed(0)} ns)`,
        met: time.lookup <= time.withRead,
        values: { ns: time.lookup, rwlock: time.withRead },
      },
    ];
  },
};

function under(figure: string, ns: number, goal: number): Figure {
  return { figure, goal: `<= ${goal} ns`, measured: `${ns.toFixed(ns < 100 ? 1 : 0)} ns`, met: ns <= goal, values: { ns } };
}

function readMicro<Name extends string>(name: Name, tracker: RangeTracker): Micro & { name: Name } {
  return {
    name,
    expected: BATCH,
    batch() {
      let fine = 0;
      for (let i = 0; i < BATCH; i++) {
        const seq = tracker.tryReadBegin(HERE);
        if (seq !== undefined && !tracker.readRetry(HERE, seq)) fine++;
      }
      return fine;
    },
  };
}

function rwlockMicro(): Micro & { name: 'rwlock' } {
  const lock = new ReadWriteLock();
  let entered = 0;
  const section = (release: () => void) => {
    entered++;
    release();
  };
  return {
    name: 'rwlock',
    expected: BATCH,
    batch() {
      entered = 0;
      for (let i = 0; i < BATCH; i++) lock.readLock(section);
      return entered;
    },
  };
}

function rocicorpMicro(): Micro & { name: 'rocicorp' } {
  const lock = new RWLock();
  return {
    name: 'rocicorp',
    expected: BATCH,
    async batch() {
      let entered = 0;
      for (let i = 0; i < BATCH; i++) {
        const release = await lock.read();
        entered++;
        release();
      }
      // It keeps something of every read until the next write: without one it would only grow.
      (await lock.write())();
      return entered;
    },
  };
}

function beginMicro<Name extends string>(name: Name, tracker: RangeTracker): Micro & { name: Name } {
  return {
    name,
    expected: BATCH,
    batch() {
      let begun = 0;
      for (let i = 0; i < BATCH; i++) {
        const section = tracker.tryInvalidate(HERE);
        if (section === undefined) continue;
        section.end();
        begun++;
      }
      return begun;
    },
  };
}

function retryMicro({ RangeTracker }: Library, count: number): Micro & { name: `${number}` } {
  const tracker = new RangeTracker({ historyCapacity: 16_384 });
  const seq = tracker.seq;
  for (let i = 0; i < count; i++) tracker.tryInvalidate(elsewhere((i * 7919) % count))?.end(); // in no order
  return {
    name: `${count}`,
    expected: 0,
    batch() {
      let hit = 0;
      for (let i = 0; i < BATCH; i++) if (tracker.readRetry(HERE, seq)) hit++;
      return hit;
    },
  };
}

const answer = () => 1;

function lookupMicro(tracker: RangeTracker): Micro & { name: 'lookup' } {
  return {
    name: 'lookup',
    expected: BATCH,
    async batch() {
      let sum = 0;
      for (let i = 0; i < BATCH; i++) sum += await tracker.lookup(HERE, answer);
      return sum;
    },
  };
}

function withReadMicro(): Micro & { name: 'withRead' } {
  const guard = new RwlockGuard();
  return {
    name: 'withRead',
    expected: BATCH,
    async batch() {
      let sum = 0;
      for (let i = 0; i < BATCH; i++) sum += await guard.read(HERE, answer);
      return sum;
    },
  };
}

/** All of this file. */
export const QUIET_ROWS: readonly Row[] = [quietRead, beginEnd, readRetry, subscribers, lookup];
