/**
 * Caches of several processes that share their keys.
 */
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError, SubscriberError } from '../../lib/index.js';
import { KeyedFence } from '../../lib/keyed/index.js';
import { announceOnly, type SharedCache, type ShareKeysOptions, shareKeys, shareRanges } from '../../lib/redis/index.js';
import { RangeTracker } from '../../lib/tracker/index.js';
import { ManualClock } from '../support/clock.js';
import { FakeServer } from '../support/redis/server.js';
import { settled, WAIT_MS } from '../support/redis/space.js';
import { Outcome } from '../support/turns.js';

class Shop<K> {
  readonly clock = new ManualClock();
  readonly server = new FakeServer();
  readonly caches: SharedCache<K, number>[] = [];
  value = 1;

  async open(count: number, options: Partial<ShareKeysOptions<K>> = {}): Promise<this> {
    const coming = Array.from({ length: count }, () =>
      shareKeys<K, number>(new Map(), {
        ...{ redis: this.server.port(), space: 'shop', leaseMs: 900, clock: this.clock, wallClock: () => this.clock.now() },
        ...options,
      }),
    );
    for (let ms = 0; ms <= WAIT_MS; ms += 100) {
      await settled();
      this.clock.advance(100);
    }
    await settled();
    this.caches.push(...(await Promise.all(coming)));
    return this;
  }

  async read(key: K): Promise<number[]> {
    return await Promise.all(this.caches.map((cache) => cache.getOrLoad(key, () => this.value)));
  }

  /** Which caches have it. */
  has(key: K): boolean[] {
    return this.caches.map((cache) => cache.peek(key) !== undefined);
  }
}

/** Every text is a possible key. */
const AWKWARD = [
  ...[
    '',
    ' ',
    '-',
    '+',
    '#',
    '|',
    '!',
    '.',
    '{}',
    '[]',
    '"',
    "'",
    '\\',
    '\\"',
    '\n',
    '\0',
    '\u2028',
    '\ud800',
    '🦆',
    'é',
    'e\u0301',
  ],
  ...['__proto__', 'null', '1e999'],
];

describe('a change of a key', () => {
  it('drops the entry in every process before it begins, and nobody has the old value after it', async () => {
    const shop = await new Shop<string>().open(3);
    expect(await shop.read('a')).toEqual([1, 1, 1]);
    await shop.read('b');
    let during: boolean[] = [];
    await shop.caches[0]!.mutate('a', () => {
      during = shop.has('a');
      shop.value = 2;
    });
    expect([during, shop.has('b')]).toEqual([
      [false, false, false],
      [true, true, true],
    ]);
    expect(await shop.read('a')).toEqual([2, 2, 2]);
  });

  it.each(AWKWARD.map((key) => [key]))('hits the key %j everywhere, and no other one', async (key) => {
    const shop = await new Shop<string>().open(2);
    for (const each of AWKWARD) await shop.read(each);
    await shop.caches[0]!.invalidate(key);
    await settled();
    for (const each of AWKWARD) expect([each, shop.has(each)]).toEqual([each, each === key ? [false, false] : [true, true]]);
  });

  it('hits lists and prefixes as they are, and for a condition everything elsewhere', async () => {
    const shop = await new Shop<string>().open(2);
    const { keyed } = shop.caches[0]!;
    const has = async () => {
      await settled();
      return ['a:1', 'a:2', 'b:1'].map((key) => shop.caches[1]!.peek(key) !== undefined);
    };
    const fill = async () => {
      for (const key of ['a:1', 'a:2', 'b:1']) await shop.read(key);
    };
    await fill();
    await shop.caches[0]!.invalidate(keyed.keys(['a:1', 'b:1']));
    expect(await has()).toEqual([false, true, false]);
    await fill();
    await shop.caches[0]!.invalidate(keyed.prefix('a:'));
    expect(await has()).toEqual([false, false, true]);
    await fill();
    await shop.caches[0]!.invalidate(keyed.where((key) => key === 'a:1'));
    expect(await has()).toEqual([false, false, false]);
    expect(shop.caches[0]!.peek('b:1')).toBe(1);
    await fill();
    await shop.caches[0]!.invalidateAll();
    expect(await has()).toEqual([false, false, false]);
  });

  it('is told without waiting for anybody, from a process with a cache and from one without', async () => {
    const shop = await new Shop<string>().open(2);
    const outside = announceOnly(shop.server.port(), 'shop');
    const { keyed, link } = shop.caches[0]!;
    for (const tell of [
      () => link.notify('a'),
      () => link.notify(keyed.prefix('a')),
      () => link.notify(keyed.all),
      () => outside.notifyKeys(['a']),
      () => outside.notifyKeys({ prefix: 'a' }),
      () => outside.notifyKeys('all', { kind: 'migrate' }),
    ]) {
      await shop.read('a');
      expect(shop.has('a')).toEqual([true, true]);
      await tell();
      await settled();
      expect(shop.has('a')).toEqual([false, false]);
    }
    await expect(outside.notifyKeys(7 as never)).rejects.toThrow(InvalidArgumentError);
    for (const tell of [link.notify.bind(link, 'a'), outside.notifyKeys.bind(outside, ['a'])]) {
      await expect(tell({ kind: 5 as never })).rejects.toThrow('kind is 5; expected a string');
      await expect(tell({ label: {} as never })).rejects.toThrow('label is');
      await expect(tell({ lable: 'x' } as never)).rejects.toThrow('did you mean "label"?');
    }
  });

  it('in a space where nobody has ever been is told to nobody', async () => {
    const server = new FakeServer();
    await announceOnly(server.port(), 'empty').notify({ start: 0, end: 1 });
    expect([server.log, server.meta.size]).toEqual([[], 0]);
  });
});

