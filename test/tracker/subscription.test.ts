import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  ClosedError,
  InvalidArgumentError,
  InvalidRangeError,
  RangeTracker,
  type SubscribeOptions,
  type Subscriber,
  type Subscription,
} from '../../lib/index.js';
import { ManualClock } from '../support/clock.js';
import { hit } from '../support/holding.js';
import { expectNothingLeft } from '../support/leftovers.js';
import { ManualFetch, range } from '../support/reading.js';
import { failure, Outcome, soon, turns } from '../support/turns.js';

const PAGE = range(0, 8);
const deaf: Subscriber = { invalidate() {} };

afterEach(() => {
  vi.restoreAllMocks();
});

describe('subscribe', () => {
  it.each<[unknown, SubscribeOptions, string]>([
    [undefined, {}, 'subscriber is undefined; expected an object with an invalidate method'],
    [null, {}, 'subscriber is null; expected an object with an invalidate method'],
    [{}, {}, 'subscriber is an object; expected an object with an invalidate method'],
    [{ invalidate: 7 }, {}, 'subscriber is an object; expected an object with an invalidate method'],
    [deaf, { ignore: 7 as never }, 'ignore is 7; expected a function'],
    [deaf, { label: 7 as never }, 'label is 7; expected a string'],
  ])('refuses %j with %j', (subscriber, options, message) => {
    const tracker = new RangeTracker();
    expect(() => tracker.subscribe(PAGE, subscriber as Subscriber, options)).toThrow(new InvalidArgumentError(message));
    expectNothingLeft(tracker);
  });

  it('shows its ranges sorted, merged and frozen, and its label', () => {
    const tracker = new RangeTracker();
    const mirror = tracker.subscribe([range(20, 28), range(4, 8), range(0, 4)], deaf, { label: 'mirror' });
    expect([mirror.ranges, mirror.label, mirror.closed]).toEqual([[PAGE, range(20, 28)], 'mirror', false]);
    expect(Object.isFrozen(mirror.ranges)).toBe(true);
    expect(tracker.subscribe(PAGE, deaf).label).toBeUndefined();
  });

  it('calls the methods on the subscriber, and once for a section over several of its ranges', () => {
    const tracker = new RangeTracker();
    class Mirror implements Subscriber {
      heard: string[] = [];
      invalidate() {
        this.heard.push('begin');
      }
      end() {
        this.heard.push('end');
      }
    }
    const mirror = new Mirror();
    tracker.subscribe([PAGE, range(20, 28), range(40, 48)], mirror);
    tracker.tryBegin([range(0, 24), range(30, 100)])!.end();
    expect(mirror.heard).toEqual(['begin', 'end']);
  });
});

describe('closing a subscription', () => {
  it('is idempotent, also by disposal, and is over at once', () => {
    const tracker = new RangeTracker();
    const mirror = tracker.subscribe([PAGE, range(20, 28)], deaf);
    expect(tracker.inspect().subscribedRanges).toBe(2);
    mirror[Symbol.dispose]();
    expect(mirror.closed).toBe(true);
    mirror.close();
    mirror[Symbol.dispose]();
    expectNothingLeft(tracker);
  });

  it('leaves others with the same ranges and the same subscriber alone', () => {
    const tracker = new RangeTracker();
    let told = 0;
    const subscriber = { invalidate: () => void told++ };
    const [first] = [tracker.subscribe(PAGE, subscriber), tracker.subscribe(PAGE, subscriber)];
    first.close();
    first.close();
    hit(tracker, PAGE);
    expect(told).toBe(1);
  });

  it('makes its readers fail with ClosedError, and the check say that nothing may be used', async () => {
    const tracker = new RangeTracker();
    const mirror = tracker.subscribe(PAGE, deaf, { label: 'mirror' });
    const token = mirror.tryReadBegin()!;
    expect(mirror.readRetry(token)).toBe(false);
    mirror.close();
    expect(mirror.readRetry(token)).toBe(true);
    expect(() => mirror.tryReadBegin()).toThrow(new ClosedError('the subscription "mirror"'));
    expect(await failure(mirror.readBegin())).toEqual(new ClosedError('the subscription "mirror"'));
    expect(await failure(mirror.lookup(() => 1))).toBeInstanceOf(ClosedError);
    const unnamed = tracker.subscribe(PAGE, deaf);
    unnamed.close();
    expect(() => unnamed.tryReadBegin()).toThrow('the subscription is closed');
  });

  it('makes a running lookup fail, whatever it was doing: nobody would drop what it installs', async () => {
    const clock = new ManualClock();
    const tracker = new RangeTracker({ clock });
    const mirror = tracker.subscribe(PAGE, deaf);
    const section = tracker.tryBegin(range(0, 4))!;
    let commits = 0;
    const commit = () => void commits++;
    const read = new ManualFetch();
    const failing = new ManualFetch();
    const running = new Outcome(mirror.lookup(read.fetch, { ranges: range(4, 8), commit }));
    const torn = new Outcome(mirror.lookup(failing.fetch, { ranges: range(4, 8), commit }));
    const waiting = new Outcome(mirror.lookup(() => 'read', { commit }));
    const begun = new Outcome(mirror.readBegin());
    await turns();
    mirror.close();
    read.last.resolve('read');
    failing.last.reject(new Error('cut off'));
    section.end();
    await turns();
    for (const { error } of [running, torn, waiting, begun]) expect(error).toBeInstanceOf(ClosedError);
    expect(commits).toBe(0);
    expectNothingLeft(tracker, { clock });
  });
});

