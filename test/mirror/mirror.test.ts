import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import {
  ClosedError,
  CollisionError,
  InvalidArgumentError,
  InvalidRangeError,
  isRangefenceError,
  RangeTracker,
  RetryLimitError,
  SubscriberError,
  TimeoutError,
} from '../../lib/index.js';
import { BannedError, type LoadContext, LoadError, RangeMirror, type RangeMirrorOptions } from '../../lib/mirror/index.js';
import { ManualClock, settled } from '../support/model/clock.js';
import { type Deferred, deferred, failure, Outcome, soon } from '../support/turns.js';

interface Call extends Deferred<readonly string[]> {
  readonly first: number;
  readonly count: number;
  readonly context: LoadContext;
  /** Answers with pages of this version. */
  answer(version?: string): void;
}

/** Eight units a page; every load waits until it is answered. */
class Desk {
  readonly clock = new ManualClock();
  readonly tracker = new RangeTracker({ clock: this.clock });
  readonly calls: Call[] = [];
  readonly drops: string[] = [];
  readonly mirror: RangeMirror<string>;

  constructor(options: Partial<RangeMirrorOptions<string>> = {}) {
    this.mirror = new RangeMirror<string>({
      tracker: this.tracker,
      clock: this.clock,
      pageSize: 8,
      range: { start: 0, end: 800 },
      load: (first, count, context) => {
        const answer = (version = 'a') => call.resolve(Array.from({ length: count }, (_, i) => `${first + i}${version}`));
        const call: Call = { ...deferred<readonly string[]>(), first, count, context, answer };
        this.calls.push(call);
        return call.promise;
      },
      onDrop: (page) => void this.drops.push(page),
      ...options,
    });
  }

  /** What was loaded, in order. */
  get loads(): string[] {
    return this.calls.map(({ first, count }) => `${first}+${count}`);
  }

  /** Pages from `first` on are present afterwards. */
  async fill(first: number, count: number, version = 'a'): Promise<void> {
    const reading = this.mirror.read(pages(first, count));
    for (const call of this.calls) call.answer(version);
    await soon(reading);
  }

  change(first: number, count = 1): Promise<void> {
    return soon(this.tracker.mutate(pages(first, count), () => {}));
  }
}

function pages(first: number, count = 1): { start: number; end: number } {
  return { start: first * 8, end: (first + count) * 8 };
}

