/**
 * Trackers in real worker threads: every promise of docs/threads.md, once.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { ClosedError, RangeTracker, type RangeTrackerOptions, SubscriberError } from '../../lib/index.js';
import { CapacityError, type DeadThread, SharedSpace, type SharedSpaceOptions } from '../../lib/threads/index.js';
import { Thread } from '../support/threads/thread.js';

const PAGE = { start: 0, end: 8 };
const NEXT = { start: 8, end: 16 };

const threads: Thread[] = [];
const spaces: SharedSpace[] = [];
afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.kill()));
  for (const space of spaces.splice(0)) space.close();
});

function made(options?: SharedSpaceOptions): SharedSpace {
  const space = SharedSpace.create(options);
  spaces.push(space);
  return space;
}

async function started(space: SharedSpace, label?: string): Promise<Thread> {
  const thread = await Thread.start(space, label);
  threads.push(thread);
  return thread;
}

/** A tracker here, and a thread with another one. */
async function pair(options?: SharedSpaceOptions, here?: RangeTrackerOptions) {
  const space = made(options);
  const tracker = new RangeTracker({ ...here, space: space.connect() });
  return { space, tracker, thread: await started(space) };
}

/** Polls: what another thread does has no moment here. */
async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('it did not come to be so within ten seconds');
}

