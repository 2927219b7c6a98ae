import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import {
  type Attempt,
  CollisionError,
  CommitError,
  InvalidArgumentError,
  InvalidRangeError,
  type PlainLookupOptions,
  RangeTracker,
  RetryLimitError,
  TimeoutError,
} from '../../lib/index.js';
import { ManualClock } from '../support/clock.js';
import { hit } from '../support/holding.js';
import { insidesOf } from '../support/insides.js';
import { expectNothingLeft, listeners } from '../support/leftovers.js';
import { ManualFetch, range } from '../support/reading.js';
import { failure, Outcome, soon, turns } from '../support/turns.js';

const PAGE = range(0, 8);

function make(): { tracker: RangeTracker; clock: ManualClock } {
  const clock = new ManualClock();
  return { tracker: new RangeTracker({ clock }), clock };
}

/** Something with a `then` that does what the case needs. */
function thenable<T>(then: (resolve: (value: T) => void, reject: (error: unknown) => void) => void): PromiseLike<T> {
  return { then } as PromiseLike<T>;
}

describe('the options of a lookup', () => {
  it.each<[Record<string, unknown>, string]>([
    [{ commit: 7 }, 'commit is 7; expected a function'],
    [{ maxAttempts: 0 }, 'maxAttempts is 0; expected a whole number of at least 1, or Infinity'],
    [{ maxAttempts: 1.5 }, 'maxAttempts is 1.5; expected a whole number of at least 1, or Infinity'],
    [{ maxAttempts: -1 }, 'maxAttempts is -1; expected a whole number of at least 1, or Infinity'],
    [{ maxAttempts: Number.NaN }, 'maxAttempts is NaN; expected a whole number of at least 1, or Infinity'],
    [{ maxAttempts: '2' }, 'maxAttempts is "2"; expected a whole number of at least 1, or Infinity'],
    [{ whenExhausted: 'wait' }, "whenExhausted is \"wait\"; expected 'hold' or 'throw'"],
    [{ holdMs: 0 }, 'holdMs is 0; expected a positive number of milliseconds'],
    [{ holdMs: -5 }, 'holdMs is -5; expected a positive number of milliseconds'],
    [{ holdMs: Number.POSITIVE_INFINITY }, 'holdMs is Infinity; expected a positive number of milliseconds'],
    [{ holdMs: Number.NaN }, 'holdMs is NaN; expected a positive number of milliseconds'],
    [{ label: 7 }, 'label is 7; expected a string'],
    [{ ignore: 'own' }, 'ignore is "own"; expected a function'],
    [{ signal: 'x' }, 'signal is "x"; expected an AbortSignal'],
    [{ timeoutMs: -1 }, 'timeoutMs is -1; expected a number of milliseconds, 0 or more'],
    [{ timeoutMs: Number.NaN }, 'timeoutMs is NaN; expected a number of milliseconds, 0 or more'],
  ])('are refused if they are %j, before anything is read', async (options, message) => {
    const { tracker, clock } = make();
    let fetched = false;
    const result = tracker.lookup(
      PAGE,
      () => {
        fetched = true;
      },
      options as PlainLookupOptions<void>,
    );
    expect(await failure(result)).toEqual(new InvalidArgumentError(message));
    expect([fetched, tracker.stats.lookups]).toEqual([false, 0]);
    expectNothingLeft(tracker, { clock });
  });

  it('may all be undefined', async () => {
    const { tracker } = make();
    const options = {
      commit: undefined,
      maxAttempts: undefined,
      whenExhausted: undefined,
      holdMs: undefined,
      label: undefined,
      ignore: undefined,
      signal: undefined,
      timeoutMs: undefined,
    };
    expect(await soon(tracker.lookup(PAGE, () => 'read', options))).toBe('read');
  });

  it('do not replace fetch', async () => {
    const { tracker } = make();
    expect(await failure(tracker.lookup(PAGE, undefined as never))).toEqual(
      new InvalidArgumentError('fetch is undefined; expected a function'),
    );
  });

  it.each([0, 1])('with a limit of %i ms give up after that time', async (timeoutMs) => {
    const { tracker, clock } = make();
    const result = new Outcome(tracker.lookup(PAGE, () => new Promise(() => {}), { timeoutMs, label: 'slow' }));
    clock.advance(timeoutMs);
    await turns();
    expect(result.error).toEqual(new TimeoutError('lookup "slow" over [0, 8), attempt 1 of which was running,', timeoutMs));
    expectNothingLeft(tracker, { clock });
  });

  it('with a limit of Infinity set no timer', async () => {
    const { tracker, clock } = make();
    const section = tracker.tryBegin(PAGE)!;
    const result = tracker.lookup(PAGE, () => 'read', { timeoutMs: Number.POSITIVE_INFINITY });
    expect(clock.pending).toBe(0);
    section.end();
    expect(await soon(result)).toBe('read');
  });
});