describe('read', () => {
  it('resolves with the pages that cover the range, in order, loaded as one run', async () => {
    const desk = new Desk();
    const reading = desk.mirror.read({ start: 7, end: 17 });
    expect(desk.loads).toEqual(['0+3']);
    desk.calls[0]!.answer();
    expect(await soon(reading)).toEqual(['0a', '1a', '2a']);
    expect(desk.mirror.size).toBe(3);
    expect(desk.mirror.stats).toMatchObject({ hits: 0, misses: 3, loads: 1 });
  });

  it('loads nothing that is present, and counts it as a hit', async () => {
    const desk = new Desk();
    await desk.fill(0, 3);
    expect(await soon(desk.mirror.read(pages(1, 2)))).toEqual(['1a', '2a']);
    expect(desk.mirror.stats).toMatchObject({ hits: 2, loads: 1 });
  });

  it('loads what is missing around present pages, at most maxRunPages at a time, all at once', async () => {
    const desk = new Desk({ maxRunPages: 2 });
    await desk.fill(3, 1);
    const reading = desk.mirror.read(pages(0, 8));
    expect(desk.loads).toEqual(['3+1', '0+2', '2+1', '4+2', '6+2']);
    for (const call of desk.calls) call.answer();
    expect(await soon(reading)).toHaveLength(8);
  });

  it('takes pages that a load returns at once', async () => {
    const desk = new Desk({ load: (first, count) => Array.from({ length: count }, (_, i) => `${first + i}s`) });
    expect(await soon(desk.mirror.read(pages(4, 2)))).toEqual(['4s', '5s']);
  });

  it('keeps pages that are undefined, too', async () => {
    const tracker = new RangeTracker();
    const mirror = new RangeMirror<undefined>({ tracker, pageSize: 1, load: () => [undefined] });
    await soon(mirror.read({ start: 0, end: 1 }));
    await soon(mirror.read({ start: 0, end: 1 }));
    expect(mirror.stats).toMatchObject({ loads: 1, hits: 1 });
  });

  it('waits for an active section over a missing page, and loads the free pages beside it meanwhile', async () => {
    const desk = new Desk();
    const section = await desk.tracker.begin(pages(2));
    const reading = new Outcome(desk.mirror.read(pages(0, 5)));
    expect(desk.loads).toEqual(['0+2', '3+2']);
    for (const call of desk.calls) call.answer();
    await settled();
    expect(reading.state).toBe('pending');
    expect(desk.mirror.peek(1)).toBe('1a');
    section.end();
    await settled();
    expect(desk.loads).toEqual(['0+2', '3+2', '2+1']);
    desk.calls[2]!.answer('b');
    await settled();
    expect(reading.value).toEqual(['0a', '1a', '2b', '3a', '4a']);
    expect(desk.mirror.stats.retriedPages).toBe(0);
  });

  it('loads again only the pages that were hit, and installs the others', async () => {
    const desk = new Desk();
    const reading = desk.mirror.read(pages(0, 10));
    await desk.change(4);
    await settled();
    expect(desk.loads).toEqual(['0+10', '4+1']);
    desk.calls[0]!.answer('a');
    await settled();
    expect(desk.mirror.size).toBe(9);
    expect(desk.mirror.peek(4)).toBeUndefined();
    desk.calls[1]!.answer('b');
    expect((await soon(reading))[4]).toBe('4b');
    expect(desk.mirror.stats).toMatchObject({ loads: 2, retriedPages: 1 });
  });

  it('gets again a page that was dropped after its installation, while others were still loading', async () => {
    const desk = new Desk({ maxRunPages: 1 });
    const reading = new Outcome(desk.mirror.read(pages(0, 2)));
    desk.calls[0]!.answer('a');
    await settled();
    await desk.change(0);
    desk.calls[1]!.answer('a');
    await settled();
    expect(reading.state).toBe('pending');
    desk.calls[2]!.answer('b');
    await settled();
    expect(reading.value).toEqual(['0b', '1a']);
  });

  it('holds its range after maxAttempts losses, so that begins queue until it is through', async () => {
    const desk = new Desk({ maxAttempts: 1 });
    const reading = new Outcome(desk.mirror.read(pages(0)));
    await desk.change(0); // lost: now under a lookup
    await settled();
    await desk.change(0); // its first attempt is optimistic, too
    await settled();
    const begin = new Outcome(desk.tracker.begin(pages(0)));
    await settled();
    expect(desk.tracker.inspect().holds).toHaveLength(1);
    expect(begin.state).toBe('pending');
    expect(desk.tracker.tryBegin(pages(0))).toBeUndefined();
    desk.calls.at(-1)!.answer('c');
    await settled();
    expect(reading.value).toEqual(['0c']);
    expect(begin.state).toBe('resolved');
    expect(desk.mirror.size).toBe(0);
    expect(desk.loads).toHaveLength(3);
  });

  it('rejects with RetryLimitError when a hold runs out, and leaves nothing', async () => {
    const desk = new Desk({ maxAttempts: 1, holdMs: 50 });
    const reading = new Outcome(desk.mirror.read(pages(0)));
    for (let i = 0; i < 2; i++) {
      await desk.change(0);
      await settled();
    }
    desk.clock.advance(50);
    await settled();
    expect(reading.error).toBeInstanceOf(RetryLimitError);
    expect(desk.calls.at(-1)!.context.signal.aborted).toBe(true);
    expect(desk.clock.pending).toBe(0);
  });

  it('never holds with maxAttempts Infinity', async () => {
    const desk = new Desk({ maxAttempts: Number.POSITIVE_INFINITY });
    const reading = desk.mirror.read(pages(0));
    for (let i = 0; i < 20; i++) {
      await desk.change(0);
      await settled();
    }
    expect(desk.tracker.stats.holds).toBe(0);
    desk.calls.at(-1)!.answer();
    expect(await soon(reading)).toEqual(['0a']);
  });
});

