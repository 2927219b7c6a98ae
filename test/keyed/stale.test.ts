/** `allowStale` and `status`: what a call gets that would rather not wait, and what it is told. */
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../lib/index.js';
import { fence, type ReadStatus } from '../../lib/keyed/index.js';
import { LAST_VALUES } from '../../lib/keyed/lasts.js';
import { settled } from '../support/model/clock.js';
import { type Deferred, deferred, failure, Outcome, soon } from '../support/turns.js';

const NOTHING = { hit: false, joined: false, waited: false, retried: 0, stale: false };

function desk(store: object = new Map<string, string>()) {
  const cache = fence(store as Map<string, string>);
  const loads: Deferred<string>[] = [];
  const load = () => {
    const answer = deferred<string>();
    loads.push(answer);
    return answer.promise;
  };
  /** A call with a status, which is looked at when the call is answered. */
  const read = (allowStale = true, options: object = {}) => {
    const status: ReadStatus = {};
    const outcome = new Outcome(cache.getOrLoad('a', load, { allowStale, status, ...options }));
    return { outcome, status };
  };
  const answer = async (value: string) => {
    loads.at(-1)!.resolve(value);
    await settled();
  };
  return { cache, loads, load, read, answer };
}

/** A cache in which each operation takes a turn. */
function slowMap() {
  const map = new Map<string, string>();
  return {
    map,
    get: async (key: string) => map.get(key),
    set: async (key: string, value: string) => void map.set(key, value),
    delete: async (key: string) => void map.delete(key),
  };
}

for (const [name, make] of [
  ['a synchronous cache', () => new Map<string, string>()],
  ['an asynchronous cache', slowMap],
] as const) {
  describe(`allowStale with ${name}`, () => {
    it('waits where there is no last value, and has the entry where there is one', async () => {
      const { read, answer, loads } = desk(make());
      const first = read();
      await settled();
      await answer('1');
      const second = read();
      await settled();
      expect([first.outcome.value, second.outcome.value, loads.length]).toEqual(['1', '1', 1]);
      expect([first.status, second.status]).toEqual([NOTHING, { ...NOTHING, hit: true }]);
    });

    it('hands out the last value, marked, while a change is going on, and the new one afterwards', async () => {
      const { cache, read, answer, loads } = desk(make());
      read();
      await settled();
      await answer('1');
      const section = await soon(cache.begin('a'));
      const during = read();
      const waiting = read(false);
      await settled();
      expect([during.outcome.value, during.status.stale, during.status.waited]).toEqual(['1', true, true]);
      expect([waiting.outcome.state, waiting.status.stale]).toEqual(['pending', false]);
      section.end();
      await settled();
      const loading = read();
      await settled();
      expect([loading.outcome.value, loading.status.stale, loading.status.joined, loads.length]).toEqual(['1', true, true, 2]);
      await answer('2');
      expect([waiting.outcome.value, waiting.status]).toEqual(['2', { ...NOTHING, joined: true, waited: true }]);
      const after = read();
      await settled();
      expect([after.outcome.value, after.status.stale, loads.length]).toEqual(['2', false, 2]);
      expect(cache.stats.stale).toBe(2);
    });

    it('hands it out as soon as a load begins, which goes on for the next call', async () => {
      const { cache, read, answer, loads } = desk(make());
      read();
      await settled();
      await answer('1');
      await soon(cache.invalidate('a'));
      const { outcome, status } = read();
      await settled();
      expect([outcome.value, status.stale, loads.length, cache.pending]).toEqual(['1', true, 2, 1]);
      await answer('2');
      const next = read();
      await settled();
      expect([next.outcome.value, next.status.hit, cache.pending, cache.keyed.size]).toEqual(['2', true, 0, 0]);
    });

    it('stores the last value never again', async () => {
      const store = make();
      const { cache, read, answer } = desk(store);
      read();
      await settled();
      await answer('1');
      await soon(cache.invalidate('a'));
      read();
      await settled();
      expect([...('map' in store ? store.map : store).keys()]).toEqual([]);
    });
  });
}

