/**
 * Types as consumers see them, checked by the compiler alone (`npm run types`); nothing here runs. Each `@ts-expect-error`
 * is an error that must exist.
 */
import { describe, expectTypeOf, it } from 'vitest';
import type {
  Attempt,
  Collision,
  HoldSnapshot,
  Invalidation,
  InvalidationInfo,
  Range,
  RangefenceError,
  Ranges,
  RangeTrackerOptions,
  RetryLimitError,
  SectionSnapshot,
  Seq,
  Subscriber,
  Subscription,
  TrackerEvents,
  TrackerObserver,
  TrackerSnapshot,
  TrackerStats,
  WaitOptions,
} from '../../lib/index.js';
import { type Clock, isRangefenceError, RangeTracker } from '../../lib/index.js';

const tracker = new RangeTracker();
const PAGE: Range = { start: 0, end: 8 };

describe('tokens', () => {
  it('are numbers that only the tracker makes', () => {
    expectTypeOf<Seq>().toExtend<number>();
    expectTypeOf<number>().not.toExtend<Seq>();
    expectTypeOf(tracker.seq).toEqualTypeOf<Seq>();
    expectTypeOf(tracker.tryReadBegin(PAGE)).toEqualTypeOf<Seq | undefined>();
    expectTypeOf(tracker.readBegin(PAGE)).resolves.toEqualTypeOf<Seq>();
    // @ts-expect-error: a number is not a token
    tracker.readRetry(PAGE, 1);
    // @ts-expect-error: a refused begin has no token
    tracker.readRetry(PAGE, tracker.tryReadBegin(PAGE));
    // @ts-expect-error: arithmetic leaves a number
    tracker.readRetry(PAGE, tracker.seq + 1);
  });

  it('are answered with a boolean, or a reason', () => {
    expectTypeOf(tracker.readRetry).returns.toEqualTypeOf<boolean>();
    expectTypeOf(tracker.collision).returns.toEqualTypeOf<Collision | undefined>();
    expectTypeOf<Collision['reason']>().toEqualTypeOf<'active' | 'ended' | 'history-lost' | 'lapsed' | 'closed'>();
  });
});

describe('ranges', () => {
  it('may be one or a list, mutable or frozen', () => {
    expectTypeOf<Range>().toExtend<Ranges>();
    expectTypeOf<Range[]>().toExtend<Ranges>();
    expectTypeOf<readonly Range[]>().toExtend<Ranges>();
    expectTypeOf<{ start: number; end: number; name: string }>().toExtend<Ranges>();
    expectTypeOf<[number, number]>().not.toExtend<Ranges>();
    expectTypeOf<{ start: bigint; end: bigint }>().not.toExtend<Ranges>();
  });

  it('are read-only', () => {
    const range = { start: 0, end: 8 } as Range;
    // @ts-expect-error: read-only
    range.start = 4;
  });
});