describe('a load', () => {
  it('is shared by all readers that come while nothing has hit it', async () => {
    const desk = new Desk();
    const readings = [desk.mirror.read(pages(0, 4)), desk.mirror.read(pages(2, 4)), desk.mirror.read(pages(3))];
    expect(desk.loads).toEqual(['0+4', '4+2']);
    for (const call of desk.calls) call.answer();
    expect(await soon(Promise.all(readings))).toEqual([['0a', '1a', '2a', '3a'], ['2a', '3a', '4a', '5a'], ['3a']]);
    expect(desk.mirror.stats.joined).toBe(3);
  });

  it('is not joined once a section has hit the page, but is for its other pages', async () => {
    const desk = new Desk();
    const old = new Outcome(desk.mirror.read(pages(0, 2)));
    await desk.change(0);
    const fresh = new Outcome(desk.mirror.read(pages(0)));
    const beside = new Outcome(desk.mirror.read(pages(1)));
    await settled();
    expect(desk.loads).toEqual(['0+2', '0+1']);
    desk.calls[1]!.answer('b');
    await settled();
    expect(fresh.value).toEqual(['0b']);
    expect([old.state, beside.state]).toEqual(['pending', 'pending']);
    desk.calls[0]!.answer('a');
    await settled();
    expect([old.value, beside.value]).toEqual([['0b', '1a'], ['1a']]);
  });

  it('is aborted with the collision when all its pages were hit, and not before', async () => {
    const desk = new Desk();
    const reading = new Outcome(desk.mirror.read(pages(0, 2)));
    const { signal } = desk.calls[0]!.context;
    await desk.change(0);
    expect(signal.aborted).toBe(false);
    await desk.change(1);
    expect(signal.reason).toBeInstanceOf(CollisionError);
    expect(desk.mirror.stats.aborted).toBe(1);
    await settled();
    for (const call of desk.calls) call.answer('b');
    await settled();
    expect(reading.value).toEqual(['0b', '1b']);
  });

  it('is aborted when its last reader leaves, and not before', async () => {
    const desk = new Desk();
    const [one, two] = [new AbortController(), new AbortController()];
    const first = new Outcome(desk.mirror.read(pages(0, 2), { signal: one.signal }));
    const second = new Outcome(desk.mirror.read(pages(1, 1), { signal: two.signal }));
    const { signal } = desk.calls[0]!.context;
    one.abort('one');
    await settled();
    expect([first.error, second.state, signal.aborted]).toEqual(['one', 'pending', false]);
    two.abort('two');
    await settled();
    expect([second.error, signal.aborted, signal.reason]).toEqual(['two', true, 'two']);
    for (const each of [one, two]) expect(getEventListeners(each.signal, 'abort')).toEqual([]);
    desk.calls[0]!.answer();
    await settled();
    expect(desk.mirror.size).toBe(0);
  });

  it('has a signal that says so even if it is asked for too late', async () => {
    const desk = new Desk();
    const controller = new AbortController();
    const reading = new Outcome(desk.mirror.read(pages(0), { signal: controller.signal }));
    controller.abort('gone');
    await settled();
    expect(reading.error).toBe('gone');
    expect(desk.calls[0]!.context.signal.reason).toBe('gone');
  });

  it('that fails rejects every reader with its own error, and is not kept', async () => {
    const desk = new Desk();
    const readings = [new Outcome(desk.mirror.read(pages(0, 2))), new Outcome(desk.mirror.read(pages(1)))];
    const error = new Error('disk');
    desk.calls[0]!.reject(error);
    await settled();
    expect(readings.map((reading) => reading.error)).toEqual([error, error]);
    expect(desk.mirror.stats.failed).toBe(1);
    await desk.fill(0, 2, 'b');
    expect(desk.mirror.peek(0)).toBe('0b');
  });

  it('that throws at once is a rejection, and leaves nothing', async () => {
    const error = new Error('at once');
    const desk = new Desk({
      load: () => {
        throw error;
      },
    });
    expect(await failure(desk.mirror.read(pages(0, 2)))).toBe(error);
    expect(desk.mirror.stats).toMatchObject({ failed: 1, loads: 1 });
    expect(await failure(desk.mirror.read(pages(0, 2)))).toBe(error);
  });

  it('that fails after it was hit is run again: a torn read often does not parse', async () => {
    const desk = new Desk();
    const reading = desk.mirror.read(pages(0, 2));
    await desk.change(0);
    desk.calls[0]!.reject(new Error('does not parse'));
    await settled();
    for (const call of desk.calls) call.answer('b');
    expect(await soon(reading)).toEqual(['0b', '1b']);
    expect(desk.mirror.stats.failed).toBe(0);
  });

  it.each([
    ['too few pages', ['x'], 1, /3 pages from page 2 on returned 1 pages; expected an array of 3 pages/],
    ['too many pages', ['x', 'x', 'x', 'x'], 4, /returned 4 pages/],
    ['no array', 'xxx' as never, undefined, /returned "xxx"/],
  ])('that returns %s rejects with LoadError', async (_, returned, got, message) => {
    const desk = new Desk({ load: () => returned });
    const error = (await failure(desk.mirror.read(pages(2, 3)))) as LoadError;
    expect(error).toBeInstanceOf(LoadError);
    expect(error).toMatchObject({ name: 'LoadError', code: 'RANGEFENCE_LOAD', wanted: 3, got });
    expect(error.message).toMatch(message);
    expect(isRangefenceError(error)).toBe(true);
    expect(desk.mirror.size).toBe(0);
  });

  it('covers what it observes, also outside of the mirror: before the installation, and as long as the page is present', async () => {
    const desk = new Desk();
    const table = { start: 5000, end: 5008 };
    const reading = desk.mirror.read(pages(0, 2));
    desk.calls[0]!.context.observe(table);
    await soon(desk.tracker.mutate(table, () => {}));
    await settled();
    expect(desk.loads).toEqual(['0+2', '0+2']);
    expect(desk.calls[0]!.context.signal.aborted).toBe(true);
    desk.calls[1]!.context.observe(table);
    for (const call of desk.calls) call.answer('b');
    expect(await soon(reading)).toEqual(['0b', '1b']);
    expect(desk.tracker.inspect().subscribedRanges).toBe(2);
    await soon(desk.tracker.mutate(table, () => expect(desk.mirror.size).toBe(0)));
    expect(desk.drops).toEqual(['0b', '1b']);
    expect(desk.tracker.inspect().subscribedRanges).toBe(1);
  });

  it('that observes what has changed since it began is lost at once', async () => {
    const desk = new Desk();
    const reading = desk.mirror.read(pages(0));
    await soon(desk.tracker.mutate({ start: 5000, end: 5008 }, () => {}));
    desk.calls[0]!.context.observe({ start: 5000, end: 5001 });
    await settled();
    expect(desk.loads).toEqual(['0+1', '0+1']);
    desk.calls[1]!.answer('b');
    expect(await soon(reading)).toEqual(['0b']);
  });

  it('checks what it observes, and after its end does nothing else', async () => {
    const desk = new Desk();
    await desk.fill(0, 1);
    const { observe } = desk.calls[0]!.context;
    expect(() => observe({ start: 3, end: 3 })).toThrow(InvalidRangeError);
    observe({ start: 5000, end: 5008 });
    expect(desk.tracker.inspect().subscribedRanges).toBe(1);
  });
});

