import { describe, expect, it, vi } from 'vitest';
import {
  type BeginOptions,
  InvalidArgumentError,
  RangeTracker,
  type RangeTrackerOptions,
  type Seq,
  SubscriberError,
} from '../../lib/index.js';
import { ManualClock } from '../support/clock.js';
import { hold } from '../support/holding.js';
import { expectNothingLeft } from '../support/leftovers.js';
import { range } from '../support/reading.js';
import { deferred, failure, Outcome, soon, turns } from '../support/turns.js';

const PAGE = range(0, 8);

describe('a new tracker', () => {
  it('is empty, open, at zero', () => {
    const tracker = new RangeTracker();
    expect([tracker.seq, tracker.activeCount, tracker.closed]).toEqual([0, 0, false]);
    expect(Object.values(tracker.stats).every((count) => count === 0)).toBe(true);
    expectNothingLeft(tracker);
  });

  it('takes every option', () => {
    const clock = new ManualClock();
    const tracker = new RangeTracker({ label: 'pages', historyCapacity: 1, observer: {}, clock, initialSeq: 7 });
    expect(tracker.seq).toBe(7);
    expect(tracker.inspect()).toMatchObject({ label: 'pages', seq: 7, history: { capacity: 1, floor: 7 } });
  });

  it('remembers 4,096 ended ranges unless told otherwise, and takes undefined for any option', () => {
    const none = { label: undefined, historyCapacity: undefined, observer: undefined, clock: undefined, initialSeq: undefined };
    expect(new RangeTracker(none).inspect().history.capacity).toBe(4096);
    expect(new RangeTracker({}).inspect().history.capacity).toBe(4096);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ label: 7 }, 'label is 7; expected a string'],
    [{ historyCapacity: 0 }, 'historyCapacity is 0; expected a whole number of at least 1'],
    [{ historyCapacity: -1 }, 'historyCapacity is -1; expected a whole number of at least 1'],
    [{ historyCapacity: 1.5 }, 'historyCapacity is 1.5; expected a whole number of at least 1'],
    [{ historyCapacity: Number.POSITIVE_INFINITY }, 'historyCapacity is Infinity; expected a whole number of at least 1'],
    [{ historyCapacity: '64' }, 'historyCapacity is "64"; expected a whole number of at least 1'],
    [{ observer: 'me' }, 'observer is "me"; expected an object with methods that are named as events'],
    [{ observer: null }, 'observer is null; expected an object with methods that are named as events'],
    [{ clock: {} }, 'clock is an object; expected an object with now, setTimeout and clearTimeout'],
    [{ clock: null }, 'clock is null; expected an object with now, setTimeout and clearTimeout'],
    [{ initialSeq: -1 }, 'initialSeq is -1; expected a safe integer of at least 0'],
    [{ initialSeq: 0.5 }, 'initialSeq is 0.5; expected a safe integer of at least 0'],
    [{ initialSeq: 2 ** 53 }, 'initialSeq is 9007199254740992; expected a safe integer of at least 0'],
    [{ initialSeq: Number.NaN }, 'initialSeq is NaN; expected a safe integer of at least 0'],
  ])('refuses %j', (options, message) => {
    expect(() => new RangeTracker(options as RangeTrackerOptions)).toThrow(new InvalidArgumentError(message));
  });

  it('shows its label where objects are described', () => {
    expect(String(new RangeTracker())).toBe('RangeTracker { seq: 0, active: 0, waiting: 0, subscribed: 0, closed: false }');
    expect(String(new RangeTracker({ label: 'pages' }))).toContain('RangeTracker { label: "pages", seq: 0');
    expect(Object.prototype.toString.call(new RangeTracker())).toBe('[object RangeTracker]');
  });
});

