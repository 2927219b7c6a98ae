/**
 * Contract, collisions: which sections a token collides with, and which it does not.
 */
import type { Invalidation, Range } from '../../index.js';
import { type Suite, setup } from './suite.js';
import { expect } from './support/expect.js';
import { expectNothingLeft } from './support/leftovers.js';
import { ManualFetch, permutations, range } from './support/reading.js';
import { soon, turns } from './support/turns.js';

const PAGE = range(0, 8);

/** A reader, and sections that only touch it. */
const TOUCHING: readonly [string, Range, Range][] = [
  ['left of', range(0, 8), range(8, 16)],
  ['right of', range(8, 16), range(0, 8)],
  ['between the parts of', range(8, 16), range(0, 8)],
];

export function describeCollisions({ describe, it, make }: Suite): void {
  describe('collisions', () => {
    // S1: a flag "valid", cleared at the begin and set at the end, misses this one.
    it('an invalidation that begins and ends entirely inside a lookup makes it retry', async () => {
      const { tracker, clock } = setup(make);
      const read = new ManualFetch();
      const result = tracker.lookup(PAGE, read.fetch);
      tracker.tryBegin(PAGE)!.end();
      read.last.resolve('stale');
      await turns();
      expect(read.calls.map(({ attempt }) => [attempt.number, attempt.seq])).toEqual([
        [1, 0],
        [2, 2],
      ]);
      read.last.resolve('fresh');
      expect(await soon(result)).toBe('fresh');
      expect(tracker.seq).toBe(2);
      expect(tracker.stats).toMatchObject({ lookups: 1, attempts: 2, collisions: 1, commits: 1, waits: 0, historyLost: 0 });
      expectNothingLeft(tracker, { clock });
    });

    it('a token sees a section that began and ended after it, and names it', () => {
      const { tracker } = setup(make);
      const token = tracker.tryReadBegin(PAGE)!;
      expect(tracker.readRetry(PAGE, token)).toBe(false);
      expect(tracker.collision(PAGE, token)).toBeUndefined();
      tracker.tryBegin(range(6, 20), { kind: 'unmap', label: 'tail' })!.end();
      expect(tracker.readRetry(PAGE, token)).toBe(true);
      const why = { reason: 'ended', range: range(6, 8), kind: 'unmap', label: 'tail', seq: 2 };
      expect(tracker.collision(PAGE, token)).toEqual(why);
      expect(tracker.readRetry(PAGE, tracker.tryReadBegin(PAGE)!)).toBe(false);
    });

    it('a token sees a section that began after it and is still active, and names it', () => {
      const { tracker } = setup(make);
      const token = tracker.tryReadBegin(PAGE)!;
      const section = tracker.tryBegin(range(-4, 2), { kind: 'clear' })!;
      expect(tracker.readRetry(PAGE, token)).toBe(true);
      expect(tracker.collision(PAGE, token)).toEqual({ reason: 'active', range: range(0, 2), kind: 'clear', seq: 1 });
      expect(tracker.tryReadBegin(PAGE)).toBeUndefined();
      section.end();
    });

    // S2: a counter bumped at the start only misses both.
    it('a range observed late collides with a section that began before the token and ended after it', async () => {
      const { tracker, clock } = setup(make);
      const other = range(100, 108);
      const section = tracker.tryBegin(other, { label: 'early' })!;
      const token = tracker.tryReadBegin(PAGE)!;
      const read = new ManualFetch();
      const result = tracker.lookup(PAGE, read.fetch);
      section.end();
      read.last.attempt.observe(other);
      expect(tracker.readRetry(other, token)).toBe(true);
      expect(tracker.readRetry(PAGE, token)).toBe(false);
      expect(tracker.collision([PAGE, other], token)).toMatchObject({ reason: 'ended', range: other, label: 'early', seq: 2 });
      read.last.resolve('stale');
      await turns();
      expect(read.calls).toHaveLength(2);
      read.last.resolve('fresh');
      expect(await soon(result)).toBe('fresh');
      expect(tracker.stats).toMatchObject({ attempts: 2, collisions: 1, waits: 0 });
      expectNothingLeft(tracker, { clock });
    });

    it('a range observed late collides with a section that began before the token and is still active', async () => {
      const { tracker, clock } = setup(make);
      const other = range(100, 108);
      const section = tracker.tryBegin(other)!;
      const read = new ManualFetch();
      const result = tracker.lookup(PAGE, read.fetch);
      expect(read.calls).toHaveLength(1);
      read.last.attempt.observe(other);
      read.last.resolve('stale');
      await turns();
      // What it has discovered it waits for: an attempt begun now would be lost as well.
      expect(read.calls).toHaveLength(1);
      expect(tracker.stats).toMatchObject({ attempts: 1, collisions: 1, waits: 1 });
      section.end();
      await turns();
      read.last.attempt.observe(other);
      read.last.resolve('fresh');
      expect(await soon(result)).toBe('fresh');
      expect(tracker.stats).toMatchObject({ attempts: 2, collisions: 1, waits: 1 });
      expectNothingLeft(tracker, { clock });
    });

    // S3
    for (const order of permutations(['outer', 'inner', 'crossing'] as const)) {
      it(`sections of one owner nest and cross, and each counts until its own end: ${order.join(', ')}`, async () => {
        const { tracker, clock } = setup(make);
        const owner = {};
        const outer = await soon(tracker.begin(range(0, 16), { owner }));
        const inner = await soon(tracker.begin(range(4, 8), { owner, within: outer }));
        const crossing = await soon(tracker.begin(range(8, 24), { owner }));
        const sections: Record<(typeof order)[number], Invalidation> = { outer, inner, crossing };
        expect([outer.beginSeq, inner.beginSeq, crossing.beginSeq]).toEqual([1, 2, 3]);
        expect([tracker.seq, tracker.activeCount]).toEqual([3, 3]);
        const spots = { outer: range(0, 4), inner: range(5, 6), crossing: range(20, 24) };
        for (const name of order) {
          sections[name].end();
          sections[name].end();
          const isActive = (names: (typeof order)[number][]) => names.some((one) => sections[one].active);
          expect(tracker.tryReadBegin(spots.outer) === undefined).toBe(isActive(['outer']));
          expect(tracker.tryReadBegin(spots.inner) === undefined).toBe(isActive(['outer', 'inner']));
          expect(tracker.tryReadBegin(spots.crossing) === undefined).toBe(isActive(['crossing']));
        }
        expect([tracker.seq, tracker.activeCount]).toEqual([6, 0]);
        expect(tracker.stats).toMatchObject({ begins: 3, ends: 3, queued: 0 });
        expectNothingLeft(tracker, { clock });
      });
    }

    // S4
    it('a reader that overlaps only the first of two crossing sections goes on while the second is active', async () => {
      const { tracker, clock } = setup(make);
      const a = tracker.tryBegin(range(0, 8))!;
      const b = tracker.tryBegin(range(4, 12))!;
      const result = tracker.lookup(range(0, 4), () => 'read');
      await turns();
      expect(tracker.inspect().waiting).toBe(1);
      a.end();
      expect(await soon(result)).toBe('read');
      expect(b.active).toBe(true);
      expect(tracker.stats).toMatchObject({ attempts: 1, collisions: 0, waits: 1, wakes: 1 });
      b.end();
      expectNothingLeft(tracker, { clock });
    });

    it('a reader that was hit by the first of two crossing sections retries while the second is active', async () => {
      const { tracker } = setup(make);
      const read = new ManualFetch();
      const result = tracker.lookup(range(0, 4), read.fetch);
      const a = tracker.tryBegin(range(0, 8))!;
      const b = tracker.tryBegin(range(4, 12))!;
      a.end();
      read.last.resolve('stale');
      await turns();
      read.last.resolve('fresh');
      expect(await soon(result)).toBe('fresh');
      expect(tracker.stats).toMatchObject({ attempts: 2, collisions: 1, waits: 0 });
      b.end();
    });

    // S5: a hull that grows until the whole space is quiet makes this reader wait for ever.
    it('an endless chain of overlapping sections elsewhere causes neither wait nor retry', async () => {
      const { tracker, clock } = setup(make);
      const through = new ManualFetch();
      const long = tracker.lookup(PAGE, through.fetch);
      const token = tracker.tryReadBegin(PAGE)!;
      let last = tracker.tryBegin(range(1000, 1010))!;
      for (let i = 1; i <= 1000; i++) {
        const next = tracker.tryBegin(range(1000 + i, 1010 + i))!;
        last.end();
        last = next;
        expect(await tracker.lookup(PAGE, () => i)).toBe(i);
        expect(tracker.readRetry(PAGE, token)).toBe(false);
      }
      through.last.resolve('all along');
      expect(await soon(long)).toBe('all along');
      expect(tracker.stats).toMatchObject({ attempts: 1001, collisions: 0, waits: 0, historyLost: 0 });
      last.end();
      expect(tracker.seq).toBe(2002);
      expectNothingLeft(tracker, { clock });
    });

    // S6
    it('a reader hit by a section that has ended goes on although others are active elsewhere', async () => {
      const { tracker } = setup(make);
      const elsewhere = [range(8, 16), range(-8, 0), range(500, 600)].map((ranges) => tracker.tryBegin(ranges)!);
      const read = new ManualFetch();
      const result = tracker.lookup(PAGE, read.fetch);
      tracker.tryBegin(PAGE)!.end();
      read.last.resolve('stale');
      await turns();
      expect(read.calls).toHaveLength(2);
      read.last.resolve('fresh');
      expect(await soon(result)).toBe('fresh');
      expect(tracker.stats).toMatchObject({ attempts: 2, collisions: 1, waits: 0 });
      for (const section of elsewhere) section.end();
    });

    it('a section that ended before the token, or begins after the check, does not collide', () => {
      const { tracker } = setup(make);
      tracker.tryBegin(PAGE)!.end();
      const token = tracker.tryReadBegin(PAGE)!;
      expect(tracker.readRetry(PAGE, token)).toBe(false);
      const after = tracker.tryBegin(PAGE)!;
      expect(tracker.readRetry(PAGE, token)).toBe(true);
      after.end();
    });

    // S11
    for (const [where, mine, touching] of TOUCHING) {
      describe(`a reader that touches, ${where}`, () => {
        const ranges = where.startsWith('between') ? [touching, range(16, 24)] : touching;

        it('an active section does not wait', async () => {
          const { tracker } = setup(make);
          const section = tracker.tryBegin(ranges)!;
          expect(tracker.tryReadBegin(mine)).toBe(1);
          expect(await soon(tracker.readBegin(mine))).toBe(1);
          expect(await soon(tracker.lookup(mine, () => 'read'))).toBe('read');
          expect(tracker.stats).toMatchObject({ waits: 0, collisions: 0 });
          section.end();
        });

        it('an ended section does not retry', async () => {
          const { tracker } = setup(make);
          const token = tracker.tryReadBegin(mine)!;
          const read = new ManualFetch();
          const result = tracker.lookup(mine, read.fetch);
          tracker.tryBegin(ranges)!.end();
          expect(tracker.readRetry(mine, token)).toBe(false);
          expect(tracker.collision(mine, token)).toBeUndefined();
          read.last.resolve('read');
          expect(await soon(result)).toBe('read');
          expect(tracker.stats).toMatchObject({ attempts: 1, collisions: 0 });
        });

        it('a section keeps its attempt signal quiet, also for what it observes', async () => {
          const { tracker, clock } = setup(make);
          const read = new ManualFetch();
          const result = tracker.lookup(range(100, 108), read.fetch);
          const { signal } = read.last.attempt;
          read.last.attempt.observe(mine);
          const section = tracker.tryBegin(ranges)!;
          expect(signal.aborted).toBe(false);
          section.end();
          read.last.resolve('read');
          expect(await soon(result)).toBe('read');
          expect(signal.aborted).toBe(false);
          expectNothingLeft(tracker, { clock });
        });

        it('a section gets no callback as a subscriber', () => {
          const { tracker } = setup(make);
          const told: string[] = [];
          tracker.subscribe(mine, { invalidate: () => void told.push('begin'), end: () => void told.push('end') });
          tracker.tryBegin(ranges)!.end();
          expect(told).toEqual([]);
          expect(tracker.stats.notified).toBe(0);
        });
      });
    }

    it('ranges that share a single number collide at that number, at either end', () => {
      const { tracker } = setup(make);
      const token = tracker.tryReadBegin(range(0, 100))!;
      tracker.tryBegin(range(8, 16))!.end();
      expect(tracker.readRetry(range(0, 9), token)).toBe(true);
      expect(tracker.readRetry(range(0, 8), token)).toBe(false);
      expect(tracker.readRetry(range(15, 20), token)).toBe(true);
      expect(tracker.readRetry(range(16, 20), token)).toBe(false);
      const section = tracker.tryBegin(range(24, 32))!;
      expect(tracker.tryReadBegin(range(20, 25))).toBeUndefined();
      expect(tracker.tryReadBegin(range(31, 40))).toBeUndefined();
      expect(tracker.tryReadBegin([range(20, 24), range(32, 40)])).toBe(3);
      section.end();
    });
  });
}