describe('a begin', () => {
  it('drops the pages it overlaps and no other, before it resolves', async () => {
    const desk = new Desk();
    await desk.fill(0, 6);
    const section = await soon(desk.tracker.begin([{ start: 15, end: 17 }, pages(4)]));
    expect([0, 1, 2, 3, 4, 5].map((i) => desk.mirror.peek(i))).toEqual(['0a', undefined, undefined, '3a', undefined, '5a']);
    expect(desk.drops).toEqual(['1a', '2a', '4a']);
    expect(desk.mirror.stats.dropped).toBe(3);
    section.end();
  });

  it('drops everything if it is over everything', async () => {
    const desk = new Desk();
    await desk.fill(0, 6);
    await soon(desk.tracker.mutate({ start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY }, () => {}));
    expect(desk.mirror.size).toBe(0);
  });

  it('that is ignored neither drops nor delays', async () => {
    const desk = new Desk({ ignore: ({ kind }) => kind === 'protection-page' });
    await desk.fill(0, 1);
    const section = desk.tracker.tryBegin(pages(0, 2), { kind: 'protection-page' })!;
    expect(desk.mirror.peek(0)).toBe('0a');
    await desk.fill(1, 1);
    section.end();
    expect(desk.mirror.size).toBe(2);
  });

  it('waits until onDrop is done', async () => {
    const flush = deferred();
    const desk = new Desk({ onDrop: () => flush.promise });
    await desk.fill(0, 1);
    const begin = new Outcome(desk.tracker.begin(pages(0)));
    await settled();
    expect([begin.state, desk.mirror.peek(0)]).toEqual(['pending', undefined]);
    flush.resolve();
    await settled();
    expect(begin.state).toBe('resolved');
  });

  it('waits for the onDrop of an overlapping page that the budget had dropped before', async () => {
    const flush = deferred();
    const desk = new Desk({ maxPages: 1, onDrop: (page) => (page === '0a' ? flush.promise : undefined) });
    await desk.fill(0, 1);
    await desk.fill(1, 1);
    expect(desk.mirror.stats.evicted).toBe(1);
    const begins = [0, 1].map((page) => new Outcome(desk.tracker.begin(pages(page))));
    await settled();
    expect(begins.map(({ state }) => state)).toEqual(['pending', 'resolved']);
    flush.resolve();
    await settled();
    expect(begins[0]!.state).toBe('resolved');
  });

  it('that cannot wait is refused by an onDrop that takes time, until it is done', async () => {
    const flush = deferred();
    const desk = new Desk({ onDrop: () => flush.promise });
    await desk.fill(0, 1);
    expect(desk.tracker.tryBegin(pages(0))).toBeUndefined();
    expect(desk.tracker.tryBegin(pages(0))).toBeUndefined();
    flush.resolve();
    await settled();
    expect(desk.tracker.tryBegin(pages(0))).toBeDefined();
  });

  it.each(['throws', 'rejects'])('fails if onDrop %s, having told all others', async (how) => {
    const error = new Error('busy');
    const told: string[] = [];
    const desk = new Desk({
      onDrop: (page) => {
        told.push(page);
        if (page !== '0a') return undefined;
        if (how === 'throws') throw error;
        return Promise.reject(error);
      },
    });
    await desk.fill(0, 3);
    const failed = (await failure(desk.tracker.begin(pages(0, 3)))) as SubscriberError;
    expect(failed).toBeInstanceOf(SubscriberError);
    expect(failed.cause).toBe(error);
    expect(told).toEqual(['0a', '1a', '2a']);
    expect(desk.tracker.activeCount).toBe(0);
    await desk.change(0, 3);
  });

  it('fails with all errors if several pages could not be dropped', async () => {
    const desk = new Desk({ onDrop: (page) => (page === '0a' ? Promise.reject(new Error(page)) : raise(new Error(page))) });
    await desk.fill(0, 2);
    const { cause } = (await failure(desk.tracker.begin(pages(0, 2)))) as { cause: AggregateError };
    expect(cause.errors.map(({ message }: Error) => message).sort()).toEqual(['0a', '1a']);
  });
});