describe('a begin', () => {
  it.each<[Record<string, unknown>, string]>([
    [{ kind: 7 }, 'kind is 7; expected a string'],
    [{ label: {} }, 'label is an object; expected a string'],
    [{ signal: {} }, 'signal is an object; expected an AbortSignal'],
    [{ signal: null }, 'signal is null; expected an AbortSignal'],
    [{ within: {} }, 'within is an object; expected an active invalidation of the same tracker'],
    [{ within: null }, 'within is null; expected an active invalidation of the same tracker'],
  ])('refuses %j, and nothing has begun', async (options, message) => {
    const tracker = new RangeTracker();
    const error = new InvalidArgumentError(message);
    expect(await failure(tracker.begin(PAGE, options as BeginOptions))).toEqual(error);
    expect(await failure(tracker.mutate(PAGE, () => 1, options as BeginOptions))).toEqual(error);
    expect(() => tracker.tryBegin(PAGE, options as BeginOptions)).toThrow(error);
    expect([tracker.seq, tracker.activeCount]).toEqual([0, 0]);
  });

  it('does not begin with a signal that has fired', async () => {
    const tracker = new RangeTracker();
    const reason = new Error('never mind');
    const signal = AbortSignal.abort(reason);
    expect(await failure(tracker.begin(PAGE, { signal }))).toBe(reason);
    expect(() => tracker.tryBegin(PAGE, { signal })).toThrow(reason);
    expect(tracker.seq).toBe(0);
  });

  it('shows what it was told, and clear as its kind if it was not', async () => {
    const tracker = new RangeTracker();
    const owner = {};
    const first = await tracker.begin(PAGE, { kind: 'unmap', owner, label: 'teardown' });
    expect([first.kind, first.owner, first.label, first.blockable]).toEqual(['unmap', owner, 'teardown', true]);
    const second = tracker.tryBegin(PAGE, { kind: undefined, owner: undefined, label: undefined, within: undefined })!;
    expect([second.kind, second.owner, second.label, second.blockable]).toEqual(['clear', undefined, undefined, false]);
    const third = tracker.tryBegin(PAGE, { owner })!;
    expect([third.kind, third.owner]).toEqual(['clear', owner]);
  });

  it('moves the counter at once, before it resolves, if nothing is in its way', () => {
    const tracker = new RangeTracker();
    void tracker.begin(PAGE);
    expect([tracker.seq, tracker.activeCount]).toEqual([1, 1]);
  });
});

describe('a section', () => {
  it('ends once, however often it is told to', () => {
    const tracker = new RangeTracker();
    const section = tracker.tryBegin(PAGE)!;
    expect(section.active).toBe(true);
    section.end();
    section.end();
    section[Symbol.dispose]();
    expect([section.active, tracker.seq, tracker.activeCount, tracker.stats.ends]).toEqual([false, 2, 0, 1]);
    expect(section.beginSeq).toBe(1);
  });

  it('ends when it is disposed of', () => {
    const tracker = new RangeTracker();
    tracker.tryBegin(PAGE)![Symbol.dispose]();
    expect([tracker.seq, tracker.activeCount]).toEqual([2, 0]);
  });

  it.each([0, 1, 2])('ended by a subscriber while it tells %i others of its begin, has not begun', async (others) => {
    const tracker = new RangeTracker();
    tracker.subscribe(PAGE, { invalidate: (section) => section.end() });
    for (let i = 0; i < others; i++) tracker.subscribe(PAGE, { invalidate() {} });
    const error = await failure(tracker.begin(PAGE));
    expect(error).toBeInstanceOf(SubscriberError);
    expect(error).toMatchObject({ message: expect.stringContaining('the section was ended before its begin was done') });
    expect([tracker.seq, tracker.activeCount]).toEqual([2, 0]);
  });

  it('that cannot wait, ended by a subscriber while it is told, has not begun either', () => {
    const tracker = new RangeTracker();
    tracker.subscribe(PAGE, { invalidate: (section) => section.end() });
    expect(() => tracker.tryBegin(PAGE)).toThrow('the section was ended before its begin was done');
    expect([tracker.seq, tracker.activeCount]).toEqual([2, 0]);
  });

  it.each([
    ['refuses', () => false as const],
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
  ])('ended by one subscriber before another %s is not ended twice', (_how, answer) => {
    const tracker = new RangeTracker();
    // Parts of a begin are told in their order, subscribers of one part in any.
    tracker.subscribe(range(0, 8), { invalidate: (section) => section.end() });
    tracker.subscribe(range(20, 28), { invalidate: answer });
    let outcome: unknown;
    try {
      outcome = tracker.tryBegin([range(0, 8), range(20, 28)]);
    } catch (error) {
      outcome = error;
    }
    if (outcome !== undefined) expect(outcome).toBeInstanceOf(SubscriberError);
    expect([tracker.seq, tracker.activeCount, tracker.stats.ends]).toEqual([2, 0, 1]);
  });
});

