/**
 * ioredis and node-redis under a fence, over a real server.
 */
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll, describe, expect, expectTypeOf, inject, it } from 'vitest';
import { InvalidArgumentError, SubscriberError } from '../../lib/index.js';
import { type FencedCache, fence } from '../../lib/keyed/index.js';
import { play, SET_UPS } from '../support/keyed/set-ups.js';
import { fencedSubject } from '../support/keyed/stores.js';

const port = inject('redisPort');
/** For what the tests look at and prepare, past every fence. */
const direct = new Redis(port, '127.0.0.1');
const ioredis = new Redis(port, '127.0.0.1');
const nodeRedis = createClient({ socket: { host: '127.0.0.1', port } });

beforeAll(async () => {
  await nodeRedis.connect();
});
afterEach(async () => {
  await direct.acl('SETUSER', 'default', '+@all');
  await direct.flushall();
});
afterAll(async () => {
  for (const client of [direct, ioredis]) client.disconnect();
  nodeRedis.destroy();
});

/** Longer than a round trip on this machine. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 40));

const CLIENTS: Readonly<Record<string, { make: () => FencedCache<string, string>; brief: unknown }>> = {
  ioredis: { make: () => fence<string, string>(ioredis), brief: ['EX', 60] },
  'node-redis': { make: () => fence<string, string>(nodeRedis), brief: { expiration: { type: 'EX', value: 60 } } },
};

describe.each(Object.keys(CLIENTS))('%s', (name) => {
  const { make, brief } = CLIENTS[name]!;

  it.each(Object.keys(SET_UPS).filter((each) => !each.includes('asynchronous set')))('is clean when: %s', async (setUp) => {
    const client = name === 'ioredis' ? ioredis : nodeRedis;
    expect(await play(setUp, (load) => fencedSubject(client, { load }), settle)).toBe('clean');
  });

  it('loads what is missing, stores it, and answers from the server afterwards', async () => {
    const cache = make();
    expect(await cache.getOrLoad('a', () => 'x')).toBe('x');
    await settle();
    expect([await direct.get('a'), await direct.ttl('a')]).toEqual(['x', -1]);
    expect(await cache.getOrLoad('a', () => 'again')).toBe('x');
    await cache.set('a', 'y');
    expect(await direct.get('a')).toBe('y');
    await cache.invalidate('a');
    expect([await direct.exists('a'), cache.stats.loads, cache.pending, cache.keyed.size]).toEqual([0, 1, 0, 0]);
    cache.close();
  });

  it('hands out what a server cannot keep, and does not store it', async () => {
    const cache = make();
    for (const nothing of [null, undefined]) expect(await cache.getOrLoad('a', () => nothing as never)).toBe(nothing);
    await settle();
    expect([await direct.exists('a'), cache.stats.unstored, cache.stats.setErrors]).toEqual([0, 2, 0]);
    cache.close();
  });

  it('stores for a time, as the client says it', async () => {
    const cache = make();
    await cache.getOrLoad('a', () => 'x', { setOptions: brief });
    await settle();
    await cache.set('b', 'y', { setOptions: brief });
    for (const key of ['a', 'b']) expect(await direct.ttl(key)).toBeGreaterThan(50);
    cache.close();
  });

  it('drops the keys of a condition, listed by SCAN over several steps, and no other', async () => {
    const many = Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [`${i % 2 === 0 ? 'user' : 'page'}:${i}`, `${i}`]));
    await direct.mset(many);
    const cache = make();
    await cache.invalidate(cache.keyed.where((key) => key.startsWith('user:')));
    expect([await direct.dbsize(), (await direct.keys('user:*')).length]).toEqual([1250, 0]);
    cache.close();
  });

  it('refuses to drop all of a database that may hold more, before anything changes', async () => {
    await direct.set('session:1', 'somebody else');
    const cache = make();
    for (const drop of [() => cache.invalidateAll(), () => cache.mutate(cache.keyed.all, () => {})]) {
      await expect(drop()).rejects.toBeInstanceOf(InvalidArgumentError);
      await expect(drop()).rejects.toThrow('keyPrefix');
    }
    expect(await direct.get('session:1')).toBe('somebody else');
    cache.close();
  });

  it('does not let a change proceed if the server refuses to delete', async () => {
    const cache = make();
    await cache.getOrLoad('a', () => 'x');
    await settle();
    await direct.acl('SETUSER', 'default', '-del');
    let changed = false;
    const changing = cache.mutate('a', () => {
      changed = true;
    });
    await expect(changing).rejects.toBeInstanceOf(SubscriberError);
    expect([changed, await cache.getOrLoad('a', () => 'again')]).toEqual([false, 'x']);
    cache.close();
  });
});

describe('ioredis with a keyPrefix', () => {
  it.each(['app:', 'a*[p]?\\:'])('%s drops all of its own keys, and no other', async (keyPrefix) => {
    const client = new Redis(port, '127.0.0.1', { keyPrefix });
    const cache = fence<string, string>(client);
    await direct.mset({ 'session:1': 's', app: 's', 'appx:1': 's', 'aXp:1': 's' });
    for (const key of ['1', '2', 'user:3']) await cache.getOrLoad(key, () => key);
    await settle();
    expect(await direct.dbsize()).toBe(7);
    await cache.invalidate(cache.keyed.where((key) => key.startsWith('user:')));
    expect(await direct.exists(`${keyPrefix}1`, `${keyPrefix}2`, `${keyPrefix}user:3`)).toBe(2);
    await cache.invalidateAll();
    expect((await direct.keys('*')).sort()).toEqual(['aXp:1', 'app', 'appx:1', 'session:1']);
    cache.close();
    client.disconnect();
  });
});

describe('types', () => {
  it('of a client are those of its set', () => {
    const cache = fence(ioredis);
    expectTypeOf<string>().toExtend<Parameters<typeof cache.peek>[0]>();
    const named = fence<string, string>(nodeRedis);
    expectTypeOf(named).toEqualTypeOf<FencedCache<string, string, unknown>>();
    cache.close();
    named.close();
  });
});
