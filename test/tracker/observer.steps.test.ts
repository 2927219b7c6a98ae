import { describe, expect, it } from 'vitest';
import type { TrackerEvents } from '../../lib/index.js';
import { all, make, only, steps } from '../support/events.js';
import { hold } from '../support/holding.js';
import { range } from '../support/reading.js';
import { deferred, Outcome, soon, turns } from '../support/turns.js';

const PAGE = range(0, 8);

describe('an observer of the steps', () => {
  it('sees each subscriber before and after its callback, then that the begin is through', async () => {
    const { tracker, seen } = make([...steps, 'begin', 'notified', 'ended']);
    const log: string[] = [];
    const tells = (name: string, answer?: Promise<void>) => {
      const invalidate = () => {
        log.push(`${name} after ${seen.map((one) => one.name).join(' ')}`);
        return answer;
      };
      return tracker.subscribe(PAGE, { invalidate }, { label: name });
    };
    const slow = deferred();
    const mirrors = [tells('first'), tells('second', slow.promise)];
    const begun = tracker.begin(PAGE);
    await turns();
    const order = log.map((line) => line.split(' ')[0]);
    expect([...order].sort()).toEqual(['first', 'second']); // in no order that is promised
    expect(log).toEqual([`${order[0]} after begin notifying`, `${order[1]} after begin notifying notified notifying`]);
    expect(seen.map(({ name }) => name)).toEqual(['begin', 'notifying', 'notified', 'notifying', 'notified']);
    slow.resolve();
    const section = await soon(begun);
    expect(seen.at(-1)).toMatchObject({ name: 'begun', event: { seq: 1 } });
    section.end();
    expect(only(seen, 'notifying').map(({ subscription }) => subscription.label)).toEqual(order);
    expect(new Set(only(seen, 'notifying').map(({ subscription }) => subscription))).toEqual(new Set(mirrors));
    for (const { event } of seen) expect(event).toMatchObject({ tracker, invalidation: section });
  });

  it('sees that nothing has begun where a subscriber refuses, throws or rejects', async () => {
    for (const invalidate of [() => false as const, () => Promise.reject(new Error('no'))]) {
      const { tracker, take } = make(steps);
      tracker.subscribe(PAGE, { invalidate });
      await tracker.begin(PAGE).catch(() => {});
      expect(tracker.tryBegin(PAGE)).toBeUndefined();
      await tracker.mutate(PAGE, () => {}).catch(() => {});
      expect(take()).toEqual(['notifying', 'notifying', 'notifying']);
    }
  });

  it.each<[string, () => unknown]>([
    ['returns', () => 'value'],
    ['returns a promise', () => turns().then(() => 'value')],
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
  ])('sees a change called and left, in one turn, whatever it does: it %s', async (_, change) => {
    const { tracker, seen } = make([...steps, 'begin', 'ended']);
    let during: string[] = [];
    const mutated = tracker.mutate(PAGE, () => {
      during = seen.map(({ name }) => name);
      return change();
    });
    expect(seen.map(({ name }) => name).slice(0, 4)).toEqual(['begin', 'begun', 'changing', 'changed']);
    await mutated.catch(() => {});
    expect(during).toEqual(['begin', 'begun', 'changing']);
    expect(seen.map(({ name, event }) => [name, event.seq])).toEqual([
      ['begin', 1],
      ['begun', 1],
      ['changing', 1],
      ['changed', 1],
      ['ended', 2],
    ]);
    expect(new Set(seen.map(({ event }) => (event as TrackerEvents['begun']).invalidation)).size).toBe(1);
  });

  it('sees a section that somebody else begins inside a change between the two', async () => {
    const { tracker, take } = make(steps);
    await tracker.mutate(PAGE, () => tracker.tryBegin(PAGE)!.end());
    expect(take()).toEqual(['begun', 'changing', 'begun', 'changed']);
  });

  it('sees a readBegin and a queued begin give up; a lookup fails instead', async () => {
    const { tracker, clock, seen } = make([...steps, 'wait', 'wake', 'failed']);
    const controller = new AbortController();
    const { signal } = controller;
    const section = tracker.tryBegin(PAGE)!;
    const waits = [
      tracker.readBegin(PAGE, { signal }),
      tracker.readBegin(PAGE, { timeoutMs: 5 }),
      tracker.lookup(PAGE, () => 1, { signal }),
    ].map((wait) => new Outcome<unknown>(wait));
    const waiters = only(seen, 'wait').map(({ waiter }) => waiter);
    clock.advance(5);
    controller.abort('stop');
    section.end();
    await turns();
    expect(waits.map(({ state }) => state)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(only(seen, 'gaveUp').map(({ waiter }) => waiters.indexOf(waiter as never))).toEqual([1, 0]);
    expect(only(seen, 'failed')).toHaveLength(1);
    expect(only(seen, 'wake')).toEqual([]);
  });

  it('sees a begin that queued behind a hold give up, and what the end of the tracker turns away', async () => {
    const { tracker, seen, take } = make(all);
    const holder = await hold(tracker, PAGE);
    const controller = new AbortController();
    const begun = new Outcome(tracker.begin(PAGE, { signal: controller.signal, label: 'given up' }));
    await turns();
    controller.abort('stop');
    await turns();
    expect(begun.error).toBe('stop');
    expect(only(seen, 'gaveUp')).toMatchObject([{ waiter: { label: 'given up', active: false } }]);
    expect(only(seen, 'gaveUp')[0]!.waiter).toBe(only(seen, 'wait').at(-1)!.waiter);
    await holder.commit();
    const section = tracker.tryBegin(PAGE)!;
    const waiting = new Outcome(tracker.readBegin(PAGE));
    await turns();
    take();
    await soon(tracker.close());
    expect(waiting.state).toBe('rejected');
    expect(take()).toEqual(['gaveUp', 'begin', 'ended', 'closed']);
    section.end();
  });
});