describe('trackers of two threads', () => {
  test('a section that a worker began makes a lookup here wait, and its end wakes it', async () => {
    const { tracker, thread } = await pair();
    await thread.run(async ({ tracker, kept }, page) => {
      kept.section = await tracker.begin(page, { label: 'theirs' });
    }, PAGE);
    expect(tracker.activeCount).toBe(1);
    let isDone = false;
    const read = tracker
      .lookup(PAGE, () => 'read')
      .finally(() => {
        isDone = true;
      });
    expect(await tracker.lookup(NEXT, () => 'elsewhere')).toBe('elsewhere');
    expect(tracker.inspect().sections).toMatchObject([{ label: 'theirs', waiting: [{ operation: 'lookup' }] }]);
    expect(isDone).toBe(false);
    await thread.run(({ kept }) => (kept.section as { end(): void }).end());
    expect(await read).toBe('read');
  });

  test('a lookup that was hit by a section of a worker retries, and one beside it does not', async () => {
    const { tracker, thread } = await pair();
    const change = () => thread.run(({ tracker }, page) => tracker.invalidate(page), PAGE);
    let attempts = 0;
    const commit = (value: number) => value;
    const fetch = async () => {
      if (++attempts === 1) await change();
      return attempts;
    };
    expect(await tracker.lookup(PAGE, fetch, { commit })).toBe(2);
    attempts = 0;
    expect(await tracker.lookup(NEXT, fetch, { commit })).toBe(1);
    expect(tracker.stats).toMatchObject({ lookups: 2, attempts: 3, collisions: 1 });
  });

  test('a token taken here knows what a worker has changed since', async () => {
    const { tracker, thread } = await pair();
    const token = tracker.tryReadBegin(PAGE)!;
    await thread.run(({ tracker }, page) => tracker.invalidate(page, { kind: 'unmap', label: 'cut' }), PAGE);
    expect(tracker.readRetry(NEXT, token)).toBe(false);
    expect(tracker.readRetry(PAGE, token)).toBe(true);
    expect(tracker.collision(PAGE, token)).toMatchObject({ reason: 'ended', kind: 'unmap', label: 'cut', range: PAGE });
  });

  test('the signal of an attempt fires when a worker begins over what it reads', async () => {
    const { tracker, thread } = await pair();
    let attempts = 0;
    const read = tracker.lookup(PAGE, async ({ signal }) => {
      if (++attempts > 1) return 'read';
      thread.run(({ tracker }, page) => tracker.invalidate(page), PAGE);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return 'old';
    });
    expect(await read).toBe('read');
  });

  test('subscribers of a worker are told and awaited by a begin here, with kind, label, owner and all ranges', async () => {
    const { tracker, thread } = await pair();
    await thread.run(({ tracker, kept, ThreadOwner }) => {
      kept.told = [];
      const told = kept.told as unknown[];
      tracker.subscribe(
        { start: 0, end: 100 },
        {
          async invalidate({ kind, label, owner }, ranges) {
            await new Promise((resolve) => setTimeout(resolve, 20));
            told.push([kind, label, owner instanceof ThreadOwner ? owner.thread : owner, ranges]);
          },
          end: ({ kind }) => void told.push(kind),
        },
      );
    });
    const ranges = [PAGE, { start: 20, end: 30 }, { start: 50, end: 200 }];
    const inside = [PAGE, { start: 20, end: 30 }, { start: 50, end: 100 }];
    for (const owner of ['importer', 7, {}]) {
      await tracker.mutate(
        ranges,
        async () => {
          const told = await thread.run(({ kept }) => (kept.told as unknown[]).splice(0));
          expect(told).toEqual([['unmap', 'a change', typeof owner === 'object' ? 0 : owner, inside]]);
        },
        { kind: 'unmap', label: 'a change', owner },
      );
      let ended: unknown[] = [];
      while (ended.length === 0) ended = await thread.run(({ kept }) => (kept.told as unknown[]).splice(0));
      expect(ended).toEqual(['unmap']);
    }
  });

  test('a subscriber of a worker that cannot let go makes a begin here fail, with what it said', async () => {
    const { tracker, thread } = await pair();
    await thread.run(({ tracker }, page) => {
      tracker.subscribe(page, { invalidate: () => Promise.reject(new Error('the device hangs')) }, { label: 'device' });
    }, PAGE);
    const error = await tracker.begin(PAGE).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SubscriberError);
    expect((error as Error).message).toContain('thread 1 (worker)');
    expect((error as Error).message).toContain('the device hangs');
    expect(tracker.activeCount).toBe(0);
    await tracker.invalidate(NEXT);
  });

  test('a begin that does not wait is refused where a worker subscribes, and leaves no trace', async () => {
    const { tracker, thread } = await pair({ grain: 8 });
    await thread.run(({ tracker }, page) => void tracker.subscribe(page, { invalidate() {} }), PAGE);
    expect(tracker.tryBegin(PAGE)).toBeUndefined();
    expect([tracker.seq, tracker.stats.refused]).toEqual([0, 1]);
    tracker.tryBegin(NEXT)!.end();
  });

  test('a begin waits for who is blocked, says so in inspect, and ends by its signal; the blocked one drops what it had', async () => {
    const { tracker, thread } = await pair();
    await thread.run(({ tracker, kept }, page) => {
      kept.told = 0;
      tracker.subscribe(page, { invalidate: () => void (kept.told as number)++ });
    }, PAGE);
    const blocked = thread.run(({ shared, kept, say }) => {
      say('blocked');
      Atomics.wait(shared, 0, 0);
      return kept.told;
    });
    await until(() => thread.said.length === 1);
    const controller = new AbortController();
    const begun = tracker.begin(PAGE, { signal: controller.signal });
    await until(() => tracker.inspect().sections[0]?.subscribers[0]?.label === 'thread 1 (worker)');
    controller.abort(new Error('enough'));
    await expect(begun).rejects.toThrow('enough');
    await expect(tracker.begin(PAGE, { timeoutMs: 10 })).rejects.toThrow('the subscriber "thread 1 (worker)" over [0, 8)');
    Atomics.store(thread.shared, 0, 1);
    Atomics.notify(thread.shared, 0);
    expect(await blocked).toBe(0);
    (await tracker.begin(PAGE)).end();
    expect(await thread.run(({ kept }) => kept.told)).toBe(3);
  });
});