describe('a callback', () => {
  it('may subscribe: the newcomer is not told of this begin, but hears its end', () => {
    const tracker = new RangeTracker();
    const log: string[] = [];
    tracker.subscribe(PAGE, {
      invalidate() {
        log.push('old begin');
        if (log.length === 1) {
          tracker.subscribe(PAGE, { invalidate: () => void log.push('new begin'), end: () => void log.push('new end') });
        }
      },
    });
    tracker.tryBegin(PAGE)!.end();
    expect(log).toEqual(['old begin', 'new end']);
    hit(tracker, PAGE);
    expect(log.slice(2).sort()).toEqual(['new begin', 'new end', 'old begin']);
  });

  it('that subscribes at a begin which is then refused hears that end, too', () => {
    const tracker = new RangeTracker();
    const log: string[] = [];
    tracker.subscribe(PAGE, {
      invalidate() {
        if (log.length === 0) tracker.subscribe(PAGE, { invalidate() {}, end: () => void log.push('end') });
        log.push('begin');
        return false;
      },
    });
    expect(tracker.tryBegin(PAGE)).toBeUndefined();
    expect(log).toEqual(['begin', 'end']);
  });

  it('may subscribe at an end, and does not hear that end', () => {
    const tracker = new RangeTracker();
    const log: string[] = [];
    tracker.subscribe(PAGE, {
      invalidate() {},
      end() {
        if (log.length < 3) tracker.subscribe(PAGE, { invalidate() {}, end: () => void log.push('new end') });
        log.push('old end');
      },
    });
    hit(tracker, PAGE);
    expect(log).toEqual(['old end']);
  });

  it('may begin and end other sections, also over its own range', () => {
    const tracker = new RangeTracker();
    const log: string[] = [];
    tracker.subscribe(PAGE, {
      invalidate(section) {
        log.push(`${section.label} begins`);
        if (section.label === 'outer') tracker.tryBegin(range(4, 5), { label: 'inner', within: section })!.end();
      },
      end: ({ label }) => void log.push(`${label} ends`),
    });
    const section = tracker.tryBegin(PAGE, { label: 'outer' })!;
    expect(log).toEqual(['outer begins', 'inner begins', 'inner ends']);
    expect([tracker.seq, tracker.activeCount]).toEqual([3, 1]);
    section.end();
    expect(log.at(-1)).toBe('outer ends');
  });

  it('may begin another section at an end, without end', async () => {
    const tracker = new RangeTracker();
    let rounds = 0;
    tracker.subscribe(PAGE, {
      invalidate() {},
      end() {
        if (++rounds < 100) hit(tracker, PAGE);
      },
    });
    hit(tracker, PAGE);
    expect([rounds, tracker.seq, tracker.activeCount]).toEqual([100, 200, 0]);
  });

  it('may read: its range is active, and its lookup waits for the end', async () => {
    const clock = new ManualClock();
    const tracker = new RangeTracker({ clock });
    const results: Promise<string>[] = [];
    const tokens: unknown[] = [];
    const mirror: Subscription = tracker.subscribe(PAGE, {
      invalidate() {
        tokens.push(mirror.tryReadBegin());
        results.push(mirror.lookup(() => 'read again'));
      },
      end() {
        tokens.push(mirror.tryReadBegin());
      },
    });
    const section = await soon(tracker.begin(PAGE));
    expect(tracker.inspect().waiting).toBe(1);
    section.end();
    expect(await soon(results[0]!)).toBe('read again');
    expect(tokens).toEqual([undefined, 2]);
    expectNothingLeft(tracker, { clock, subscribed: 1 });
  });

  it('that waits for a lookup of its own range is stopped by the signal of the begin', async () => {
    const tracker = new RangeTracker();
    const mirror: Subscription = tracker.subscribe(PAGE, {
      invalidate: () => mirror.lookup(() => 'read').then(() => undefined),
    });
    const controller = new AbortController();
    const begun = new Outcome(tracker.begin(PAGE, { signal: controller.signal }));
    await turns();
    expect(begun.state).toBe('pending');
    controller.abort(new Error('a knot'));
    await turns();
    expect(begun.error).toEqual(new Error('a knot'));
    expectNothingLeft(tracker, { signals: [controller.signal], subscribed: 1 });
  });

  it('may close the tracker', async () => {
    const tracker = new RangeTracker();
    const closings: Promise<void>[] = [];
    let asked = 0;
    tracker.subscribe(PAGE, {
      invalidate() {
        if (asked++ < 2) closings.push(tracker.close());
      },
    });
    const section = tracker.tryBegin(PAGE)!;
    await soon(closings[0]!);
    section.end();
    expect(closings[1]).toBe(closings[0]);
    expect([asked, tracker.seq, tracker.activeCount, tracker.closed]).toEqual([2, 4, 0, true]);
  });
});

