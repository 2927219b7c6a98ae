/**
 * Contract, lookups: what is checked, when, and what becomes of an attempt that was hit or failed.
 */
import { CollisionError, CommitError } from '../../index.js';
import { type Suite, setup } from './suite.js';
import { expect } from './support/expect.js';
import { expectNothingLeft } from './support/leftovers.js';
import { ManualFetch, range } from './support/reading.js';
import { deferred, failure, soon, turns } from './support/turns.js';

const PAGE = range(0, 8);

/** What a commit must not return. */
const LATE: readonly [string, () => unknown][] = [
  ['a promise', () => Promise.resolve('late')],
  ['a promise that rejects', () => Promise.reject(new Error('late'))],
  // biome-ignore lint/suspicious/noThenProperty: a thenable is what the case is about
  ['a thenable', () => ({ then: () => {} })],
];

export function describeLookups({ describe, it, make }: Suite): void {
  describe('lookups', () => {
    it('a quiet lookup runs fetch once, commits once, and moves no counter', async () => {
      const { tracker, clock } = setup(make);
      const installed: string[] = [];
      const commit = (value: string) => installed.push(value);
      expect(await soon(tracker.lookup(PAGE, async () => 'read', { commit }))).toBe(1);
      expect(installed).toEqual(['read']);
      expect(tracker.seq).toBe(0);
      expect(tracker.stats).toMatchObject({ lookups: 1, attempts: 1, collisions: 0, commits: 1, waits: 0 });
      expectNothingLeft(tracker, { clock });
    });

    // S26: a token taken after the first await of fetch misses the microtasks before it.
    for (const delay of [0, 1, 2, 3]) {
      it(`a hit ${delay} microtasks after the call of lookup is seen`, async () => {
        const { tracker } = setup(make);
        let content = 'old';
        const seen: string[] = [];
        const result = tracker.lookup(PAGE, async () => {
          const read = content;
          for (let i = 0; i < 5; i++) await undefined;
          seen.push(read);
          return read;
        });
        for (let i = 0; i < delay; i++) await undefined;
        const section = tracker.tryBegin(PAGE)!;
        content = 'new';
        section.end();
        expect(await soon(result)).toBe('new');
        expect(seen).toEqual(['old', 'new']);
        expect(tracker.stats).toMatchObject({ attempts: 2, collisions: 1 });
      });
    }

    it('a hit in the very first microtask of a fetch that awaits before it reads costs a retry, never a stale value', async () => {
      const { tracker } = setup(make);
      const tokens: number[] = [];
      queueMicrotask(() => tracker.tryBegin(PAGE)!.end());
      const result = tracker.lookup(PAGE, async (attempt) => {
        tokens.push(attempt.seq);
        await undefined;
        await undefined;
      });
      await soon(result);
      expect(tokens).toEqual([0, 2]);
    });

    it('the check and the commit are one turn: a section begun in the microtask before the commit prevents it', async () => {
      const { tracker } = setup(make);
      const read = new ManualFetch();
      let commits = 0;
      const result = tracker.lookup(PAGE, read.fetch, {
        commit: (value) => {
          commits++;
          expect(tracker.activeCount).toBe(0);
          return value;
        },
      });
      // fetch is settled, but nobody has looked at it yet
      read.last.resolve('stale');
      const section = tracker.tryBegin(PAGE)!;
      await turns();
      expect(commits).toBe(0);
      section.end();
      await turns();
      read.last.resolve('fresh');
      expect(await soon(result)).toBe('fresh');
      expect(commits).toBe(1);
    });

    // One microtask between the two is enough: whatever runs in it may begin a section.
    for (const what of ['a value', 'a promise', 'a slow promise']) {
      it(`nothing can begin between the check and the commit of a fetch that returns ${what}`, async () => {
        for (let delay = 0; delay < 12; delay++) {
          const { tracker, clock } = setup(make);
          const atCommit: unknown[] = [];
          const result = tracker.lookup(
            PAGE,
            ({ seq }) => (what === 'a value' ? seq : what === 'a promise' ? Promise.resolve(seq) : turns(3).then(() => seq)),
            { commit: (token) => void atCommit.push(tracker.activeCount, tracker.readRetry(PAGE, token)) },
          );
          for (let i = 0; i < delay; i++) await undefined;
          const section = tracker.tryBegin(PAGE)!;
          await turns();
          section.end();
          await soon(result);
          expect([delay, ...atCommit]).toEqual([delay, 0, false]);
          expectNothingLeft(tracker, { clock });
        }
      });
    }

    // S14
    it('a lookup is checked for what it observes besides its own ranges', async () => {
      const { tracker, clock } = setup(make);
      const read = new ManualFetch();
      const result = tracker.lookup(PAGE, read.fetch);
      read.last.attempt.observe([range(20, 28), range(40, 48)]);
      tracker.tryBegin(range(44, 46), { label: 'observed part' })!.end();
      tracker.tryBegin(range(28, 40), { label: 'between' })!.end();
      read.last.resolve('stale');
      await turns();
      expect(read.calls).toHaveLength(2);
      read.last.resolve('fresh');
      expect(await soon(result)).toBe('fresh');
      expect(tracker.stats).toMatchObject({ attempts: 2, collisions: 1 });
      expectNothingLeft(tracker, { clock });
    });

    it('a lookup is not checked for what it neither names nor observes', async () => {
      const { tracker } = setup(make);
      const read = new ManualFetch();
      const result = tracker.lookup(PAGE, read.fetch);
      tracker.tryBegin(range(20, 28))!.end();
      read.last.resolve('whatever it has read elsewhere');
      await soon(result);
      expect(tracker.stats).toMatchObject({ attempts: 1, collisions: 0 });
    });

    it('what one attempt observed does not bind the next', async () => {
      const { tracker } = setup(make);
      const read = new ManualFetch();
      const result = tracker.lookup(PAGE, read.fetch, { maxAttempts: Number.POSITIVE_INFINITY });
      read.last.attempt.observe(range(20, 28));
      tracker.tryBegin(PAGE)!.end();
      read.last.resolve('stale');
      await turns();
      tracker.tryBegin(range(20, 28))!.end();
      read.last.resolve('fresh');
      expect(await soon(result)).toBe('fresh');
      expect(tracker.stats.attempts).toBe(2);
    });

    // S16
    it('a lookup over 4,000 ranges that is hit in one retries once, and the collision names the one', async () => {
      const { tracker, clock } = setup(make);
      const many = Array.from({ length: 4000 }, (_, i) => range(i * 10, i * 10 + 8));
      const read = new ManualFetch();
      const result = tracker.lookup(many, read.fetch, { maxAttempts: Number.POSITIVE_INFINITY });
      const { signal } = read.last.attempt;
      expect(tracker.inspect().inFlightRanges).toBe(4000);
      tracker.tryBegin(range(29_998, 30_001), { label: 'the one' })!.end();
      expect(signal.reason).toBeInstanceOf(CollisionError);
      expect(signal.reason.collision).toMatchObject({ range: range(30_000, 30_001), label: 'the one' });
      read.last.resolve('stale');
      await turns();
      expect(read.calls).toHaveLength(2);
      expect(tracker.collision(many, read.calls[0]!.attempt.seq)).toEqual({
        reason: 'ended',
        range: range(30_000, 30_001),
        kind: 'clear',
        label: 'the one',
        seq: 2,
      });
      tracker.tryBegin(Array.from({ length: 3999 }, (_, i) => range(i * 10 + 8, i * 10 + 10)))!.end();
      read.last.resolve('fresh');
      expect(await soon(result)).toBe('fresh');
      expect(tracker.stats).toMatchObject({ attempts: 2, collisions: 1 });
      expectNothingLeft(tracker, { clock });
    });

    // S18
    it('of two lookups in different parts of one subscription only the one that is hit retries', async () => {
      const { tracker, clock } = setup(make);
      const told: unknown[] = [];
      const mirror = tracker.subscribe(range(0, 1_000_000), { invalidate: ({ ranges }) => void told.push(ranges) });
      const left = new ManualFetch();
      const right = new ManualFetch();
      const results = [
        mirror.lookup(left.fetch, { ranges: range(0, 8) }),
        mirror.lookup(right.fetch, { ranges: range(500_000, 500_008) }),
      ];
      tracker.tryBegin(range(500_004, 500_005))!.end();
      left.last.resolve('left');
      right.last.resolve('stale');
      await turns();
      expect([left.calls.length, right.calls.length]).toEqual([1, 2]);
      right.last.resolve('right');
      expect(await soon(Promise.all(results))).toEqual(['left', 'right']);
      expect(told).toEqual([[range(500_004, 500_005)]]);
      expect(tracker.stats).toMatchObject({ lookups: 2, attempts: 3, collisions: 1, commits: 2, waits: 0, notified: 1 });
      mirror.close();
      expectNothingLeft(tracker, { clock });
    });

    // S22
    for (const how of ['throws', 'rejects'] as const) {
      it(`an attempt that was hit and ${how} is retried, and the error goes nowhere`, async () => {
        const { tracker } = setup(make);
        let attempts = 0;
        const result = tracker.lookup(PAGE, () => {
          attempts++;
          if (attempts > 1) return 'parsed';
          tracker.tryBegin(PAGE)!.end();
          const torn = new SyntaxError('unexpected end of a torn page');
          if (how === 'throws') throw torn;
          return Promise.reject(torn);
        });
        expect(await soon(result)).toBe('parsed');
        expect(tracker.stats).toMatchObject({ attempts: 2, collisions: 1, commits: 1 });
      });
    }

    for (const how of ['throws', 'rejects'] as const) {
      it(`an attempt that was not hit and ${how} passes its error on, unwrapped`, async () => {
        const { tracker, clock } = setup(make);
        const error = new SyntaxError('a bad page');
        tracker.tryBegin(range(8, 16))!.end();
        const result = tracker.lookup(PAGE, ({ signal }) => {
          expect(signal.aborted).toBe(false);
          if (how === 'throws') throw error;
          return Promise.reject(error);
        });
        expect(await failure(result)).toBe(error);
        expect(tracker.stats).toMatchObject({ attempts: 1, collisions: 0, commits: 0 });
        expectNothingLeft(tracker, { clock });
      });
    }

    // S27
    for (const [what, commit] of LATE) {
      it(`a commit that returns ${what} fails with CommitError, and nothing is reported as done`, async () => {
        const { tracker, clock } = setup(make);
        const error = await failure(tracker.lookup(PAGE, () => 'read', { commit }));
        expect(error).toBeInstanceOf(CommitError);
        expect(error).toMatchObject({ code: 'RANGEFENCE_COMMIT' });
        expect((error as CommitError).message).toContain('commit returned a promise');
        expect(tracker.stats).toMatchObject({ attempts: 1, commits: 0 });
        expectNothingLeft(tracker, { clock });
      });
    }

    it('an attempt signal fires at the begin of the section that hits it, not when fetch is done', async () => {
      const { tracker, clock } = setup(make);
      const read = new ManualFetch();
      const result = tracker.lookup(PAGE, read.fetch);
      const { signal } = read.last.attempt;
      const fired = deferred();
      signal.addEventListener('abort', () => fired.resolve(), { once: true });
      const section = tracker.tryBegin(PAGE, { label: 'flush' })!;
      expect(signal.aborted).toBe(true);
      await soon(fired.promise);
      expect(signal.reason).toMatchObject({
        code: 'RANGEFENCE_COLLISION',
        collision: { reason: 'active', range: PAGE, kind: 'clear', label: 'flush', seq: 1 },
      });
      read.last.reject(signal.reason);
      await turns();
      section.end();
      await turns();
      expect(read.last.attempt.signal.aborted).toBe(false);
      read.last.resolve('fresh');
      expect(await soon(result)).toBe('fresh');
      expectNothingLeft(tracker, { clock });
    });

    it('only an attempt whose signal was asked for is registered, and only until it is over', async () => {
      const { tracker, clock } = setup(make);
      const plain = new ManualFetch();
      const asking = new ManualFetch();
      const results = [tracker.lookup([PAGE, range(20, 28)], plain.fetch), tracker.lookup([PAGE, range(20, 28)], asking.fetch)];
      expect(tracker.inspect().inFlightRanges).toBe(0);
      expect(asking.last.attempt.signal).toBe(asking.last.attempt.signal);
      expect(tracker.inspect().inFlightRanges).toBe(2);
      asking.last.attempt.observe(range(40, 48));
      expect(tracker.inspect().inFlightRanges).toBe(3);
      asking.last.resolve('a');
      plain.last.resolve('b');
      await soon(Promise.all(results));
      expectNothingLeft(tracker, { clock });
    });
  });
}