describe('within', () => {
  it('must be an active section of the same tracker', async () => {
    const tracker = new RangeTracker();
    const ended = tracker.tryBegin(PAGE)!;
    ended.end();
    const foreign = new RangeTracker().tryBegin(PAGE)!;
    const message = 'within is an object; expected an active invalidation of the same tracker';
    for (const within of [ended, foreign]) {
      expect(() => tracker.tryBegin(PAGE, { within })).toThrow(message);
      expect(await failure(tracker.begin(PAGE, { within }))).toBeInstanceOf(InvalidArgumentError);
    }
    expect(tracker.seq).toBe(2);
  });

  it('does not tie the two together: the inner may outlast the outer, and lie elsewhere', () => {
    const tracker = new RangeTracker();
    const outer = tracker.tryBegin(PAGE)!;
    const inner = tracker.tryBegin(range(100, 108), { within: outer })!;
    outer.end();
    expect([inner.active, tracker.activeCount]).toEqual([true, 1]);
    inner.end();
    expect(tracker.activeCount).toBe(0);
  });

  it('still tells subscribers, who may refuse', () => {
    const tracker = new RangeTracker();
    const outer = tracker.tryBegin(range(100, 108))!;
    tracker.subscribe(PAGE, { invalidate: () => false });
    expect(tracker.tryBegin(PAGE, { within: outer })).toBeUndefined();
    expect(tracker.activeCount).toBe(1);
  });
});

describe('mutate', () => {
  it('needs a function', async () => {
    const tracker = new RangeTracker();
    const error = await failure(tracker.mutate(PAGE, 7 as never));
    expect(error).toEqual(new InvalidArgumentError('change is 7; expected a function'));
    expect(tracker.seq).toBe(0);
  });

  it.each(['throws', 'rejects'] as const)('ends when the change %s, and passes the error on unwrapped', async (how) => {
    const tracker = new RangeTracker();
    const error = new Error('disk full');
    const result = tracker.mutate(PAGE, () => {
      if (how === 'throws') throw error;
      return Promise.reject(error);
    });
    expect(await failure(result)).toBe(error);
    expect([tracker.seq, tracker.activeCount]).toEqual([2, 0]);
  });

  it('does not mind a change that ends the section itself', async () => {
    const tracker = new RangeTracker();
    expect(await soon(tracker.mutate(PAGE, (section) => section.end()))).toBeUndefined();
    expect([tracker.seq, tracker.activeCount]).toEqual([2, 0]);
  });

  it('nests by within', async () => {
    const tracker = new RangeTracker();
    const seqs = await soon(
      tracker.mutate(PAGE, (outer) => tracker.mutate(PAGE, (inner) => [outer.beginSeq, inner.beginSeq], { within: outer })),
    );
    expect([seqs, tracker.seq, tracker.activeCount]).toEqual([[1, 2], 4, 0]);
  });
});