function raise(error: Error): never {
  throw error;
}

describe('the budget', () => {
  it('lets the least recently used page go, and peek is a use', async () => {
    const desk = new Desk({ maxPages: 2 });
    await desk.fill(0, 1);
    await desk.fill(1, 1);
    desk.mirror.peek(0);
    await desk.fill(2, 1);
    expect([0, 1, 2].map((i) => desk.mirror.peek(i))).toEqual(['0a', undefined, '2a']);
    expect(desk.drops).toEqual(['1a']);
    expect(desk.mirror.stats).toMatchObject({ evicted: 1, dropped: 0 });
  });

  it('keeps what a running read needs until that read is done', async () => {
    const desk = new Desk({ maxPages: 2, maxRunPages: 2 });
    const reading = desk.mirror.read(pages(0, 6));
    desk.calls[0]!.answer();
    desk.calls[1]!.answer();
    await settled();
    expect([desk.mirror.size, desk.drops]).toEqual([4, []]);
    desk.calls[2]!.answer();
    expect(await soon(reading)).toHaveLength(6);
    expect([desk.mirror.size, desk.drops.length]).toEqual([2, 4]);
  });

  it('drops what was kept for a read that gives up', async () => {
    const desk = new Desk({ maxPages: 1, maxRunPages: 1 });
    const controller = new AbortController();
    const reading = new Outcome(desk.mirror.read(pages(0, 3), { signal: controller.signal }));
    desk.calls[0]!.answer();
    desk.calls[1]!.answer();
    await settled();
    expect(desk.mirror.size).toBe(2);
    controller.abort('enough');
    await settled();
    expect([reading.error, desk.mirror.size]).toEqual(['enough', 1]);
  });

  describe('and an onDrop that fails where no begin waits', () => {
    const before = process.listeners('uncaughtException');
    afterEach(() => {
      process.removeAllListeners('uncaughtException');
      for (const listener of before) process.on('uncaughtException', listener);
    });

    it.each(['throws', 'rejects'])('is reported as uncaught when it %s', async (how) => {
      const uncaught: unknown[] = [];
      process.removeAllListeners('uncaughtException');
      process.on('uncaughtException', (error) => uncaught.push(error));
      const error = new Error('late');
      const desk = new Desk({ maxPages: 1, onDrop: () => (how === 'throws' ? raise(error) : Promise.reject(error)) });
      await desk.fill(0, 2);
      await new Promise((resolve) => setImmediate(resolve));
      expect(uncaught).toEqual([error]);
      expect(desk.mirror.size).toBe(1);
    });
  });
});

