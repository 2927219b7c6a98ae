import { describe, expect, it } from 'vitest';
import { ClosedError, RangeTracker, SubscriberError, TimeoutError } from '../../lib/index.js';
import { ManualClock } from '../support/clock.js';
import { hold } from '../support/holding.js';
import { expectNothingLeft } from '../support/leftovers.js';
import { range } from '../support/reading.js';
import { failure, Outcome, soon, turns } from '../support/turns.js';

const PAGE = range(0, 8);

function make() {
  const clock = new ManualClock();
  const tracker = new RangeTracker({ clock });
  return { clock, tracker };
}

const WAYS = {
  begin: (tracker, options) => tracker.begin(PAGE, options),
  mutate: (tracker, options) => tracker.mutate(PAGE, () => {}, options),
  invalidate: (tracker, options) => tracker.invalidate(PAGE, options),
} satisfies Record<
  string,
  (tracker: RangeTracker, options: { timeoutMs?: number; signal?: AbortSignal; label?: string }) => Promise<unknown>
>;

describe.each(Object.entries(WAYS))('%s', (_, start) => {
  it('ends after timeoutMs when a subscriber never settles, and says who', async () => {
    const { tracker, clock } = make();
    const never = tracker.subscribe(range(4, 20), { invalidate: () => new Promise(() => {}) }, { label: 'cache' });
    const outcome = new Outcome<unknown>(start(tracker, { timeoutMs: 50, label: 'flush' }));
    await turns();
    clock.advance(20);
    expect(JSON.parse(JSON.stringify(tracker.inspect())).sections).toMatchObject([
      { label: 'flush', state: 'active', subscribers: [{ label: 'cache', ranges: [range(4, 20)], forMs: 20 }] },
    ]);
    clock.advance(30);
    await turns();
    expect(outcome.error).toBeInstanceOf(TimeoutError);
    expect(outcome.error).toMatchObject({
      message:
        'the begin of the invalidation "flush" (clear) over [0, 8) was not done within 50 ms: ' +
        'it waits for the subscriber "cache" over [4, 20), since 50 ms',
      waitedFor: { what: 'subscriber', label: 'cache', range: range(4, 20), forMs: 50 },
    });
    never.close();
    expectNothingLeft(tracker, { clock });
  });

  it('ends after timeoutMs behind a held lookup, and says who', async () => {
    const { tracker, clock } = make();
    const holder = await hold(tracker, PAGE, { label: 'reader' });
    const outcome = new Outcome<unknown>(start(tracker, { timeoutMs: 50 }));
    await turns();
    clock.advance(10);
    expect(tracker.inspect().sections).toMatchObject([{ state: 'queued', behind: [{ label: 'reader', operation: 'lookup' }] }]);
    clock.advance(40);
    await turns();
    expect(outcome.error).toBeInstanceOf(TimeoutError);
    expect(outcome.error).toMatchObject({ waitedFor: { what: 'lookup', label: 'reader', range: PAGE, forMs: 50 } });
    await holder.commit();
    expect(holder.outcome.value).toBe('fresh');
    expectNothingLeft(tracker, { clock });
  });

  it('has one limit for both waits together', async () => {
    const { tracker, clock } = make();
    tracker.subscribe(PAGE, { invalidate: () => new Promise(() => {}) }, { ignore: ({ label }) => label !== 'slow' });
    const holder = await hold(tracker, PAGE);
    const outcome = new Outcome<unknown>(start(tracker, { timeoutMs: 50, label: 'slow' }));
    await turns();
    clock.advance(30);
    await holder.commit();
    await turns();
    expect(outcome.state).toBe('pending');
    clock.advance(20);
    await turns();
    expect(outcome.error).toBeInstanceOf(TimeoutError);
    expectNothingLeft(tracker, { clock, subscribed: 1 });
  });

  it('is ended by its signal wherever it waits, also if a callback fires it', async () => {
    const { tracker, clock } = make();
    const controller = new AbortController();
    tracker.subscribe(PAGE, {
      invalidate: () => {
        controller.abort(new Error('enough'));
        return new Promise(() => {});
      },
    });
    expect(await soon(failure(start(tracker, { signal: controller.signal })))).toEqual(new Error('enough'));
    expectNothingLeft(tracker, { clock, subscribed: 1 });
  });

  it('does not pay for a limit that is not reached', async () => {
    const { tracker, clock } = make();
    const result = await soon(start(tracker, { timeoutMs: 50 }) as Promise<unknown>);
    (result as { end(): void } | undefined)?.end();
    expectNothingLeft(tracker, { clock });
  });
});