describe('fetch', () => {
  it('is called in the same turn if nothing is in the way, with attempt 1 and the token', () => {
    const { tracker } = make();
    tracker.tryBegin(PAGE)!.end();
    const seen: unknown[] = [];
    void tracker.lookup(PAGE, ({ number, seq }) => void seen.push(number, seq));
    expect(seen).toEqual([1, 2]);
  });

  it('may return a value, a promise, or a thenable', async () => {
    const { tracker } = make();
    const fetches = [() => 'a', () => Promise.resolve('b'), () => thenable<string>((resolve) => resolve('c'))];
    expect(await soon(Promise.all(fetches.map((fetch) => tracker.lookup(PAGE, fetch))))).toEqual(['a', 'b', 'c']);
    expect(tracker.stats.commits).toBe(3);
  });

  it('may return a function that is thenable', async () => {
    const { tracker } = make();
    const { then } = thenable<string>((resolve) => resolve('called'));
    expect(await soon(tracker.lookup(PAGE, () => Object.assign(() => 'not called', { then })))).toBe('called');
  });

  it('may return anything that is not thenable, also odd things', async () => {
    const { tracker } = make();
    // biome-ignore lint/suspicious/noThenProperty: not a thenable, although it looks like one
    for (const value of [undefined, null, 0, '', false, Symbol.iterator, { then: 'soon' }, () => 1]) {
      expect(await soon(tracker.lookup(PAGE, () => value))).toBe(value);
    }
  });

  it.each<[string, () => PromiseLike<string>]>([
    [
      'resolves twice',
      () =>
        thenable((resolve) => {
          resolve('first');
          resolve('second');
        }),
    ],
    [
      'resolves, then rejects',
      () =>
        thenable((resolve, reject) => {
          resolve('first');
          reject(new Error('second'));
        }),
    ],
    [
      'resolves, then throws',
      () =>
        thenable((resolve) => {
          resolve('first');
          throw new Error('second');
        }),
    ],
    [
      'resolves now and again later',
      () =>
        thenable((resolve) => {
          resolve('first');
          queueMicrotask(() => resolve('second'));
        }),
    ],
  ])('that returns a thenable that %s counts once', async (_how, fetch) => {
    const { tracker, clock } = make();
    const installed: string[] = [];
    expect(await soon(tracker.lookup(PAGE, fetch, { commit: (value) => void installed.push(value) }))).toBeUndefined();
    await turns();
    expect([installed, tracker.stats.commits]).toEqual([['first'], 1]);
    expectNothingLeft(tracker, { clock });
  });

  it('that returns a thenable that calls back for a lost attempt again does not disturb the next', async () => {
    const { tracker, clock } = make();
    const resolves: ((value: string) => void)[] = [];
    const result = tracker.lookup(PAGE, () => thenable<string>((resolve) => void resolves.push(resolve)));
    hit(tracker, PAGE);
    resolves[0]!('stale');
    await turns();
    resolves[0]!('stale again');
    await turns();
    expect(tracker.stats).toMatchObject({ attempts: 2, collisions: 1, commits: 0 });
    resolves[1]!('fresh');
    expect(await soon(result)).toBe('fresh');
    expectNothingLeft(tracker, { clock });
  });

  it('that returns a thenable whose then throws has failed', async () => {
    const { tracker, clock } = make();
    const error = new Error('broken');
    const fetch = () =>
      thenable(() => {
        throw error;
      });
    expect(await failure(tracker.lookup(PAGE, fetch))).toBe(error);
    expectNothingLeft(tracker, { clock });
  });

  it('that returns an object whose then cannot even be read has failed', async () => {
    const { tracker, clock } = make();
    const error = new Error('no entry');
    const fetch = () =>
      Object.defineProperty({}, 'then', {
        get() {
          throw error;
        },
      });
    expect(await failure(tracker.lookup(PAGE, fetch))).toBe(error);
    expectNothingLeft(tracker, { clock });
  });

  it.each([undefined, null, 'text', 0])('may throw %j', async (error) => {
    const { tracker } = make();
    const fetch = () => {
      throw error;
    };
    expect(await failure(tracker.lookup(PAGE, fetch))).toBe(error);
  });

  it('that throws at once in attempt after attempt that was hit does not recurse', async () => {
    const { tracker, clock } = make();
    let attempts = 0;
    const fetch = () => {
      attempts++;
      if (attempts <= 20_000) hit(tracker, PAGE);
      if (attempts % 2 === 0) throw new Error('torn');
      return attempts;
    };
    const result = tracker.lookup(PAGE, fetch, { maxAttempts: Number.POSITIVE_INFINITY });
    for (let i = 0; i < 3000; i++) await turns();
    expect(await soon(result)).toBe(20_001);
    expect(tracker.stats).toMatchObject({ attempts: 20_001, collisions: 20_000 });
    expectNothingLeft(tracker, { clock });
  });

  it('is never called twice at once', async () => {
    const { tracker } = make();
    let running = 0;
    const result = tracker.lookup(
      PAGE,
      async ({ number }) => {
        expect(++running).toBe(1);
        if (number < 4) hit(tracker, PAGE);
        await turns(3);
        running--;
        return number;
      },
      { maxAttempts: Number.POSITIVE_INFINITY },
    );
    expect(await soon(result)).toBe(4);
  });

  it('may start lookups and sections of its own', async () => {
    const { tracker, clock } = make();
    const result = tracker.lookup(PAGE, async () => {
      const inner = await tracker.lookup(range(4, 12), () => 'inner');
      await tracker.mutate(range(8, 16), () => {});
      return inner;
    });
    expect(await soon(result)).toBe('inner');
    expect(tracker.stats).toMatchObject({ lookups: 2, attempts: 2, collisions: 0 });
    expectNothingLeft(tracker, { clock });
  });
});