describe('a token', () => {
  it.each([undefined, null, 'x', -1, Number.NaN, {}, 1, 99])('is not %s', (bad) => {
    const tracker = new RangeTracker();
    const mirror = tracker.subscribe(PAGE, { invalidate() {} });
    const message = /^seq is .*; expected a token from readBegin or tryReadBegin of this tracker, which has counted to 0$/;
    expect(() => tracker.readRetry(PAGE, bad as Seq)).toThrow(message);
    expect(() => tracker.collision(PAGE, bad as Seq)).toThrow(message);
    expect(() => mirror.readRetry(bad as Seq)).toThrow(message);
  });

  it('of a tryReadBegin that found something active is undefined, for one range and for several', () => {
    const tracker = new RangeTracker();
    const section = tracker.tryBegin(PAGE)!;
    expect(tracker.tryReadBegin(PAGE)).toBeUndefined();
    expect(tracker.tryReadBegin([range(20, 28), PAGE])).toBeUndefined();
    expect(tracker.tryReadBegin([range(20, 28), range(8, 16)])).toBe(1);
    section.end();
  });

  it('answers for several ranges what it answers for any of them', () => {
    const tracker = new RangeTracker();
    const token = tracker.tryReadBegin(PAGE)!;
    tracker.tryBegin(range(10, 11), { label: 'x' })!.end();
    expect(tracker.readRetry([PAGE, range(20, 28)], token)).toBe(false);
    expect(tracker.collision([PAGE, range(20, 28)], token)).toBeUndefined();
    expect(tracker.readRetry([PAGE, range(9, 12)], token)).toBe(true);
    expect(tracker.collision([PAGE, range(9, 12)], token)).toMatchObject({ range: range(10, 11), label: 'x' });
  });

  it('names an active section rather than an ended one, and the newest of those that have ended', () => {
    const tracker = new RangeTracker();
    const token = tracker.tryReadBegin(PAGE)!;
    tracker.tryBegin(PAGE, { label: 'first' })!.end();
    tracker.tryBegin(PAGE, { label: 'second' })!.end();
    expect(tracker.collision(PAGE, token)).toMatchObject({ reason: 'ended', label: 'second', seq: 4 });
    const section = tracker.tryBegin(PAGE, { label: 'third' })!;
    expect(tracker.collision(PAGE, token)).toMatchObject({ reason: 'active', label: 'third', seq: 5 });
    section.end();
  });

  it('names who was in the way, in whichever range, rather than that another has been forgotten', () => {
    const tracker = new RangeTracker({ historyCapacity: 1 });
    const token = tracker.tryReadBegin(PAGE)!;
    tracker.tryBegin(range(100, 108))!.end();
    tracker.tryBegin(range(20, 28))!.end();
    expect(tracker.collision([PAGE, range(20, 28)], token)).toMatchObject({ reason: 'ended', range: range(20, 28) });
    expect(tracker.collision([range(20, 28), range(30, 38)], token)).toMatchObject({ reason: 'ended' });
    expect(tracker.collision([PAGE, range(30, 38)], token)).toMatchObject({ reason: 'history-lost', range: PAGE });
  });

  it('has no label for a section that has none', () => {
    const tracker = new RangeTracker();
    const section = tracker.tryBegin(PAGE)!;
    expect(tracker.collision(PAGE, 0 as Seq)).not.toHaveProperty('label');
    section.end();
    expect(tracker.collision(PAGE, 0 as Seq)).not.toHaveProperty('label');
  });
});