describe('bounds of one read', () => {
  it('are one listener for each wait, so that a hundred gaps do not look like a leak of listeners', async () => {
    const desk = new Desk();
    const warnings: Error[] = [];
    const warn = (warning: Error) => void warnings.push(warning);
    process.on('warning', warn);
    const controller = new AbortController();
    const sections = Array.from({ length: 25 }, (_, i) => desk.tracker.tryBegin(pages(2 * i))!);
    const outcome = new Outcome(desk.mirror.read(pages(0, 50), { signal: controller.signal }));
    await settled();
    await new Promise((resolve) => setImmediate(resolve)); // warnings are given in a turn of their own
    process.off('warning', warn);
    expect([warnings, desk.tracker.inspect().waiting]).toEqual([[], 25]);
    controller.abort(new Error('enough'));
    await settled();
    expect([outcome.state, desk.tracker.inspect().waiting]).toEqual(['rejected', 0]);
    for (const section of sections) section.end();
  });

  it('are a signal and a time limit, and neither leaves anything behind', async () => {
    const desk = new Desk();
    const { signal } = new AbortController();
    const error = failure(desk.mirror.read(pages(0), { signal, timeoutMs: 20 }));
    desk.clock.advance(20);
    expect(await error).toBeInstanceOf(TimeoutError);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(desk.calls[0]!.context.signal.aborted).toBe(true);
    expect(desk.clock.pending).toBe(0);
  });

  it('end the wait for a section, too', async () => {
    const desk = new Desk();
    const section = await desk.tracker.begin(pages(0));
    const controller = new AbortController();
    const reading = new Outcome(desk.mirror.read(pages(0), { signal: controller.signal }));
    await settled();
    expect(desk.tracker.inspect().waiting).toBe(1);
    controller.abort('no');
    await settled();
    expect([reading.error, desk.tracker.inspect().waiting]).toEqual(['no', 0]);
    section.end();
  });

  it('reject at once if the signal has fired, also when all is present', async () => {
    const desk = new Desk();
    await desk.fill(0, 1);
    expect(await failure(desk.mirror.read(pages(0), { signal: AbortSignal.abort('early') }))).toBe('early');
    expect(await failure(desk.mirror.read(pages(5), { signal: AbortSignal.abort('early') }))).toBe('early');
    expect(desk.calls).toHaveLength(1);
  });
});

describe('prefetch', () => {
  it('loads what is missing, for readers to join', async () => {
    const desk = new Desk();
    desk.mirror.prefetch(pages(0, 3));
    const reading = desk.mirror.read(pages(1));
    expect(desk.loads).toEqual(['0+3']);
    desk.calls[0]!.answer();
    expect(await soon(reading)).toEqual(['1a']);
    expect(desk.mirror.size).toBe(3);
  });

  it('keeps a load going when the reader that joined it leaves', async () => {
    const desk = new Desk();
    const controller = new AbortController();
    desk.mirror.prefetch(pages(0));
    const reading = new Outcome(desk.mirror.read(pages(0), { signal: controller.signal }));
    controller.abort('no');
    await settled();
    expect([reading.error, desk.calls[0]!.context.signal.aborted]).toEqual(['no', false]);
  });

  it('is checked like any other load, and loads again what was hit', async () => {
    const desk = new Desk();
    desk.mirror.prefetch(pages(0, 2));
    await desk.change(1);
    desk.calls[0]!.answer('a');
    await settled();
    expect([desk.mirror.peek(0), desk.mirror.peek(1)]).toEqual(['0a', undefined]);
    desk.calls[1]!.answer('b');
    await settled();
    expect(desk.mirror.peek(1)).toBe('1b');
  });

  it('counts its errors and drops them', async () => {
    const desk = new Desk({ policy: 'ban' });
    desk.mirror.prefetch(pages(0));
    desk.calls[0]!.reject(new Error('disk'));
    await settled();
    expect(desk.mirror.stats.failed).toBe(1);
    await desk.change(0);
    desk.mirror.prefetch(pages(0));
    await settled();
    expect(desk.mirror.stats.failed).toBe(2);
  });
});

