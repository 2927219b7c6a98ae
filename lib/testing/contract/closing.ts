/**
 * Contract, closing the space: everybody who waits is turned away, everybody who holds something is told, nothing hangs.
 */
import { ClosedError } from '../../index.js';
import { type Suite, setup } from './suite.js';
import { WatchedController } from './support/controller.js';
import { expect } from './support/expect.js';
import { hold } from './support/holding.js';
import { expectNothingLeft } from './support/leftovers.js';
import { ManualFetch, range } from './support/reading.js';
import { deferred, failure, Outcome, soon, turns } from './support/turns.js';

const PAGE = range(0, 8);

export function describeClosing({ describe, it, make }: Suite): void {
  // S15
  describe('closing the space', () => {
    it('turns away everything that waits, and nothing hangs', async () => {
      const { tracker, clock } = setup(make, { label: 'pages' });
      const controller = new WatchedController();
      const bounds = { signal: controller.signal, timeoutMs: 5000 };
      const section = tracker.tryBegin(PAGE)!;
      const mirror = tracker.subscribe(range(0, 100), { invalidate() {} });
      const holder = await hold(tracker, range(40, 48), bounds);
      const losing = new ManualFetch();
      const waitingHold = tracker.lookup(range(60, 68), losing.fetch, { maxAttempts: 1, ...bounds });
      const blocker = tracker.tryBegin(range(60, 68))!;
      losing.last.resolve('stale');
      await turns();
      const waiting = {
        readBegin: tracker.readBegin(PAGE, bounds),
        'readBegin of a subscription': mirror.readBegin(bounds),
        lookup: tracker.lookup(PAGE, () => 'read', bounds),
        'lookup of a subscription': mirror.lookup(() => 'read', bounds),
        'held lookup, running': holder.result,
        'held lookup, waiting': waitingHold,
        'queued begin': tracker.begin(range(40, 48), { signal: controller.signal }),
        'queued change': tracker.mutate(range(64, 72), () => 'changed'),
      };
      const outcomes = Object.entries(waiting).map(([name, promise]) => ({ name, outcome: new Outcome<unknown>(promise) }));
      await turns();
      expect(outcomes.filter(({ outcome }) => outcome.state !== 'pending').map(({ name }) => name)).toEqual([]);
      expect(tracker.inspect()).toMatchObject({ waiting: 5, closed: false });
      const closing = tracker.close();
      await turns();
      for (const { name, outcome } of outcomes) expect([name, outcome.error instanceof ClosedError]).toEqual([name, true]);
      await soon(closing);
      blocker.end();
      section.end();
      expectNothingLeft(tracker, { clock, controllers: [controller] });
    });

    it('aborts attempts in flight, which then do not commit, hit or not', async () => {
      const { tracker, clock } = setup(make);
      const quiet = new ManualFetch();
      const asking = new ManualFetch();
      let commits = 0;
      const commit = () => void commits++;
      const results = [tracker.lookup(PAGE, quiet.fetch, { commit }), tracker.lookup(PAGE, asking.fetch, { commit })];
      const outcomes = results.map((result) => new Outcome(result));
      const { signal } = asking.last.attempt;
      await soon(tracker.close());
      expect(signal.reason).toBeInstanceOf(ClosedError);
      quiet.last.resolve('read');
      asking.last.reject(new Error('aborted'));
      await turns();
      expect(outcomes.map(({ error }) => error instanceof ClosedError)).toEqual([true, true]);
      expect([commits, tracker.stats.commits]).toEqual([0, 0]);
      expectNothingLeft(tracker, { clock });
    });

    it('tells all subscribers with a release over everything, awaits them, then closes their subscriptions', async () => {
      const { tracker, clock } = setup(make, { label: 'pages' });
      const slow = deferred();
      const log: unknown[] = [];
      const mirrors = [
        tracker.subscribe(PAGE, {
          invalidate: ({ kind, ranges }) => void log.push(kind, ranges),
          end: () => void log.push('end'),
        }),
        tracker.subscribe([range(500, 508), range(600, 608)], { invalidate: () => slow.promise }),
      ];
      const closing = new Outcome(tracker.close());
      await turns();
      expect(closing.state).toBe('pending');
      expect([tracker.closed, tracker.activeCount, tracker.seq]).toEqual([true, 1, 1]);
      expect(log).toEqual(['release', [{ start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY }]]);
      expect(mirrors.map(({ closed }) => closed)).toEqual([false, false]);
      slow.resolve();
      await turns();
      expect(closing.state).toBe('resolved');
      expect(log.at(-1)).toBe('end');
      expect(mirrors.map(({ closed }) => closed)).toEqual([true, true]);
      expect(tracker.seq).toBe(2);
      expectNothingLeft(tracker, { clock });
    });

    it('is final: every later call fails with ClosedError and changes nothing', async () => {
      const { tracker } = setup(make, { label: 'pages' });
      const mirror = tracker.subscribe(PAGE, { invalidate() {} });
      const token = tracker.tryReadBegin(PAGE)!;
      await soon(tracker.close());
      const { seq } = tracker;
      const rejected = [
        tracker.begin(PAGE),
        tracker.mutate(PAGE, () => 1),
        tracker.readBegin(PAGE),
        tracker.lookup(PAGE, () => 1),
        mirror.readBegin(),
        mirror.lookup(() => 1),
      ];
      for (const promise of rejected) expect(await failure(promise)).toBeInstanceOf(ClosedError);
      expect(() => tracker.tryBegin(PAGE)).toThrow(ClosedError);
      expect(() => tracker.tryReadBegin(PAGE)).toThrow(ClosedError);
      expect(() => tracker.subscribe(PAGE, { invalidate() {} })).toThrow('the tracker "pages" is closed');
      expect(() => mirror.tryReadBegin()).toThrow(ClosedError);
      expect(tracker.readRetry(PAGE, token)).toBe(true);
      expect(mirror.readRetry(token)).toBe(true);
      expect(tracker.collision(PAGE, token)).toEqual({ reason: 'closed' });
      expect(tracker.seq).toBe(seq);
    });

    it('leaves handles usable: a section can still be ended, a subscription still be closed, and close() repeated', async () => {
      const { tracker } = setup(make);
      const section = await soon(tracker.begin(PAGE));
      const mirror = tracker.subscribe(PAGE, { invalidate() {} });
      const closing = tracker.close();
      expect(tracker.close()).toBe(closing);
      await soon(closing);
      expect(tracker.activeCount).toBe(1);
      section.end();
      mirror.close();
      expect([tracker.activeCount, tracker.seq]).toEqual([0, 4]);
    });

    it('a lookup woken in the turn of the close does not run', async () => {
      const { tracker } = setup(make);
      const section = tracker.tryBegin(PAGE)!;
      let fetched = 0;
      const result = tracker.lookup(PAGE, () => {
        fetched++;
      });
      await turns();
      section.end();
      const closing = tracker.close();
      expect(await failure(result)).toBeInstanceOf(ClosedError);
      await soon(closing);
      expect(fetched).toBe(0);
    });

    it('a begin let go in the turn of the close does not begin', async () => {
      const { tracker } = setup(make);
      const holder = await hold(tracker, PAGE);
      const begun = tracker.begin(PAGE);
      begun.catch(() => {});
      await turns();
      holder.read.last.resolve('fresh');
      expect(await soon(holder.result)).toBe('fresh');
      const { begins } = tracker.stats;
      const closing = tracker.close();
      const outcome = new Outcome(begun);
      await soon(closing);
      await turns();
      // Either it was through before the close, and then it is an ordinary section, or it was turned away.
      if (outcome.state === 'resolved') outcome.value!.end();
      else expect(outcome.error).toBeInstanceOf(ClosedError);
      expect(tracker.stats.begins - begins).toBe(1);
      expect(tracker.activeCount).toBe(0);
    });
  });
}