describe('a filter', () => {
  it('of a subscriber is asked once, at the begin, while nobody wants to hear of ends', () => {
    const tracker = new RangeTracker();
    const ignore = vi.fn(() => false);
    tracker.subscribe(PAGE, { invalidate() {} }, { ignore });
    tracker.tryBegin(PAGE)!.end();
    expect(ignore).toHaveBeenCalledTimes(1);
    const curious = tracker.subscribe(PAGE, { invalidate() {}, end() {} });
    tracker.tryBegin(PAGE)!.end();
    expect(ignore).toHaveBeenCalledTimes(3);
    curious.close();
    tracker.tryBegin(PAGE)!.end();
    expect(ignore).toHaveBeenCalledTimes(4);
  });

  const throwing = () => {
    throw new Error('a filter must not throw');
  };

  it('that throws has not ignored anything', async () => {
    const tracker = new RangeTracker();
    const token = tracker.tryReadBegin(PAGE)!;
    const told: string[] = [];
    tracker.subscribe(PAGE, { invalidate: () => void told.push('told') }, { ignore: throwing });
    const section = tracker.tryBegin(PAGE)!;
    expect(tracker.tryReadBegin(PAGE, { ignore: throwing })).toBeUndefined();
    const begun = new Outcome(tracker.readBegin(PAGE, { ignore: throwing }));
    await turns();
    expect([begun.state, told]).toEqual(['pending', ['told']]);
    section.end();
    await turns();
    expect(begun.state).toBe('resolved');
    expect(tracker.readRetry(PAGE, token, { ignore: throwing })).toBe(true);
    expect(tracker.collision(PAGE, token, { ignore: throwing })).toMatchObject({ reason: 'ended' });
  });

  it.each([7, null, {}])('must be a function, not %j', async (ignore) => {
    const tracker = new RangeTracker();
    const options = { ignore: ignore as never };
    const message = /^ignore is .*; expected a function$/;
    expect(await failure(tracker.readBegin(PAGE, options))).toMatchObject({ message: expect.stringMatching(message) });
    expect(await failure(tracker.lookup(PAGE, () => 1, options))).toMatchObject({ message: expect.stringMatching(message) });
    expect(() => tracker.subscribe(PAGE, { invalidate() {} }, options)).toThrow(message);
  });

  it('is asked with the kind, the owner and the label', () => {
    const tracker = new RangeTracker();
    const owner = {};
    const section = tracker.tryBegin(PAGE, { kind: 'migrate', owner, label: 'to device' })!;
    const ignore = vi.fn(() => true);
    tracker.tryReadBegin(PAGE, { ignore });
    expect(ignore).toHaveBeenCalledWith(expect.objectContaining({ kind: 'migrate', owner, label: 'to device' }));
    section.end();
  });

  it('is not asked about sections elsewhere', () => {
    const tracker = new RangeTracker();
    const section = tracker.tryBegin(range(8, 16))!;
    const ignore = vi.fn(() => true);
    tracker.tryReadBegin(PAGE, { ignore });
    tracker.readRetry(PAGE, 0 as Seq, { ignore });
    section.end();
    tracker.readRetry(PAGE, 0 as Seq, { ignore });
    expect(ignore).not.toHaveBeenCalled();
  });
});