describe('allowStale', () => {
  it('hands the last value out when a load that was waited for is overtaken', async () => {
    const { cache, read, answer, loads } = desk();
    read();
    await answer('1');
    await soon(cache.invalidate('a'));
    const waiting = read(false);
    const section = await soon(cache.begin('a'));
    const { outcome, status } = read();
    await settled();
    expect([outcome.value, status]).toEqual(['1', { ...NOTHING, joined: true, waited: true, stale: true }]);
    section.end();
    await settled();
    await answer('2');
    expect([waiting.outcome.value, waiting.status.retried, loads.length]).toEqual(['2', 1, 3]);
  });

  it('takes a load that answers at once for what it is', async () => {
    const { cache, read, answer } = desk();
    read();
    await answer('1');
    await soon(cache.invalidate('a'));
    const status: ReadStatus = {};
    expect(await soon(cache.getOrLoad('a', () => '2', { allowStale: true, status }))).toBe('2');
    expect(status).toEqual(NOTHING);
  });

  it('ends neither the load nor its answer by a signal that fires later, and an error of the load is nobody’s', async () => {
    const { cache, read, answer, loads } = desk();
    read();
    await answer('1');
    await soon(cache.invalidate('a'));
    const controller = new AbortController();
    const { outcome } = read(true, { signal: controller.signal });
    controller.abort();
    await settled();
    expect([outcome.value, cache.pending]).toEqual(['1', 1]);
    loads[1]!.reject(new Error('not found'));
    await settled();
    expect([cache.pending, cache.keyed.size]).toEqual([0, 0]);
    const next = read();
    expect(next.status.stale).toBe(true);
  });

  it('keeps the values of the keys that were read last in this way, and of no other', async () => {
    const cache = fence(new Map<string, number>());
    const read = (key: string, load = () => 0 as number | Promise<number>) => {
      const status: ReadStatus = {};
      void cache.getOrLoad(key, load, { allowStale: true, status }).catch(() => {});
      return status;
    };
    await soon(cache.getOrLoad('other', () => 0));
    for (let i = 0; i <= LAST_VALUES; i++) read(`${i}`);
    await soon(cache.invalidateAll());
    const never = () => new Promise<number>(() => {});
    expect(['other', '0', '1', `${LAST_VALUES}`].map((key) => read(key, never).stale)).toEqual([false, false, true, true]);
    cache.close();
  });

  it('needs a status, in which it is marked', async () => {
    const { cache, load } = desk();
    const error = (await failure(cache.getOrLoad('a', load, { allowStale: true }))) as Error;
    expect(error.message).toBe('status is undefined; expected an object beside `allowStale`, in which it is marked');
    for (const options of [{ allowStale: 1 }, { status: 'x' }]) {
      expect(await failure(cache.getOrLoad('a', load, options as never))).toBeInstanceOf(InvalidArgumentError);
    }
    expect(cache.pending).toBe(0);
  });
});

describe('status', () => {
  it('tells of a hit while the value is being stored, and clears what it held', async () => {
    const stored = deferred<void>();
    const slow = { ...slowMap(), set: () => stored.promise };
    const { read, answer } = desk(slow);
    read();
    await settled();
    await answer('1');
    const status: ReadStatus = { stale: true, retried: 7 };
    const { outcome } = read(false, { status });
    await settled();
    expect([outcome.value, status]).toEqual(['1', { ...NOTHING, hit: true }]);
    stored.resolve();
    await settled();
  });

  it('counts the attempts that were overtaken since the call', async () => {
    const { cache, read, answer } = desk();
    const first = read(false);
    await soon(cache.invalidate('a'));
    await settled();
    const second = read(false);
    await soon(cache.invalidate('a'));
    await settled();
    await answer('1');
    expect([first.status, second.status]).toEqual([
      { ...NOTHING, waited: true, retried: 2 },
      { ...NOTHING, joined: true, waited: true, retried: 1 },
    ]);
  });
});
