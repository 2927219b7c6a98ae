/**
 * Contract, holds: a lookup that has lost too often gets through, and delays nobody for longer than it may.
 */
import { type Invalidation, RetryLimitError } from '../../index.js';
import { type Suite, setup } from './suite.js';
import { expect } from './support/expect.js';
import { hit, hold } from './support/holding.js';
import { expectNothingLeft } from './support/leftovers.js';
import { ManualFetch, range } from './support/reading.js';
import { Outcome, soon, turns } from './support/turns.js';

const PAGE = range(0, 8);
const HOLD_MS = 250;

export function describeHolds({ describe, it, make }: Suite): void {
  describe('holds', () => {
    // S23
    for (const maxAttempts of [1, 2, 5]) {
      it(`a reader that always collides gets through one attempt after at most ${maxAttempts} collisions`, async () => {
        const { tracker, clock } = setup(make);
        const read = new ManualFetch();
        const result = tracker.lookup(PAGE, read.fetch, { maxAttempts });
        let losses = 0;
        while (tracker.inspect().holds.length === 0) {
          expect(losses).toBeLessThan(maxAttempts);
          hit(tracker, PAGE);
          read.last.resolve('stale');
          await turns();
          losses++;
        }
        expect(tracker.inspect().holds).toMatchObject([{ admitted: true, ranges: [PAGE], waiting: 0 }]);
        const { seq } = tracker;
        const order: string[] = [];
        const begins = ['a', 'b', 'c', 'd'].map((label) =>
          tracker.begin(PAGE, { label }).then((section) => {
            order.push(label);
            return section;
          }),
        );
        await turns();
        expect(tracker.tryBegin(PAGE)).toBeUndefined();
        expect([order, tracker.seq, tracker.activeCount]).toEqual([[], seq, 0]);
        expect(tracker.inspect().holds).toMatchObject([{ waiting: 4 }]);
        expect(tracker.inspect().sections).toMatchObject(['a', 'b', 'c', 'd'].map((label) => ({ label, state: 'queued' })));
        read.last.resolve('through');
        expect(await soon(result)).toBe('through');
        const sections = await soon(Promise.all(begins));
        expect(order).toEqual(['a', 'b', 'c', 'd']);
        expect(sections.map(({ beginSeq }) => beginSeq - seq)).toEqual([1, 2, 3, 4]);
        expect(tracker.stats).toMatchObject({
          attempts: losses + 1,
          collisions: losses,
          commits: 1,
          holds: 1,
          holdsExpired: 0,
          queued: 4,
          refused: 1,
        });
        for (const section of sections) section.end();
        expectNothingLeft(tracker, { clock });
      });
    }

    it('a hold delays overlapping begins only', async () => {
      const { tracker, clock } = setup(make);
      const holder = await hold(tracker, [PAGE, range(20, 28)]);
      for (const ranges of [range(8, 20), range(-8, 0), range(28, 40)]) {
        (await soon(tracker.begin(ranges))).end();
        tracker.tryBegin(ranges)!.end();
      }
      expect(tracker.stats.queued).toBe(0);
      const begun = new Outcome(tracker.begin(range(24, 100)));
      await turns();
      expect(begun.state).toBe('pending');
      await holder.commit();
      begun.value!.end();
      expectNothingLeft(tracker, { clock });
    });

    it('a hold reaches over what its fetch observes', async () => {
      const { tracker, clock } = setup(make);
      const holder = await hold(tracker, PAGE);
      holder.read.last.attempt.observe(range(50, 58));
      expect(tracker.tryBegin(range(52, 53))).toBeUndefined();
      const begun = new Outcome(tracker.begin(range(52, 53)));
      await turns();
      expect(begun.state).toBe('pending');
      await holder.commit();
      expect(await soon(holder.result)).toBe('fresh');
      begun.value!.end();
      expectNothingLeft(tracker, { clock });
    });

    it('a hold that the fetch of its attempt fails is given up like any other', async () => {
      const { tracker, clock } = setup(make);
      const holder = await hold(tracker, PAGE);
      const begun = new Outcome(tracker.begin(PAGE));
      const error = new Error('disk on fire');
      holder.read.last.reject(error);
      await turns();
      expect(holder.outcome.error).toBe(error);
      expect(begun.state).toBe('resolved');
      begun.value!.end();
      expectNothingLeft(tracker, { clock });
    });

    it('a hold waits for sections that are active, and begins that come meanwhile queue behind it', async () => {
      const { tracker, clock } = setup(make);
      const read = new ManualFetch();
      const result = new Outcome(tracker.lookup(PAGE, read.fetch, { maxAttempts: 1 }));
      const active = tracker.tryBegin(PAGE)!;
      read.last.resolve('stale');
      await turns();
      expect(tracker.inspect().holds).toMatchObject([{ admitted: false }]);
      const begun = new Outcome(tracker.begin(PAGE));
      await turns();
      expect(tracker.tryBegin(PAGE)).toBeUndefined();
      active.end();
      await turns();
      expect(tracker.inspect().holds).toMatchObject([{ admitted: true, waiting: 1 }]);
      expect([read.calls.length, begun.state]).toEqual([2, 'pending']);
      read.last.resolve('fresh');
      await turns();
      expect([result.value, begun.state]).toEqual(['fresh', 'resolved']);
      begun.value!.end();
      expectNothingLeft(tracker, { clock });
    });

    it('all holders that waited for a section are admitted together when it ends', async () => {
      const { tracker, clock } = setup(make);
      const reads = Array.from({ length: 5 }, () => new ManualFetch());
      const results = reads.map((read, i) => tracker.lookup(range(i, 8), read.fetch, { maxAttempts: 1 }));
      const active = tracker.tryBegin(PAGE)!;
      for (const read of reads) read.last.resolve('stale');
      await turns();
      const begun = new Outcome(tracker.begin(PAGE));
      active.end();
      await turns();
      expect(reads.map(({ calls }) => calls.length)).toEqual([2, 2, 2, 2, 2]);
      for (const [i, read] of reads.entries()) {
        expect(begun.state).toBe('pending');
        read.last.resolve(`fresh ${i}`);
        await turns();
      }
      expect(await soon(Promise.all(results))).toEqual([0, 1, 2, 3, 4].map((i) => `fresh ${i}`));
      expect(begun.state).toBe('resolved');
      begun.value!.end();
      expectNothingLeft(tracker, { clock });
    });

    it('holders and begins take turns: begins of one phase go together, the next holder after them', async () => {
      const { tracker, clock } = setup(make);
      const [first, second] = [new ManualFetch(), new ManualFetch()];
      const results = [first, second].map((read) => tracker.lookup(PAGE, read.fetch, { maxAttempts: 1 }));
      hit(tracker, PAGE);
      first.last.resolve('stale');
      await turns();
      const one = new Outcome(tracker.begin(PAGE));
      await turns();
      second.last.resolve('stale');
      await turns();
      const two = new Outcome(tracker.begin(PAGE));
      await turns();
      expect([first.calls.length, second.calls.length, one.state, two.state]).toEqual([2, 1, 'pending', 'pending']);
      first.last.resolve('first');
      await turns();
      expect([second.calls.length, one.state, two.state]).toEqual([1, 'resolved', 'resolved']);
      const three = new Outcome(tracker.begin(PAGE));
      await turns();
      one.value!.end();
      await turns();
      expect([second.calls.length, three.state]).toEqual([1, 'pending']);
      two.value!.end();
      await turns();
      expect([second.calls.length, three.state]).toEqual([2, 'pending']);
      second.last.resolve('second');
      await turns();
      three.value!.end();
      expect(await soon(Promise.all(results))).toEqual(['first', 'second']);
      expectNothingLeft(tracker, { clock });
    });

    it('a lookup that must never delay anybody rejects with RetryLimitError instead', async () => {
      const { tracker, clock } = setup(make);
      const read = new ManualFetch();
      const result = new Outcome(tracker.lookup(PAGE, read.fetch, { maxAttempts: 2, whenExhausted: 'throw' }));
      for (let i = 0; i < 2; i++) {
        hit(tracker, PAGE);
        read.last.resolve('stale');
        await turns();
        expect(tracker.inspect().holds).toHaveLength(0);
      }
      expect(result.error).toBeInstanceOf(RetryLimitError);
      expect(result.error).toMatchObject({
        code: 'RANGEFENCE_RETRY_LIMIT',
        attempts: 2,
        collision: { reason: 'ended', range: PAGE, seq: 4 },
      });
      expect(tracker.stats).toMatchObject({ attempts: 2, collisions: 2, commits: 0, holds: 0 });
      expectNothingLeft(tracker, { clock });
    });

    it('a hold runs out after holdMs while its fetch is slow: the lookup fails, and the queue moves on', async () => {
      const { tracker, clock } = setup(make);
      const holder = await hold(tracker, PAGE, { holdMs: HOLD_MS });
      const { signal } = holder.read.last.attempt;
      const begun = new Outcome(tracker.begin(PAGE));
      clock.advance(HOLD_MS - 1);
      await turns();
      expect([begun.state, holder.outcome.state]).toEqual(['pending', 'pending']);
      clock.advance(1);
      await turns();
      expect(holder.outcome.error).toBeInstanceOf(RetryLimitError);
      expect(holder.outcome.error).toMatchObject({ attempts: 2, collision: { reason: 'ended' } });
      expect(signal.reason).toBe(holder.outcome.error);
      expect(begun.state).toBe('resolved');
      expect(tracker.stats).toMatchObject({ holds: 1, holdsExpired: 1, commits: 0 });
      begun.value!.end();
      holder.read.last.resolve('too late');
      await turns();
      expect(tracker.stats.commits).toBe(0);
      expectNothingLeft(tracker, { clock });
    });

    // S28
    it('a begin nested in a section that a holder waits for is not delayed at all', async () => {
      const { tracker, clock } = setup(make);
      const read = new ManualFetch();
      const result = tracker.lookup(PAGE, read.fetch, { maxAttempts: 1 });
      const outer = await soon(tracker.begin(PAGE));
      read.last.resolve('stale');
      await turns();
      expect(tracker.inspect().holds).toMatchObject([{ admitted: false }]);
      const inner = await soon(tracker.begin(range(2, 4), { within: outer }));
      const innermost = tracker.tryBegin(range(3, 4), { within: inner })!;
      expect(await soon(tracker.mutate(range(0, 2), () => 'changed', { within: outer }))).toBe('changed');
      expect(tracker.stats).toMatchObject({ queued: 0, refused: 0 });
      innermost.end();
      outer.end();
      await turns();
      expect(read.calls).toHaveLength(1);
      inner.end();
      await turns();
      read.last.resolve('fresh');
      expect(await soon(result)).toBe('fresh');
      expect(tracker.stats).toMatchObject({ attempts: 2, holdsExpired: 0 });
      expectNothingLeft(tracker, { clock });
    });

    it('a nested begin that does not say so is delayed by holdMs at most, and the hold is dissolved', async () => {
      const { tracker, clock } = setup(make);
      const read = new ManualFetch();
      const result = new Outcome(tracker.lookup(PAGE, read.fetch, { maxAttempts: 1, holdMs: HOLD_MS }));
      const done: string[] = [];
      const outer = await soon(tracker.begin(PAGE));
      read.last.resolve('stale');
      await turns();
      const nested = tracker.mutate(range(2, 4), () => void done.push('inner')).then(() => outer.end());
      clock.advance(HOLD_MS - 1);
      await turns();
      expect([done, result.state]).toEqual([[], 'pending']);
      clock.advance(1);
      await soon(nested);
      expect(done).toEqual(['inner']);
      read.last.resolve('fresh');
      await turns();
      expect([result.value, read.calls.length]).toEqual(['fresh', 2]);
      expectNothingLeft(tracker, { clock });
    });

    it('a hold that waits for a long section has all its time left when that ends', async () => {
      const { tracker, clock } = setup(make);
      const read = new ManualFetch();
      const result = new Outcome(tracker.lookup(PAGE, read.fetch, { maxAttempts: 1, holdMs: HOLD_MS }));
      const long = await soon(tracker.begin(PAGE));
      read.last.resolve('stale');
      for (let i = 0; i < 5; i++) {
        await turns();
        clock.advance(HOLD_MS - 1);
      }
      await turns();
      expect([result.state, tracker.inspect().holds.length]).toEqual(['pending', 1]);
      long.end();
      await turns();
      const begun = new Outcome(tracker.begin(PAGE));
      clock.advance(HOLD_MS - 1);
      await turns();
      expect([result.state, read.calls.length]).toEqual(['pending', 2]);
      clock.advance(HOLD_MS);
      await turns();
      expect(result.error).toBeInstanceOf(RetryLimitError);
      begun.value!.end();
      expectNothingLeft(tracker, { clock });
    });

    it('an urgent begin queues behind no hold, and the lookup that holds gets in line again', async () => {
      const { tracker, clock } = setup(make);
      const holder = await hold(tracker, PAGE);
      const urgent = await soon(tracker.begin(PAGE, { urgent: true }));
      const another = tracker.tryBegin(PAGE, { urgent: true })!;
      const ordinary = new Outcome(tracker.begin(PAGE));
      holder.read.last.resolve('stale');
      await turns();
      expect(tracker.stats).toMatchObject({ queued: 1, refused: 0, commits: 0 });
      urgent.end();
      another.end();
      ordinary.value!.end();
      await turns();
      await holder.commit();
      expect(holder.outcome.value).toBe('fresh');
      expectNothingLeft(tracker, { clock });
    });

    it('a nested begin that hits a running hold makes it retry, and it holds again', async () => {
      const { tracker, clock } = setup(make);
      const outer = await soon(tracker.begin(range(100, 108)));
      const holder = await hold(tracker, PAGE);
      const nested = await soon(tracker.begin(PAGE, { within: outer }));
      holder.read.last.resolve('stale');
      await turns();
      expect(tracker.inspect().holds).toMatchObject([{ admitted: false }]);
      const later = new Outcome(tracker.begin(PAGE));
      nested.end();
      await turns();
      expect([holder.read.calls.length, later.state]).toEqual([3, 'pending']);
      await holder.commit();
      expect(holder.outcome.value).toBe('fresh');
      later.value!.end();
      outer.end();
      expect(tracker.stats).toMatchObject({ attempts: 3, collisions: 2 });
      expectNothingLeft(tracker, { clock });
    });

    // S29
    it('a holder whose own fetch invalidates the held range ends within holdMs, and nothing hangs', async () => {
      const { tracker, clock } = setup(make);
      let section: Invalidation | undefined;
      const refused: unknown[] = [];
      const result = new Outcome(
        tracker.lookup(
          PAGE,
          async ({ number }) => {
            if (number === 1) {
              hit(tracker, PAGE);
            } else {
              refused.push(tracker.tryBegin(PAGE));
              section = await tracker.begin(PAGE);
            }
          },
          { maxAttempts: 1, holdMs: HOLD_MS },
        ),
      );
      await turns();
      expect([result.state, section, refused]).toEqual(['pending', undefined, [undefined]]);
      clock.advance(HOLD_MS);
      await turns();
      expect(result.error).toBeInstanceOf(RetryLimitError);
      expect(section!.active).toBe(true);
      section!.end();
      await turns();
      expectNothingLeft(tracker, { clock });
    });

    it('two holders whose fetches invalidate what the other holds end within holdMs, too', async () => {
      const { tracker, clock } = setup(make);
      const pages = [range(0, 8), range(8, 16)] as const;
      const log: string[] = [];
      const results = pages.map(
        (page, i) =>
          new Outcome(
            tracker.lookup(
              page,
              async ({ number }) => {
                await undefined;
                if (number > 1) await tracker.mutate(pages[1 - i]!, () => void log.push(`change by ${i}`));
              },
              { maxAttempts: 1, holdMs: HOLD_MS },
            ),
          ),
      );
      for (const page of pages) hit(tracker, page);
      await turns();
      expect(results.map(({ state }) => state)).toEqual(['pending', 'pending']);
      clock.advance(HOLD_MS);
      await turns();
      expect(results.every(({ error }) => error instanceof RetryLimitError)).toBe(true);
      expect(log.sort()).toEqual(['change by 0', 'change by 1']);
      expectNothingLeft(tracker, { clock });
    });
  });
}
