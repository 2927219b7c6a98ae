/**
 * A fenced cache is its bare cache in everything but staleness: random operations, one after the other, on two of the same, one of
 * them under a fence. What is returned, what was called, what was told (events, reasons of disposal), and what is in it afterwards,
 * in which order and for how long, must be the same.
 */
import { createCache } from 'cache-manager';
import { Cacheable, CacheableHooks } from 'cacheable';
import fc from 'fast-check';
import { Keyv } from 'keyv';
import { LRUCache } from 'lru-cache';
import { createStorage } from 'unstorage';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FencedCache, fence } from '../../lib/keyed/index.js';

const KEYS = ['a', 'b', 'c', 'd', 'e'] as const;

type Operation =
  | { readonly name: 'read' | 'set'; readonly key: string; readonly ttl: number | undefined }
  | { readonly name: 'peek' | 'drop'; readonly key: string }
  | { readonly name: 'clear' }
  | { readonly name: 'wait'; readonly ms: number };

const keys = fc.constantFrom(...KEYS);
const operations: fc.Arbitrary<Operation[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        name: fc.constantFrom('read' as const, 'set' as const),
        key: keys,
        ttl: fc.option(fc.constantFrom(5, 50), { nil: undefined }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ name: fc.constantFrom('peek' as const, 'drop' as const), key: keys }) },
    { weight: 1, arbitrary: fc.record({ name: fc.constant('clear' as const) }) },
    { weight: 2, arbitrary: fc.record({ name: fc.constant('wait' as const), ms: fc.constantFrom(1, 7, 60) }) },
  ),
  { maxLength: 40 },
);

/** One cache of a package, and how it is used and looked at. */
interface Subject {
  // biome-ignore lint/suspicious/noExplicitAny: seven packages
  readonly cache: any;
  readonly log: unknown[];
  /** Names of `get`, `set`, `delete`, `clear`. */
  readonly names: readonly [get: string, set: string, drop: string, clear: string];
  readonly isMiss: (value: unknown) => boolean;
  readonly setOptions: (ttl: number | undefined) => unknown;
  readonly content: () => unknown;
  /** Synchronous ones only. */
  readonly peek?: (key: string) => unknown;
}

const isUndefined = (value: unknown) => value === undefined;

/** Logs each call of a method. Neither `has` nor a list of the keys is logged: they change nothing, and the fence may ask. */
function logged<T extends object>(cache: T, names: readonly string[], log: unknown[]): T {
  for (const name of names) {
    const methods = cache as Record<string, (...args: unknown[]) => unknown>;
    const method = methods[name]!.bind(cache);
    methods[name] = (...args) => {
      log.push([name, ...args]);
      return method(...args);
    };
  }
  return cache;
}

const NAMES = ['get', 'set', 'delete', 'clear'] as const;

function lru(options: object): Subject {
  const log: unknown[] = [];
  const note = (name: string) => (value: unknown, key: string, reason: string) => log.push([name, key, value, reason]);
  const cache = new LRUCache<string, number>({
    ...{ max: 3, perf: { now: () => Date.now() }, ttlResolution: 0 },
    ...{ dispose: note('dispose'), disposeAfter: note('disposeAfter'), onInsert: note('insert') },
    ...options,
  } as LRUCache.Options<string, number, unknown>);
  return {
    ...{ cache: logged(cache, [...NAMES, 'peek'], log), log, names: NAMES, isMiss: isUndefined },
    setOptions: (ttl) => (ttl === undefined ? undefined : { ttl }),
    content: () => [cache.dump(), cache.size, cache.calculatedSize, KEYS.map((key) => cache.getRemainingTTL(key))],
    peek: (key) => cache.peek(key),
  };
}

function keyvs(log: unknown[]): { keyv: Keyv; map: Map<string, unknown> } {
  const map = new Map<string, unknown>();
  const keyv = new Keyv({ store: map, throwOnErrors: true });
  for (const event of ['clear', 'error']) keyv.on(event, () => log.push(event));
  for (const hook of ['preGet', 'preSet', 'postSet', 'preDelete', 'postDelete'] as const) {
    keyv.hooks.addHandler(hook as never, (data) => log.push([hook, structuredClone(data)]));
  }
  return { keyv, map };
}

