/**
 * Doors: where a promise of somebody else's comes in, and where somebody's function is called.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../lib/index.js';
import { fence, KeyedFence } from '../../lib/keyed/index.js';
import { ManualCache } from '../support/keyed/manual-cache.js';
import { settled } from '../support/model/clock.js';
import { deferred, failure, Outcome, soon } from '../support/turns.js';

/** Does its work each time its `then` is called, as a query builder does; and counts. */
class Lazy {
  thens = 0;
  gets = 0;
  readonly #work: () => unknown;

  constructor(work: () => unknown) {
    this.#work = work;
  }

  // biome-ignore lint/suspicious/noThenProperty: what is tested
  get then(): (ok: (value: unknown) => void, no: (error: unknown) => void) => void {
    this.gets++;
    return (ok, no) => {
      this.thens++;
      if (this.thens > 1) no(new Error('already executed'));
      queueMicrotask(() => {
        try {
          ok(this.#work());
        } catch (error) {
          no(error);
        }
      });
    };
  }
}

/** A cache all of whose methods return lazy thenables. */
class LazyCache {
  readonly map = new Map<string, unknown>();
  readonly made: Lazy[] = [];
  get = (key: string) => this.#lazy(() => this.map.get(key));
  set = (key: string, value: unknown) => this.#lazy(() => this.map.set(key, value) && undefined);
  delete = (key: string) => this.#lazy(() => this.map.delete(key));
  keys = () => this.#lazy(() => [...this.map.keys()]);
  clear = () => this.#lazy(() => this.map.clear());

  #lazy(work: () => unknown): Lazy {
    const lazy = new Lazy(work);
    this.made.push(lazy);
    return lazy;
  }

  expectOnce(): void {
    expect(this.made.length).toBeGreaterThan(0);
    for (const { thens, gets } of this.made.splice(0)) expect([thens, gets]).toEqual([1, 1]);
  }
}

