/**
 * Contract, limits: ranges at the edge of what numbers can say, counters beyond 32 bits, tokens older than the history.
 */
import { InvalidRangeError, type Range } from '../../index.js';
import { type Suite, setup } from './suite.js';
import { expect } from './support/expect.js';
import { expectNothingLeft } from './support/leftovers.js';
import { ManualFetch, range } from './support/reading.js';
import { failure, Outcome, soon, turns } from './support/turns.js';

const PAGE = range(0, 8);
const INFINITY = Number.POSITIVE_INFINITY;
const TINY = Number.MIN_VALUE;
const MAX = Number.MAX_VALUE;

/** Two ranges, and whether they overlap. */
const PAIRS: readonly [string, Range, Range, boolean][] = [
  ['a point-like range inside', range(5, 5 + 1e-9), range(0, 8), true],
  ['the smallest range at zero', range(0, TINY), range(-1, TINY), true],
  ['the smallest range beside zero', range(0, TINY), range(TINY, 1), false],
  ['neighbouring numbers', range(1, 1 + Number.EPSILON), range(1 + Number.EPSILON, 2), false],
  ['everything and a point', range(-INFINITY, INFINITY), range(5, 6), true],
  ['everything and everything', range(-INFINITY, INFINITY), range(-INFINITY, INFINITY), true],
  ['the two halves of everything', range(-INFINITY, 0), range(0, INFINITY), false],
  ['the upper end and a huge one', range(1e308, INFINITY), range(MAX, INFINITY), true],
  ['the lower end and a huge one', range(-INFINITY, -1e308), range(-MAX, 0), true],
  ['huge, adjacent', range(2 ** 53 - 2, 2 ** 53 - 1), range(2 ** 53 - 1, 2 ** 53), false],
  ['beyond 32 bits', range(2 ** 32, 2 ** 32 + 1), range(0, 1), false],
  ['beyond 31 bits', range(2 ** 31, 2 ** 31 + 1), range(-(2 ** 31), -(2 ** 31) + 1), false],
  ['negative', range(-8, -4), range(-5, -3), true],
  ['minus zero as an end', range(-8, -0), range(0, 8), false],
  ['minus zero as a start', range(-0, 8), range(-8, 0), false],
  ['minus zero and zero', range(-0, 1), range(0, 1), true],
  ['fractions, apart', range(0.1, 0.3), range(0.3, 0.5), false],
  ['fractions, overlapping', range(0.1, 0.1 + 0.2), range(0.3, 0.5), true],
];

/** What is no range, nor a list of ranges. */
const BAD: readonly [string, unknown][] = [
  ['inverted', range(7, 3)],
  ['empty', range(3, 3)],
  ['empty, of zeros', range(-0, 0)],
  ['empty at infinity', range(INFINITY, INFINITY)],
  ['a NaN start', range(Number.NaN, 3)],
  ['a NaN end', range(3, Number.NaN)],
  ['strings', { start: '3', end: '7' }],
  ['bigints', { start: 3n, end: 7n }],
  ['a Date end', { start: 0, end: new Date(7) }],
  ['a missing end', { start: 3 }],
  ['no range', 7],
  ['null', null],
  ['undefined', undefined],
  ['an empty list', []],
  ['a list of pairs', [[3, 7]]],
  ['a list with a bad one', [range(0, 8), range(7, 3)]],
  ['a list with a hole', [range(0, 8), undefined]],
];

