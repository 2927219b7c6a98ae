/**
 * The real packages: what their users do today is played and printed, and nothing is demanded of it, as it may be repaired any
 * day; under a fence, every set-up must be clean.
 */

import { createCache } from 'cache-manager';
import { Cacheable } from 'cacheable';
import { Keyv } from 'keyv';
import { LRUCache } from 'lru-cache';
import { createStorage, normalizeKey, prefixStorage } from 'unstorage';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { InvalidArgumentError, SubscriberError } from '../../lib/index.js';
import {
  type CacheKey,
  type CacheSetOptions,
  type CacheValue,
  type FenceableCache,
  type FencedCache,
  fence,
} from '../../lib/keyed/index.js';
import { play, SET_UPS } from '../support/keyed/set-ups.js';
import { fenced, STORES, UNFENCED } from '../support/keyed/stores.js';

/** Rounds of the event loop: keyv and its friends take some, and none of them takes time. */
async function settle(): Promise<void> {
  for (let i = 0; i < 8; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

const names = Object.keys(SET_UPS);
/** In which an asynchronous set is to be stopped. */
const SYNCHRONOUS = ['Map', 'lru-cache'];

describe.each(Object.keys(STORES))('%s under a fence', (name) => {
  it.each(names)('is clean when: %s', async (setUp) => {
    const isPossible = setUp !== 'invalidated during an asynchronous set' || !SYNCHRONOUS.includes(name);
    expect(await play(setUp, fenced(name), settle)).toBe(isPossible ? 'clean' : 'not possible');
  });
});

it('unfenced, keeps what is old in some of them: recorded, not demanded', async () => {
  const seen: string[] = [];
  for (const [name, ways] of Object.entries(UNFENCED)) {
    for (const [way, make] of Object.entries(ways)) {
      for (const setUp of names) seen.push(`${name} (${way}), ${setUp}: ${await play(setUp, make, settle)}`);
    }
  }
  // Of our own making, and so the one thing that is known: if this is not found, the set-ups find nothing.
  expect(seen).toContain('Map (cache-aside), invalidated during the load: kept old');
  expect(seen).toContain('Map (cache-aside), slow first load, fast second: kept old');
  if (process.env.RANGEFENCE_PRINT !== undefined) console.log(seen.join('\n'));
});

describe('conventions', () => {
  it('of lru-cache: undefined cannot be kept, null and false can; its own options are passed to set', async () => {
    const lru = new LRUCache<string, { n: number } | false>({ max: 10, maxSize: 100, sizeCalculation: () => 1 });
    const cache = fence(lru);
    expectTypeOf(cache.getOrLoad('typed', () => false as const)).resolves.toEqualTypeOf<false>();
    expect(await cache.getOrLoad('a', () => false, { setOptions: { size: 7 } })).toBe(false);
    expect([lru.calculatedSize, await cache.getOrLoad('a', () => ({ n: 1 }))]).toEqual([8, false]);
    cache.close();
  });

  it('of lru-cache: what it evicts by itself is loaded again, without a trace', async () => {
    const cache = fence(new LRUCache<number, number>({ max: 2 }));
    for (const key of [1, 2, 3, 1]) await cache.getOrLoad(key, (n) => n);
    expect([cache.stats.loads, cache.pending, cache.keyed.size]).toEqual([4, 0, 0]);
  });

  it('of keyv: undefined is a miss, null and false are kept; a time to live is passed to set', async () => {
    const keyv = new Keyv();
    const cache = fence(keyv);
    expectTypeOf(cache).toExtend<FencedCache<string>>();
    for (const value of [null, false]) {
      expect(await cache.getOrLoad(`${value}`, () => value)).toBe(value);
      await settle();
      expect(await cache.getOrLoad(`${value}`, () => 'again' as never)).toBe(value);
    }
    await cache.getOrLoad('brief', () => 1, { setOptions: 50_000 });
    await settle();
    expect((await keyv.get('brief', { raw: true }))?.expires).toBeGreaterThan(0);
    expect([await cache.getOrLoad('u', () => undefined), cache.stats.unstored]).toEqual([undefined, 1]);
  });

  it('of cacheable with two tiers: a get that copies upwards while a change comes brings nothing back', async () => {
    const [primary, secondary] = [new Keyv(), new Keyv()];
    const tiers = new Cacheable({ primary, secondary });
    const cache = fence(tiers);
    await cache.getOrLoad('warm', () => 1);
    await secondary.set('a', 'old');
    const reading = cache.getOrLoad('a', () => 'new');
    await cache.invalidate('a');
    expect(await reading).toBe('new');
    await settle();
    expect([await primary.get('a'), await secondary.get('a')]).toEqual(['new', 'new']);
  });

  it('of unstorage: null is a miss, and keys that it takes for one are one with its normalizeKey', async () => {
    const storage = createStorage<string>();
    const cache = fence(storage, { identify: normalizeKey });
    expect(await cache.getOrLoad('a/b', () => 'x')).toBe('x');
    await settle();
    expect(await storage.getItem('a:b')).toBe('x');
    await cache.invalidate('a:b');
    expect(await storage.getItem('a:b')).toBeNull();
    const section = await cache.keyed.begin('a/b');
    expect(section.has('a:b')).toBe(true);
    section.end();
    await cache.set('a/c', 'y');
    await cache.set('b', 'z');
    await cache.invalidate(cache.keyed.where((key) => normalizeKey(key).startsWith('a:')));
    expect(await storage.getKeys()).toEqual(['b']);
  });
});

describe('deletes that fail in silence', () => {
  /** A store of keyv whose deletes fail when they are told to. */
  class Store {
    readonly map = new Map<string, unknown>();
    fails = false;
    get = async (key: string) => this.map.get(key);
    set = async (key: string, value: unknown) => {
      if (this.fails) throw new Error('read only');
      this.map.set(key, value);
      return true;
    };
    delete = async (key: string) => {
      if (this.fails) throw new Error('read only');
      return this.map.delete(key);
    };
    clear = async () => {
      if (this.fails) throw new Error('read only');
      this.map.clear();
    };
  }

  const MAKES: Readonly<Record<string, (store: Store) => FenceableCache>> = {
    keyv: (store) => new Keyv({ store: store as never }),
    'keyv that throws': (store) => new Keyv({ store: store as never, throwOnErrors: true }),
    'cacheable, second tier': (store) => new Cacheable({ secondary: new Keyv({ store: store as never }) }),
    'cacheable, first tier': (store) => new Cacheable({ primary: new Keyv({ store: store as never }) }),
    'cache-manager, second store': (store) => createCache({ stores: [new Keyv(), new Keyv({ store: store as never })] }),
    'cache-manager, only store': (store) => createCache({ stores: [new Keyv({ store: store as never })] }),
  };

  it.each(Object.keys(MAKES))('stop the change, and nothing old comes back: %s, as it comes', async (name) => {
    const store = new Store();
    const inner = MAKES[name]!(store);
    const cache = fence<string, string>(inner);
    let content = 'old';
    const read = () => cache.getOrLoad('a', () => content);
    await read();
    await settle();
    store.fails = true;
    const change = () => {
      content = 'new';
    };
    await expect(cache.mutate('a', change)).rejects.toBeInstanceOf(SubscriberError);
    await expect(cache.mutate(cache.keyed.all, change)).rejects.toBeInstanceOf(SubscriberError);
    const some = cache.keyed.where(() => true);
    await expect(cache.mutate(some, change)).rejects.toBeInstanceOf(SubscriberError);
    expect([content, await read()]).toEqual(['old', 'old']);
    await settle();
    store.fails = false;
    await cache.mutate('a', change);
    expect(await read()).toBe('new');
    expect(listenersOf(inner)).toBe(0);
  });

  it('are no concern of a delete that runs at another time, and leave no listener', async () => {
    const store = new Store();
    const keyv = new Keyv({ store: store as never });
    const cache = fence<string, string>(keyv);
    store.fails = true;
    await keyv.set('a', 'x');
    store.fails = false;
    await Promise.all(['a', 'b', 'c', 'd'].map((key) => cache.invalidate(key)));
    expect(keyv.listeners('error')).toEqual([]);
  });

  it('of a set by hand that half fails are told, and the entry goes', async () => {
    const store = new Store();
    const cacheable = new Cacheable({ secondary: new Keyv({ store: store as never }) });
    const cache = fence<string, string>(cacheable);
    await cache.set('a', 'old');
    const set = store.set;
    store.set = () => Promise.reject(new Error('full'));
    await expect(cache.set('a', 'new')).rejects.toThrow('full');
    store.set = set;
    expect([await cacheable.get('a'), store.map.size]).toEqual([undefined, 0]);
  });

  it('are not waited for where the cache is told not to wait: refused', () => {
    expect(() => fence(new Cacheable({ nonBlocking: true }))).toThrow(InvalidArgumentError);
  });

  function listenersOf(cache: FenceableCache): number {
    const { primary, secondary, stores } = cache as { primary?: Keyv; secondary?: Keyv; stores?: Keyv[] };
    const keyvs = [cache instanceof Keyv ? cache : undefined, primary, secondary, ...(stores ?? [])];
    // Its tiers report to Cacheable itself, which has been there before.
    return keyvs.reduce(
      (sum, keyv) => sum + Math.max(0, (keyv?.listeners('error').length ?? 0) - (primary === undefined ? 0 : 1)),
      0,
    );
  }
});

describe('a clear that leaves entries', () => {
  it('of a part of an unstorage is not believed: what is still listed is deleted', async () => {
    const storage = createStorage<string>();
    await storage.setItem('other:a', 'kept');
    const part = prefixStorage<string>(storage, 'part');
    const cache = fence(part);
    await cache.set('a', 'old');
    await cache.set('b:c', 'old');
    await cache.invalidateAll();
    expect(await cache.getOrLoad('a', () => 'new')).toBe('new');
    await settle();
    expect((await storage.getKeys()).sort()).toEqual(['other:a', 'part:a']);
  });

  it('of any other cache that lists its keys, synchronous or not', async () => {
    for (const isLate of [false, true]) {
      const map = new Map([
        ['a', 1],
        ['b', 2],
      ]);
      const answer = <T>(value: T) => (isLate ? Promise.resolve(value) : value);
      const cache = fence<string, number>({
        get: (key: string) => answer(map.get(key)),
        set: (key: string, value: number) => answer(void map.set(key, value)),
        delete: (key: string) => answer(map.delete(key)),
        clear: () => answer(void map.delete('a')),
        keys: () => answer(map.keys()),
      });
      await cache.invalidateAll();
      expect(map.size).toBe(0);
    }
  });
});

describe('lru-cache, as it is without a fence', () => {
  it('does not take a peek for a use, and asks for nothing twice', async () => {
    const lru = new LRUCache<string, number>({ max: 2 });
    const cache = fence(lru);
    const asked: string[] = [];
    const has = lru.has.bind(lru);
    lru.has = (key: string) => {
      asked.push(key);
      return has(key);
    };
    for (const key of ['a', 'b']) await cache.getOrLoad(key, () => 1);
    expect([cache.peek('a'), asked]).toEqual([1, ['a', 'b']]);
    await cache.getOrLoad('c', () => 1);
    expect([...lru.keys()].sort()).toEqual(['b', 'c']);
  });

  it('replaces by a set by hand, and says so: noUpdateTTL, reason of disposal', async () => {
    let now = 1;
    const reasons: unknown[] = [];
    const lru = new LRUCache<string, number>({
      ...{ max: 2, ttl: 100, noUpdateTTL: true, ttlResolution: 0, perf: { now: () => now } },
      dispose: (value, key, reason) => void reasons.push([key, value, reason]),
    });
    const cache = fence(lru);
    await cache.set('a', 1);
    now += 60;
    await cache.set('a', 2);
    expect([lru.getRemainingTTL('a'), reasons]).toEqual([40, [['a', 1, 'set']]]);
  });
});

describe('types', () => {
  it('of key, value and set options are those of the cache', () => {
    type Lru = LRUCache<string, number>;
    expectTypeOf<[CacheKey<Map<symbol, number>>, CacheValue<Map<symbol, number>>]>().toEqualTypeOf<[symbol, number]>();
    expectTypeOf<CacheKey<Lru>>().toEqualTypeOf<string>();
    expectTypeOf<number>().toExtend<CacheValue<Lru>>();
    expectTypeOf<{ ttl: number }>().toExtend<CacheSetOptions<Lru>>();
    expectTypeOf<[CacheKey<Keyv>, CacheSetOptions<Keyv>]>().toEqualTypeOf<[string, number | undefined]>();
    expectTypeOf<CacheValue<Keyv<number>>>().toEqualTypeOf<number>();
    expectTypeOf<CacheKey<Cacheable>>().toEqualTypeOf<string>();
    expectTypeOf<'1h'>().toExtend<CacheSetOptions<Cacheable>>();
    expectTypeOf<CacheKey<ReturnType<typeof createStorage<string>>>>().toEqualTypeOf<string>();
    expectTypeOf<CacheValue<ReturnType<typeof createStorage<string>>>>().toEqualTypeOf<string>();
  });

  it('are inferred from a Keyv, and may be given where a cache takes anything', () => {
    const cache = fence(new Keyv<string>());
    expectTypeOf(cache).toEqualTypeOf<FencedCache<string, string, number | undefined>>();
    // @ts-expect-error a number is no value of it
    const wrong = () => cache.set('a', 7);
    expectTypeOf(cache.peek('a')).toEqualTypeOf<string | undefined>();
    interface User {
      readonly name: string;
    }
    const users = fence<string, User>(new Cacheable());
    expectTypeOf(users.peek('a')).toEqualTypeOf<User | undefined>();
    expectTypeOf(users.getOrLoad('a', () => ({ name: 'Ada' }))).resolves.toEqualTypeOf<{ name: string }>();
    const ids = fence<number, User, { ttl: number }>(new LRUCache<number, User>({ max: 1 }), { identify: (id) => id });
    expectTypeOf(ids).toEqualTypeOf<FencedCache<number, User, { ttl: number }>>();
    expect(wrong).toBeTypeOf('function');
  });
});