const SUBJECTS: Readonly<Record<string, () => Subject>> = {
  Map: () => {
    const [log, cache] = [[] as unknown[], new Map<string, number>()];
    return {
      ...{ cache: logged(cache, NAMES, log), log, names: NAMES, isMiss: isUndefined, setOptions: () => undefined },
      ...{ content: () => [...cache], peek: (key: string) => cache.get(key) },
    };
  },
  'lru-cache': () => lru({}),
  'lru-cache with ttl, noUpdateTTL': () => lru({ ttl: 20, noUpdateTTL: true, ttlAutopurge: false }),
  'lru-cache with updateAgeOnGet, allowStale': () =>
    lru({ ttl: 20, updateAgeOnGet: true, updateAgeOnHas: true, allowStale: true }),
  'lru-cache with sizes, noDisposeOnSet': () =>
    lru({ maxSize: 9, sizeCalculation: (value: number) => 1 + (value % 5), noDisposeOnSet: true }),
  keyv: () => {
    const log: unknown[] = [];
    const { keyv, map } = keyvs(log);
    const content = () => [...map];
    return { cache: logged(keyv, NAMES, log), log, names: NAMES, isMiss: isUndefined, setOptions: (ttl) => ttl, content };
  },
  cacheable: () => {
    const log: unknown[] = [];
    const [primary, secondary] = [keyvs(log), keyvs(log)];
    const cache = new Cacheable({ primary: primary.keyv, secondary: secondary.keyv, stats: true });
    for (const hook of Object.values(CacheableHooks)) cache.onHook(hook, () => void log.push(hook));
    return {
      ...{ cache: logged(cache, NAMES, log), log, names: NAMES, isMiss: isUndefined, setOptions: (ttl) => ttl },
      content: () => [[...primary.map], [...secondary.map], cache.stats.hits, cache.stats.misses, cache.stats.count],
    };
  },
  'cache-manager': () => {
    const log: unknown[] = [];
    const { keyv, map } = keyvs(log);
    const cache = createCache({ stores: [keyv] });
    for (const event of ['get', 'set', 'del', 'clear'] as const)
      cache.on(event, (data: unknown) => log.push([`on ${event}`, data]));
    const names = ['get', 'set', 'del', 'clear'] as const;
    return {
      cache: logged(cache, names, log),
      log,
      names,
      isMiss: isUndefined,
      setOptions: (ttl) => ttl,
      content: () => [...map],
    };
  },
  unstorage: () => {
    const log: unknown[] = [];
    const storage = createStorage<number>();
    const names = ['getItem', 'setItem', 'removeItem', 'clear'] as const;
    return {
      ...{ cache: logged(storage, names, log), log, names, isMiss: (value) => value === null, setOptions: () => undefined },
      content: async () => await Promise.all((await storage.getKeys()).map(async (key) => [key, await storage.get(key)])),
    };
  },
};

/** As the users of the bare cache write it. */
async function bare({ cache, names, isMiss, setOptions, peek }: Subject, operation: Operation, value: number): Promise<unknown> {
  const [get, set, drop, clear] = names;
  const store = async (key: string, ttl: number | undefined) => {
    const options = setOptions(ttl);
    await (options === undefined ? cache[set](key, value) : cache[set](key, value, options));
  };
  if (operation.name === 'clear') await cache[clear]();
  else if (operation.name === 'drop') await cache[drop](operation.key);
  else if (operation.name === 'set') await store(operation.key, operation.ttl);
  else if (operation.name === 'peek') return peek?.(operation.key);
  else if (operation.name === 'read') {
    const got = await cache[get](operation.key);
    if (!isMiss(got)) return got;
    await store(operation.key, operation.ttl);
    return value;
  }
  return undefined;
}

async function underFence(
  { setOptions, peek }: Subject,
  cache: FencedCache<string, number>,
  operation: Operation,
  value: number,
): Promise<unknown> {
  if (operation.name === 'clear') await cache.invalidateAll();
  else if (operation.name === 'drop') await cache.invalidate(operation.key);
  else if (operation.name === 'set') await cache.set(operation.key, value, { setOptions: setOptions(operation.ttl) });
  else if (operation.name === 'peek') return peek === undefined ? undefined : cache.peek(operation.key);
  else if (operation.name === 'read') {
    return await cache.getOrLoad(operation.key, () => value, { setOptions: setOptions(operation.ttl) });
  }
  return undefined;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

async function quiet(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

describe.each(Object.keys(SUBJECTS))('%s', (name) => {
  it('behaves under a fence as it does without', async () => {
    await fc.assert(
      fc.asyncProperty(operations, async (list) => {
        const [plain, inner] = [SUBJECTS[name]!(), SUBJECTS[name]!()];
        const cache = fence<string, number>(inner.cache);
        for (const [i, operation] of list.entries()) {
          if (operation.name === 'wait') vi.setSystemTime(Date.now() + operation.ms);
          const expected = await bare(plain, operation, i);
          const got = await underFence(inner, cache, operation, i);
          await quiet(); // a value that was loaded is stored while the caller goes on
          expect({ got, log: inner.log }).toEqual({ got: expected, log: plain.log });
          expect(await inner.content()).toEqual(await plain.content());
        }
        expect([cache.pending, cache.keyed.size]).toEqual([0, 0]);
        cache.close();
      }),
      { numRuns: 30 },
    );
  }, 60_000);
});
