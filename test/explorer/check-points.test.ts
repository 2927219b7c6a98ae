/**
 * Check points: between the settling of a promise that the library has given out and the code that awaits it, others may come.
 */
import { describe, expect, test, vi } from 'vitest';
import { RangeTracker } from '../../lib/index.js';
import { fence } from '../../lib/keyed/index.js';
import { KeyedFence } from '../../lib/keyed/keyed-fence.js';
import { RangeMirror } from '../../lib/mirror/index.js';
import { explore, type MakeScenario, replay, type Scenario, type Step } from '../../lib/testing/index.js';
import { failureOf } from '../support/explorer/programs.js';

const PAGE = { start: 0, end: 1 };

/** What a reader derives from a content that a writer changes. */
interface World {
  content: string;
  installed: string | undefined;
}

type Reads = (world: World, step: Step) => Promise<void>;
type Section = { end(): void };

/** A reader of whatever kind, and a writer who drops what was installed before it changes. */
function race(make: () => { reads: Reads; begin(): Promise<Section> }, more: Partial<Scenario> = {}): MakeScenario {
  return () => {
    const { reads, begin } = make();
    const world: World = { content: 'old', installed: undefined };
    return {
      actors: {
        reader: async (step) => {
          await step('read');
          await reads(world, step);
        },
        writer: async (step) => {
          await step('begin');
          const section = await begin();
          world.installed = undefined;
          world.content = 'new';
          await step('end');
          section.end();
        },
      },
      end: () => expect([undefined, world.content]).toContain(world.installed),
      ...more,
    };
  };
}

const tracked = (reads: (tracker: RangeTracker) => Reads) => () => {
  const tracker = new RangeTracker();
  return { reads: reads(tracker), begin: () => tracker.begin(PAGE) };
};

const installsLate = tracked((tracker) => async (world, step) => {
  const value = await tracker.lookup(PAGE, async () => {
    const read = world.content;
    await step('fetched');
    return read;
  });
  world.installed = value;
});

describe('code that installs after an await', () => {
  const stale: Record<string, () => { reads: Reads; begin(): Promise<Section> }> = {
    'of a lookup': installsLate,
    'of a lookup whose fetch answers at once': tracked((tracker) => async (world) => {
      world.installed = await tracker.lookup(PAGE, () => world.content);
    }),
    'of a lookup inside another async function': tracked((tracker) => async (world) => {
      const look = async () => tracker.lookup(PAGE, () => world.content);
      world.installed = await look();
    }),
    'of a lookup with then': tracked(
      (tracker) => (world) =>
        tracker
          .lookup(PAGE, () => world.content)
          .then((value) => {
            world.installed = value;
          }),
    ),
    'of several lookups': tracked((tracker) => async (world) => {
      const [value] = await Promise.all([tracker.lookup(PAGE, () => world.content), tracker.lookup(PAGE, () => world.content)]);
      world.installed = value;
    }),
    'of a lookup of a subscription': tracked((tracker) => async (world) => {
      const subscription = tracker.subscribe(PAGE, { invalidate: () => {} });
      world.installed = await subscription.lookup(() => world.content);
    }),
    'of a readBegin, after which it does not ask again': tracked((tracker) => async (world) => {
      const read = world.content;
      await tracker.readBegin(PAGE);
      world.installed = read;
    }),
    'of a mutate of something else': tracked((tracker) => async (world) => {
      const read = world.content;
      await tracker.mutate({ start: 7, end: 8 }, () => {});
      world.installed = read;
    }),
    'of an invalidate': tracked((tracker) => async (world) => {
      const read = world.content;
      await tracker.invalidate({ start: 7, end: 8 });
      world.installed = read;
    }),
    'of a keyed lookup': () => {
      const keyed = new KeyedFence<string>();
      return {
        reads: async (world) => {
          world.installed = await keyed.lookup('key', () => world.content);
        },
        begin: () => keyed.begin('key'),
      };
    },
    'of a cached value': () => {
      const cached = fence(new Map<string, string>());
      return {
        reads: async (world) => {
          world.installed = await cached.getOrLoad('key', () => world.content);
        },
        begin: () => cached.begin('key'),
      };
    },
    'of a mirror': () => {
      const tracker = new RangeTracker();
      let content = () => '';
      const mirror = new RangeMirror({ tracker, range: PAGE, pageSize: 1, load: () => [content()] });
      return {
        reads: async (world) => {
          content = () => world.content;
          [world.installed] = await mirror.read(PAGE);
        },
        begin: () => tracker.begin(PAGE),
      };
    },
  };

  test.each(Object.entries(stale))('%s is found out', async (_, make) => {
    const failure = await failureOf(explore(race(make)));
    expect(failure.diagram).toContain('after ');
    await failureOf(replay(race(make), failure.schedule));
  });

  test('is not found where check points are switched off, which is said', async () => {
    expect(await explore(race(installsLate, { checkPoints: false }))).toMatchObject({ complete: true, checkPoints: false });
  });

  test('is right in a commit, and where the token is asked again', async () => {
    const commits = tracked((tracker) => async (world, step) => {
      const read = async () => {
        const value = world.content;
        await step('fetched');
        return value;
      };
      const commit = (value: string) => {
        world.installed = value;
      };
      await tracker.lookup(PAGE, read, { commit });
    });
    const asks = tracked((tracker) => async (world, step) => {
      const token = await tracker.readBegin(PAGE);
      const value = world.content;
      await step('fetched');
      if (!tracker.readRetry(PAGE, token)) world.installed = value;
    });
    for (const make of [commits, asks]) {
      expect(await explore(race(make))).toMatchObject({ complete: true, checkPoints: true });
    }
  });
});