describe('close', () => {
  it('ends after its limit although a subscriber never settles: closed it is, and the begin that waited is turned away', async () => {
    const { tracker, clock } = make();
    tracker.subscribe(PAGE, { invalidate: () => new Promise(() => {}) }, { label: 'cache' });
    const begun = new Outcome(tracker.begin(PAGE));
    const closed = new Outcome(tracker.close({ timeoutMs: 100 }));
    await turns();
    clock.advance(100);
    await turns();
    expect(closed.error).toBeInstanceOf(TimeoutError);
    expect((closed.error as Error).message).toContain('the subscriber "cache" over [0, 8), since 100 ms');
    expect(begun.error).toBeInstanceOf(ClosedError);
    expect(tracker.closed).toBe(true);
    expectNothingLeft(tracker, { clock });
  });

  it('can be bounded by a later call, with a signal, too', async () => {
    const { tracker, clock } = make();
    tracker.subscribe(PAGE, { invalidate: () => new Promise(() => {}) });
    const first = new Outcome(tracker.close());
    await turns();
    const controller = new AbortController();
    const second = new Outcome(tracker.close({ signal: controller.signal }));
    controller.abort(new Error('now'));
    await turns();
    expect([first.error, second.error]).toEqual([new Error('now'), new Error('now')]);
    expect(await failure(tracker.close())).toEqual(new Error('now'));
    expectNothingLeft(tracker, { clock });
  });

  it('leaves no timer when it is done in time, and refuses bounds that are none', async () => {
    const { tracker, clock } = make();
    expect(((await failure(tracker.close({ timeoutMs: '5' } as never))) as Error).message).toContain('timeoutMs is "5"');
    expect(tracker.closed).toBe(false);
    const [first, second] = [tracker.close({ timeoutMs: 100 }), tracker.close({ timeoutMs: 50 })];
    await soon(Promise.all([first, second]));
    expectNothingLeft(tracker, { clock });
  });
});

describe('an error', () => {
  it('of a lookup behind a forgotten section says which section, of which kind, where and for how long', async () => {
    const { tracker, clock } = make();
    tracker.tryBegin(range(4, 100), { label: 'import', kind: 'migrate' });
    clock.advance(1000);
    await turns();
    const outcome = new Outcome(tracker.lookup(PAGE, () => 1, { timeoutMs: 50, label: 'row' }));
    clock.advance(50);
    await turns();
    expect(outcome.error).toMatchObject({
      message:
        'lookup "row" over [0, 8) was not done within 50 ms: ' +
        'it waits for the invalidation "import" (migrate) over [4, 8), since 50 ms',
      waitedFor: { what: 'invalidation', label: 'import', kind: 'migrate', range: range(4, 8), forMs: 50 },
    });
  });

  it('of a lookup whose hold waits says for which section it waits', async () => {
    const { tracker, clock } = make();
    const never = tracker.tryBegin(PAGE, { label: 'stuck' })!;
    const lost = new Outcome(tracker.lookup(PAGE, () => 1, { maxAttempts: 1, timeoutMs: 100 }));
    const next = tracker.tryBegin(PAGE, { within: never, label: 'younger' })!;
    never.end();
    await turns();
    expect(tracker.inspect().holds).toMatchObject([{ admitted: false }]);
    clock.advance(100);
    await turns();
    expect(lost.error).toBeInstanceOf(TimeoutError);
    expect((lost.error as Error).message).toContain('it waits for the invalidation "younger" (clear) over [0, 8)');
    next.end();
  });

  it('of a subscriber names it, what it was told of, and the subscription itself', async () => {
    const { tracker } = make();
    const subscription = tracker.subscribe(
      PAGE,
      { invalidate: () => Promise.reject(new Error('disk full')) },
      { label: 'index' },
    );
    const error = (await failure(tracker.begin(range(4, 5), { label: 'flush' }))) as SubscriberError;
    expect(error).toBeInstanceOf(SubscriberError);
    expect(error.message).toBe(
      'the subscriber "index" over [0, 8) has not confirmed that it stopped using what ' +
        'the invalidation "flush" (clear) over [4, 5) changes: disk full',
    );
    expect(error.subscriptions).toEqual([subscription]);
    expect(error.subscriptions[0]).toBe(subscription);
  });
});