describe('commit', () => {
  it('turns the value into the result, in the turn of the check', async () => {
    const { tracker } = make();
    expect(await soon(tracker.lookup(PAGE, () => 20, { commit: (value) => `${value + 1}` }))).toBe('21');
  });

  it('that throws makes the lookup fail with its error, and is not tried again', async () => {
    const { tracker, clock } = make();
    const error = new Error('no room');
    let commits = 0;
    const commit = () => {
      commits++;
      throw error;
    };
    expect(await failure(tracker.lookup(PAGE, async () => 'read', { commit }))).toBe(error);
    expect([commits, tracker.stats.commits]).toEqual([1, 0]);
    expectNothingLeft(tracker, { clock });
  });

  it.each([
    ['throws', CommitError],
    ['calls back at once', CommitError],
  ])('that returns a thenable whose then %s fails with CommitError all the same', async (how, kind) => {
    const { tracker, clock } = make();
    const commit = () =>
      thenable<void>((resolve) => {
        if (how === 'throws') throw new Error('broken');
        resolve();
      });
    expect(await failure(tracker.lookup(PAGE, () => 'read', { commit }))).toBeInstanceOf(kind);
    expectNothingLeft(tracker, { clock });
  });

  it.each(['at once', 'later'] as const)('that aborts its own lookup, fetched %s, rejects with the reason', async (when) => {
    const { tracker, clock } = make();
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error('changed my mind');
    const fetch = () => (when === 'at once' ? 'read' : Promise.resolve('read'));
    const result = tracker.lookup(PAGE, fetch, {
      signal,
      commit(value) {
        controller.abort(reason);
        return value;
      },
    });
    expect(await failure(result)).toBe(reason);
    expect(tracker.stats.commits).toBe(0);
    expectNothingLeft(tracker, { clock, signals: [signal] });
  });

  it.each(['at once', 'later'] as const)('is not called if fetch, answering %s, has aborted the lookup', async (when) => {
    const { tracker, clock } = make();
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error('changed my mind');
    let commits = 0;
    const fetch = () => {
      controller.abort(reason);
      return when === 'at once' ? 'read' : Promise.resolve('read');
    };
    const result = tracker.lookup(PAGE, fetch, { signal, commit: () => void commits++ });
    expect(await failure(result)).toBe(reason);
    expect([commits, tracker.stats.commits]).toEqual([0, 0]);
    expectNothingLeft(tracker, { clock, signals: [signal] });
  });

  it('may begin a section over the range it has just read, and that does not undo it', async () => {
    const { tracker } = make();
    const result = tracker.lookup(PAGE, () => 'read', {
      commit(value) {
        hit(tracker, PAGE);
        return value;
      },
    });
    expect(await soon(result)).toBe('read');
    expect(tracker.stats).toMatchObject({ attempts: 1, collisions: 0, commits: 1 });
  });

  it('may close the tracker, and nothing hangs', async () => {
    const { tracker } = make();
    let closing: Promise<void> | undefined;
    const outcome = new Outcome(
      tracker.lookup(PAGE, async ({ signal }) => signal.aborted, {
        commit() {
          closing = tracker.close();
        },
      }),
    );
    await turns();
    await soon(closing!);
    expect([outcome.state === 'pending', tracker.closed]).toEqual([false, true]);
    expectNothingLeft(tracker);
  });
});

