/**
 * Quiet: what single operations cost while nobody is in the way.
 */
import type { RangeTracker } from '../../lib/index.js';
import { RwlockGuard } from '../guards/rwlock.js';
import { beginMicro, crowdedTracker, readMicro, retryMicro, subscribedTracker } from '../peers/fence.js';
import { rocicorpMicro, rwlockMicro } from '../peers/locks.js';
import { HERE } from '../peers/technique.js';
import { BATCH, type Micro, nanoseconds } from '../support/micro.js';
import type { Figure, Row } from './figure.js';

/** Quiet read against the locks. */
export const quietRead: Row = {
  name: 'quiet-read',
  async run(library, effort) {
    const time = await nanoseconds([readMicro('tracker', new library.RangeTracker()), rwlockMicro(), rocicorpMicro()], effort);
    const { tracker, rwlock, '@rocicorp/lock': rocicorp } = time;
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
  async run(library, effort) {
    const crowded = crowdedTracker(library, 1000);
    const time = await nanoseconds([beginMicro('alone', new library.RangeTracker()), beginMicro('crowded', crowded)], effort);
    return [under('tryBegin + end, alone', time.alone, 150), under('  with 1,000 others active', time.crowded, 500)];
  },
};

/** The check with an old token. */
export const readRetry: Row = {
  name: 'read-retry',
  async run(library, effort) {
    const counts = [10, 100, 1000, 10_000] as const;
    const time: Record<string, number> = await nanoseconds(
      counts.map((count) => retryMicro(`${count}`, library, count)),
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
  async run(library, effort) {
    const { tracker: subscribed, calls } = subscribedTracker(library, 100_000);
    const time = await nanoseconds(
      [beginMicro('empty', new library.RangeTracker()), beginMicro('subscribed', subscribed)],
      effort,
    );
    if (calls() !== subscribed.stats.begins)
      throw new Error(`${calls()} callbacks; expected one for each of ${subscribed.stats.begins}`);
    return [under('1 of 100,000 subscribers, on top of an empty begin', time.subscribed - time.empty, 1000)];
  },
};

/** For a lookup whose fetch answers at once, the caller's `await` included. */
const LOOKUP_NS = 75;

/** The whole lookup with a fetch that answers at once. */
export const lookup: Row = {
  name: 'lookup',
  async run(library, effort) {
    const time = await nanoseconds([lookupMicro(new library.RangeTracker()), withReadMicro()], effort);
    return [
      {
        figure: 'lookup, synchronous fetch',
        goal: `<= ${LOOKUP_NS} ns`,
        measured: `${time.lookup.toFixed(0)} ns (rwlock ${time.withRead.toFixed(0)} ns)`,
        met: time.lookup <= LOOKUP_NS,
        values: { ns: time.lookup, rwlock: time.withRead },
      },
    ];
  },
};

function under(figure: string, ns: number, goal: number): Figure {
  return { figure, goal: `<= ${goal} ns`, measured: `${ns.toFixed(ns < 100 ? 1 : 0)} ns`, met: ns <= goal, values: { ns } };
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