describe('lookup', () => {
  it('resolves with what fetch resolves with', () => {
    expectTypeOf(tracker.lookup(PAGE, () => 42)).resolves.toEqualTypeOf<number>();
    expectTypeOf(tracker.lookup(PAGE, async () => 'text')).resolves.toEqualTypeOf<string>();
    expectTypeOf(tracker.lookup(PAGE, async () => 'text', { maxAttempts: 3, label: 'x' })).resolves.toEqualTypeOf<string>();
  });

  it('resolves with what commit returns, if there is one', () => {
    const read = async () => 'text';
    expectTypeOf(tracker.lookup(PAGE, read, { commit: (text) => text.length })).resolves.toEqualTypeOf<number>();
    expectTypeOf(tracker.lookup(PAGE, read, { commit: () => {} })).resolves.toEqualTypeOf<void>();
    tracker.lookup(PAGE, read, {
      commit(text) {
        expectTypeOf(text).toEqualTypeOf<string>();
      },
    });
    // @ts-expect-error: fetch reads a string
    tracker.lookup(PAGE, read, { commit: (page: Uint8Array) => page.length });
  });

  it('gives fetch an attempt whose fields are read-only', () => {
    tracker.lookup(PAGE, (attempt) => {
      expectTypeOf(attempt).toEqualTypeOf<Attempt>();
      expectTypeOf(attempt.signal).toEqualTypeOf<AbortSignal>();
      expectTypeOf(attempt.number).toEqualTypeOf<number>();
      expectTypeOf(attempt.seq).toEqualTypeOf<Seq>();
      expectTypeOf(attempt.observe).toEqualTypeOf<(ranges: Ranges) => void>();
      // @ts-expect-error: read-only
      attempt.number = 2;
    });
  });

  it('takes explicit undefined for every option, and nothing it does not know', () => {
    const bounds: WaitOptions = { signal: undefined, timeoutMs: undefined, ignore: undefined };
    tracker.lookup(PAGE, () => 1, {
      ...bounds,
      maxAttempts: undefined,
      whenExhausted: undefined,
      holdMs: undefined,
      label: undefined,
    });
    // @ts-expect-error: a typing error in the name
    tracker.lookup(PAGE, () => 1, { maxAttempt: 3 });
    // @ts-expect-error: not one of the two
    tracker.lookup(PAGE, () => 1, { whenExhausted: 'wait' });
    // @ts-expect-error: a filter answers with a boolean
    tracker.lookup(PAGE, () => 1, { ignore: () => 'yes' });
  });

  it('of a subscription is typed alike', () => {
    const mirror = tracker.subscribe(PAGE, { invalidate() {} });
    expectTypeOf(mirror.lookup(() => 42)).resolves.toEqualTypeOf<number>();
    expectTypeOf(mirror.lookup(() => 42, { ranges: PAGE, commit: String })).resolves.toEqualTypeOf<string>();
    expectTypeOf(mirror.readBegin({ ranges: [PAGE], timeoutMs: 5 })).resolves.toEqualTypeOf<Seq>();
    expectTypeOf(mirror.tryReadBegin()).toEqualTypeOf<Seq | undefined>();
    expectTypeOf(mirror.readRetry(tracker.seq, { ranges: PAGE })).toEqualTypeOf<boolean>();
    // @ts-expect-error: the ranges are the subscription's
    mirror.lookup(PAGE, () => 42);
  });
});

describe('begins', () => {
  it('give a handle, at once or later, or none', () => {
    expectTypeOf(tracker.begin(PAGE)).resolves.toEqualTypeOf<Invalidation>();
    expectTypeOf(tracker.tryBegin(PAGE)).toEqualTypeOf<Invalidation | undefined>();
    // @ts-expect-error: it may have been refused
    tracker.tryBegin(PAGE).end();
  });

  it('of mutate resolve with what the change resolves with', () => {
    expectTypeOf(tracker.mutate(PAGE, () => 42)).resolves.toEqualTypeOf<number>();
    expectTypeOf(tracker.mutate(PAGE, async () => 'text')).resolves.toEqualTypeOf<string>();
    tracker.mutate(PAGE, (invalidation) => expectTypeOf(invalidation).toEqualTypeOf<Invalidation>());
  });

  it('take any word as a kind, anything as an owner, and a handle to nest in', () => {
    const outer = {} as Invalidation;
    tracker.tryBegin(PAGE, { kind: 'reindex', owner: Symbol('me'), label: 'x', within: outer });
    tracker.tryBegin(PAGE, { kind: undefined, owner: undefined, label: undefined, signal: undefined, within: undefined });
    // @ts-expect-error: a word
    tracker.tryBegin(PAGE, { kind: 7 });
    // @ts-expect-error: not a handle
    tracker.tryBegin(PAGE, { within: { end() {} } });
  });
});