describe('an end callback that throws', () => {
  /** What is thrown in a microtask would end the process, so the microtasks are caught before they run. */
  function catchMicrotasks(): (() => void)[] {
    const caught: (() => void)[] = [];
    vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((callback) => void caught.push(callback));
    return caught;
  }

  it('is reported as uncaught; the section has ended, and the others have heard it', async () => {
    const caught = catchMicrotasks();
    const tracker = new RangeTracker();
    const error = new Error('cannot restart');
    let heard = 0;
    for (let i = 0; i < 3; i++) {
      tracker.subscribe(PAGE, {
        invalidate() {},
        end() {
          heard++;
          throw error;
        },
      });
    }
    const begun = tracker.readBegin(PAGE);
    await begun;
    const section = tracker.tryBegin(PAGE)!;
    const waiting = tracker.readBegin(PAGE);
    section.end();
    expect(await soon(waiting)).toBe(2);
    expect([heard, tracker.activeCount, tracker.stats.subscriberErrors]).toEqual([3, 0, 3]);
    expect(caught).toHaveLength(3);
    for (const rethrow of caught) expect(rethrow).toThrow(error);
  });

  it('does not change the refusal of a begin that is rolled back', () => {
    const caught = catchMicrotasks();
    const tracker = new RangeTracker();
    let asked = 0;
    for (let i = 0; i < 3; i++) {
      tracker.subscribe(PAGE, {
        invalidate: () => (++asked === 3 ? false : undefined),
        end() {
          throw new Error('cannot restart');
        },
      });
    }
    expect(tracker.tryBegin(PAGE)).toBeUndefined();
    expect([caught.length, tracker.activeCount]).toEqual([2, 0]);
  });
});

