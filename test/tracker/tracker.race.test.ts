import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RangeTracker } from '../../lib/index.js';
import { turns } from '../support/model/clock.js';
import { Content, isTorn, pagesOf } from '../support/model/content.js';
import { property, seeds } from '../support/model/random.js';
import { runWorld } from '../support/model/world.js';

test.each(seeds(10))('nothing is stale, torn, or waits or retries in vain in a quiet world (seed %i)', async (seed) => {
  const counts = await runWorld({ seed, lookups: 200, pages: 64, readers: 8, writers: 3 });
  expect(counts.commits + counts.exhausted).toBe(200);
});

test.each(seeds(10))('nothing is stale, torn, or waits or retries in vain on a hot spot (seed %i)', async (seed) => {
  const counts = await runWorld({ seed, lookups: 200, pages: 4, readers: 8, writers: 4 });
  expect(counts.commits + counts.exhausted).toBe(200);
  expect(counts.holds).toBeGreaterThan(0);
});

test.each(seeds(6))('a memory of two ranges costs retries and nothing else (seed %i)', async (seed) => {
  const counts = await runWorld({ seed, lookups: 200, pages: 64, readers: 16, writers: 6, historyCapacity: 2 });
  expect(counts.historyLost).toBeGreaterThan(0);
});

test.each(seeds(4))(
  'lists of thousands of ranges are as exact, and one section each in a memory of six (seed %i)',
  async (seed) => {
    const people = { readers: 8, writers: 3, subscribers: 1, pages: 4096 };
    const counts = await runWorld({ seed, lookups: 150, ...people, scattered: 2000, historyCapacity: 6, walkEvery: 20 });
    expect(counts.commits + counts.exhausted).toBeGreaterThanOrEqual(150);
  },
);

test('no schedule of one reader and two writers lets a torn or an old copy through', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(fc.nat(3), { minLength: 2, maxLength: 4 }), async (s, writes) => {
      const tracker = new RangeTracker();
      const content = new Content(4);
      const step = (what: string) => s.schedule(Promise.resolve(), what);
      const pages = [0, 1, 2, 3];
      const reader = async () => {
        for (let i = 0; i < 2; i++) {
          await step('read');
          const copy = await tracker.lookup(
            { start: 0, end: 4 },
            async () => {
              const first = content.readFirst(pages);
              await step('between the halves');
              return { pages, first, second: content.readSecond(pages) };
            },
            {
              commit: (read) => {
                expect(content.verdict(read)).toBeUndefined();
                return read;
              },
            },
          );
          expect(isTorn(copy)).toBe(false);
        }
      };
      const writer = async (page: number) => {
        await step('write');
        const ranges = { start: page, end: page + 1 };
        await tracker.mutate(ranges, async () => {
          content.writeFirst([ranges]);
          await step('inside');
          content.writeSecond([ranges]);
        });
      };
      const all = Promise.all([reader(), ...writes.map(writer)]);
      await s.waitFor(all);
    }),
    property(150),
  );
});

// The reader reads both halves at once and waits; the writer begins so many turns after the token, and ends so many
// turns later. Whatever the turns, what is committed is what is there in the turn of the commit.
describe('a section that begins at any microtask of a lookup', () => {
  const page = { start: 0, end: 1 };

  for (const form of ['begin', 'tryBegin'] as const) {
    for (const wait of [0, 1, 2, 3]) {
      test(`is seen by the check, or begins after the commit (${form}, a fetch of ${wait} turns)`, async () => {
        const collided = new Set<boolean>();
        for (let begin = 0; begin < 12; begin++) {
          for (let length = 0; length < 4; length++) {
            const tracker = new RangeTracker();
            const content = new Content(1);
            let committedAt = -1;
            let begunAt = -1;
            const result = tracker.lookup(
              page,
              async () => {
                await turns(wait);
                return content.read([0]);
              },
              {
                commit: (copy) => {
                  expect(content.verdict(copy)).toBeUndefined();
                  expect(tracker.activeCount).toBe(0);
                  committedAt = tracker.seq;
                  return copy;
                },
              },
            );
            await turns(begin);
            const section = form === 'begin' ? await tracker.begin(page) : tracker.tryBegin(page)!;
            begunAt = section.beginSeq;
            content.writeFirst([page]);
            await turns(length);
            content.writeSecond([page]);
            section.end();
            await result;
            // Committed before the begin, or after the end: never with a token from before and a commit from after.
            expect(committedAt === begunAt - 1 || committedAt === begunAt + 1).toBe(true);
            collided.add(tracker.stats.collisions > 0);
          }
        }
        expect(collided).toEqual(new Set([false, true]));
      });
    }
  }

  test('is seen although it ends before the first await of the fetch goes on', async () => {
    for (let begin = 0; begin < 4; begin++) {
      const tracker = new RangeTracker();
      const attempts: number[] = [];
      const result = tracker.lookup(page, async ({ number, seq }) => {
        attempts.push(seq);
        await turns(5);
        return number;
      });
      await turns(begin);
      tracker.tryBegin(page)!.end();
      expect(await result).toBe(2);
      expect(attempts).toEqual([0, 2]);
    }
  });

  test('is seen between the check of one lookup and the commit of the next', async () => {
    // Two lookups finish in the same turn; the commit of the first begins and ends a section over the second.
    const tracker = new RangeTracker();
    const content = new Content(2);
    const wait = turns(3);
    const read = (number: number) => async () => {
      const copy = content.read([number]);
      await wait;
      return copy;
    };
    const other = { start: 1, end: 2 };
    const first = tracker.lookup(page, read(0), {
      commit: (copy) => {
        const section = tracker.tryBegin(other)!;
        content.writeFirst([other]);
        content.writeSecond([other]);
        section.end();
        return copy;
      },
    });
    const second = tracker.lookup(other, read(1), {
      commit: (copy) => {
        expect(content.verdict(copy)).toBeUndefined();
        return copy;
      },
    });
    await Promise.all([first, second]);
    expect(tracker.stats.collisions).toBe(1);
  });

  test('is seen over what was only observed, also if it ended before that was observed', async () => {
    const elsewhere = { start: 8, end: 9 };
    for (let begin = 0; begin < 8; begin++) {
      for (let length = 0; length < 3; length++) {
        const tracker = new RangeTracker();
        const content = new Content(16);
        const result = tracker.lookup(
          page,
          async (attempt) => {
            const copy = content.read([0, 8]);
            await turns(2);
            attempt.observe(elsewhere);
            attempt.observe({ start: 4, end: 5 });
            await turns(2);
            return copy;
          },
          {
            commit: (copy) => {
              expect(content.verdict(copy)).toBeUndefined();
              return copy.pages;
            },
          },
        );
        await turns(begin);
        await tracker.mutate(elsewhere, async () => {
          content.writeFirst([elsewhere]);
          await turns(length);
          content.writeSecond([elsewhere]);
        });
        expect(await result).toEqual([0, 8]);
      }
    }
  });

  test('is seen by a reader by hand between its last read and its check', async () => {
    for (let begin = 0; begin < 6; begin++) {
      const tracker = new RangeTracker();
      const content = new Content(1);
      const reader = (async () => {
        for (;;) {
          const seq = await tracker.readBegin(page);
          const copy = content.read(pagesOf([page]));
          await turns(3);
          if (!tracker.readRetry(page, seq)) return expect(content.verdict(copy)).toBeUndefined();
        }
      })();
      await turns(begin);
      await tracker.mutate(page, async () => {
        content.writeFirst([page]);
        await turns(2);
        content.writeSecond([page]);
      });
      await reader;
    }
  });
});