describe('a thread that ends', () => {
  test('in a section of its own: onDeath hears of it before others go on', async () => {
    const deaths: DeadThread[] = [];
    let repaired = false;
    const { space, tracker, thread } = await pair({
      onDeath: async (dead) => {
        deaths.push(dead);
        await new Promise((resolve) => setTimeout(resolve, 20));
        repaired = true;
      },
    });
    await thread.run(async ({ tracker }, ranges) => void (await tracker.begin(ranges)), [PAGE, { start: 20, end: 24 }]);
    const read = tracker.lookup(PAGE, () => repaired);
    await thread.kill();
    expect(await read).toBe(true);
    expect(deaths).toEqual([{ thread: 1, label: 'worker', ranges: [PAGE, { start: 20, end: 24 }], committing: false }]);
    expect(space.stats).toEqual({ deaths: 1, orphaned: 2 });
  });

  test('while a begin here waits for its answer: the begin goes on', async () => {
    const { tracker, thread } = await pair();
    await thread.run(({ tracker }, page) => {
      tracker.subscribe(page, { invalidate: () => new Promise(() => {}) });
    }, PAGE);
    const begun = tracker.begin(PAGE);
    await until(() => tracker.inspect().sections[0]?.subscribers.length === 1);
    await thread.kill();
    (await begun).end();
  });

  test('in the midst of a commit: begins wait until it is gone, and onDeath is told', async () => {
    const deaths: DeadThread[] = [];
    const { tracker, thread } = await pair({ onDeath: (dead) => void deaths.push(dead) });
    void thread.run(
      async ({ tracker, shared, say }, page) =>
        tracker.lookup(page, async () => 1, {
          commit: () => {
            say('committing');
            Atomics.wait(shared, 0, 0);
          },
        }),
      PAGE,
    );
    await until(() => thread.said.length === 1);
    expect(tracker.tryBegin(PAGE)).toBeUndefined();
    const begun = tracker.begin(PAGE);
    await until(() => tracker.inspect().sections[0]?.subscribers[0]?.label === 'thread 1 (worker)');
    await thread.kill();
    (await begun).end();
    expect(deaths).toEqual([{ thread: 1, label: 'worker', ranges: [], committing: true }]);
  });

  test('leaves a place for others, also a hundred times', async () => {
    const { space, tracker } = await pair({ threads: 2 });
    expect(() => space.connect()).toThrow(CapacityError);
    await threads.pop()!.kill();
    await until(() => space.stats.deaths === 1);
    for (let i = 0; i < 100; i++) {
      let other: RangeTracker | undefined;
      await until(() => {
        try {
          other = new RangeTracker({ space: space.connect() });
          return true;
        } catch {
          return false;
        }
      });
      const section = other!.tryBegin(PAGE)!;
      expect(tracker.tryReadBegin(PAGE)).toBeUndefined();
      section.end();
      expect(tracker.tryReadBegin(PAGE)).toBe(tracker.seq);
      await other!.close();
    }
    expect(space.stats).toEqual({ deaths: 1, orphaned: 0 });
  });
});

describe('a shared space that is closed', () => {
  test('closes the trackers of all threads', async () => {
    const { space, tracker, thread } = await pair();
    const there = thread.run(async ({ tracker }, page) => {
      await tracker.begin(page);
      return tracker.lookup(page, () => 1).catch((error: Error) => [error.name, tracker.closed]);
    }, PAGE);
    await until(() => tracker.activeCount === 1);
    const here = tracker.lookup(PAGE, () => 1);
    here.catch(() => {});
    space.close();
    await expect(here).rejects.toThrow(ClosedError);
    expect(await there).toEqual(['ClosedError', true]);
    expect(tracker.closed).toBe(true);
    expect(() => space.connect()).toThrow(ClosedError);
  });
});

describe('a worker', () => {
  test('whose only work is a lookup that waits goes on; one that waits for nothing ends', async () => {
    const space = made();
    const tracker = new RangeTracker({ space: space.connect() });
    const section = tracker.tryBegin(PAGE)!;
    const thread = await started(space);
    let code: number | undefined;
    thread.worker.on('exit', (exitCode) => {
      code = exitCode;
    });
    await thread.run(({ tracker, say }, page) => {
      void tracker.lookup(page, () => say('read'));
      tracker.subscribe(page, { invalidate() {} });
    }, PAGE);
    thread.worker.postMessage({
      id: 0,
      code: '() => process.getBuiltinModule("node:worker_threads").parentPort.unref()',
      args: [],
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([code, thread.said]).toEqual([undefined, []]);
    section.end();
    await until(() => code !== undefined);
    expect([code, thread.said]).toEqual([0, ['read']]);
  });
});