describe("policy 'ban'", () => {
  it('drops everything at the first change, and rejects from then on', async () => {
    const desk = new Desk({ policy: 'ban', label: 'bo' });
    await desk.fill(0, 4);
    await desk.change(2);
    expect([desk.mirror.banned, desk.mirror.size, desk.drops.length]).toEqual([true, 0, 4]);
    const error = await failure(desk.mirror.read(pages(9)));
    expect(error).toBeInstanceOf(BannedError);
    expect(error).toMatchObject({ code: 'RANGEFENCE_BANNED', message: expect.stringContaining('the mirror "bo" is banned') });
    expect(desk.calls).toHaveLength(1);
  });

  it('holds when the change comes while it is being filled for the first time', async () => {
    const desk = new Desk({ policy: 'ban' });
    const reading = new Outcome(desk.mirror.read(pages(0, 2)));
    await desk.change(1);
    await settled();
    expect(reading.error).toBeInstanceOf(BannedError);
    expect(desk.calls[0]!.context.signal.reason).toBeInstanceOf(BannedError);
    desk.calls[0]!.answer();
    await settled();
    expect([desk.mirror.size, desk.loads]).toEqual([0, ['0+2']]);
  });

  it('is not applied by changes that are ignored or lie elsewhere', async () => {
    const desk = new Desk({ policy: 'ban', ignore: ({ kind }) => kind === 'soft-dirty' });
    await desk.fill(0, 1);
    await soon(desk.tracker.mutate(pages(0), () => {}, { kind: 'soft-dirty' }));
    await soon(desk.tracker.mutate({ start: 800, end: 900 }, () => {}));
    expect([desk.mirror.banned, desk.mirror.peek(0)]).toEqual([false, '0a']);
  });

  it('is applied by a change of what a page was derived from', async () => {
    const desk = new Desk({ policy: 'ban' });
    const reading = desk.mirror.read(pages(0));
    desk.calls[0]!.context.observe({ start: 900, end: 901 });
    desk.calls[0]!.answer();
    await soon(reading);
    await soon(desk.tracker.mutate({ start: 900, end: 901 }, () => {}));
    expect([desk.mirror.banned, desk.mirror.size]).toEqual([true, 0]);
  });
});

describe('close', () => {
  it('drops everything, aborts loads, rejects readers and leaves nothing; twice is once', async () => {
    const desk = new Desk({ label: 'gpu' });
    await desk.fill(0, 2);
    const section = await desk.tracker.begin(pages(9));
    const readings = [new Outcome(desk.mirror.read(pages(5))), new Outcome(desk.mirror.read(pages(9)))];
    desk.mirror.close();
    desk.mirror.close();
    await settled();
    for (const { error } of readings) expect(error).toBeInstanceOf(ClosedError);
    expect(String(readings[0]!.error)).toContain('the mirror "gpu" is closed');
    expect([desk.mirror.closed, desk.mirror.size, desk.drops.sort()]).toEqual([true, 0, ['0a', '1a']]);
    expect(desk.calls[1]!.context.signal.aborted).toBe(true);
    section.end();
    const { subscribedRanges, waiting } = desk.tracker.inspect();
    expect({ subscribedRanges, waiting, timers: desk.clock.pending }).toEqual({ subscribedRanges: 0, waiting: 0, timers: 0 });
    expect(await failure(desk.mirror.read(pages(0)))).toBeInstanceOf(ClosedError);
    expect(() => desk.mirror.prefetch(pages(0))).toThrow(ClosedError);
    expect(desk.mirror.peek(0)).toBeUndefined();
  });

  it('leaves begins waiting for an onDrop that is not done', async () => {
    const flush = deferred();
    const desk = new Desk({ onDrop: () => flush.promise });
    await desk.fill(0, 1);
    desk.mirror.close();
    const begin = new Outcome(desk.tracker.begin(pages(0)));
    await settled();
    expect(begin.state).toBe('pending');
    flush.resolve();
    await settled();
    expect([begin.state, desk.tracker.inspect().subscribedRanges]).toEqual(['resolved', 0]);
  });

  it('is what Symbol.dispose does', () => {
    const { mirror } = new Desk();
    mirror[Symbol.dispose]();
    expect(mirror.closed).toBe(true);
    expect(Object.keys(mirror)).toEqual([]);
  });

  it('of the tracker closes the mirror, too', async () => {
    const desk = new Desk();
    await desk.fill(0, 1);
    const reading = new Outcome(desk.mirror.read(pages(5)));
    await soon(desk.tracker.close());
    await settled();
    expect(reading.error).toBeInstanceOf(ClosedError);
    expect([desk.mirror.closed, desk.mirror.size]).toEqual([true, 0]);
    expect(await failure(desk.mirror.read(pages(0)))).toBeInstanceOf(ClosedError);
  });
});