describe('observe', () => {
  it('covers what was hit before it was observed, and what is hit after', async () => {
    for (const when of ['before', 'after'] as const) {
      const { tracker } = make();
      const read = new ManualFetch();
      const result = tracker.lookup(PAGE, read.fetch);
      if (when === 'before') hit(tracker, range(20, 28));
      read.last.attempt.observe(range(24, 32));
      if (when === 'after') hit(tracker, range(20, 28));
      read.last.resolve('stale');
      await turns();
      expect([when, read.calls.length]).toEqual([when, 2]);
      read.last.resolve('fresh');
      await soon(result);
    }
  });

  it('may be called many times, with overlapping ranges', async () => {
    const { tracker, clock } = make();
    const read = new ManualFetch();
    const result = tracker.lookup(PAGE, read.fetch);
    const { attempt } = read.last;
    expect(attempt.signal.aborted).toBe(false);
    for (let i = 0; i < 100; i++) attempt.observe([range(i, i + 10), range(1000 - i, 1010)]);
    hit(tracker, range(911, 912));
    expect(attempt.signal.reason.collision).toMatchObject({ range: range(911, 912) });
    read.last.resolve('stale');
    await turns();
    read.last.resolve('fresh');
    expect(await soon(result)).toBe('fresh');
    expectNothingLeft(tracker, { clock });
  });

  it('fires the signal at once if what is observed was hit already', async () => {
    for (const stillActive of [true, false]) {
      const { tracker } = make();
      const read = new ManualFetch();
      void tracker.lookup(PAGE, read.fetch);
      const { attempt } = read.last;
      const { signal } = attempt;
      const section = tracker.tryBegin(range(20, 28), { label: 'other' })!;
      if (!stillActive) section.end();
      expect(signal.aborted).toBe(false);
      attempt.observe(range(20, 21));
      expect(signal.reason).toBeInstanceOf(CollisionError);
      expect(signal.reason.collision).toMatchObject({ reason: stillActive ? 'active' : 'ended', label: 'other' });
      attempt.observe(range(40, 48));
      expect(tracker.inspect().inFlightRanges).toBe(1);
    }
  });

  it('after the attempt is over does nothing, but still refuses nonsense', async () => {
    const { tracker, clock } = make();
    const read = new ManualFetch();
    const result = tracker.lookup(PAGE, read.fetch);
    const { attempt } = read.last;
    expect(attempt.signal.aborted).toBe(false);
    read.last.resolve('read');
    expect(await soon(result)).toBe('read');
    attempt.observe(range(20, 28));
    expect(() => attempt.observe(range(8, 2))).toThrow(InvalidRangeError);
    hit(tracker, range(20, 28));
    expect(attempt.signal.aborted).toBe(false);
    expectNothingLeft(tracker, { clock });
  });

  it('of what an attempt has discovered makes the next wait for it, too', async () => {
    const { tracker } = make();
    const read = new ManualFetch();
    const result = tracker.lookup(PAGE, read.fetch, { maxAttempts: Number.POSITIVE_INFINITY });
    read.last.attempt.observe(range(20, 28));
    const section = tracker.tryBegin(range(24, 25))!;
    read.last.resolve('stale');
    await turns();
    expect([read.calls.length, tracker.inspect().waiting]).toEqual([1, 1]);
    section.end();
    await turns();
    expect(read.calls).toHaveLength(2);
    read.last.resolve('fresh');
    await soon(result);
  });
});