export function describeLimits({ describe, it, make }: Suite): void {
  // S12
  describe('ranges at the edge', () => {
    for (const [name, a, b, overlap] of PAIRS) {
      it(`${name}: both sides and both orders give the same right answer`, async () => {
        for (const [mine, other] of [
          [a, b],
          [b, a],
        ] as const) {
          const { tracker, clock } = setup(make);
          let told = 0;
          const mirror = tracker.subscribe(mine, { invalidate: () => void told++ });
          const read = new ManualFetch();
          const result = tracker.lookup(mine, read.fetch);
          const { signal } = read.last.attempt;
          const token = tracker.tryReadBegin(mine)!;
          const section = tracker.tryBegin(other)!;
          expect(tracker.tryReadBegin(mine) === undefined).toBe(overlap);
          expect([told, signal.aborted]).toEqual([overlap ? 1 : 0, overlap]);
          const begun = new Outcome(tracker.readBegin(mine));
          await turns();
          expect(begun.state === 'pending').toBe(overlap);
          section.end();
          expect(tracker.readRetry(mine, token)).toBe(overlap);
          expect(tracker.collision(mine, token) !== undefined).toBe(overlap);
          read.last.resolve('read');
          await turns();
          expect(read.calls).toHaveLength(overlap ? 2 : 1);
          read.last.resolve('read');
          await soon(result);
          mirror.close();
          expectNothingLeft(tracker, { clock });
        }
      });
    }

    for (const [name, bad] of BAD) {
      it(`${name}: every method refuses with a typed error, and nothing has changed`, async () => {
        const { tracker, clock } = setup(make);
        const ranges = bad as Range;
        const mirror = tracker.subscribe(range(-100, 100), { invalidate() {} });
        const read = new ManualFetch();
        const running = tracker.lookup(PAGE, read.fetch);
        const token = tracker.tryReadBegin(PAGE)!;
        expect(() => tracker.tryBegin(ranges)).toThrow(InvalidRangeError);
        expect(() => tracker.tryReadBegin(ranges)).toThrow(InvalidRangeError);
        expect(() => tracker.readRetry(ranges, token)).toThrow(InvalidRangeError);
        expect(() => tracker.collision(ranges, token)).toThrow(InvalidRangeError);
        expect(() => tracker.subscribe(ranges, { invalidate() {} })).toThrow(InvalidRangeError);
        expect(() => read.last.attempt.observe(ranges)).toThrow(InvalidRangeError);
        const rejected = [
          tracker.begin(ranges),
          tracker.mutate(ranges, () => 1),
          tracker.readBegin(ranges),
          tracker.lookup(ranges, () => 1),
        ];
        for (const promise of rejected) expect(await failure(promise)).toBeInstanceOf(InvalidRangeError);
        expect([tracker.seq, tracker.stats.begins, tracker.stats.lookups]).toEqual([0, 0, 1]);
        read.last.resolve('read');
        expect(await soon(running)).toBe('read');
        mirror.close();
        expectNothingLeft(tracker, { clock });
      });
    }
  });

  // S13: `|`, `&` and `>>` on a counter truncate it to 32 bits.
  for (const initialSeq of [2 ** 31 - 3, 2 ** 32 - 3, 2 ** 52]) {
    describe(`a counter that starts at ${initialSeq}`, () => {
      it('moves by one at every begin and every end, and never wraps', () => {
        const { tracker } = setup(make, { initialSeq });
        for (let i = 1; i <= 6; i += 2) {
          const section = tracker.tryBegin(PAGE)!;
          expect([tracker.seq, section.beginSeq]).toEqual([initialSeq + i, initialSeq + i]);
          section.end();
          expect(tracker.seq).toBe(initialSeq + i + 1);
        }
      });

      it('answers every token from before, at and after the step exactly', () => {
        const { tracker } = setup(make, { initialSeq });
        const tokens: { token: ReturnType<typeof tracker.tryReadBegin> & number; ended: number }[] = [];
        for (let i = 0; i < 8; i++) {
          tokens.push({ token: tracker.tryReadBegin(PAGE)!, ended: i });
          tracker.tryBegin(range(i, i + 1))!.end();
        }
        for (const { token, ended } of tokens) {
          for (let i = 0; i < 8; i++) {
            expect([token, i, tracker.readRetry(range(i, i + 1), token)]).toEqual([token, i, i >= ended]);
          }
          expect(tracker.collision(PAGE, token)).toMatchObject({ reason: 'ended' });
        }
        expect(tracker.stats.historyLost).toBe(0);
      });

      it('keeps lookups, waits and subscribers working', async () => {
        const { tracker, clock } = setup(make, { initialSeq });
        const log: number[] = [];
        const note = () => void log.push(tracker.seq - initialSeq);
        const section = tracker.tryBegin(PAGE)!;
        const mirror = tracker.subscribe(PAGE, { invalidate: note, end: note });
        const read = new ManualFetch();
        const result = tracker.lookup(PAGE, read.fetch);
        await turns();
        section.end();
        await turns();
        (await soon(tracker.begin(PAGE))).end();
        read.last.resolve('stale');
        await turns();
        read.last.resolve('fresh');
        expect(await soon(result)).toBe('fresh');
        expect(read.calls.map(({ attempt }) => attempt.seq - initialSeq)).toEqual([2, 4]);
        expect(log).toEqual([2, 3, 4]);
        mirror.close();
        expectNothingLeft(tracker, { clock });
      });

      it('knows what it has forgotten', () => {
        const { tracker } = setup(make, { initialSeq, historyCapacity: 2 });
        const token = tracker.tryReadBegin(PAGE)!;
        expect(tracker.inspect().history).toMatchObject({ size: 0, capacity: 2, floor: initialSeq });
        for (let i = 0; i < 3; i++) tracker.tryBegin(range(100, 108))!.end();
        expect(tracker.readRetry(PAGE, token)).toBe(true);
        expect(tracker.collision(PAGE, token)?.reason).toBe('history-lost');
        expect(tracker.inspect().history).toMatchObject({ size: 2, capacity: 2, floor: initialSeq + 2 });
      });
    });
  }

  // S25
  describe('a token older than the history', () => {
    it('collides with the reason history-lost, and is counted', () => {
      const { tracker } = setup(make, { historyCapacity: 4 });
      const token = tracker.tryReadBegin(PAGE)!;
      for (let i = 0; i < 4; i++) tracker.tryBegin(range(100, 108))!.end();
      expect(tracker.readRetry(PAGE, token)).toBe(false);
      expect(tracker.stats.historyLost).toBe(0);
      tracker.tryBegin(range(100, 108))!.end();
      expect(tracker.readRetry(PAGE, token)).toBe(true);
      expect(tracker.stats.historyLost).toBe(1);
      expect(tracker.collision(PAGE, token)).toEqual({ reason: 'history-lost', range: PAGE });
      expect(tracker.stats.historyLost).toBe(2);
    });

    for (const historyCapacity of [1, 2, 3, 5, 64, 100]) {
      it(`is told apart exactly with a capacity of ${historyCapacity}`, () => {
        const { tracker } = setup(make, { historyCapacity });
        const ends: { at: number; seq: number }[] = [];
        const tokens = [tracker.tryReadBegin(PAGE)!];
        const total = 2 * historyCapacity + 3;
        for (let i = 0; i < total; i++) {
          const at = (i * 7) % 5;
          tracker.tryBegin(range(at, at + 1))!.end();
          ends.push({ at, seq: tracker.seq });
          tokens.push(tracker.tryReadBegin(PAGE)!);
        }
        const remembered = ends.slice(-historyCapacity);
        const floor = ends.at(-historyCapacity - 1)!.seq;
        let lost = 0;
        for (const token of tokens) {
          for (let at = 0; at < 6; at++) {
            const known = remembered.some((end) => end.at === at && end.seq > token);
            const expected = known ? 'ended' : token < floor ? 'history-lost' : undefined;
            expect(tracker.collision(range(at, at + 1), token)?.reason).toBe(expected);
            if (expected === 'history-lost') lost++;
          }
        }
        expect(tracker.stats.historyLost).toBe(lost);
        expect(tracker.inspect().history).toMatchObject({ size: historyCapacity, capacity: historyCapacity, floor });
      });
    }

    it('makes a lookup retry although nothing has hit it', async () => {
      const { tracker, clock } = setup(make, { historyCapacity: 2 });
      const read = new ManualFetch();
      const result = tracker.lookup(PAGE, read.fetch);
      for (let i = 0; i < 3; i++) tracker.tryBegin(range(100, 108))!.end();
      read.last.resolve('unknown');
      await turns();
      expect(read.calls).toHaveLength(2);
      expect(tracker.stats.historyLost).toBeGreaterThan(0);
      read.last.resolve('fresh');
      expect(await soon(result)).toBe('fresh');
      expect(tracker.stats).toMatchObject({ attempts: 2, collisions: 1 });
      expectNothingLeft(tracker, { clock });
    });
  });
}