describe('a thenable of somebody else', () => {
  it('from the methods of the cache is asked once: get, set, delete, keys, clear, and get by peek', async () => {
    const lazy = new LazyCache();
    const cache = fence(lazy);
    expect(cache.peek('a')).toBeUndefined();
    await settled();
    lazy.expectOnce();
    expect(await soon(cache.getOrLoad('a', () => 'x'))).toBe('x');
    await settled();
    expect(await soon(cache.getOrLoad('a', () => 'y'))).toBe('x');
    lazy.expectOnce();
    await soon(cache.set('a', 'z'));
    await soon(cache.invalidate(cache.keyed.where((key) => key === 'b')));
    expect([...lazy.map]).toEqual([['a', 'z']]);
    await soon(cache.invalidate('a'));
    await soon(cache.set('b', 1));
    await soon(cache.invalidateAll());
    expect(lazy.map.size).toBe(0);
    lazy.expectOnce();
  });

  it('from get that is a promise with a then of its own is asked once, too', async () => {
    let thens = 0;
    const lazy = (value: unknown) =>
      Object.defineProperty(Promise.resolve('not this'), 'then', {
        value: (ok: (value: unknown) => void) => {
          thens++;
          queueMicrotask(() => ok(value));
        },
      });
    const map = new Map<string, unknown>([['a', 1]]);
    const cache = fence<string, unknown>({ get: (key: string) => lazy(map.get(key)), set() {}, delete() {} });
    expect([await soon(cache.getOrLoad('a', () => 2)), thens]).toEqual([1, 1]);
    expect([await soon(cache.getOrLoad('a', () => 2)), thens]).toEqual([1, 2]);
  });

  it('from get is asked once when a change overtakes the read, and when a change is active as it begins', async () => {
    const lazy = new LazyCache();
    const cache = fence(lazy);
    const section = await soon(cache.begin('a'));
    const reading = cache.getOrLoad('a', () => 'x');
    section.end();
    await soon(cache.invalidate('a'));
    expect(await soon(reading)).toBe('x');
    lazy.expectOnce();
  });

  type Then = (ok: (value: unknown) => void, no: (error: unknown) => void) => unknown;
  const thenable = (then: Then, to: object = {}) => Object.defineProperty(to, 'then', { value: then });
  const answers: Record<string, unknown> = {
    'calls back at once': thenable((ok) => ok(42)),
    'calls back twice': thenable((ok) => {
      ok(42);
      ok(43);
    }),
    'resolves with another one': thenable((ok) => ok(thenable((inner) => inner(42)))),
    'calls back and throws': thenable((ok) => {
      ok(42);
      throw new Error('too late');
    }),
    'is a function': thenable(
      (ok) => ok(42),
      () => {},
    ),
    'is a promise with a then of its own': thenable((ok) => ok(42), Promise.resolve(1)),
    'is of a subclass': new (class Mine<T> extends Promise<T> {})((ok) => ok(42 as never)),
  };

  it.each(Object.keys(answers))('from a load that %s', async (name) => {
    for (const cache of [fence(new Map<string, unknown>()), fence(new LazyCache())]) {
      expect(await soon(cache.getOrLoad('a', () => answers[name]))).toBe(42);
      await settled();
      expect(await soon(cache.getOrLoad('a', () => 'not again'))).toBe(42);
    }
  });

  it('from a load that fails: rejected at once, thrown by then, thrown by the getter', async () => {
    const error = new Error('x');
    const fail = () => {
      throw error;
    };
    const failing = [thenable((_, no) => no(error)), thenable(fail), Object.defineProperty({}, 'then', { get: fail })];
    for (const each of failing) {
      const cache = fence(new Map<string, unknown>());
      expect(await failure(cache.getOrLoad('a', () => each as never))).toBe(error);
      expect([cache.pending, cache.keyed.size]).toEqual([0, 0]);
    }
  });

  it('from a lazy load is asked once, of each call of the load', async () => {
    const made: Lazy[] = [];
    const load = () => {
      made.push(new Lazy(() => made.length));
      return made.at(-1) as never;
    };
    const cache = fence(new Map<string, number>());
    const reading = cache.getOrLoad('a', load);
    await soon(cache.invalidate('a'));
    expect(await soon(reading)).toBe(2);
    expect(made.map(({ thens, gets }) => [thens, gets])).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  it('is refused where the answer is needed at once: setOptions, isMiss, identify', async () => {
    const errors: unknown[] = [];
    const map = new Map<string, unknown>();
    const cache = fence(map, { onSetError: (error) => errors.push(error) });
    expect(await soon(cache.getOrLoad('a', () => 1, { setOptions: () => Promise.reject(new Error('nobody hears')) }))).toBe(1);
    await settled();
    expect([map.size, cache.stats.setErrors]).toEqual([0, 1]);
    expect(errors[0]).toBeInstanceOf(InvalidArgumentError);

    const asked = fence(new Map<string, unknown>(), { isMiss: (async () => Promise.reject(new Error('nobody'))) as never });
    expect(await failure(asked.getOrLoad('a', () => 1))).toMatchObject({ message: expect.stringContaining('isMiss') });
    const late = fence(new LazyCache(), { isMiss: (async () => true) as never });
    expect(await failure(late.getOrLoad('a', () => 1))).toBeInstanceOf(InvalidArgumentError);
    expect([asked.pending, late.pending, late.keyed.size]).toEqual([0, 0, 0]);

    const keyed = new KeyedFence<string>({ identify: async (key) => key });
    expect(await failure(keyed.invalidate('a'))).toMatchObject({ message: expect.stringContaining('identify') });
    expect(keyed.size).toBe(0);
  });

  it('from a condition counts as true, and nobody hears what becomes of it', async () => {
    const map = new Map([['a', 1]]);
    const cache = fence(map);
    await soon(cache.invalidate(cache.keyed.where((() => Promise.reject(new Error('nobody'))) as never)));
    expect(map.size).toBe(0);
  });

  it('stored as a value makes one key take its time, and no other', async () => {
    const map = new Map<string, unknown>([
      ['late', Promise.resolve(1)],
      ['b', 2],
    ]);
    const cache = fence(map);
    expect(await soon(cache.getOrLoad('late', () => 'not this'))).toBe(1);
    expect([cache.peek('late'), cache.peek('b')]).toEqual([undefined, 2]);
    expect(await soon(cache.getOrLoad('late', () => 'not this'))).toBe(1);
    await soon(cache.getOrLoad('u', () => undefined)); // kept, as by any synchronous cache with has
    expect([map.has('u'), cache.stats.unstored]).toEqual([true, 0]);
    await soon(cache.getOrLoad('late', () => 'not this'));
    const section = cache.tryBegin('b');
    expect([section?.active, map.has('b')]).toEqual([true, false]);
    section?.end();
    expect(cache.pending).toBe(0);
  });
});

describe('a function of the user', () => {
  const als = new AsyncLocalStorage<string>();

  it('runs in the context of the call that it serves: load, setOptions, isMiss, onSetError, identify, the methods of the cache', async () => {
    const seen: string[] = [];
    const note = <T>(what: string, value: T): T => {
      seen.push(`${what} ${als.getStore()}`);
      return value;
    };
    const map = new Map<string, string>();
    const methods = {
      get: async (key: string) => note('get', map.get(key)),
      set: async (key: string, _value: string, _options?: unknown): Promise<void> => note('set', Promise.reject(new Error(key))),
      delete: async (key: string) => note('delete', map.delete(key)),
    };
    const cache = fence(methods, {
      identify: (key) => note('identify', key),
      isMiss: (value) => note('isMiss', value === undefined),
      onSetError: () => note('onSetError', undefined),
    });
    const setOptions = () => note('setOptions', undefined);
    const read = (name: string) => als.run(name, () => cache.getOrLoad('a', async () => note('load', 'x'), { setOptions }));
    const first = read('reader');
    await settled();
    await soon(first);
    await settled();
    expect(new Set(seen)).toEqual(
      new Set(['identify', 'get', 'isMiss', 'load', 'setOptions', 'set', 'onSetError'].map((each) => `${each} reader`)),
    );
    seen.length = 0;
    await als.run('writer', () => soon(cache.invalidate('a')));
    expect(new Set(seen)).toEqual(new Set(['identify writer', 'delete writer']));
  });

  it('is repeated in the context of its reader when a writer has come: during the get, during the load, after a wait', async () => {
    for (const when of ['get', 'load', 'wait'] as const) {
      const store = new ManualCache();
      store.quick.add('set').add('delete');
      if (when !== 'get') store.quick.add('get');
      const cache = fence(store);
      const seen: unknown[] = [];
      const answers = [deferred<string>(), deferred<string>(), deferred<string>()];
      const load = () => {
        seen.push(als.getStore());
        return answers[seen.length - 1]!.promise;
      };
      const section = when === 'wait' ? await als.run('writer', () => soon(cache.begin('a'))) : undefined;
      const reading = new Outcome(als.run('reader', () => cache.getOrLoad('a', load)));
      await settled();
      if (section === undefined) {
        const changing = als.run('writer', () => cache.invalidate('a'));
        await settled();
        for (const get of [...store.operations]) get.pass();
        await soon(changing);
      } else als.run('writer', () => section.end());
      await settled();
      for (const get of [...store.operations]) get.pass();
      await settled();
      als.run('somebody', () => answers.map((each) => each.resolve('x')));
      await settled();
      expect([when, reading.value, new Set(seen)]).toEqual([when, 'x', new Set(['reader'])]);
    }
  });

  it('of a second caller runs in that one’s context when the first has left, the storing of its value included', async () => {
    const store = new ManualCache();
    store.quick.add('delete');
    const seen: unknown[] = [];
    const set = store.set.bind(store);
    store.set = (...args) => {
      seen.push(`set ${als.getStore()}`);
      return set(...args);
    };
    const cache = fence(store);
    const controller = new AbortController();
    const load = async () => {
      seen.push(`load ${als.getStore()}`);
      return 'x';
    };
    const first = new Outcome(als.run('first', () => cache.getOrLoad('a', load, { signal: controller.signal })));
    const second = new Outcome(als.run('second', () => cache.getOrLoad('a', load)));
    await settled();
    als.run('first', () => controller.abort(new Error('gone')));
    store.next('get').pass();
    await settled();
    expect([first.state, second.value, seen]).toEqual(['rejected', 'x', ['load second', 'set second']]);
  });

  it('of a second caller, and the storing of its value, when the first has left while a change was active', async () => {
    const seen: unknown[] = [];
    const map = new Map<string, string>();
    const cache = fence({
      get: (key: string) => map.get(key),
      set: (key: string, value: string) => {
        seen.push(`set ${als.getStore()}`);
        map.set(key, value);
      },
      delete: (key: string) => map.delete(key),
    });
    const section = await als.run('writer', () => soon(cache.begin('a')));
    const controller = new AbortController();
    const load = async () => `${als.getStore()}`;
    const first = new Outcome(als.run('first', () => cache.getOrLoad('a', load, { signal: controller.signal })));
    const second = new Outcome(als.run('second', () => cache.getOrLoad('a', load)));
    controller.abort();
    await settled();
    als.run('writer', () => section.end());
    await settled();
    expect([first.state, second.value, seen]).toEqual(['rejected', 'second', ['set second']]);
  });

  it('of a third caller, too, when a change overtakes the load of the first two, who have left', async () => {
    const cache = fence(new Map<string, string>());
    const seen: unknown[] = [];
    const load = () => {
      seen.push(als.getStore());
      return seen.length === 1 ? new Promise<string>(() => {}) : 'x';
    };
    const controllers = [new AbortController(), new AbortController()];
    const left = controllers.map(({ signal }, i) => new Outcome(als.run(`${i}`, () => cache.getOrLoad('a', load, { signal }))));
    const third = new Outcome(als.run('third', () => cache.getOrLoad('a', load)));
    await settled();
    for (const controller of controllers) controller.abort();
    await als.run('writer', () => soon(cache.invalidate('a')));
    await settled();
    expect([left.map(({ state }) => state), third.value, seen]).toEqual([['rejected', 'rejected'], 'x', ['0', 'third']]);
  });

  it('that is a condition runs in the context of the change, whoever names the key', async () => {
    const cache = fence(new Map([['b', 1]]));
    const seen = new Set<unknown>();
    const condition = (key: string) => {
      seen.add(als.getStore());
      return key === 'a';
    };
    const section = await als.run('writer', () => soon(cache.begin(cache.keyed.where(condition))));
    const reading = als.run('reader', () => cache.getOrLoad('a', () => 2));
    await settled();
    section.end();
    await soon(reading);
    expect(seen).toEqual(new Set(['writer']));
  });
});