describe('the signal of an attempt', () => {
  /** Starts a lookup and hands out its first attempt. */
  function start(tracker: RangeTracker, options: PlainLookupOptions<string> = {}) {
    const read = new ManualFetch();
    const outcome = new Outcome(tracker.lookup(PAGE, read.fetch, { label: 'reader', ...options }));
    return { read, outcome, attempt: read.last.attempt };
  }

  it('is the same at every look, another in the next attempt, and costs nothing if it is not asked for', async () => {
    const { tracker } = make();
    const { read, attempt } = start(tracker);
    expect(tracker.inspect().inFlightRanges).toBe(0);
    const { signal } = attempt;
    expect(attempt.signal).toBe(signal);
    expect(tracker.inspect().inFlightRanges).toBe(1);
    hit(tracker, PAGE);
    read.last.resolve('stale');
    await turns();
    expect(read.last.attempt.signal).not.toBe(signal);
    expect(read.last.attempt.signal.aborted).toBe(false);
  });

  it('has fired already if it is asked for after the hit', () => {
    const { tracker } = make();
    const { attempt } = start(tracker);
    hit(tracker, PAGE);
    expect(attempt.signal.reason).toMatchObject({ code: 'RANGEFENCE_COLLISION', collision: { reason: 'ended', seq: 2 } });
    expect(tracker.inspect().inFlightRanges).toBe(0);
  });

  it('has fired already if it is asked for after a lost attempt is over, and with what ended it', async () => {
    const { tracker } = make();
    const { read, attempt } = start(tracker);
    hit(tracker, PAGE);
    read.last.resolve('stale');
    await turns();
    hit(tracker, range(100, 108));
    expect(attempt.signal.reason).toMatchObject({ code: 'RANGEFENCE_COLLISION', collision: { reason: 'ended', seq: 2 } });
  });

  it('never fires after a commit, even if it is asked for then', async () => {
    const { tracker } = make();
    const { read, attempt } = start(tracker);
    read.last.resolve('read');
    await turns();
    hit(tracker, PAGE);
    expect(attempt.signal.aborted).toBe(false);
    expect(tracker.inspect().inFlightRanges).toBe(0);
  });

  it('fires with the reason of the caller when the lookup is aborted', async () => {
    const { tracker } = make();
    const controller = new AbortController();
    const { attempt, outcome } = start(tracker, { signal: controller.signal });
    const { signal } = attempt;
    const reason = new Error('stop');
    controller.abort(reason);
    await turns();
    expect([signal.reason, outcome.error]).toEqual([reason, reason]);
  });

  it('fires with the TimeoutError when the lookup has run out of time', async () => {
    const { tracker, clock } = make();
    const { attempt, outcome } = start(tracker, { timeoutMs: 20 });
    const { signal } = attempt;
    clock.advance(20);
    await turns();
    expect(signal.reason).toBe(outcome.error);
    expect(signal.reason).toBeInstanceOf(TimeoutError);
  });

  it('fires with a ClosedError when the tracker closes', () => {
    const { tracker } = make();
    const { attempt } = start(tracker);
    const { signal } = attempt;
    void tracker.close();
    expect(signal.reason).toMatchObject({ code: 'RANGEFENCE_CLOSED' });
  });

  it('fires with the error of a fetch that failed', async () => {
    const { tracker } = make();
    const { read, attempt, outcome } = start(tracker);
    const { signal } = attempt;
    const error = new Error('disk on fire');
    read.last.reject(error);
    await turns();
    expect([signal.reason, outcome.error]).toEqual([error, error]);
  });

  it('does not fire for sections that the reader ignores', () => {
    const { tracker } = make();
    const { attempt } = start(tracker, { ignore: ({ kind }) => kind === 'soft-dirty' });
    const { signal } = attempt;
    tracker.tryBegin(PAGE, { kind: 'soft-dirty' })!.end();
    expect(signal.aborted).toBe(false);
    hit(tracker, PAGE);
    expect(signal.aborted).toBe(true);
  });

  it('may have listeners that begin, end and start anything', async () => {
    const { tracker, clock } = make();
    const all = Array.from({ length: 4 }, () => start(tracker));
    const log: string[] = [];
    const results: Promise<unknown>[] = [];
    for (const { attempt } of all) {
      attempt.signal.addEventListener('abort', () => {
        log.push(`seq ${tracker.seq}`);
        hit(tracker, range(4, 12));
        results.push(tracker.lookup(range(100, 108), () => 'elsewhere'));
      });
    }
    const section = tracker.tryBegin(PAGE)!;
    // The section has begun before any listener runs, and the listeners find each other's sections ended.
    expect(log).toHaveLength(4);
    expect(tracker.activeCount).toBe(1);
    section.end();
    expect(tracker.seq).toBe(10);
    for (const { read } of all) read.last.resolve('stale');
    await turns();
    for (const { read } of all) read.last.resolve('fresh');
    await turns();
    expect(all.map(({ outcome }) => outcome.value)).toEqual(Array(4).fill('fresh'));
    expect(await soon(Promise.all(results))).toEqual(Array(4).fill('elsewhere'));
    expectNothingLeft(tracker, { clock });
  });

  it('may have a listener that ends the section that fired it', () => {
    const { tracker } = make();
    const { attempt } = start(tracker);
    attempt.signal.addEventListener('abort', () => {
      for (const { invalidation } of insidesOf(tracker).sections) invalidation.end();
    });
    const section = tracker.tryBegin(PAGE);
    section?.end();
    expect([tracker.activeCount, tracker.seq]).toEqual([0, 2]);
  });

  it('may have a listener that aborts the other lookups that were hit', async () => {
    const { tracker, clock } = make();
    const controller = new AbortController();
    const first = start(tracker, { signal: controller.signal });
    const second = start(tracker, { signal: controller.signal });
    const reason = new Error('all of you');
    for (const { attempt } of [first, second]) attempt.signal.addEventListener('abort', () => controller.abort(reason));
    hit(tracker, PAGE);
    await turns();
    expect([first.outcome.error, second.outcome.error]).toEqual([reason, reason]);
    expectNothingLeft(tracker, { clock, signals: [controller.signal] });
  });

  it('is removed from the signal of the caller on every path', async () => {
    const { tracker, clock } = make();
    const { signal } = new AbortController();
    const { read, outcome } = start(tracker, { signal, timeoutMs: 50 });
    expect([listeners(signal), clock.pending]).toEqual([1, 1]);
    read.last.resolve('read');
    await turns();
    expect([outcome.value, listeners(signal), clock.pending]).toEqual(['read', 0, 0]);
  });
});