describe('subscribers that fail a begin', () => {
  it('are named although one of them has ended the section', async () => {
    const tracker = new RangeTracker();
    const reason = new Error('not me');
    const subscriber = {
      invalidate(invalidation: { end(): void }) {
        invalidation.end();
        throw reason;
      },
    };
    tracker.subscribe(PAGE, subscriber);
    expect(await failure(tracker.begin(PAGE))).toMatchObject({ errors: [reason] });
    expectNothingLeft(tracker, { subscribed: 1 });
  });

  const first = new Error('first');
  const second = new Error('second');
  const throws = (error: unknown) => () => {
    throw error;
  };
  const rejects = (error: unknown) => () => Promise.reject(error);

  it.each([
    ['in pass 1', throws(first), throws(second)],
    ['in pass 2', rejects(first), rejects(second)],
    ['in pass 1 and in pass 2', throws(first), rejects(second)],
    ['in pass 2 and in pass 1', rejects(first), throws(second)],
  ])('%s are named in the order in which they were told', async (_name, one, two) => {
    const tracker = new RangeTracker();
    tracker.subscribe(range(0, 4), { invalidate: one }, { label: 'one' });
    tracker.subscribe(range(4, 8), { invalidate: two });
    const error = await failure(tracker.begin([range(0, 4), range(4.5, 8)], { label: 'flush', kind: 'unmap' }));
    expect(error).toBeInstanceOf(SubscriberError);
    expect(error).toMatchObject({
      message:
        'the subscriber "one" over [0, 4) has not confirmed that it stopped using what ' +
        'the invalidation "flush" (unmap) over [0, 4) and 1 more changes: first (and 1 more)',
      errors: [first, second],
      subscriptions: [{ label: 'one' }, { label: undefined }],
      cause: first,
    });
    expect(tracker.stats.subscriberErrors).toBe(2);
  });

  it.each([
    ['false', () => false as const],
    ['a promise of false', () => Promise.resolve(false) as never],
  ])('by answering %s although it can wait are told so', async (_name, invalidate) => {
    const tracker = new RangeTracker();
    tracker.subscribe(PAGE, { invalidate });
    const error = await failure(tracker.begin(PAGE));
    expect(error).toBeInstanceOf(SubscriberError);
    expect(error).toMatchObject({ message: expect.stringContaining('answered false to a blockable invalidation') });
    expect([tracker.activeCount, tracker.stats.subscriberErrors]).toEqual([0, 1]);
  });

  it('with something that is no error are shown all the same', async () => {
    const tracker = new RangeTracker();
    tracker.subscribe(PAGE, { invalidate: throws('a string') });
    expect(await failure(tracker.begin(PAGE))).toMatchObject({
      message:
        'the subscriber over [0, 8) has not confirmed that it stopped using what the invalidation (clear) over [0, 8) changes: "a string"',
      errors: ['a string'],
    });
  });

  it('are counted also when the begin could not wait', () => {
    const tracker = new RangeTracker();
    tracker.subscribe(PAGE, { invalidate: throws(first) });
    expect(() => tracker.tryBegin(PAGE)).toThrow(SubscriberError);
    expect(tracker.stats).toMatchObject({ subscriberErrors: 1, refused: 0, begins: 1, ends: 1 });
  });

  it('do not keep the caller from trying again', async () => {
    const tracker = new RangeTracker();
    let failing = true;
    tracker.subscribe(PAGE, {
      invalidate() {
        if (failing) throw first;
      },
    });
    await failure(tracker.begin(PAGE));
    failing = false;
    (await soon(tracker.begin(PAGE))).end();
    expect([tracker.seq, tracker.activeCount]).toEqual([4, 0]);
  });
});

describe('a begin that cannot wait', () => {
  it('is refused by a thenable whose then throws, and leaves nothing behind', () => {
    const tracker = new RangeTracker();
    const thenable = {
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what the case is about
      then() {
        throw new Error('a broken thenable');
      },
    };
    tracker.subscribe(PAGE, { invalidate: () => thenable as PromiseLike<void> });
    expect(tracker.tryBegin(PAGE)).toBeUndefined();
    expect([tracker.seq, tracker.activeCount]).toEqual([2, 0]);
  });

  it('tells nobody after the one that refused', () => {
    const tracker = new RangeTracker();
    const asked: number[] = [];
    for (let i = 0; i < 5; i++) {
      tracker.subscribe(PAGE, {
        invalidate() {
          asked.push(i);
          return asked.length < 3 ? undefined : false;
        },
      });
    }
    expect(tracker.tryBegin(PAGE)).toBeUndefined();
    expect([asked.length, tracker.stats.notified]).toEqual([3, 3]);
  });

  it('is refused while a lookup holds the range, and then nothing has happened at all', async () => {
    const clock = new ManualClock();
    const tracker = new RangeTracker({ clock });
    const holder = await hold(tracker, PAGE);
    const { seq } = tracker;
    let told = 0;
    tracker.subscribe(PAGE, { invalidate: () => void told++ });
    expect(tracker.tryBegin(PAGE)).toBeUndefined();
    expect([tracker.seq, told, tracker.stats.refused]).toEqual([seq, 0, 1]);
    await holder.commit();
    tracker.tryBegin(PAGE)!.end();
    expectNothingLeft(tracker, { clock, subscribed: 1 });
  });
});