describe('bad input is refused before anything changes', () => {
  const bad = (options: object) => () => new Desk(options);

  it.each([
    [{ pageSize: 0 }, /pageSize is 0; expected a positive whole number/],
    [{ pageSize: 1.5 }, /pageSize is 1.5/],
    [{ pageSize: '8' }, /pageSize is "8"/],
    [{ load: 3 }, /load is 3; expected a function/],
    [{ onDrop: 3 }, /onDrop is 3/],
    [{ maxPages: 0 }, /maxPages is 0; expected a whole number from 1 to 2\^24/],
    [{ maxPages: 2 ** 24 + 1 }, /maxPages is 16777217/],
    [{ maxRunPages: Number.NaN }, /maxRunPages is NaN/],
    [{ maxAttempts: 0 }, /maxAttempts is 0; expected a whole number of at least 1, or Infinity/],
    [{ holdMs: 0 }, /holdMs is 0/],
    [{ policy: 'never' }, /policy is "never"; expected 'retry' or 'ban'/],
    [{ ignore: 'clear' }, /ignore is "clear"/],
    [{ label: 7 }, /label is 7/],
    [{ clock: {} }, /clock is an object/],
    [{ tracker: {} }, /tracker is an object; expected a RangeTracker/],
  ])('%o', (options, message) => {
    expect(bad(options)).toThrow(InvalidArgumentError);
    expect(bad(options)).toThrow(message);
  });

  it('no options at all', () => {
    expect(() => new RangeMirror(undefined as never)).toThrow(/options is undefined; expected an object/);
  });

  it.each([
    [{ start: 4, end: 800 }, /range \[4, 800\) is cut into pages of 8; expected whole pages/],
    [{ start: 0, end: 801 }, /whole pages/],
    [{ start: 8, end: 8 }, /is empty/],
    [[{ start: 0, end: 8 }], /range is an array; expected a single/],
  ])('a mirror of %o', (range, message) => {
    expect(bad({ range })).toThrow(InvalidRangeError);
    expect(bad({ range })).toThrow(message);
  });

  it.each([
    [{ start: 792, end: 801 }, /range \[792, 801\) reaches outside the mirror's \[0, 800\)/],
    [{ start: -1, end: 8 }, /reaches outside/],
    [{ start: 8, end: 8 }, /is empty/],
    [[], /range is an array/],
    [undefined, /range is undefined/],
  ])('a read of %o', async (range, message) => {
    const desk = new Desk();
    const error = await failure(desk.mirror.read(range as never));
    expect(error).toBeInstanceOf(InvalidRangeError);
    expect(String(error)).toMatch(message);
    expect(() => desk.mirror.prefetch(range as never)).toThrow(InvalidRangeError);
    expect(desk.calls).toEqual([]);
  });

  it('a read without an end', async () => {
    const desk = new Desk({ range: { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY } });
    const endless = desk.mirror.read({ start: 0, end: Number.POSITIVE_INFINITY });
    expect(String(await failure(endless))).toMatch(/covers Infinity pages; expected finitely many/);
    const vast = desk.mirror.read({ start: 0, end: 8 * 2 ** 24 + 1 });
    expect(String(await failure(vast))).toMatch(/covers 16777217 pages/);
    desk.mirror.prefetch(pages(-3, 2));
    expect(desk.loads).toEqual(['-3+2']);
  });

  it('a closed tracker', async () => {
    const tracker = new RangeTracker();
    await tracker.close();
    expect(bad({ tracker })).toThrow(ClosedError);
  });

  it('bad bounds of a read', async () => {
    const desk = new Desk();
    expect(await failure(desk.mirror.read(pages(0), { timeoutMs: -1 }))).toBeInstanceOf(InvalidArgumentError);
    expect(await failure(desk.mirror.read(pages(0), { signal: {} as never }))).toBeInstanceOf(InvalidArgumentError);
    expect(desk.calls).toEqual([]);
  });
});

it('says what it is', () => {
  const { mirror } = new Desk({ label: 'bo' });
  expect([mirror.range, mirror.pageSize]).toEqual([{ start: 0, end: 800 }, 8]);
  expect(String(mirror)).toMatch(
    /^RangeMirror \{ label: "bo", range: \[0, 800\), pageSize: 8, size: \d+, banned: false, closed: false, stats: \{ hits: /,
  );
  expect(JSON.parse(JSON.stringify(mirror))).toMatchObject({ label: 'bo', range: { start: 0, end: 800 }, stats: { evicted: 0 } });
  expect(new RangeMirror({ tracker: new RangeTracker(), pageSize: 4, load: () => [] }).range).toEqual({
    start: 0,
    end: Number.POSITIVE_INFINITY,
  });
});