describe('a lookup that keeps losing', () => {
  async function lose(tracker: RangeTracker, read: ManualFetch): Promise<void> {
    hit(tracker, PAGE);
    read.last.resolve('stale');
    await turns();
  }

  it.each([1, 2, 3])('throws after %i collisions if it must not hold', async (maxAttempts) => {
    const { tracker, clock } = make();
    const read = new ManualFetch();
    const outcome = new Outcome(tracker.lookup(PAGE, read.fetch, { maxAttempts, whenExhausted: 'throw', label: 'reader' }));
    for (let i = 1; i <= maxAttempts; i++) {
      expect([outcome.state, read.calls.length]).toEqual(['pending', i]);
      await lose(tracker, read);
    }
    expect(outcome.error).toBeInstanceOf(RetryLimitError);
    expect(outcome.error).toMatchObject({
      message: `lookup "reader" over [0, 8) lost ${maxAttempts} times; last: ended "clear" over [0, 8)`,
      attempts: maxAttempts,
      collision: { reason: 'ended', seq: 2 * maxAttempts },
    });
    expect(tracker.stats.holds).toBe(0);
    expectNothingLeft(tracker, { clock });
  });

  it.each([undefined, 'hold', 'throw'] as const)(
    'retries for ever with maxAttempts Infinity, whenExhausted %s',
    async (whenExhausted) => {
      const { tracker, clock } = make();
      const read = new ManualFetch();
      const result = tracker.lookup(PAGE, read.fetch, { maxAttempts: Number.POSITIVE_INFINITY, whenExhausted });
      for (let i = 0; i < 50; i++) await lose(tracker, read);
      expect(tracker.stats).toMatchObject({ attempts: 51, collisions: 50, holds: 0 });
      read.last.resolve('at last');
      expect(await soon(result)).toBe('at last');
      expectNothingLeft(tracker, { clock });
    },
  );

  // A chain of sections, each begun before the last one ends, would keep it waiting for ever without a single attempt.
  it('counts being overtaken while it waits like a collision, and throws', async () => {
    const { tracker, clock } = make();
    let section = tracker.tryBegin(PAGE)!;
    const outcome = new Outcome(tracker.lookup(PAGE, () => 'read', { maxAttempts: 3, whenExhausted: 'throw' }));
    let links = 0;
    for (; outcome.state === 'pending' && links < 20; links++) {
      const next = tracker.tryBegin(PAGE)!;
      section.end();
      section = next;
      await turns();
    }
    expect(outcome.error).toBeInstanceOf(RetryLimitError);
    expect(outcome.error).toMatchObject({ message: 'lookup over [0, 8) lost 3 times', attempts: 0, collision: undefined });
    expect(links).toBe(3);
    section.end();
    expectNothingLeft(tracker, { clock });
  });

  it('holds when it has been overtaken maxAttempts times, and gets its turn', async () => {
    const { tracker, clock } = make();
    let section = tracker.tryBegin(PAGE)!;
    const outcome = new Outcome(tracker.lookup(PAGE, () => 'read', { maxAttempts: 2 }));
    let links = 0;
    while (tracker.inspect().holds.length === 0 && links++ < 20) {
      const next = tracker.tryBegin(PAGE)!;
      section.end();
      section = next;
      await turns();
    }
    expect(links).toBe(2);
    expect(tracker.tryBegin(PAGE)).toBeUndefined();
    const begun = new Outcome(tracker.begin(PAGE));
    section.end();
    await turns();
    expect([outcome.value, begun.state]).toEqual(['read', 'resolved']);
    begun.value!.end();
    expectNothingLeft(tracker, { clock });
  });

  it('is not overtaken by sections that were there before it', async () => {
    const { tracker } = make();
    const sections = Array.from({ length: 5 }, () => tracker.tryBegin(PAGE)!);
    const outcome = new Outcome(tracker.lookup(PAGE, () => 'read', { maxAttempts: 1, whenExhausted: 'throw' }));
    for (const section of sections.reverse()) {
      expect(outcome.state).toBe('pending');
      section.end();
      await turns();
    }
    expect(outcome.value).toBe('read');
  });
});