describe('statistics', () => {
  it('are live, and a copy is not', () => {
    const tracker = new RangeTracker();
    const { stats } = tracker;
    const copy = { ...stats };
    tracker.tryBegin(PAGE)!.end();
    expect([stats.begins, copy.begins]).toEqual([1, 0]);
    expect(tracker.stats).toBe(stats);
  });

  it('count one wait for every section that a reader had to wait for', async () => {
    const tracker = new RangeTracker();
    const older = tracker.tryBegin(PAGE)!;
    const younger = tracker.tryBegin(PAGE)!;
    const begun = tracker.readBegin(PAGE);
    younger.end();
    older.end();
    await soon(begun);
    expect(tracker.stats).toMatchObject({ waits: 2, wakes: 1 });
  });

  it('count begins that wait apart from readers that wait', async () => {
    const tracker = new RangeTracker({ clock: new ManualClock() });
    const holder = await hold(tracker, PAGE);
    const begun = tracker.begin(PAGE);
    expect(tracker.stats).toMatchObject({ queued: 1, waits: 0 });
    await holder.commit();
    (await soon(begun)).end();
  });

  it('count one lost answer for one question, however many ranges it has', () => {
    const tracker = new RangeTracker({ historyCapacity: 1 });
    const token = tracker.tryReadBegin(PAGE)!;
    for (let i = 0; i < 3; i++) tracker.tryBegin(range(100, 108))!.end();
    expect(tracker.readRetry([PAGE, range(20, 28), range(40, 48)], token)).toBe(true);
    expect(tracker.stats.historyLost).toBe(1);
  });

  it('count one lost answer for one attempt of a lookup', async () => {
    const tracker = new RangeTracker({ historyCapacity: 1 });
    const slow = deferred();
    const result = tracker.lookup(PAGE, ({ number }) => (number === 1 ? slow.promise : undefined));
    for (let i = 0; i < 3; i++) tracker.tryBegin(range(100, 108))!.end();
    slow.resolve();
    await soon(result);
    expect(tracker.stats).toMatchObject({ attempts: 2, collisions: 1, historyLost: 1 });
  });
});

describe('invalidate', () => {
  const page = { start: 0, end: 8 };

  it('says that something has changed: it ends itself, and what was read before is not committed', async () => {
    const tracker = new RangeTracker();
    const told: string[] = [];
    tracker.subscribe(page, { invalidate: () => void told.push('dropped'), end: () => void told.push('ended') });
    const before = tracker.tryReadBegin(page)!;
    expect(await tracker.invalidate(page)).toBeUndefined();
    expect([told, tracker.activeCount, tracker.readRetry(page, before)]).toEqual([['dropped', 'ended'], 0, true]);
    expect(tracker.readRetry(page, tracker.tryReadBegin(page)!)).toBe(false);
  });

  it('resolves when every subscriber has dropped the old, and rejects if one has not', async () => {
    const tracker = new RangeTracker();
    let confirm: () => void = () => {};
    const subscription = tracker.subscribe(page, {
      invalidate: () =>
        new Promise((resolve) => {
          confirm = resolve;
        }),
    });
    let done = false;
    const invalidated = tracker.invalidate(page).then(() => {
      done = true;
    });
    await turns();
    expect([done, tracker.activeCount]).toEqual([false, 1]);
    confirm();
    await invalidated;
    subscription.close();
    tracker.subscribe(page, {
      invalidate: () => {
        throw new Error('no');
      },
    });
    await expect(tracker.invalidate(page)).rejects.toThrow(SubscriberError);
    expect(tracker.activeCount).toBe(0);
  });
});
