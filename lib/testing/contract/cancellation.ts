/**
 * Contract, cancellation: everything that waits can be given up, by a signal or a time limit, before, while and after it waits,
 * and leaves nothing behind.
 */
import { TimeoutError, type WaitOptions } from '../../index.js';
import { type ContractTracker, type Suite, setup } from './suite.js';
import { allowManyListeners, WatchedController } from './support/controller.js';
import { expect } from './support/expect.js';
import { hold } from './support/holding.js';
import { expectNothingLeft } from './support/leftovers.js';
import { ManualFetch, range } from './support/reading.js';
import { deferred, failure, Outcome, soon, turns } from './support/turns.js';

const PAGE = range(0, 8);
const reason = new Error('changed my mind');

/** Something that will wait, and what lets it go on. */
interface Scene {
  /** Starts what is going to wait. Rejects, or resolves with something to clean up. */
  readonly start: (bounds: WaitOptions) => Promise<unknown>;
  /** Takes every obstacle away. */
  readonly release: () => Promise<void>;
}

interface Wait {
  readonly name: string;
  /** A begin has no time limit of its own. */
  readonly takesTimeout: boolean;
  /** Subscriptions that stay open. */
  readonly subscribed: number;
  readonly arrange: (tracker: ContractTracker) => Promise<Scene>;
}

const behindSection = (start: (tracker: ContractTracker, bounds: WaitOptions) => Promise<unknown>): Wait['arrange'] => {
  return async (tracker) => {
    const section = tracker.tryBegin(PAGE)!;
    return { start: (bounds) => start(tracker, bounds), release: async () => section.end() };
  };
};

const behindHold = (start: (tracker: ContractTracker, bounds: WaitOptions) => Promise<unknown>): Wait['arrange'] => {
  return async (tracker) => {
    const holder = await hold(tracker, PAGE);
    return { start: (bounds) => start(tracker, bounds), release: () => holder.commit() };
  };
};

const behindSubscriber = (start: (tracker: ContractTracker, bounds: WaitOptions) => Promise<unknown>): Wait['arrange'] => {
  return async (tracker) => {
    const slow = deferred();
    tracker.subscribe(PAGE, { invalidate: () => slow.promise });
    return { start: (bounds) => start(tracker, bounds), release: async () => slow.resolve() };
  };
};

/** A lookup that is going to hold after it has lost once; `blocked` says whether it then has to wait for its turn. */
const holding = (blocked: boolean): Wait['arrange'] => {
  return async (tracker) => {
    const read = new ManualFetch();
    const sections: { end(): void }[] = [];
    return {
      start(bounds) {
        const result = tracker.lookup(PAGE, read.fetch, { maxAttempts: 1, ...bounds });
        if (read.calls.length === 0) return result;
        const section = tracker.tryBegin(PAGE)!;
        if (blocked) sections.push(section);
        else section.end();
        read.last.resolve('stale');
        return result;
      },
      async release() {
        for (const section of sections) section.end();
        await turns();
        if (read.calls.length > 0) read.last.resolve('fresh');
      },
    };
  };
};

const ended = async (begun: Promise<{ end(): void }>): Promise<void> => (await begun).end();