describe('a list of ranges', () => {
  const RANGES = [range(0, 8), range(20, 28), range(40, 48)];

  it.each([0, 1, 2])('is checked at each of its places: a section over the one at %i, active or ended', async (place) => {
    const { tracker } = make();
    for (const ended of [false, true]) {
      const read = new ManualFetch();
      const result = tracker.lookup(RANGES, read.fetch);
      const seq = tracker.tryReadBegin(RANGES)!;
      const section = tracker.tryBegin(RANGES[place]!)!;
      if (ended) section.end();
      expect(tracker.readRetry(RANGES, seq)).toBe(true);
      expect(tracker.collision(RANGES, seq)).toMatchObject({ range: RANGES[place] });
      read.last.resolve('stale');
      await turns();
      section.end();
      await turns();
      read.last.resolve('fresh');
      expect(await soon(result)).toBe('fresh');
      expect(read.calls).toHaveLength(2);
    }
    expectNothingLeft(tracker);
  });
});

describe('the asynchronous context of the caller', () => {
  it.each([1, Number.POSITIVE_INFINITY])(
    'is what fetch and commit see, after a wait and after collisions, held after %s',
    async (maxAttempts) => {
      const { tracker } = make();
      const context = new AsyncLocalStorage<string>();
      const seen: string[] = [];
      const see = (what: string) => void seen.push(`${what}: ${context.getStore()}`);
      const section = context.run('writer', () => tracker.tryBegin(PAGE)!);
      const result = context.run('reader', () =>
        tracker.lookup(
          PAGE,
          async ({ number }) => {
            see(`fetch ${number}`);
            // From its second attempt on it may hold, and then the begin is refused.
            if (number <= 3) context.run('writer', () => tracker.tryBegin(PAGE)?.end());
            await undefined;
            return number;
          },
          { maxAttempts, commit: () => see('commit') },
        ),
      );
      await turns();
      context.run('writer', () => section.end());
      context.run('observer', () => tracker.inspect());
      await turns();
      await soon(result);
      expect(new Set(seen.map((line) => line.split(': ')[1]))).toEqual(new Set(['reader']));
      expect(seen.at(-1)).toBe('commit: reader');
    },
  );

  it('is what the change of a mutate sees that had to queue', async () => {
    const { tracker } = make();
    const context = new AsyncLocalStorage<string>();
    const read = new ManualFetch();
    const lookup = context.run('reader', () => tracker.lookup(PAGE, read.fetch, { maxAttempts: 1 }));
    hit(tracker, PAGE);
    read.last.resolve('stale');
    await turns();
    const result = context.run('writer', () => tracker.mutate(PAGE, () => context.getStore()));
    await turns();
    context.run('reader', () => read.last.resolve('fresh'));
    await soon(lookup);
    expect(await soon(result)).toBe('writer');
  });
});

it('an attempt of one lookup is not the attempt of another', async () => {
  const { tracker } = make();
  const attempts: Attempt[] = [];
  await soon(Promise.all([1, 2].map(() => tracker.lookup(PAGE, (attempt) => void attempts.push(attempt)))));
  expect(attempts.map(({ number }) => number)).toEqual([1, 1]);
  expect(attempts[0]).not.toBe(attempts[1]);
});
