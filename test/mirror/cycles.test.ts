/**
 * Loads of mirrors that would wait for themselves.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { currentActivity } from '../../lib/base/activity.js';
import { ByteSource } from '../../lib/bytes/index.js';
import { RangeTracker } from '../../lib/index.js';
import { fence } from '../../lib/keyed/index.js';
import { CycleError, type LoadContext, RangeMirror } from '../../lib/mirror/index.js';
import { settled } from '../support/model/clock.js';
import { deferred, failure, Outcome, soon } from '../support/turns.js';

type Load = (first: number, count: number, context: LoadContext) => Promise<string[]>;

function mirrorOf(load: Load, tracker = new RangeTracker(), label = 'm'): RangeMirror<string> {
  return new RangeMirror<string>({ tracker, pageSize: 1, label, load });
}

const page = (index: number, count = 1) => ({ start: index, end: index + count });

/** A mirror whose loads, of one page each, read what they are told to, after some awaits. */
function build(reads: Readonly<Record<number, readonly number[]>>, pause: () => Promise<unknown> = async () => {}) {
  const tracker = new RangeTracker();
  const mirror: RangeMirror<string> = new RangeMirror<string>({
    ...{ tracker, pageSize: 1, maxRunPages: 1, label: 'm' },
    load: async (first) => {
      await pause();
      const values: string[] = [];
      for (const each of reads[first] ?? []) values.push(...(await mirror.read(page(each))));
      return [`${first}(${values})`];
    },
  });
  return { tracker, mirror };
}

/** Nothing is left of the read, nor of what it has started. */
function expectNothingLeft(mirror: RangeMirror<string>, tracker: RangeTracker): void {
  const { waiting, sections } = tracker.inspect();
  expect([mirror.size, waiting, sections]).toEqual([0, 0, []]);
}

const load = (index: number, count = 1, label = 'm') =>
  `load of pages [${index}, ${index + count}) of the mirror ${JSON.stringify(label)}`;

describe('a load of a mirror that would wait for itself', () => {
  it.each([
    ['its own page', { 0: [0] }, [0, 0]],
    ['0 -> 1 -> 0', { 0: [1], 1: [0] }, [0, 1, 0]],
    ['0 -> 1 -> 2 -> 0', { 0: [1], 1: [2], 2: [0] }, [0, 1, 2, 0]],
    ['0 -> 1 -> 1', { 0: [1], 1: [1] }, [1, 1]],
  ])('ends with an error that names the cycle: %s', async (_, reads, path) => {
    const { tracker, mirror } = build(reads);
    const error = await failure(soon(mirror.read(page(0))));
    expect(error).toBeInstanceOf(CycleError);
    const names = path.map((index) => load(index));
    expect(error).toMatchObject({ code: 'RANGEFENCE_CYCLE', path: names, message: expect.stringContaining(names.join(' -> ')) });
    expectNothingLeft(mirror, tracker);
  });

  it('is found at once, where it happens before the first await', async () => {
    const mirror: RangeMirror<string> = mirrorOf((first) => mirror.read(page(first)));
    expect(await failure(soon(mirror.read(page(0))))).toBeInstanceOf(CycleError);
  });

  it('is found where it is hidden in a thenable that does its work when it is asked', async () => {
    const tracker = new RangeTracker();
    const lazy = () => ({
      // biome-ignore lint/suspicious/noThenProperty: what is tested
      then: (ok: (pages: string[]) => void, no: (error: unknown) => void) => mirror.read(page(0)).then(ok, no),
    });
    const mirror: RangeMirror<string> = new RangeMirror({ tracker, pageSize: 1, load: lazy as unknown as Load });
    expect(await failure(soon(mirror.read(page(0))))).toBeInstanceOf(CycleError);
  });

  it('is found where it reads another page of its own run', async () => {
    const mirror: RangeMirror<string> = mirrorOf(async () => [...(await mirror.read(page(2))), 'x', 'x', 'x']);
    expect(await failure(soon(mirror.read(page(0, 4))))).toMatchObject({ path: [load(0, 4), load(0, 4)] });
  });

  it('is found where it reads more than its own page, of which the rest could be had', async () => {
    const mirror: RangeMirror<string> = mirrorOf(async (first) => (first === 0 ? await mirror.read(page(0, 3)) : ['x', 'x']));
    expect(await failure(soon(mirror.read(page(0))))).toBeInstanceOf(CycleError);
  });

  it.each(['one tracker', 'two trackers'])('is found through two mirrors on %s', async (which) => {
    const tracker = new RangeTracker();
    const other = which === 'one tracker' ? tracker : new RangeTracker();
    const a: RangeMirror<string> = mirrorOf(async () => await b.read(page(7)), tracker, 'a');
    const b: RangeMirror<string> = mirrorOf(async () => await a.read(page(3)), other, 'b');
    expect(await failure(soon(a.read(page(3))))).toMatchObject({ path: [load(3, 1, 'a'), load(7, 1, 'b'), load(3, 1, 'a')] });
    expectNothingLeft(a, tracker);
    expectNothingLeft(b, other);
  });

  it('is found through a fenced cache', async () => {
    const cache = fence(new Map<string, string>());
    const mirror: RangeMirror<string> = mirrorOf(async () => [await cache.getOrLoad('k', read)]);
    const read = async () => (await mirror.read(page(0))).join();
    const path = [load(0), 'getOrLoad of "k"', load(0)];
    expect(await failure(soon(mirror.read(page(0))))).toMatchObject({ path });
    expect(await failure(soon(cache.getOrLoad('k', read)))).toMatchObject({ code: 'RANGEFENCE_CYCLE' });
    expect(cache.pending).toBe(0);
  });

  it('is found in a source whose backend reads from the source', async () => {
    const version = { key: '1', size: 4 };
    const backend = {
      name: 'mirror image',
      identify: async () => version,
      read: async () => ({ version, bytes: await source.read(0, 4) }),
    };
    const source: ByteSource = new ByteSource({ backend });
    expect(await failure(soon(source.read(0, 4)))).toMatchObject({ code: 'RANGEFENCE_CYCLE' });
  });

  it('is found across timers, and in a load that somebody else has begun', async () => {
    const gate = deferred();
    const tracker = new RangeTracker();
    const one: RangeMirror<string> = mirrorOf(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      await gate.promise;
      return await two.read(page(0)); // joins what the outsider has begun
    }, tracker);
    const two: RangeMirror<string> = mirrorOf(async () => {
      await gate.promise;
      return await one.read(page(0));
    }, tracker);
    const first = new Outcome(one.read(page(0)));
    const outsider = new Outcome(two.read(page(0)));
    gate.resolve();
    await new Promise((resolve) => setTimeout(resolve));
    await settled();
    expect([first.error, outsider.error]).toEqual([expect.any(CycleError), expect.any(CycleError)]);
    expectNothingLeft(one, tracker);
    expectNothingLeft(two, tracker);
  });

  it('is found when a change has made the load begin again', async () => {
    const gates = [deferred(), deferred()];
    let runs = 0;
    const tracker = new RangeTracker();
    const mirror: RangeMirror<string> = mirrorOf(async () => {
      const run = runs++;
      await gates[run]!.promise;
      return run === 0 ? ['never used'] : await mirror.read(page(0));
    }, tracker);
    const reading = new Outcome(mirror.read(page(0)));
    await soon(tracker.invalidate(page(0)));
    await settled();
    for (const gate of gates) gate.resolve();
    await settled();
    expect([runs, reading.error]).toEqual([2, expect.any(CycleError)]);
    expectNothingLeft(mirror, tracker);
  });

  it('is found in a read that holds its range', async () => {
    const tracker = new RangeTracker();
    let runs = 0;
    const mirror: RangeMirror<string> = new RangeMirror({
      ...{ tracker, pageSize: 1, maxAttempts: 1, label: 'm' },
      load: async () => {
        if (runs++ > 0) return await mirror.read(page(0));
        await tracker.invalidate(page(0));
        return ['never used'];
      },
    });
    expect(await failure(soon(mirror.read(page(0))))).toBeInstanceOf(CycleError);
    expect([runs, tracker.inspect().holds.length]).toEqual([2, 0]);
  });

  it('may catch the error and do without', async () => {
    const mirror: RangeMirror<string> = mirrorOf(async (first) =>
      mirror.read(page(first)).catch((error: unknown) => [(error as CycleError).code]),
    );
    expect(await soon(mirror.read(page(0)))).toEqual(['RANGEFENCE_CYCLE']);
  });
});