describe('handles', () => {
  it('are what a filter gets, and more', () => {
    expectTypeOf<Invalidation>().toExtend<InvalidationInfo>();
    expectTypeOf<Invalidation['owner']>().toEqualTypeOf<unknown>();
    expectTypeOf<Invalidation['kind']>().toEqualTypeOf<string>();
  });

  it('are disposable where the compiler knows of it', () => {
    expectTypeOf<Invalidation>().toExtend<Disposable>();
    expectTypeOf<Subscription>().toExtend<Disposable>();
  });

  it('are read-only', () => {
    const section = {} as Invalidation;
    const mirror = {} as Subscription;
    // @ts-expect-error: read-only
    section.active = false;
    // @ts-expect-error: read-only
    section.ranges = [];
    // @ts-expect-error: read-only
    section.ranges[0]!.start = 1;
    // @ts-expect-error: read-only
    mirror.closed = true;
  });

  it('cannot be made from plain numbers, but a test may stand in for one', () => {
    expectTypeOf<Pick<RangeTracker, keyof RangeTracker>>().toHaveProperty('lookup');
    expectTypeOf<RangeTracker>().toExtend<Pick<RangeTracker, keyof RangeTracker>>();
  });
});

describe('the tracker', () => {
  it('is read-only', () => {
    // @ts-expect-error: read-only
    tracker.seq = {} as Seq;
    // @ts-expect-error: read-only
    tracker.closed = true;
    // @ts-expect-error: read-only
    tracker.stats.begins = 0;
    expectTypeOf(tracker.stats).toEqualTypeOf<Readonly<TrackerStats>>();
  });

  it('takes its options read-only, each with an explicit undefined', () => {
    const options: Readonly<RangeTrackerOptions> = { label: undefined, historyCapacity: undefined, observer: undefined };
    expectTypeOf(RangeTracker).toBeConstructibleWith(options);
    expectTypeOf(RangeTracker).toBeConstructibleWith();
    const clock: Clock = { now: () => 0, setTimeout: (callback) => callback, clearTimeout() {} };
    expectTypeOf(RangeTracker).toBeConstructibleWith({ clock, initialSeq: 5 });
    // @ts-expect-error: a number
    new RangeTracker({ historyCapacity: '64' });
  });

  it('shows snapshots that are read-only all the way down', () => {
    const snapshot = {} as TrackerSnapshot;
    expectTypeOf(tracker.inspect()).toEqualTypeOf<TrackerSnapshot>();
    expectTypeOf(snapshot.sections).toEqualTypeOf<readonly SectionSnapshot[]>();
    expectTypeOf(snapshot.holds).toEqualTypeOf<readonly HoldSnapshot[]>();
    // @ts-expect-error: read-only
    snapshot.sections.push();
    // @ts-expect-error: read-only
    snapshot.history.size = 0;
  });

  it('closes with nothing', () => {
    expectTypeOf(tracker.close()).resolves.toEqualTypeOf<void>();
  });
});

describe('subscribers and observers', () => {
  it('answer a begin with nothing, false, or a promise of nothing', () => {
    const subscribers: Subscriber[] = [
      { invalidate() {} },
      { invalidate: () => false },
      { invalidate: async () => {} },
      { invalidate: ({ blockable }) => (blockable ? Promise.resolve() : false), end: ({ beginSeq }) => void beginSeq },
    ];
    expectTypeOf(subscribers).items.toExtend<Subscriber>();
    // @ts-expect-error: true says nothing
    tracker.subscribe(PAGE, { invalidate: () => true });
    // @ts-expect-error: invalidate is what a subscriber is for
    tracker.subscribe(PAGE, { end() {} });
  });

  it('may have any of the methods of an observer, each with its own event', () => {
    expectTypeOf<TrackerObserver['collided']>().toEqualTypeOf<((event: TrackerEvents['collided']) => void) | undefined>();
    const observer: TrackerObserver = {
      wait({ waiter, blocker }) {
        expectTypeOf(waiter.ranges).toEqualTypeOf<readonly Range[]>();
        expectTypeOf(blocker.label).toEqualTypeOf<string | undefined>();
      },
    };
    expectTypeOf(observer).toExtend<RangeTrackerOptions['observer']>();
  });
});

describe('errors', () => {
  it('are narrowed by their guard and told apart by their code', () => {
    const error: unknown = undefined;
    if (isRangefenceError(error)) {
      expectTypeOf(error).toEqualTypeOf<RangefenceError>();
      expectTypeOf(error.code).toExtend<`RANGEFENCE_${string}`>();
    }
    expectTypeOf<RetryLimitError['collision']>().toEqualTypeOf<Collision | undefined>();
  });
});
