/**
 * What a load reads besides its key: it is loaded again when that changes, and its entry goes when that changes later.
 */
import { describe, expect, it } from 'vitest';
import { DERIVED_A_SECTION } from '../../lib/keyed/derived.js';
import { fence, KeyedFence, type KeyedLoadContext, type KeyScope } from '../../lib/keyed/index.js';
import { ManualCache } from '../support/keyed/manual-cache.js';
import { settled } from '../support/model/clock.js';
import { deferred, failure, Outcome, soon } from '../support/turns.js';

const source = { rate: 2, amount: 10 };

function observing<K>(context: KeyedLoadContext<K>, what: K | KeyScope<K>): number {
  context.observe(what);
  return 1;
}

function build(options: Parameters<typeof fence<Map<string, number>>>[1] = {}) {
  const map = new Map<string, number>();
  return { map, cache: fence(map, options) };
}

describe('observe in a load', () => {
  it('drops the entry when what was observed changes, and nothing else', async () => {
    const { map, cache } = build();
    await soon(cache.getOrLoad('total', () => 1));
    await soon(
      cache.getOrLoad('derived', (_, context) => {
        context.observe('rate');
        context.observe(cache.keyed.keys(['amount', 'tax']));
        return source.rate * source.amount;
      }),
    );
    expect([...map.keys()]).toEqual(['total', 'derived']);
    await soon(cache.invalidate('other'));
    expect(map.has('derived')).toBe(true);
    await soon(cache.invalidate('tax'));
    expect([...map.keys()]).toEqual(['total']);
    expect([cache.keyed.size, cache.keyed.inspect().derived, cache.pending]).toEqual([0, 0, 0]);
  });

  it('makes the load run again when it changes meanwhile, at once, and wherever the observing came', async () => {
    const { map, cache } = build();
    const gate = deferred();
    const contexts: KeyedLoadContext<string>[] = [];
    const reading = new Outcome(
      cache.getOrLoad('derived', async (_, context) => {
        contexts.push(context);
        context.observe('rate');
        if (contexts.length === 1) await gate.promise; // never answered
        return contexts.length;
      }),
    );
    await soon(cache.invalidate('rate'));
    await settled();
    expect([reading.value, contexts[0]!.signal.aborted, cache.stats.overtaken]).toEqual([2, true, 1]);
    expect(map.get('derived')).toBe(2);

    const late = new Outcome(
      cache.getOrLoad('late', async (_, context) => {
        contexts.push(context);
        const read = source.rate;
        if (contexts.length === 3) await cache.invalidate('rate'); // has ended before anybody named it
        context.observe('rate');
        return read + contexts.length;
      }),
    );
    await settled();
    expect([late.value, contexts.length]).toEqual([source.rate + 4, 4]);
  });

  it('reaches what is derived from what is derived, in other caches of the fence, too', async () => {
    const keyed = new KeyedFence<string>();
    const [one, two] = [new Map<string, number>(), new Map<string, number>()];
    const first = fence(one, { keyed });
    const second = fence(two, { keyed });
    const readA = () =>
      first.getOrLoad('a', (_, context) => {
        context.observe('base');
        return 1;
      });
    await soon(readA());
    await soon(
      second.getOrLoad('b', async (_, context) => {
        context.observe('a');
        return 10 * (await readA());
      }),
    );
    const told: unknown[] = [];
    keyed.subscribe({ invalidate: ({ keys }) => void told.push(keys) });
    const section = await soon(keyed.begin('base'));
    expect([one.size, two.size, told, section.has('b')]).toEqual([
      0,
      0,
      [['a', 'b', 'base']].map((each) => expect.arrayContaining(each)),
      true,
    ]);
    const inside = new Outcome(second.getOrLoad('b', () => 5));
    await settled();
    expect(inside.state).toBe('pending');
    section.end();
    await settled();
    expect([inside.value, keyed.inspect().derived]).toEqual([5, 0]);
  });

  it('covers conditions and all keys, on either side', async () => {
    const { map, cache } = build();
    const { keyed } = cache;
    const fill = async () => {
      for (const [key, what] of Object.entries({ one: 'x:1', all: keyed.all, some: keyed.where((each) => each === 'q') })) {
        await soon(cache.getOrLoad(key, (_, context) => observing(context, what)));
      }
    };
    await fill();
    await soon(cache.invalidate(keyed.where((key) => key.startsWith('x:'))));
    expect([...map.keys()]).toEqual([]);
    await fill();
    await soon(cache.invalidate('z'));
    expect([...map.keys()]).toEqual(['one']);
    await soon(cache.invalidate(keyed.keys([])));
    expect([...map.keys()]).toEqual(['one']);
    await soon(cache.invalidateAll());
    expect([map.size, keyed.inspect().derived]).toEqual([0, 0]);
  });

  it('is remembered while the entry cannot be deleted, and for a cache that may have ignored the change', async () => {
    const store = new ManualCache();
    for (const name of ['get', 'set']) store.quick.add(name);
    const cache = fence(store);
    await soon(cache.getOrLoad('a', (_, context) => observing(context, 'b')));
    await settled();
    const changing = new Outcome(cache.invalidate('b'));
    await settled();
    for (const each of [...store.operations]) each.reject(new Error('network'));
    await settled();
    expect([changing.state, cache.keyed.inspect().derived]).toEqual(['rejected', 1]);
    store.quick.add('delete');
    await soon(cache.invalidate('b'));
    expect([store.entries.size, cache.keyed.inspect().derived]).toEqual([0, 0]);

    const deaf = build({ ignore: ({ kind }) => kind === 'soft-dirty' });
    await soon(deaf.cache.getOrLoad('a', (_, context) => observing(context, 'b')));
    await soon(deaf.cache.invalidate('a', { kind: 'soft-dirty' }));
    expect(deaf.map.size).toBe(1);
    await soon(deaf.cache.invalidate('b'));
    expect(deaf.map.size).toBe(0);
  });

  it('after the attempt does nothing; a key that cannot be identified is refused', async () => {
    const { map, cache } = build({
      identify: (key) => {
        if (key === 'bad') throw new TypeError('bad key');
        return key;
      },
    });
    let kept!: KeyedLoadContext<string>;
    const keep = (_: string, context: KeyedLoadContext<string>) => {
      kept = context;
      return 1;
    };
    await soon(cache.getOrLoad('a', keep));
    kept.observe('b');
    await soon(cache.invalidate('b'));
    expect(map.size).toBe(1);
    expect(await failure(cache.getOrLoad('c', (_, context) => observing(context, 'bad')))).toBeInstanceOf(TypeError);
    expect([cache.pending, cache.keyed.size]).toEqual([0, 0]);
  });

  it('remembers so many keys at most: the oldest entry goes, early and not late', async () => {
    const { map, cache } = build({ historyCapacity: 2 });
    const most = 2 * DERIVED_A_SECTION;
    for (let i = 0; i <= most; i++) await soon(cache.getOrLoad(`k${i}`, (_, context) => observing(context, 'b')));
    await settled();
    expect([map.size, map.has('k0'), cache.keyed.inspect().derived]).toEqual([most, false, most]);
    await soon(cache.invalidate('b'));
    expect([map.size, cache.keyed.inspect().derived, cache.keyed.size]).toEqual([0, 0, 0]);
  });
});