describe('keys that are no texts', () => {
  it('are refused without a way to make texts of them, and nothing has changed then', async () => {
    const shop = await new Shop<unknown>().open(2);
    const begin = new Outcome(shop.caches[0]!.begin(7));
    await settled();
    expect(begin.error).toBeInstanceOf(SubscriberError);
    expect((begin.error as Error).message).toContain('a shared key is a number; expected a text');
    expect(shop.caches[0]!.keyed.tracker.activeCount).toBe(0);
  });

  it('travel as what `serialize` makes of them, and are what `parse` makes of that', async () => {
    const shop = await new Shop<number>().open(2, { serialize: String, parse: Number });
    await shop.read(7);
    await shop.read(8);
    await shop.caches[0]!.invalidate(7);
    await settled();
    expect([shop.has(7), shop.has(8)]).toEqual([
      [false, false],
      [true, true],
    ]);
  });

  it('are all keys, where `parse` fails', async () => {
    const parse = () => {
      throw new Error('unknown');
    };
    const shop = await new Shop<number>().open(2, { serialize: String, parse });
    await shop.read(8);
    await shop.caches[0]!.invalidate(7);
    await settled();
    expect(shop.has(8)).toEqual([true, false]);
  });
});

it('the link is closed with the cache whose fence was made for it', async () => {
  const shop = await new Shop<string>().open(2);
  const [first, second] = shop.caches;
  first!.close();
  await settled();
  expect([first!.link.state, second!.link.state, shop.server.mem.size]).toEqual(['closed', 'live', 1]);
});

it('a fence that several caches use is shared once', async () => {
  const keyed = new KeyedFence<string>({ clock: new ManualClock() });
  const options = { redis: new FakeServer().port(), space: 'one', grace: false, keyed };
  const shared = await shareKeys<string, number>(new Map(), options);
  await expect(shareKeys<string, number>(new Map(), options)).rejects.toThrow('one that is not shared already');
  await shared.link.close();
});

describe('options', () => {
  const redis = new FakeServer().port();
  it.each([
    [{}, 'redis'],
    [{ redis, space: '' }, 'space is ""'],
    [{ redis, space: 'a{b' }, 'space is "a{b"'],
    [{ redis: {}, space: 'a' }, 'a client of ioredis or node-redis, or a port'],
    [{ redis, space: 'a', leaseMs: 0 }, 'leaseMs is 0'],
    [{ redis, space: 'a', drift: 1 }, 'drift is 1'],
    [{ redis, space: 'a', ackTimeoutMs: -1 }, 'ackTimeoutMs is -1'],
    [{ redis, space: 'a', logLength: 0.5 }, 'logLength is 0.5'],
    [{ redis, space: 'a', replicas: -1 }, 'replicas is -1'],
    [{ redis, space: 'a', whenDetached: 'now' }, 'whenDetached is "now"'],
    [{ redis, space: 'a', recover: 1 }, 'recover is 1'],
    [{ redis, space: 'a', onEvent: 1 }, 'onEvent is 1'],
    [{ redis, space: 'a', leaseMS: 1 }, 'did you mean "leaseMs"?'],
  ])('%j are refused before anything is shared', async (options, message) => {
    const tracker = new RangeTracker();
    await expect(shareRanges(tracker, options as never)).rejects.toThrow(message === 'redis' ? /space is/ : message);
    expect(tracker.lapsed).toBe(false);
    await expect(shareKeys(new Map<string, number>(), options as never)).rejects.toBeInstanceOf(InvalidArgumentError);
  });
});