const waits: Wait[] = [
  {
    name: 'a begin that queues behind a hold',
    takesTimeout: false,
    subscribed: 0,
    arrange: behindHold((tracker, bounds) => ended(tracker.begin(PAGE, bounds))),
  },
  {
    name: 'a change that queues behind a hold',
    takesTimeout: false,
    subscribed: 0,
    arrange: behindHold((tracker, bounds) => tracker.mutate(PAGE, () => 'changed', bounds)),
  },
  {
    name: 'a begin that waits for a subscriber',
    takesTimeout: false,
    subscribed: 1,
    arrange: behindSubscriber((tracker, bounds) => ended(tracker.begin(PAGE, bounds))),
  },
  {
    name: 'a change that waits for a subscriber',
    takesTimeout: false,
    subscribed: 1,
    arrange: behindSubscriber((tracker, bounds) => tracker.mutate(PAGE, () => 'changed', bounds)),
  },
  {
    name: 'a readBegin',
    takesTimeout: true,
    subscribed: 0,
    arrange: behindSection((tracker, bounds) => tracker.readBegin([PAGE, range(20, 28)], bounds)),
  },
  {
    name: 'a readBegin of a subscription',
    takesTimeout: true,
    subscribed: 1,
    arrange: behindSection((tracker, bounds) => tracker.subscribe(PAGE, { invalidate() {} }).readBegin(bounds)),
  },
  {
    name: 'a lookup before its first attempt',
    takesTimeout: true,
    subscribed: 0,
    arrange: behindSection((tracker, bounds) => tracker.lookup(PAGE, ({ signal }) => signal.aborted, bounds)),
  },
  {
    name: 'a lookup of a subscription before its first attempt',
    takesTimeout: true,
    subscribed: 1,
    arrange: behindSection((tracker, bounds) => tracker.subscribe(PAGE, { invalidate() {} }).lookup(() => 'read', bounds)),
  },
  {
    name: 'a lookup in its fetch',
    takesTimeout: true,
    subscribed: 0,
    async arrange(tracker) {
      const read = new ManualFetch();
      return {
        start(bounds) {
          const fetch: typeof read.fetch = (attempt) => {
            expect(attempt.signal.aborted).toBe(false);
            return read.fetch(attempt);
          };
          return tracker.lookup([PAGE, range(20, 28)], fetch, bounds);
        },
        async release() {
          if (read.calls.length > 0) read.last.resolve('read');
        },
      };
    },
  },
  {
    name: 'a lookup between two attempts',
    takesTimeout: true,
    subscribed: 0,
    async arrange(tracker) {
      const read = new ManualFetch();
      let section: { end(): void } | undefined;
      return {
        start(bounds) {
          const result = tracker.lookup(PAGE, read.fetch, { maxAttempts: Number.POSITIVE_INFINITY, ...bounds });
          if (read.calls.length === 0) return result;
          section = tracker.tryBegin(PAGE)!;
          read.last.resolve('stale');
          return result;
        },
        async release() {
          section?.end();
          await turns();
          if (read.calls.length > 0) read.last.resolve('fresh');
        },
      };
    },
  },
  { name: 'a hold that waits for its turn', takesTimeout: true, subscribed: 0, arrange: holding(true) },
  { name: 'a hold in its fetch', takesTimeout: true, subscribed: 0, arrange: holding(false) },
];

