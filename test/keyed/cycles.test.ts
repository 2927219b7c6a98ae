/**
 * Loads that would wait for themselves.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { CycleError, fence, KeyedFence } from '../../lib/keyed/index.js';
import { settled } from '../support/model/clock.js';
import { deferred, failure, Outcome, soon } from '../support/turns.js';

/** A cache whose loads read what they are told to, after some awaits. */
function build(reads: Readonly<Record<string, readonly string[]>>, pause: () => Promise<unknown> = async () => {}) {
  const cache = fence(new Map<string, string>(), { label: 'pages' });
  const load = async (key: string): Promise<string> => {
    await pause();
    const values: string[] = [];
    for (const each of reads[key] ?? []) values.push(await cache.getOrLoad(each, load));
    return `${key}(${values})`;
  };
  return { cache, load };
}

describe('a load that would wait for itself', () => {
  it.each([
    ['its own key', { a: ['a'] }, ['a', 'a']],
    ['a -> b -> a', { a: ['b'], b: ['a'] }, ['a', 'b', 'a']],
    ['a -> b -> c -> a', { a: ['b'], b: ['c'], c: ['a'] }, ['a', 'b', 'c', 'a']],
    ['a -> b -> b', { a: ['b'], b: ['b'] }, ['b', 'b']],
  ])('ends with an error that names the cycle: %s', async (_, reads, path) => {
    const { cache, load } = build(reads);
    const error = await failure(soon(cache.getOrLoad('a', load)));
    expect(error).toBeInstanceOf(CycleError);
    const names = path.map((key) => `getOrLoad of "${key}"`);
    expect(error).toMatchObject({ code: 'RANGEFENCE_CYCLE', path: names, message: expect.stringContaining(names.join(' -> ')) });
    expect([cache.pending, cache.keyed.size]).toEqual([0, 0]);
  });

  it('is found at once, where it happens before the first await', async () => {
    const cache = fence(new Map<string, string>());
    const load = (key: string): Promise<string> => cache.getOrLoad(key, load);
    expect(await failure(cache.getOrLoad('a', load))).toBeInstanceOf(CycleError);
  });

  it('is found across timers, caches and a load that somebody else has begun', async () => {
    const gate = deferred();
    const keyed = new KeyedFence<string>();
    const one = fence(new Map<string, string>(), { keyed });
    const two = fence(new Map<string, string>());
    const loadOne = async (): Promise<string> => {
      await new Promise((resolve) => setImmediate(resolve));
      await gate.promise;
      return await two.getOrLoad('b', loadTwo); // joins what the outsider has begun
    };
    const loadTwo = async (): Promise<string> => {
      await gate.promise;
      return await one.getOrLoad('a', loadOne);
    };
    const first = new Outcome(one.getOrLoad('a', loadOne));
    const outsider = new Outcome(two.getOrLoad('b', loadTwo));
    gate.resolve();
    await new Promise((resolve) => setTimeout(resolve));
    await settled();
    expect([first.error, outsider.error]).toEqual([expect.any(CycleError), expect.any(CycleError)]);
    expect([one.pending, two.pending, keyed.size]).toEqual([0, 0, 0]);
  });

  it('may catch the error and do without', async () => {
    const cache = fence(new Map<string, string>());
    const load = async (key: string): Promise<string> => await cache.getOrLoad(key, load).catch((error) => error.code);
    expect(await soon(cache.getOrLoad('a', load))).toBe('RANGEFENCE_CYCLE');
  });
});

describe('a load that would not', () => {
  it('reads others, twice the same, and in a diamond', async () => {
    const { cache, load } = build({ a: ['b', 'c', 'b'], b: ['d'], c: ['d'] });
    expect(await soon(cache.getOrLoad('a', load))).toBe('a(b(d()),c(d()),b(d()))');
  });

  it('is read by two loads that read each other’s other key', async () => {
    const { cache, load } = build({ a: ['c'], b: ['c'] });
    expect(await soon(Promise.all(['a', 'b'].map((key) => cache.getOrLoad(key, load))))).toEqual(['a(c())', 'b(c())']);
  });

  it('is over, and what was started in it and not waited for reads its key', async () => {
    const cache = fence(new Map<string, number>());
    const later = deferred();
    let refreshed: Outcome<number> | undefined;
    let count = 0;
    const load = async (): Promise<number> => {
      later.promise.then(async () => {
        await cache.invalidate('a');
        refreshed = new Outcome(cache.getOrLoad('a', async () => ++count));
      });
      return ++count;
    };
    expect(await soon(cache.getOrLoad('a', load))).toBe(1);
    later.resolve();
    await settled();
    expect(refreshed?.value).toBe(2);
  });

  it('was overtaken, and goes on to read its key, for nobody', async () => {
    const cache = fence(new Map<string, string>());
    const gates = [deferred(), deferred()];
    const seen: string[] = [];
    let runs = 0;
    const load = async (): Promise<string> => {
      const run = runs++;
      await gates[run]!.promise;
      if (run === 0) seen.push(await cache.getOrLoad('a', load));
      return `run ${run}`;
    };
    const reading = new Outcome(cache.getOrLoad('a', load));
    await soon(cache.invalidate('a'));
    gates[0]!.resolve();
    await settled();
    gates[1]!.resolve();
    await settled();
    expect([reading.value, seen]).toEqual(['run 1', ['run 1']]);
  });

  it('leaves the contexts of the process as they were', async () => {
    const als = new AsyncLocalStorage<number>();
    const { cache, load } = build({ a: ['b'] });
    await als.run(7, async () => {
      await soon(cache.getOrLoad('a', load));
      expect(als.getStore()).toBe(7);
    });
    expect(als.getStore()).toBeUndefined();
  });
});

describe('inspect', () => {
  it('shows which load waits for which, and survives JSON', async () => {
    const gate = deferred();
    const { cache, load } = build({ a: ['b'], b: [] }, () => gate.promise);
    const reading = cache.getOrLoad('a', async (key, context) => {
      const value = await load('b');
      return value + (await cache.getOrLoad('b', load)) + key + context.attempt;
    });
    const inner = new Outcome(cache.getOrLoad('c', async () => await cache.getOrLoad('d', load)));
    await settled();
    const { reads } = cache.inspect();
    expect(reads.map(({ key, state, callers, waitedForBy }) => ({ key, state, callers, waitedForBy }))).toEqual([
      { key: '"a"', state: 'loading', callers: 1, waitedForBy: [] },
      { key: '"c"', state: 'loading', callers: 1, waitedForBy: [] },
      { key: '"d"', state: 'loading', callers: 1, waitedForBy: ['getOrLoad of "c"'] },
    ]);
    const [shown] = JSON.parse(JSON.stringify(cache.keyed)).caches;
    expect(shown).toMatchObject({
      label: 'pages',
      closed: false,
      stats: { loads: 3 },
      reads: [{}, {}, { key: '"d"' }],
      busy: [],
    });
    gate.resolve();
    await soon(reading);
    await settled();
    expect([inner.value, cache.inspect().reads]).toEqual(['d()', []]);
  });
});
