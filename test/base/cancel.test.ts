import { describe, expect, it } from 'vitest';
import { cancelOn, checkCancel } from '../../lib/base/cancel.js';
import { InvalidArgumentError, RangeTracker, TimeoutError } from '../../lib/index.js';
import { ManualClock } from '../support/clock.js';
import { expectNothingLeft, listeners } from '../support/leftovers.js';
import { range } from '../support/reading.js';
import { failure, Outcome, turns } from '../support/turns.js';

const PAGE = range(0, 8);
const LONGEST_DELAY_MS = 2 ** 31 - 1;

describe('the bounds of a wait', () => {
  it.each([
    [{ signal: {} }, 'signal is an object; expected an AbortSignal'],
    [{ signal: null }, 'signal is null; expected an AbortSignal'],
    [{ timeoutMs: -1 }, 'timeoutMs is -1; expected a number of milliseconds, 0 or more'],
    [{ timeoutMs: Number.NaN }, 'timeoutMs is NaN; expected a number of milliseconds, 0 or more'],
    [{ timeoutMs: 'soon' }, 'timeoutMs is "soon"; expected a number of milliseconds, 0 or more'],
  ])('are refused if they are %j', async (bounds, message) => {
    expect(() => checkCancel(bounds as never)).toThrow(new InvalidArgumentError(message));
    const tracker = new RangeTracker();
    expect(await failure(tracker.readBegin(PAGE, bounds as never))).toEqual(new InvalidArgumentError(message));
  });

  it('throw the reason of a signal that has fired, whatever it is', () => {
    for (const reason of ['text', null, 0, new Error('stop')]) {
      let thrown: unknown = 'nothing';
      try {
        checkCancel({ signal: AbortSignal.abort(reason) });
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBe(reason);
    }
    expect(() => checkCancel({ signal: AbortSignal.abort() })).toThrow(expect.objectContaining({ name: 'AbortError' }));
  });

  it('cost nothing where there are none', () => {
    const clock = new ManualClock();
    const cancel = () => {};
    expect(cancelOn(clock, undefined, 'x', cancel)).toBeUndefined();
    expect(cancelOn(clock, {}, 'x', cancel)).toBeUndefined();
    expect(cancelOn(clock, { signal: undefined, timeoutMs: undefined }, 'x', cancel)).toBeUndefined();
  });

  it.each(['signal', 'timer'] as const)('go together: when the %s fires, both are gone, and nothing comes twice', (first) => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const { signal } = controller;
    const cancelled: unknown[] = [];
    const cancellation = cancelOn(clock, { signal, timeoutMs: 10 }, 'the wait', (error) => cancelled.push(error))!;
    expect([listeners(signal), clock.pending]).toEqual([1, 1]);
    if (first === 'signal') controller.abort('stop');
    else clock.advance(10);
    expect([listeners(signal), clock.pending]).toEqual([0, 0]);
    controller.abort('stop');
    clock.advance(1000);
    cancellation.clear();
    expect(cancelled).toEqual([first === 'signal' ? 'stop' : new TimeoutError('the wait', 10)]);
  });

  it('are cleared as often as you like, and then say nothing any more', () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const cancelled: unknown[] = [];
    const cancellation = cancelOn(clock, { signal: controller.signal, timeoutMs: 10 }, 'x', (error) => cancelled.push(error))!;
    cancellation.clear();
    cancellation.clear();
    controller.abort('stop');
    clock.advance(1000);
    expect([cancelled, listeners(controller.signal), clock.pending]).toEqual([[], 0, 0]);
  });

  it('notice a signal that has fired before they were attached', () => {
    const clock = new ManualClock();
    const cancelled: unknown[] = [];
    const signal = AbortSignal.abort('too early');
    cancelOn(clock, { signal, timeoutMs: 10 }, 'x', (error) => cancelled.push(error));
    expect([cancelled, listeners(signal), clock.pending]).toEqual([['too early'], 0, 0]);
  });

  it.each([
    [0, 0],
    [0.5, 0.5],
    [LONGEST_DELAY_MS, LONGEST_DELAY_MS],
    [LONGEST_DELAY_MS + 1, LONGEST_DELAY_MS],
    [Number.MAX_VALUE, LONGEST_DELAY_MS],
  ])('of %d ms set a timer of %d ms, since a longer one would fire at once', (timeoutMs, delayMs) => {
    const clock = new ManualClock();
    cancelOn(clock, { timeoutMs }, 'x', () => {});
    expect(clock.delays).toEqual([delayMs]);
  });

  it('without end set no timer', () => {
    const clock = new ManualClock();
    cancelOn(clock, { timeoutMs: Number.POSITIVE_INFINITY }, 'x', () => {});
    expect(clock.pending).toBe(0);
  });
});

describe('a wait that is cancelled', () => {
  it('names itself in the TimeoutError', async () => {
    const clock = new ManualClock();
    const tracker = new RangeTracker({ clock });
    const section = tracker.tryBegin(PAGE)!;
    const outcomes = [
      new Outcome<unknown>(tracker.readBegin(PAGE, { timeoutMs: 10 })),
      new Outcome<unknown>(tracker.lookup(PAGE, () => 1, { timeoutMs: 10 })),
      new Outcome<unknown>(tracker.lookup(PAGE, () => 1, { timeoutMs: 10, label: 'preview' })),
    ];
    await turns();
    clock.advance(10);
    await turns();
    const why = 'it waits for the invalidation (clear) over [0, 8), since 10 ms';
    expect(outcomes.map(({ error }) => (error as Error).message)).toEqual([
      `readBegin over [0, 8) was not done within 10 ms: ${why}`,
      `lookup over [0, 8) was not done within 10 ms: ${why}`,
      `lookup "preview" over [0, 8) was not done within 10 ms: ${why}`,
    ]);
    section.end();
    expectNothingLeft(tracker, { clock });
  });

  it('by a real signal of AbortSignal.timeout rejects with its TimeoutError, not with ours', async () => {
    const tracker = new RangeTracker();
    const section = tracker.tryBegin(PAGE)!;
    const signal = AbortSignal.timeout(1);
    // The only real time in these tests: the point is the host's own reason.
    const error = await tracker.readBegin(PAGE, { signal }).then(
      () => undefined,
      (reason) => reason,
    );
    expect(error).toMatchObject({ name: 'TimeoutError' });
    expect(error).not.toBeInstanceOf(TimeoutError);
    section.end();
    expectNothingLeft(tracker, { signals: [signal] });
  });

  it('by the listener of another wait does not come twice', async () => {
    const tracker = new RangeTracker();
    const section = tracker.tryBegin(PAGE)!;
    const first = new AbortController();
    const second = new AbortController();
    first.signal.addEventListener('abort', () => second.abort('second'));
    const outcomes = [first, second, first].map(({ signal }) => new Outcome(tracker.readBegin(PAGE, { signal })));
    await turns();
    first.abort('first');
    second.abort('late');
    await turns();
    expect(outcomes.map(({ error }) => error)).toEqual(['first', 'second', 'first']);
    section.end();
    expect(tracker.stats.wakes).toBe(0);
    expectNothingLeft(tracker);
  });
});
