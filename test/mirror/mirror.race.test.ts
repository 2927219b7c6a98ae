import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RangeTracker } from '../../lib/index.js';
import { BannedError, RangeMirror } from '../../lib/mirror/index.js';
import { settled, turns } from '../support/model/clock.js';
import { property } from '../support/model/random.js';

const PAGES = { start: 0, end: 3 };

/** Three pages whose content is a version each; a load reads the first half, then takes so many turns to the second. */
function build(wait: number, options: { maxRunPages?: number; policy?: 'ban' | 'retry'; slowDrop?: boolean } = {}) {
  const tracker = new RangeTracker();
  const first = [0, 0, 0];
  const second = [0, 0, 0];
  const mirror = new RangeMirror<[number, number]>({
    tracker,
    pageSize: 1,
    range: PAGES,
    maxRunPages: options.maxRunPages,
    policy: options.policy,
    load: async (from, count) => {
      const indexes = Array.from({ length: count }, (_, i) => from + i);
      const halves = indexes.map((index) => first[index]!);
      await turns(wait + from);
      return indexes.map((index, i) => [halves[i]!, second[index]!]);
    },
    onDrop: options.slowDrop ? () => turns(2) : undefined,
  });
  const change = (index: number, length: number) =>
    tracker.mutate({ start: index, end: index + 1 }, async () => {
      expect(mirror.peek(index)).toBeUndefined();
      first[index]!++;
      await turns(length);
      second[index]!++;
    });
  return { tracker, mirror, first, second, change };
}

describe('a change that begins at any microtask of a read', () => {
  for (const maxRunPages of [1, 3]) {
    for (const slowDrop of [false, true]) {
      test(`is in the result, or all of the result was valid together before it (runs of ${maxRunPages}, slow drops: ${slowDrop})`, async () => {
        const results = new Set<string>();
        for (let begin = 0; begin < 24; begin++) {
          for (let length = 0; length < 4; length++) {
            for (const index of [0, 2]) {
              const { mirror, change } = build(2, { maxRunPages, slowDrop });
              let isChanged = false;
              const reading = mirror.read(PAGES).then((pages) => ({ pages, wasChanged: isChanged }));
              await turns(begin);
              const changing = change(index, length).then(() => {
                isChanged = true;
              });
              const { pages, wasChanged } = await reading;
              const old = [0, 0];
              const after = [0, 1, 2].map((i) => (i === index ? [1, 1] : old));
              if (wasChanged) expect(pages).toEqual(after);
              else expect([JSON.stringify([old, old, old]), JSON.stringify(after)]).toContain(JSON.stringify(pages));
              results.add(JSON.stringify(pages));
              await changing;
              await settled();
              expect([undefined, 1]).toContain(mirror.peek(index)?.[0]);
            }
          }
        }
        expect(results.size).toBe(3); // the sweep reaches both sides
      });
    }
  }

  test('hits the one that reads it when it comes between the installation and the resolution', async () => {
    // Page 0 arrives two turns before page 2: in between it is installed, and not yet handed out.
    let between = 0;
    for (let begin = 0; begin < 16; begin++) {
      const { mirror, change } = build(2, { maxRunPages: 1 });
      const reading = mirror.read(PAGES);
      await turns(begin);
      const wasInstalled = mirror.peek(0) !== undefined && mirror.peek(2) === undefined;
      await change(0, 0);
      const pages = await reading;
      if (!wasInstalled) continue;
      between++;
      expect(pages[0]).toEqual([1, 1]);
    }
    expect(between).toBeGreaterThan(0);
  });

  test('bans for good, also while the object is being filled for the first time', async () => {
    const outcomes = new Set<string>();
    for (let begin = 0; begin < 16; begin++) {
      const { mirror, change } = build(3, { policy: 'ban' });
      const reading = mirror.read(PAGES).then(
        (pages) => JSON.stringify(pages),
        (error: unknown) => (error instanceof BannedError ? 'banned' : String(error)),
      );
      await turns(begin);
      await change(1, 0);
      outcomes.add(await reading);
      expect([mirror.banned, mirror.size]).toEqual([true, 0]);
      await expect(mirror.read(PAGES)).rejects.toBeInstanceOf(BannedError);
      await settled();
      expect(mirror.size).toBe(0);
    }
    expect([...outcomes].sort()).toEqual(['[[0,0],[0,0],[0,0]]', 'banned']);
  });

  test('finds nothing installed that was loaded before it, whatever the last reader does', async () => {
    for (let leave = 0; leave < 10; leave++) {
      for (let begin = 0; begin < 10; begin++) {
        const { tracker, mirror, change } = build(2);
        const controller = new AbortController();
        const reading = mirror.read(PAGES, { signal: controller.signal }).catch(() => {});
        const acts = [turns(leave).then(() => controller.abort()), turns(begin).then(() => change(1, 1))];
        await Promise.all([reading, ...acts]);
        await settled();
        expect([undefined, 1]).toContain(mirror.peek(1)?.[1]);
        mirror.close();
        const { waiting, subscribedRanges, sections } = tracker.inspect();
        expect([waiting, subscribedRanges, sections.length]).toEqual([0, 0, 0]);
      }
    }
  });
});

test('in no schedule of readers, a writer and close does a reader get what was torn, or wait for ever', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.nat(2), { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(2), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      async (s, reads, writes, closes) => {
        const step = (what: string) => s.schedule(Promise.resolve(), what);
        const tracker = new RangeTracker();
        const first = [0, 0, 0];
        const second = [0, 0, 0];
        const ended = [0, 0, 0];
        const mirror = new RangeMirror<[number, number]>({
          tracker,
          pageSize: 1,
          maxPages: 2,
          load: async (from, count) => {
            const halves = first.slice(from, from + count);
            await step('load');
            return halves.map((half, i) => [half, second[from + i]!]);
          },
          onDrop: async () => {
            await step('drop');
          },
        });
        const reader = async (page: number) => {
          await step('read');
          const least = [...ended];
          try {
            const pages = await mirror.read({ start: page, end: 3 });
            for (const [i, [a, b]] of pages.entries()) {
              expect(a).toBe(b);
              expect(a).toBeGreaterThanOrEqual(least[page + i]!);
            }
          } catch (error) {
            expect([closes, mirror.closed, String(error)]).toEqual([true, true, expect.stringContaining('is closed')]);
          }
        };
        const writer = async (page: number) => {
          await step('write');
          await tracker.mutate({ start: page, end: page + 1 }, async () => {
            expect(mirror.peek(page)).toBeUndefined();
            first[page]!++;
            await step('inside');
            second[page]!++;
          });
          ended[page]!++;
        };
        const closer = async () => {
          await step('close');
          mirror.close();
        };
        await s.waitFor(Promise.all([...reads.map(reader), ...writes.map(writer), ...(closes ? [closer()] : [])]));
        mirror.close();
        await s.waitIdle();
        const { waiting, subscribedRanges } = tracker.inspect();
        expect([mirror.size, waiting, subscribedRanges]).toEqual([0, 0, 0]);
      },
    ),
    property(200),
  );
});