describe('a check point', () => {
  const lookups =
    (actors: number, says: object = {}) =>
    () => {
      const tracker = new RangeTracker();
      const actor = (page: number) => async (step: Step) => {
        await step('read', 'touches' in says ? { reads: [`page ${page}`] } : undefined);
        await tracker.lookup({ start: page, end: page + 1 }, () => 1);
      };
      const names = Array.from({ length: actors }, (_, i) => `reader ${i}`);
      return { actors: Object.fromEntries(names.map((name, i) => [name, actor(i)])) };
    };

  test('is a step of its own: once for each promise that is awaited', async () => {
    expect(await explore(lookups(1))).toMatchObject({ schedules: 1, steps: 2 });
    expect(await explore(lookups(2))).toMatchObject({ schedules: 6 });
    const idle = () => {
      const tracker = new RangeTracker();
      const looks = async (step: Step) => {
        await step('go');
        void tracker.lookup(PAGE, () => 1);
      };
      return { actors: { looks } };
    };
    expect(await explore(idle)).toMatchObject({ schedules: 1, steps: 1 });
  });

  test('touches what the step touches in which the call was made', async () => {
    expect(await explore(lookups(2, { touches: true }))).toMatchObject({ schedules: 1 });
  });

  test('hands on what was rejected, and leaves no promise unhandled that was handled', async () => {
    const seen: unknown[] = [];
    const make = () => {
      const tracker = new RangeTracker();
      const broken = () => tracker.lookup(PAGE, () => Promise.reject(new Error('broken')));
      return {
        actors: {
          a: async (step: Step) => {
            await step('go');
            await broken().catch((error: Error) => seen.push(error.message));
            await broken()
              .finally(() => seen.push('finally'))
              .catch(() => {});
            try {
              await broken();
            } catch (error) {
              seen.push((error as Error).message);
            }
          },
        },
      };
    };
    await explore(make);
    expect(seen).toEqual(['broken', 'finally', 'broken']);
  });

  test('is none for code outside of an exploration, nor after it', async () => {
    const tracker = new RangeTracker();
    const { lookup } = RangeTracker.prototype;
    const exploring = explore(lookups(2));
    expect(Object.getPrototypeOf(await tracker.lookup(PAGE, () => ({})))).toBe(Object.prototype);
    expect(tracker.lookup(PAGE, () => 1).constructor).toBe(Promise);
    await exploring;
    expect(RangeTracker.prototype.lookup).toBe(lookup);
  });

  test('is the same in hosts without AsyncLocalStorage, where explorations take turns', async () => {
    vi.resetModules();
    const { process } = globalThis;
    vi.stubGlobal('process', { ...process, getBuiltinModule: undefined, nextTick: process.nextTick });
    try {
      const { RangeTracker } = await import('../../lib/index.js');
      const testing = await import('../../lib/testing/index.js');
      const make = race(() => {
        const tracker = new RangeTracker();
        return {
          reads: async (world) => {
            world.installed = await tracker.lookup(PAGE, () => world.content);
          },
          begin: () => tracker.begin(PAGE),
        };
      });
      const failures = await Promise.all([1, 2].map(() => testing.explore(make).catch((error: Error) => error)));
      expect(failures.map((failure) => (failure as Error).name)).toEqual(['ScheduleError', 'ScheduleError']);
    } finally {
      vi.unstubAllGlobals();
      vi.resetModules();
    }
  });
});