describe('the readers of a subscription', () => {
  it('read its ranges unless told otherwise', async () => {
    const tracker = new RangeTracker();
    const mirror = tracker.subscribe([PAGE, range(20, 28)], deaf);
    const token = mirror.tryReadBegin()!;
    const elsewhere = tracker.tryBegin(range(8, 20))!;
    expect([mirror.tryReadBegin(), mirror.readRetry(token)]).toEqual([1, false]);
    const inside = tracker.tryBegin(range(24, 25))!;
    expect([mirror.tryReadBegin(), mirror.readRetry(token)]).toEqual([undefined, true]);
    expect(mirror.tryReadBegin({ ranges: PAGE })).toBe(2);
    expect(mirror.readRetry(token, { ranges: [PAGE, range(20, 24)] })).toBe(false);
    expect(await soon(mirror.readBegin({ ranges: range(25, 28) }))).toBe(2);
    expect(await soon(mirror.lookup(({ seq }) => seq, { ranges: PAGE }))).toBe(2);
    inside.end();
    elsewhere.end();
    expect(await soon(mirror.lookup(({ seq }) => seq))).toBe(4);
  });

  it.each([
    [range(0, 9), "range [0, 9) reaches outside the subscription's [0, 8) and 1 more"],
    [[range(0, 2), range(8, 9), range(20, 22)], "range [0, 2) and 2 more reaches outside the subscription's [0, 8) and 1 more"],
    [range(0, 28), "range [0, 28) reaches outside the subscription's [0, 8) and 1 more"],
  ])('refuse %j, which reaches outside', async (ranges, message) => {
    const tracker = new RangeTracker();
    const mirror = tracker.subscribe([PAGE, range(20, 28)], deaf);
    const error = new InvalidRangeError(message);
    const token = mirror.tryReadBegin()!;
    expect(() => mirror.tryReadBegin({ ranges })).toThrow(error);
    expect(() => mirror.readRetry(token, { ranges })).toThrow(error);
    expect(await failure(mirror.readBegin({ ranges }))).toEqual(error);
    expect(await failure(mirror.lookup(() => 1, { ranges }))).toEqual(error);
    expect(tracker.stats.lookups).toBe(0);
  });

  it('refuse ranges and options that are nonsense', async () => {
    const tracker = new RangeTracker();
    const mirror = tracker.subscribe(PAGE, deaf);
    expect(() => mirror.tryReadBegin({ ranges: range(8, 2) })).toThrow(InvalidRangeError);
    expect(await failure(mirror.readBegin({ ranges: [] }))).toBeInstanceOf(InvalidRangeError);
    expect(await failure(mirror.readBegin({ timeoutMs: -1 }))).toBeInstanceOf(InvalidArgumentError);
    expect(await failure(mirror.lookup(undefined as never))).toBeInstanceOf(InvalidArgumentError);
    expect(await failure(mirror.lookup(() => 1, { maxAttempts: 0 }))).toBeInstanceOf(InvalidArgumentError);
  });

  it('use its filter unless they bring their own', async () => {
    const tracker = new RangeTracker();
    const own = ({ kind }: { kind: string }) => kind === 'soft-dirty';
    const none = () => false;
    const mirror = tracker.subscribe(PAGE, deaf, { ignore: own });
    const token = mirror.tryReadBegin()!;
    const section = tracker.tryBegin(PAGE, { kind: 'soft-dirty' })!;
    expect([mirror.tryReadBegin(), mirror.tryReadBegin({ ignore: none })]).toEqual([1, undefined]);
    expect([mirror.readRetry(token), mirror.readRetry(token, { ignore: none })]).toEqual([false, true]);
    expect(await soon(mirror.readBegin())).toBe(1);
    expect(await soon(mirror.lookup(() => 'read'))).toBe('read');
    const waiting = new Outcome(mirror.readBegin({ ignore: none }));
    const looking = new Outcome(mirror.lookup(() => 'read', { ignore: none }));
    await turns();
    expect([waiting.state, looking.state]).toEqual(['pending', 'pending']);
    section.end();
    await turns();
    expect([waiting.value, looking.value]).toEqual([2, 'read']);
  });

  it('give its label to its lookups unless they bring their own', async () => {
    const tracker = new RangeTracker();
    const mirror = tracker.subscribe(PAGE, deaf, { label: 'mirror' });
    const section = tracker.tryBegin(PAGE)!;
    const results = [mirror.lookup(() => 1), mirror.lookup(() => 1, { label: 'mine' })];
    expect(tracker.inspect().sections[0]!.waiting.map(({ label }) => label)).toEqual(['mirror', 'mine']);
    section.end();
    await soon(Promise.all(results));
  });

  it('of a closed tracker fail with its name', async () => {
    const tracker = new RangeTracker({ label: 'pages' });
    const mirror = tracker.subscribe(PAGE, deaf, { label: 'mirror' });
    await soon(tracker.close());
    expect(mirror.closed).toBe(true);
    expect(() => mirror.tryReadBegin()).toThrow('the tracker "pages" is closed');
    expect(await failure(mirror.readBegin())).toMatchObject({ message: 'the tracker "pages" is closed' });
  });
});