describe('a load of a mirror that would not', () => {
  it('reads others, twice the same, and in a diamond', async () => {
    const { mirror } = build({ 0: [1, 2, 1], 1: [3], 2: [3] });
    expect(await soon(mirror.read(page(0)))).toEqual(['0(1(3()),2(3()),1(3()))']);
  });

  it('is read by two loads that read each other’s other page', async () => {
    const { mirror } = build({ 0: [2], 1: [2] });
    expect(await soon(mirror.read(page(0, 2)))).toEqual(['0(2())', '1(2())']);
  });

  it('asks for its own page in advance, and waits for nothing', async () => {
    const mirror: RangeMirror<string> = mirrorOf(async (first) => {
      mirror.prefetch(page(first));
      return [`page ${first}`];
    });
    expect([await soon(mirror.read(page(0))), mirror.stats.failed]).toEqual([['page 0'], 0]);
  });

  it('is over, and what was started in it and not waited for reads its page', async () => {
    const later = deferred();
    let again: Outcome<string[]> | undefined;
    let inside: unknown = 'not asked yet';
    let count = 0;
    const tracker = new RangeTracker();
    const mirror: RangeMirror<string> = mirrorOf(async () => {
      if (++count === 1) {
        later.promise.then(async () => {
          inside = currentActivity();
          await tracker.invalidate(page(0));
          again = new Outcome(mirror.read(page(0)));
        });
      }
      return [String(count)];
    }, tracker);
    expect(await soon(mirror.read(page(0)))).toEqual(['1']);
    later.resolve();
    await settled();
    expect([again?.value, inside]).toEqual([['2'], undefined]);
  });

  it('was hit, and goes on to read its page, for nobody', async () => {
    const gates = [deferred(), deferred()];
    const seen: string[] = [];
    let runs = 0;
    const tracker = new RangeTracker();
    const mirror: RangeMirror<string> = mirrorOf(async () => {
      const run = runs++;
      await gates[run]!.promise;
      if (run === 0) seen.push(...(await mirror.read(page(0))));
      return [`run ${run}`];
    }, tracker);
    const reading = new Outcome(mirror.read(page(0)));
    await soon(tracker.invalidate(page(0)));
    await settled();
    for (const gate of gates) {
      gate.resolve();
      await settled();
    }
    expect([reading.value, seen]).toEqual([['run 1'], ['run 1']]);
  });

  it('leaves the contexts of the process as they were', async () => {
    const als = new AsyncLocalStorage<number>();
    const { mirror } = build({ 0: [1] });
    await als.run(7, async () => {
      await soon(mirror.read(page(0)));
      expect(als.getStore()).toBe(7);
    });
    expect(als.getStore()).toBeUndefined();
  });
});
