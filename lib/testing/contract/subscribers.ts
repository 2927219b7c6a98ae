/**
 * Contract, subscribers: who is told what, when, and what follows if one refuses, fails or closes meanwhile.
 */
import { type Invalidation, SubscriberError, type Subscription } from '../../index.js';
import { type ContractTracker, type Suite, setup } from './suite.js';
import { WatchedController } from './support/controller.js';
import { expect } from './support/expect.js';
import { expectNothingLeft } from './support/leftovers.js';
import { ManualFetch, range } from './support/reading.js';
import { deferred, failure, Outcome, soon, turns } from './support/turns.js';

const PAGE = range(0, 8);

/** A subscriber that writes down what it hears. */
function listening(tracker: ContractTracker, log: string[], name: string, ranges = PAGE): Subscription {
  return tracker.subscribe(ranges, {
    invalidate: () => void log.push(`${name} begin`),
    end: () => void log.push(`${name} end`),
  });
}

/** How a callback can fail. */
const FAILURES: readonly [string, (error: Error) => PromiseLike<void>][] = [
  [
    'throws',
    (error) => {
      throw error;
    },
  ],
  ['rejects', (error) => Promise.reject(error)],
];

export function describeSubscribers({ describe, it, make }: Suite): void {
  describe('subscribers', () => {
    it('one that overlaps is told before the begin is done, and after the end', async () => {
      const { tracker, clock } = setup(make);
      const seen: unknown[] = [];
      const note = (section: Invalidation) => void seen.push([section, section.active, tracker.seq, tracker.activeCount]);
      const mirror = tracker.subscribe([range(2, 4), range(6, 8)], { invalidate: note, end: note });
      const section = await soon(tracker.begin([PAGE, range(20, 28)]));
      expect(seen).toEqual([[section, true, 1, 1]]);
      section.end();
      section.end();
      expect(seen.slice(1)).toEqual([[section, false, 2, 0]]);
      mirror.close();
      mirror.close();
      tracker.tryBegin(PAGE)!.end();
      expect(seen).toHaveLength(2);
      expectNothingLeft(tracker, { clock });
    });

    // S7
    it('subscribing while something is active elsewhere waits for nothing', async () => {
      const { tracker } = setup(make);
      const log: string[] = [];
      const section = tracker.tryBegin(range(8, 16))!;
      const mirror = listening(tracker, log, 'mirror');
      expect(await soon(mirror.readBegin())).toBe(1);
      expect(await soon(mirror.lookup(() => 'read'))).toBe('read');
      section.end();
      expect([tracker.stats.waits, log]).toEqual([0, []]);
    });

    it('one that subscribes while something overlapping is active waits for it, and hears its end only', async () => {
      const { tracker, clock } = setup(make);
      const log: string[] = [];
      const section = tracker.tryBegin(PAGE)!;
      const mirror = listening(tracker, log, 'mirror', range(4, 12));
      const read = new Outcome(mirror.lookup(() => 'read'));
      const elsewhere = await soon(mirror.lookup(() => 'read', { ranges: range(8, 12) }));
      await turns();
      expect([elsewhere, read.state, log]).toEqual(['read', 'pending', []]);
      section.end();
      expect(log).toEqual(['mirror end']);
      await turns();
      expect(read.value).toBe('read');
      mirror.close();
      expectNothingLeft(tracker, { clock });
    });

    // S8
    it('one that closes itself in its callback is not called again, and the begin does not wait for it', async () => {
      const { tracker } = setup(make);
      const log: string[] = [];
      const mirror = tracker.subscribe(PAGE, {
        invalidate() {
          log.push('begin');
          mirror.close();
        },
        end: () => void log.push('end'),
      });
      const section = await soon(tracker.begin(PAGE));
      section.end();
      tracker.tryBegin(PAGE)!.end();
      expect(log).toEqual(['begin']);
    });

    for (const which of ['first', 'second'] as const) {
      it(`one closed in the callback of the ${which} to be told hears nothing afterwards`, async () => {
        const { tracker, clock } = setup(make);
        const log: string[] = [];
        const subscriptions: Record<string, Subscription> = {};
        const closing = (name: string, other: string) => ({
          invalidate() {
            log.push(`${name} begin`);
            if (name === which) subscriptions[other]!.close();
          },
          end: () => void log.push(`${name} end`),
        });
        subscriptions.first = tracker.subscribe(PAGE, closing('first', 'second'));
        subscriptions.second = tracker.subscribe(PAGE, closing('second', 'first'));
        const section = await soon(tracker.begin(PAGE));
        section.end();
        // Whichever comes first: after the close nothing more is heard of the other.
        const other = which === 'first' ? 'second' : 'first';
        const closedAt = log.indexOf(`${which} begin`);
        expect(closedAt).toBeGreaterThan(-1);
        expect(log.slice(closedAt).filter((line) => line.startsWith(other))).toEqual([]);
        expect(log.at(-1)).toBe(`${which} end`);
        subscriptions[which]!.close();
        expectNothingLeft(tracker, { clock });
      });
    }

    it('one closed during a foreign invalidation hears neither its end nor anything later', async () => {
      const { tracker, clock } = setup(make);
      const log: string[] = [];
      const mirror = listening(tracker, log, 'mirror');
      const section = await soon(tracker.begin(PAGE));
      mirror.close();
      section.end();
      tracker.tryBegin(PAGE)!.end();
      expect(log).toEqual(['mirror begin']);
      expectNothingLeft(tracker, { clock });
    });

    it('one closed in the end callback of another does not hear that end', async () => {
      const { tracker } = setup(make);
      const log: string[] = [];
      const all: Subscription[] = [];
      for (let i = 0; i < 3; i++) {
        all.push(
          tracker.subscribe(PAGE, {
            invalidate() {},
            end() {
              log.push(`end ${i}`);
              for (const one of all) one.close();
            },
          }),
        );
      }
      tracker.tryBegin(PAGE)!.end();
      expect(log).toHaveLength(1);
    });

    // S9
    for (const k of [0, 1, 2, 3, 4]) {
      it(`a begin that cannot wait is refused by the subscriber with index ${k} of five and leaves no trace`, async () => {
        const { tracker, clock } = setup(make);
        const log: string[] = [];
        let refuser = -1;
        let asked = 0;
        const told: number[] = [];
        for (let i = 0; i < 5; i++) {
          tracker.subscribe(PAGE, {
            invalidate({ blockable }) {
              expect(blockable).toBe(false);
              if (asked++ === k) {
                refuser = i;
                return false;
              }
              told.push(i);
              return undefined;
            },
            end: () => void log.push(`end ${i}`),
          });
        }
        const token = tracker.tryReadBegin(PAGE)!;
        const read = new ManualFetch();
        const result = tracker.lookup(PAGE, read.fetch);
        expect(tracker.tryBegin(PAGE)).toBeUndefined();
        expect(refuser).toBeGreaterThan(-1);
        expect(log.sort()).toEqual(told.map((i) => `end ${i}`).sort());
        expect([told.length, tracker.seq, tracker.activeCount]).toEqual([k, 2, 0]);
        expect(tracker.stats).toMatchObject({ begins: 1, ends: 1, refused: 1, subscriberErrors: 0, notified: k + 1 });
        expect(tracker.readRetry(PAGE, token)).toBe(true);
        read.last.resolve('stale');
        await turns();
        read.last.resolve('fresh');
        expect(await soon(result)).toBe('fresh');
        expect(tracker.stats).toMatchObject({ attempts: 2, collisions: 1 });
        expectNothingLeft(tracker, { clock, subscribed: 5 });
      });
    }

    it('a promise refuses a begin that cannot wait', async () => {
      const { tracker, clock } = setup(make);
      tracker.subscribe(PAGE, { invalidate: () => Promise.reject(new Error('nobody asks for this any more')) });
      expect(tracker.tryBegin(PAGE)).toBeUndefined();
      await turns();
      expect([tracker.seq, tracker.stats.refused]).toEqual([2, 1]);
      expectNothingLeft(tracker, { clock, subscribed: 1 });
    });

    // S10
    it('n subscribers that each need time t cost a begin t, and every start precedes every finish', async () => {
      const { tracker, clock } = setup(make);
      const log: string[] = [];
      for (let i = 0; i < 20; i++) {
        tracker.subscribe(PAGE, {
          invalidate() {
            log.push('start');
            return new Promise<void>((resolve) => {
              clock.setTimeout(() => {
                log.push('finish');
                resolve();
              }, 10);
            });
          },
        });
      }
      const begun = new Outcome(tracker.begin(PAGE));
      await turns();
      expect(log).toEqual(Array(20).fill('start'));
      clock.advance(9);
      await turns();
      expect(begun.state).toBe('pending');
      clock.advance(1);
      await turns();
      expect(begun.state).toBe('resolved');
      expect(log.slice(20)).toEqual(Array(20).fill('finish'));
      begun.value!.end();
      expectNothingLeft(tracker, { clock, subscribed: 20 });
    });

    it('while one subscriber has not confirmed, the section counts for readers and the begin is not done', async () => {
      const { tracker } = setup(make);
      const slow = deferred();
      tracker.subscribe(PAGE, { invalidate: () => slow.promise });
      const begun = new Outcome(tracker.begin(PAGE));
      await turns();
      expect(tracker.tryReadBegin(PAGE)).toBeUndefined();
      expect([begun.state, tracker.activeCount, tracker.seq]).toEqual(['pending', 1, 1]);
      slow.resolve();
      await turns();
      begun.value!.end();
      expect(tracker.seq).toBe(2);
    });

    // S19
    it('of 100,000 subscribers only the one that overlaps is called, and only overlapping waiters are woken', async () => {
      const { tracker, clock } = setup(make);
      const told: number[] = [];
      const ended: number[] = [];
      const all: Subscription[] = [];
      for (let i = 0; i < 100_000; i++) {
        const subscriber = { invalidate: () => void told.push(i), end: () => void ended.push(i) };
        all.push(tracker.subscribe(range(i * 8, i * 8 + 8), subscriber));
      }
      const busy = tracker.tryBegin(range(-100, 0))!;
      const elsewhere = Array.from({ length: 50 }, () => new Outcome(tracker.readBegin(range(-8, -4))));
      const section = await soon(tracker.begin(range(77_777 * 8 + 3, 77_777 * 8 + 4)));
      const overlapping = Array.from({ length: 50 }, () => new Outcome(all[77_777]!.readBegin()));
      await turns();
      section.end();
      await turns();
      expect([told, ended, tracker.stats.notified]).toEqual([[77_777], [77_777], 1]);
      expect(overlapping.every(({ value }) => value === 3)).toBe(true);
      expect(elsewhere.every(({ state }) => state === 'pending')).toBe(true);
      expect(tracker.stats).toMatchObject({ waits: 100, wakes: 50 });
      busy.end();
      for (const one of all) one.close();
      await turns();
      expectNothingLeft(tracker, { clock });
    });

    // S21
    for (const [how, fail] of FAILURES) {
      describe(`one that ${how}`, () => {
        it('makes the begin fail, and the others are told, awaited, and hear the end', async () => {
          const { tracker, clock } = setup(make);
          const log: string[] = [];
          const error = new Error('cannot stop now');
          listening(tracker, log, 'before');
          tracker.subscribe(PAGE, { invalidate: () => fail(error), end: () => void log.push('failing end') });
          const slow = deferred();
          tracker.subscribe(PAGE, { invalidate: () => slow.promise, end: () => void log.push('slow end') });
          listening(tracker, log, 'after');
          const begun = new Outcome(tracker.begin(PAGE));
          await turns();
          expect([log.sort(), begun.state]).toEqual([['after begin', 'before begin'], 'pending']);
          slow.resolve();
          await turns();
          expect(begun.error).toBeInstanceOf(SubscriberError);
          expect(begun.error).toMatchObject({ code: 'RANGEFENCE_SUBSCRIBER', cause: error, errors: [error] });
          expect(log.slice(2).sort()).toEqual(['after end', 'before end', 'failing end', 'slow end']);
          expect(tracker.stats).toMatchObject({ begins: 1, ends: 1, subscriberErrors: 1, notified: 4 });
          expect(tracker.seq).toBe(2);
          expectNothingLeft(tracker, { clock, subscribed: 4 });
        });

        it('keeps mutate from calling its change', async () => {
          const { tracker } = setup(make);
          tracker.subscribe(PAGE, { invalidate: () => fail(new Error('no')) });
          let changed = false;
          const error = await failure(
            tracker.mutate(PAGE, () => {
              changed = true;
            }),
          );
          expect([error instanceof SubscriberError, changed, tracker.activeCount]).toEqual([true, false, 0]);
        });
      });
    }

    it('one that throws makes a begin that cannot wait throw, rolled back', () => {
      const { tracker, clock } = setup(make);
      const log: string[] = [];
      const error = new Error('cannot stop now');
      listening(tracker, log, 'before');
      tracker.subscribe(PAGE, {
        invalidate() {
          throw error;
        },
      });
      listening(tracker, log, 'after');
      expect(() => tracker.tryBegin(PAGE)).toThrow(SubscriberError);
      expect(log.sort()).toEqual(['after begin', 'after end', 'before begin', 'before end']);
      expect(tracker.seq).toBe(2);
      expectNothingLeft(tracker, { clock, subscribed: 3 });
    });

    it('one that never settles is left behind by the caller signal; the section ends and the others hear it', async () => {
      const { tracker, clock } = setup(make);
      const log: string[] = [];
      const controller = new WatchedController();
      const stuck = tracker.subscribe(PAGE, { invalidate: () => new Promise<void>(() => {}) });
      listening(tracker, log, 'other');
      const begun = new Outcome(tracker.begin(PAGE, { signal: controller.signal }));
      await turns();
      expect([begun.state, log]).toEqual(['pending', ['other begin']]);
      const reason = new Error('I cannot wait any longer');
      controller.abort(reason);
      await turns();
      expect([begun.error, log]).toEqual([reason, ['other begin', 'other end']]);
      expect([tracker.seq, tracker.activeCount]).toEqual([2, 0]);
      stuck.close();
      expectNothingLeft(tracker, { clock, controllers: [controller], subscribed: 1 });
    });

    it('a reader that was told of a failed begin sees it like any other section', async () => {
      const { tracker } = setup(make);
      tracker.subscribe(range(4, 8), { invalidate: () => Promise.reject(new Error('no')) });
      const token = tracker.tryReadBegin(PAGE)!;
      await failure(tracker.begin(PAGE));
      expect(tracker.collision(PAGE, token)).toMatchObject({ reason: 'ended', seq: 2 });
    });
  });
}
