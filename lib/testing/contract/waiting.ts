/**
 * Contract, waiting: for overlapping sections only, until the last of them has ended.
 */
import type { Invalidation } from '../../index.js';
import { type Suite, setup } from './suite.js';
import { expect } from './support/expect.js';
import { expectNothingLeft } from './support/leftovers.js';
import { ManualFetch, permutations, range } from './support/reading.js';
import { Outcome, soon, turns } from './support/turns.js';

const PAGE = range(0, 8);

export function describeWaiting({ describe, it, make }: Suite): void {
  describe('waiting', () => {
    it('a readBegin that nothing overlaps resolves with the counter and registers nothing', async () => {
      const { tracker, clock } = setup(make);
      const section = tracker.tryBegin(range(8, 16))!;
      expect(await soon(tracker.readBegin(PAGE))).toBe(1);
      expect(tracker.stats).toMatchObject({ waits: 0, wakes: 0 });
      section.end();
      expectNothingLeft(tracker, { clock });
    });

    for (const order of permutations([0, 1, 2])) {
      it(`a reader waits until the last of three overlapping sections has ended: ${order.join(', ')}`, async () => {
        const { tracker, clock } = setup(make);
        const ranges = [range(-4, 4), range(2, 6), range(4, 12)];
        const sections = ranges.map((one) => tracker.tryBegin(one)!);
        const begun = new Outcome(tracker.readBegin(PAGE));
        const read = new Outcome(tracker.lookup(PAGE, ({ seq }) => seq));
        for (const [i, which] of order.entries()) {
          await turns();
          expect([begun.state, read.state]).toEqual(['pending', 'pending']);
          expect(tracker.inspect().waiting).toBe(2);
          sections[which]!.end();
          expect(tracker.seq).toBe(4 + i);
        }
        await turns();
        expect([begun.value, read.value]).toEqual([6, 6]);
        expect(tracker.stats).toMatchObject({ wakes: 2, collisions: 0, attempts: 1 });
        expectNothingLeft(tracker, { clock });
      });
    }

    it('an end wakes the waiters that overlap, all of them, and nobody else', async () => {
      const { tracker, clock } = setup(make);
      const left = tracker.tryBegin(range(0, 100))!;
      const right = tracker.tryBegin(range(100, 200))!;
      const parked = (from: number) =>
        Array.from({ length: 100 }, (_, i) => new Outcome(tracker.readBegin(range(from + i, from + i + 1))));
      const [inLeft, inRight] = [parked(0), parked(100)];
      await turns();
      left.end();
      await turns();
      expect(inLeft.every(({ state }) => state === 'resolved')).toBe(true);
      expect(inRight.every(({ state }) => state === 'pending')).toBe(true);
      expect(tracker.stats).toMatchObject({ waits: 200, wakes: 100 });
      right.end();
      await turns();
      expect(inRight.every(({ state }) => state === 'resolved')).toBe(true);
      expectNothingLeft(tracker, { clock });
    });

    it('waiters go on in the order in which they came', async () => {
      const { tracker } = setup(make);
      const section = tracker.tryBegin(PAGE)!;
      const order: number[] = [];
      const all = Array.from({ length: 10 }, (_, i) =>
        i % 2 === 0 ? tracker.lookup(PAGE, () => void order.push(i)) : tracker.lookup(range(4, 20), () => void order.push(i)),
      );
      await turns();
      section.end();
      await soon(Promise.all(all));
      expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });

    it('nobody is woken inside end(): waiters run in a later turn', async () => {
      const { tracker } = setup(make);
      const section = tracker.tryBegin(PAGE)!;
      let fetched = false;
      const result = tracker.lookup(PAGE, () => {
        fetched = true;
      });
      await turns();
      section.end();
      expect(fetched).toBe(false);
      await soon(result);
      expect(fetched).toBe(true);
    });

    // A wake-up is only a hint: between it and the turn of the woken, anything may begin.
    it('a lookup does not start while a section is active that began in the turn of its wake-up', async () => {
      const { tracker, clock } = setup(make);
      const first = tracker.tryBegin(PAGE)!;
      const read = new ManualFetch();
      const result = tracker.lookup(PAGE, read.fetch);
      await turns();
      first.end();
      const second = tracker.tryBegin(PAGE)!;
      await turns();
      expect(read.calls).toHaveLength(0);
      second.end();
      await turns();
      read.last.resolve('read');
      expect(await soon(result)).toBe('read');
      expect(tracker.stats).toMatchObject({ attempts: 1, collisions: 0, waits: 2 });
      expectNothingLeft(tracker, { clock });
    });

    it('a token from readBegin sees what begins between its wake-up and the turn of its caller', async () => {
      const { tracker } = setup(make);
      const first = tracker.tryBegin(PAGE)!;
      const begun = tracker.readBegin(PAGE);
      await turns();
      first.end();
      const second: Invalidation = tracker.tryBegin(PAGE)!;
      const token = await soon(begun);
      expect(token).toBe(2);
      expect(tracker.readRetry(PAGE, token)).toBe(true);
      second.end();
      expect(tracker.readRetry(PAGE, token)).toBe(true);
      expect(tracker.readRetry(PAGE, await soon(tracker.readBegin(PAGE)))).toBe(false);
    });

    it('a reader of several ranges waits for a section over any of them', async () => {
      const { tracker } = setup(make);
      const section = tracker.tryBegin(range(24, 25))!;
      const ranges = [range(40, 48), range(0, 8), range(20, 28)];
      expect(tracker.tryReadBegin(ranges)).toBeUndefined();
      const begun = new Outcome(tracker.readBegin(ranges));
      await turns();
      expect(begun.state).toBe('pending');
      section.end();
      await turns();
      expect(begun.value).toBe(2);
    });

    it('a begin never waits for readers that hold nothing', async () => {
      const { tracker } = setup(make);
      const blocker = tracker.tryBegin(PAGE)!;
      const parked = tracker.readBegin(PAGE);
      const read = new ManualFetch();
      const running = tracker.lookup(range(4, 20), read.fetch);
      const section = await soon(tracker.begin(range(0, 20)));
      expect(tracker.stats.queued).toBe(0);
      section.end();
      blocker.end();
      await soon(parked);
      await turns();
      read.last.resolve('read');
      await soon(running);
    });

    it('mutate begins, changes, ends, and hands back what the change returned', async () => {
      const { tracker, clock } = setup(make);
      const seen: unknown[] = [];
      const result = await soon(
        tracker.mutate(PAGE, async (section) => {
          seen.push(section.active, tracker.activeCount, tracker.tryReadBegin(PAGE));
          await undefined;
          return 'changed';
        }),
      );
      expect([result, ...seen]).toEqual(['changed', true, 1, undefined]);
      expect([tracker.seq, tracker.stats.begins, tracker.stats.ends]).toEqual([2, 1, 1]);
      expectNothingLeft(tracker, { clock });
    });
  });
}