export function describeCancellation({ describe, it, make }: Suite): void {
  // S20
  for (const { name, takesTimeout, subscribed, arrange } of waits) {
    describe(name, () => {
      it('is not even started with a signal that has fired', async () => {
        const { tracker, clock } = setup(make);
        const scene = await arrange(tracker);
        const before = { seq: tracker.seq, ...tracker.stats };
        const controller = new WatchedController();
        controller.abort(reason);
        expect(await failure(scene.start({ signal: controller.signal }))).toBe(reason);
        expect({ seq: tracker.seq, ...tracker.stats }).toEqual(before);
        await scene.release();
        await turns();
        expectNothingLeft(tracker, { clock, controllers: [controller], subscribed });
      });

      it('rejects with the reason of its signal, at once, and leaves nothing behind', async () => {
        const { tracker, clock } = setup(make);
        const scene = await arrange(tracker);
        const controller = new WatchedController();
        const { signal } = controller;
        const outcome = new Outcome(scene.start(takesTimeout ? { signal, timeoutMs: 1000 } : { signal }));
        await turns();
        expect([outcome.state, controller.listeners]).toEqual(['pending', 1]);
        controller.abort(reason);
        await turns();
        expect([outcome.state, outcome.error]).toEqual(['rejected', reason]);
        expect([tracker.inspect().waiting, controller.listeners]).toEqual([0, 0]);
        const { commits } = tracker.stats;
        await scene.release();
        await turns();
        expect(tracker.stats.commits - commits).toBeLessThan(2);
        expectNothingLeft(tracker, { clock, controllers: [controller], subscribed });
      });

      const itIfItTakesOne = takesTimeout ? it : () => {};
      itIfItTakesOne('rejects with TimeoutError after timeoutMs and leaves nothing behind', async () => {
        const { tracker, clock } = setup(make);
        const scene = await arrange(tracker);
        const controller = new WatchedController();
        const { signal } = controller;
        const outcome = new Outcome(scene.start({ signal, timeoutMs: 500 }));
        await turns();
        clock.advance(499);
        await turns();
        expect(outcome.state).toBe('pending');
        clock.advance(1);
        await turns();
        expect(outcome.error).toBeInstanceOf(TimeoutError);
        expect(outcome.error).toMatchObject({ code: 'RANGEFENCE_TIMEOUT', timeoutMs: 500 });
        expect(tracker.inspect().waiting).toBe(0);
        await scene.release();
        await turns();
        expectNothingLeft(tracker, { clock, controllers: [controller], subscribed });
      });

      it('does not mind a signal that fires, or a limit that passes, after it is done', async () => {
        const { tracker, clock } = setup(make);
        const scene = await arrange(tracker);
        const controller = new WatchedController();
        const { signal } = controller;
        const outcome = new Outcome(scene.start(takesTimeout ? { signal, timeoutMs: 500 } : { signal }));
        await turns();
        await scene.release();
        await turns();
        expect(outcome.state).toBe('resolved');
        expectNothingLeft(tracker, { clock, controllers: [controller], subscribed });
        const after = { seq: tracker.seq, ...tracker.stats };
        controller.abort(reason);
        clock.advance(10_000);
        await turns();
        expect({ seq: tracker.seq, ...tracker.stats }).toEqual(after);
        expectNothingLeft(tracker, { clock, controllers: [controller], subscribed });
      });

      it('survives a signal that fires in any of the turns after the obstacle goes', async () => {
        for (let delay = 0; delay < 12; delay++) {
          const { tracker, clock } = setup(make);
          const scene = await arrange(tracker);
          const controller = new WatchedController();
          const { signal } = controller;
          const outcome = new Outcome(scene.start({ signal }));
          await turns();
          const released = scene.release();
          await turns(delay);
          controller.abort(reason);
          await released;
          await turns();
          expect([delay, outcome.state === 'pending']).toEqual([delay, false]);
          if (outcome.state === 'rejected') expect(outcome.error).toBe(reason);
          expectNothingLeft(tracker, { clock, controllers: [controller], subscribed });
        }
      });
    });
  }

  describe('cancellation', () => {
    it('a held lookup that is aborted lets the begins go that queue behind it', async () => {
      const { tracker, clock } = setup(make);
      const controller = new WatchedController();
      const holder = await hold(tracker, PAGE, { signal: controller.signal });
      const begins = [1, 2, 3].map(() => new Outcome(tracker.begin(PAGE)));
      await turns();
      controller.abort(reason);
      await turns();
      expect(holder.outcome.error).toBe(reason);
      expect(begins.map(({ state }) => state)).toEqual(['resolved', 'resolved', 'resolved']);
      for (const begun of begins) begun.value!.end();
      expectNothingLeft(tracker, { clock, controllers: [controller] });
    });

    it('a hold that waits behind a queued begin goes on when that begin is aborted', async () => {
      const { tracker, clock } = setup(make);
      const reads = [new ManualFetch(), new ManualFetch()] as const;
      const results = reads.map((read) => tracker.lookup(PAGE, read.fetch, { maxAttempts: 1 }));
      tracker.tryBegin(PAGE)!.end();
      reads[0].last.resolve('stale');
      await turns();
      const controller = new WatchedController();
      const begun = new Outcome(tracker.begin(PAGE, { signal: controller.signal }));
      await turns();
      reads[1].last.resolve('stale');
      await turns();
      expect(reads[1].calls).toHaveLength(1);
      controller.abort(reason);
      await turns();
      expect([begun.error, reads[1].calls.length]).toEqual([reason, 2]);
      for (const read of reads) read.last.resolve('fresh');
      expect(await soon(Promise.all(results))).toEqual(['fresh', 'fresh']);
      expectNothingLeft(tracker, { clock, controllers: [controller] });
    });

    it('a thousand waits aborted by one signal, or one by one, leave nothing', async () => {
      const { tracker, clock } = setup(make);
      const section = tracker.tryBegin(PAGE)!;
      const shared = new WatchedController();
      allowManyListeners(shared.signal);
      const own = Array.from({ length: 500 }, () => new WatchedController());
      const outcomes = [
        ...own.map(() => new Outcome(tracker.readBegin(PAGE, { signal: shared.signal, timeoutMs: 1000 }))),
        ...own.map(({ signal }) => new Outcome(tracker.lookup(PAGE, () => 'read', { signal, timeoutMs: 1000 }))),
      ];
      await turns();
      expect([tracker.inspect().waiting, clock.pending]).toEqual([1000, 1000]);
      for (const controller of own) controller.abort(reason);
      shared.abort(reason);
      await turns();
      expect(outcomes.every(({ error }) => error === reason)).toBe(true);
      expect([tracker.inspect().waiting, clock.pending]).toEqual([0, 0]);
      section.end();
      expect(tracker.stats.wakes).toBe(0);
      expectNothingLeft(tracker, { clock, controllers: [shared, ...own] });
    });

    it('an aborted wait does not disturb those that wait with it', async () => {
      const { tracker } = setup(make);
      const section = tracker.tryBegin(PAGE)!;
      const controller = new WatchedController();
      const before = new Outcome(tracker.readBegin(PAGE));
      const aborted = new Outcome(tracker.readBegin(PAGE, { signal: controller.signal }));
      const after = new Outcome(tracker.readBegin(PAGE));
      await turns();
      controller.abort(reason);
      await turns();
      expect([before.state, aborted.state, after.state]).toEqual(['pending', 'rejected', 'pending']);
      section.end();
      await turns();
      expect([before.value, after.value]).toEqual([2, 2]);
    });
  });
}
