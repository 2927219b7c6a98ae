import { describe, expect, it } from 'vitest';
import {
  ClosedError,
  CollisionError,
  InvalidArgumentError,
  RetryLimitError,
  SubscriberError,
  TimeoutError,
} from '../../lib/index.js';
import { type FencedCache, fence, KeyedFence } from '../../lib/keyed/index.js';
import { Source } from '../support/keyed/loads.js';
import { ManualCache } from '../support/keyed/manual-cache.js';
import { listeners } from '../support/leftovers.js';
import { ManualClock, settled } from '../support/model/clock.js';
import { deferred, failure, Outcome, soon } from '../support/turns.js';

const never = (): never => {
  throw new Error('the load was not expected');
};

function expectNothingLeft(cache: Pick<FencedCache<string>, 'pending' | 'keyed'>): void {
  const { waiting, sections, holds } = cache.keyed.tracker.inspect();
  expect([cache.pending, cache.keyed.size, waiting, sections.length, holds.length]).toEqual([0, 0, 0, 0, 0]);
}

describe('a fenced Map', () => {
  function build(options: Parameters<typeof fence<Map<string, string>>>[1] = {}) {
    const map = new Map<string, string>();
    return { map, source: new Source(), cache: fence(map, options) };
  }

  it('loads what is missing, stores it, and answers from the cache afterwards', async () => {
    const { map, source, cache } = build();
    const reading = cache.getOrLoad('a', source.load);
    source.last.answer();
    expect(await soon(reading)).toBe('old');
    expect([map.get('a'), await soon(cache.getOrLoad('a', never)), cache.peek('a'), cache.peek('b')]).toEqual([
      ...['old', 'old', 'old', undefined],
    ]);
    expect(cache.stats).toMatchObject({ hits: 1, misses: 1, loads: 1 });
    expectNothingLeft(cache);
  });

  it('takes what a load returns at once, and has stored it before the call returns', () => {
    const { map, cache } = build();
    cache.getOrLoad('a', (key, { attempt }) => `${key}${attempt}`);
    expect(map.get('a')).toBe('a1');
  });

  it('neither enters the table nor waits for a hit, whatever happens to other keys', async () => {
    const { map, cache } = build();
    map.set('a', 'x');
    const section = await soon(cache.keyed.begin('b'));
    const hit = cache.getOrLoad('a', never);
    expect([cache.pending, cache.keyed.size]).toEqual([0, 1]); // b itself
    expect(await soon(hit)).toBe('x');
    section.end();
  });

  it('never stores what a change has overtaken, and gives the caller what is current', async () => {
    const { map, source, cache } = build();
    const reading = new Outcome(cache.getOrLoad('a', source.load));
    source.content = 'new';
    await soon(cache.invalidate('a'));
    source.calls[0]!.answer();
    await settled();
    expect([reading.state, map.size]).toEqual(['pending', 0]);
    source.last.answer();
    await settled();
    expect([reading.value, map.get('a'), source.calls.length]).toEqual(['new', 'new', 2]);
    expect(cache.stats).toMatchObject({ overtaken: 1, loads: 2, misses: 1 });
    expectNothingLeft(cache);
  });

  it('does not wait for a load that was overtaken: the slow first one may never answer', async () => {
    const { map, source, cache } = build();
    const old = new Outcome(cache.getOrLoad('a', source.load));
    source.content = 'new';
    await soon(cache.invalidate('a'));
    const fresh = new Outcome(cache.getOrLoad('a', source.load));
    await settled();
    source.calls[1]!.answer();
    await settled();
    expect([old.value, fresh.value]).toEqual(['new', 'new']);
    source.calls[0]!.answer();
    await settled();
    expect(map.get('a')).toBe('new');
  });

  it('has a reader inside an announced change wait for its end, and finds the entry gone until then', async () => {
    const { map, source, cache } = build();
    map.set('a', 'old');
    const write = deferred();
    const writing = new Outcome(
      cache.mutate('a', async () => {
        expect(map.has('a')).toBe(false);
        await write.promise;
        source.content = 'new';
        return 'written';
      }),
    );
    await settled();
    const inside = new Outcome(cache.getOrLoad('a', source.load));
    await settled();
    expect([source.calls.length, cache.peek('a')]).toEqual([0, undefined]);
    write.resolve();
    await settled();
    source.last.answer();
    await settled();
    expect([writing.value, inside.value, map.get('a')]).toEqual(['written', 'new', 'new']);
    expectNothingLeft(cache);
  });

  it('leaves the entry deleted if the change fails', async () => {
    const { map, cache } = build();
    map.set('a', 'old');
    const error = new Error('half written');
    expect(await failure(cache.mutate('a', () => Promise.reject(error)))).toBe(error);
    expect(map.size).toBe(0);
  });

  it('shares one load among concurrent callers of a key', async () => {
    const { source, cache } = build();
    const readings = ['a', 'a', 'b', 'a'].map((key) => cache.getOrLoad(key, source.load));
    expect(source.calls.map(({ key }) => key)).toEqual(['a', 'b']);
    for (const call of source.calls) call.answer();
    expect(await soon(Promise.all(readings))).toEqual(['old', 'old', 'old', 'old']);
    expect(cache.stats).toMatchObject({ joined: 2, loads: 2, misses: 4 });
  });

  it('passes on the error of a load as it is, to all its callers, and stores nothing', async () => {
    const { map, source, cache } = build();
    const readings = [cache.getOrLoad('a', source.load), cache.getOrLoad('a', source.load)].map((each) => new Outcome(each));
    const error = new Error('disk');
    source.last.reject(error);
    await settled();
    expect(readings.map((reading) => reading.error)).toEqual([error, error]);
    expect(map.size).toBe(0);
    expect(await failure(cache.getOrLoad('a', never))).toMatchObject({ message: 'the load was not expected' });
    expectNothingLeft(cache);
  });

  it('takes an error of a load that was overtaken for what it is: of no interest', async () => {
    const { source, cache } = build();
    const reading = new Outcome(cache.getOrLoad('a', source.load));
    await soon(cache.invalidate('a'));
    source.calls[0]!.reject(new Error('torn'));
    await settled();
    source.last.answer();
    await settled();
    expect(reading.value).toBe('old');
  });

  it('lets one of two callers go by its signal, and aborts the load with the last', async () => {
    const { source, cache, map } = build();
    const [one, two] = [new AbortController(), new AbortController()];
    const first = new Outcome(cache.getOrLoad('a', source.load, { signal: one.signal }));
    const second = new Outcome(cache.getOrLoad('a', never, { signal: two.signal }));
    const { signal } = source.last.context;
    one.abort('one');
    await settled();
    expect([first.error, second.state, signal.aborted]).toEqual(['one', 'pending', false]);
    two.abort('two');
    await settled();
    expect([second.error, signal.aborted, signal.reason]).toEqual(['two', true, 'two']);
    source.last.answer();
    await settled();
    expect([map.size, listeners(one.signal), listeners(two.signal)]).toEqual([0, 0, 0]);
    expect(await failure(cache.getOrLoad('a', never, { signal: one.signal }))).toBe('one');
    expectNothingLeft(cache);
  });

  it('loads again with the function of a caller who is still there', async () => {
    const { source, cache } = build();
    const one = new AbortController();
    const first = new Outcome(cache.getOrLoad('a', source.load, { signal: one.signal }));
    const second = new Outcome(cache.getOrLoad('a', () => 'of the second'));
    one.abort('gone');
    await soon(cache.invalidate('a'));
    await settled();
    expect([first.error, second.value]).toEqual(['gone', 'of the second']);
  });

  it('lets the last caller go while a change keeps it waiting, and leaves nothing waiting', async () => {
    const { source, cache } = build();
    const section = await soon(cache.keyed.begin('a'));
    const controller = new AbortController();
    const reading = new Outcome(cache.getOrLoad('a', source.load, { signal: controller.signal }));
    await settled();
    controller.abort('gone');
    await settled();
    expect([reading.error, cache.pending, cache.keyed.tracker.inspect().waiting]).toEqual(['gone', 0, 0]);
    section.end();
    await settled();
    expect(source.calls).toEqual([]);
    expectNothingLeft(cache);
  });

  it('ends one call after its timeoutMs', async () => {
    const clock = new ManualClock();
    const { source, cache } = build({ clock });
    const short = new Outcome(cache.getOrLoad('a', source.load, { timeoutMs: 5 }));
    const long = new Outcome(cache.getOrLoad('a', source.load));
    clock.advance(5);
    await settled();
    expect(short.error).toBeInstanceOf(TimeoutError);
    expect((short.error as Error).message).toBe('getOrLoad of "a" was not done within 5 ms');
    source.last.answer();
    await settled();
    expect([long.value, clock.pending]).toEqual(['old', 0]);
  });

  it('tells a load by its signal that it was overtaken, also one that asks too late', async () => {
    const { source, cache } = build();
    const reading = new Outcome(cache.getOrLoad('a', source.load));
    const { signal } = source.last.context;
    await soon(cache.invalidate('a', { label: 'deploy' }));
    expect(signal.reason).toBeInstanceOf(CollisionError);
    expect(String(signal.reason)).toContain('deploy');
    await settled();
    const { context } = source.last;
    await soon(cache.invalidate('a'));
    expect([context.signal.aborted, context.attempt]).toEqual([true, 2]);
    await settled();
    source.last.answer();
    await settled();
    expect(reading.value).toBe('old');
    expectNothingLeft(cache);
  });

  it('never fires the signal of a load whose value was used', async () => {
    const { source, cache } = build();
    const reading = cache.getOrLoad('a', source.load);
    const { signal } = source.last.context;
    source.last.answer();
    await soon(reading);
    await soon(cache.invalidate('a'));
    expect(signal.aborted).toBe(false);
  });

  it('stores undefined, null and false like any other value', async () => {
    const map = new Map<string, unknown>();
    const cache = fence(map);
    for (const value of [undefined, null, false, 0, '']) {
      map.clear();
      expect(await soon(cache.getOrLoad('a', () => value))).toBe(value);
      expect(await soon(cache.getOrLoad('a', never))).toBe(value);
    }
    expect(cache.stats).toMatchObject({ loads: 5, hits: 5, unstored: 0 });
  });

  it('takes for a miss what isMiss says', async () => {
    const map = new Map<string, unknown>([['a', 'none']]);
    const cache = fence(map, { isMiss: (value) => value === 'none' || value === undefined });
    expect(await soon(cache.getOrLoad('a', () => 'none'))).toBe('none');
    expect(await soon(cache.getOrLoad('a', () => 'some'))).toBe('some');
    expect([map.get('a'), cache.stats.unstored]).toEqual(['some', 1]);
  });

  it('holds the key after maxAttempts losses, so that changes queue until it is through', async () => {
    const { source, cache } = build({ maxAttempts: 1 });
    const reading = new Outcome(cache.getOrLoad('a', source.load));
    await soon(cache.invalidate('a'));
    await settled();
    const change = new Outcome(cache.invalidate('a'));
    await settled();
    expect([change.state, cache.tryBegin('a')]).toEqual(['pending', undefined]);
    source.last.answer();
    await settled();
    expect([reading.value, change.state]).toEqual(['old', 'resolved']);
    expectNothingLeft(cache);
  });

  it('gives up a hold after holdMs', async () => {
    const clock = new ManualClock();
    const { source, cache } = build({ maxAttempts: 1, holdMs: 20, clock });
    const reading = new Outcome(cache.getOrLoad('a', source.load));
    await soon(cache.invalidate('a'));
    await settled();
    clock.advance(20);
    await settled();
    expect(reading.error).toBeInstanceOf(RetryLimitError);
    expect(source.last.context.signal.aborted).toBe(true);
    expectNothingLeft(cache);
  });

  it('drops at once with tryBegin', () => {
    const { map, cache } = build();
    map.set('a', 'x').set('b', 'y');
    const section = cache.tryBegin(cache.keyed.keys(['a', 'b']));
    expect([section?.active, map.size]).toEqual([true, 0]);
    section!.end();
  });

  it('drops all keys, or those of a condition, and loads in flight with them', async () => {
    const { map, source, cache } = build();
    for (const key of ['user:1', 'user:2', 'page:1']) map.set(key, 'x');
    const reading = new Outcome(cache.getOrLoad('user:3', source.load));
    source.content = 'new';
    await soon(cache.invalidate(cache.keyed.where((key) => key.startsWith('user:'))));
    expect([...map.keys()]).toEqual(['page:1']);
    await settled();
    await soon(cache.invalidateAll());
    await settled();
    expect(map.size).toBe(0);
    source.last.answer();
    await settled();
    expect([reading.value, source.calls.length]).toEqual(['new', 3]);
  });

  it('stores by set what is known to be current, over any load in flight', async () => {
    const { map, source, cache } = build();
    const reading = new Outcome(cache.getOrLoad('a', source.load));
    await soon(cache.set('a', 'set'));
    await settled();
    expect([map.get('a'), reading.value, source.calls.length]).toEqual(['set', 'set', 1]);
    source.calls[0]!.answer();
    await settled();
    expect(map.get('a')).toBe('set');
    expectNothingLeft(cache);
  });

  it('answers a reader who comes during a set by hand from the cache, when it is over', async () => {
    const { cache } = build();
    const storing = cache.set('a', 'set');
    expect(await soon(cache.getOrLoad('a', never))).toBe('set');
    await storing;
    expect(cache.stats).toMatchObject({ loads: 0 });
    expectNothingLeft(cache);
  });

  it('does not hand out an entry that a set by hand is about to replace, and leaves it if that cannot begin', async () => {
    const { map, cache } = build();
    map.set('a', 'old');
    map.set('b', 'kept');
    const answer = deferred();
    const slow = cache.keyed.subscribe({ invalidate: () => answer.promise });
    const setting = new Outcome(cache.set('a', 'new'));
    const reading = new Outcome(cache.getOrLoad('a', never));
    await settled();
    expect([setting.state, reading.state, cache.peek('a'), map.get('a')]).toEqual(['pending', 'pending', undefined, 'old']);
    expect([await soon(cache.getOrLoad('b', never)), cache.peek('b')]).toEqual(['kept', 'kept']);
    answer.resolve();
    await settled();
    expect([setting.state, reading.value, cache.peek('a')]).toEqual(['resolved', 'new', 'new']);
    slow.close();
    const refusing = cache.keyed.subscribe({ invalidate: () => Promise.reject(new Error('no')) });
    expect(await failure(cache.set('a', 'newer'))).toBeInstanceOf(SubscriberError);
    expect([cache.peek('a'), await soon(cache.getOrLoad('a', never))]).toEqual(['new', 'new']);
    refusing.close();
    expectNothingLeft(cache);
  });

  it('ignores changes that do not concern the content', async () => {
    const { map, cache } = build({ ignore: ({ kind }) => kind === 'touch' });
    map.set('a', 'x');
    await soon(cache.invalidate('a', { kind: 'touch' }));
    expect(map.size).toBe(1);
    await soon(cache.invalidate('a'));
    expect(map.size).toBe(0);
  });

  it('shares a fence with other caches: one change reaches them all', async () => {
    const keyed = new KeyedFence<string>();
    const [one, two] = [new Map([['a', 1]]), new Map([['a', '1']])];
    const caches = [fence(one, { keyed }), fence(two, { keyed })];
    await soon(caches[0]!.mutate('a', () => expect([one.size, two.size]).toEqual([0, 0])));
    caches[0]!.close();
    expect([keyed.closed, caches[0]!.closed, caches[1]!.closed]).toEqual([false, true, false]);
    await soon(keyed.close());
    expect(caches[1]!.closed).toBe(true);
  });

  it('rejects with ClosedError once closed, aborts loads, and leaves the entries alone', async () => {
    const { map, source, cache } = build({ label: 'users' });
    map.set('b', 'x');
    const reading = new Outcome(cache.getOrLoad('a', source.load));
    const { signal } = source.last.context;
    cache.close();
    cache.close();
    await settled();
    expect(reading.error).toBeInstanceOf(ClosedError);
    expect((reading.error as Error).message).toBe('the fenced cache "users" is closed');
    expect([signal.aborted, map.size, cache.peek('b')]).toEqual([true, 1, undefined]);
    for (const call of [cache.getOrLoad('b', never), cache.invalidate('b'), cache.set('b', ''), cache.mutate('b', () => {})]) {
      expect(await failure(call)).toBeInstanceOf(ClosedError);
    }
    expect(() => cache.tryBegin('b')).toThrow(ClosedError);
    expect(`${cache}`).toMatch(/^FencedCache \{ label: "users"/);
    expectNothingLeft(cache);
  });

  it('closes by its own dispose, too', () => {
    const { cache } = build();
    (cache as unknown as { [Symbol.dispose](): void })[Symbol.dispose]();
    expect(cache.closed).toBe(true);
  });

  it('is told when its fence is closed while it loads', async () => {
    const { map, source, cache } = build();
    map.set('b', 'x');
    const reading = new Outcome(cache.getOrLoad('a', source.load));
    await soon(cache.keyed.close());
    await settled();
    expect([reading.error instanceof ClosedError, map.size]).toEqual([true, 1]);
    expectNothingLeft(cache);
  });
});

describe('a fenced cache over a network', () => {
  function build(quick: readonly string[] = [], options: Parameters<typeof fence<ManualCache>>[1] = {}) {
    const store = new ManualCache();
    for (const name of quick) store.quick.add(name);
    return { store, source: new Source(), cache: fence(store, options) };
  }

  /** So that the fence knows that the cache is asynchronous. */
  async function warm({ store, cache }: { store: ManualCache; cache: FencedCache<string> }): Promise<void> {
    const reading = new Outcome(cache.getOrLoad('warm', () => 'warm'));
    store.next('get').pass();
    await settled();
    if (store.waiting.includes('set')) store.next('set').pass();
    await settled();
    expect(reading.value).toBe('warm');
    store.log.length = 0;
  }

  it('shares one get and one load, also from the very first call on', async () => {
    const { store, source, cache } = build();
    const readings = [1, 2, 3].map(() => new Outcome(cache.getOrLoad('a', source.load)));
    expect(store.log).toEqual(['get a']);
    store.next('get').pass();
    await settled();
    source.last.answer();
    await settled();
    expect(readings.map(({ value }) => value)).toEqual(['old', 'old', 'old']);
    expect([store.log, source.calls.length]).toEqual([['get a', 'set a'], 1]);
  });

  it('answers while the value is being stored, without asking the cache', async () => {
    const { store, source, cache } = build(['get']);
    const reading = new Outcome(cache.getOrLoad('a', source.load));
    await settled();
    source.last.answer();
    await settled();
    expect([reading.value, store.waiting]).toEqual(['old', ['set']]);
    expect([await soon(cache.getOrLoad('a', never)), cache.peek('a'), cache.pending]).toEqual(['old', 'old', 1]);
    store.next('set').pass();
    await settled();
    expect([cache.peek('a'), store.log]).toEqual([undefined, ['get a', 'set a']]);
    expectNothingLeft(cache);
  });

  it('has the begin of a change wait for a set that is on its way, and delete after it', async () => {
    const { store, source, cache } = build(['get']);
    const reading = new Outcome(cache.getOrLoad('a', source.load));
    await settled();
    source.last.answer();
    await settled();
    let changed = false;
    const change = new Outcome(
      cache.mutate('a', () => {
        changed = true;
      }),
    );
    await settled();
    expect([reading.value, store.waiting, changed, cache.peek('a')]).toEqual(['old', ['set'], false, undefined]);
    store.next('set').pass();
    await settled();
    expect([store.waiting, changed, store.entries.size]).toEqual([['delete'], false, 1]);
    store.next('delete').pass();
    await settled();
    expect([changed, change.state, store.entries.size]).toEqual([true, 'resolved', 0]);
    expectNothingLeft(cache);
  });

  it('waits for that set, too, if the change before was given up while waiting for it', async () => {
    const { store, source, cache } = build(['get', 'delete']);
    cache.getOrLoad('a', source.load);
    await settled();
    source.last.answer();
    await settled();
    const controller = new AbortController();
    const impatient = new Outcome(cache.invalidate('a', { signal: controller.signal }));
    await settled();
    controller.abort('no time');
    await settled();
    expect(impatient.error).toBe('no time');
    const patient = new Outcome(cache.invalidate('a'));
    await settled();
    expect(patient.state).toBe('pending');
    store.next('set').pass();
    await settled();
    expect([patient.state, store.entries.size]).toEqual(['resolved', 0]);
    expectNothingLeft(cache);
  });

  it('has the begin wait for a get that is on its way: a cache of two tiers copies upwards what it finds', async () => {
    const desk = build(['set', 'delete']);
    const { store, source, cache } = desk;
    await warm(desk);
    const reading = new Outcome(cache.getOrLoad('a', source.load));
    const change = new Outcome(cache.invalidate('a'));
    await settled();
    expect([change.state, store.waiting]).toEqual(['pending', ['get']]);
    store.entries.set('a', 'copied upwards by the get');
    store.next('get').pass();
    await settled();
    expect([change.state, store.entries.has('a')]).toEqual(['resolved', false]);
    store.next('get').pass();
    await settled();
    source.last.answer();
    await settled();
    expect([reading.value, store.entries.get('a')]).toEqual(['old', 'old']);
    expectNothingLeft(cache);
  });

  it('never hands out what a get has read when a change came in between', async () => {
    const desk = build(['set', 'delete']);
    const { store, source, cache } = desk;
    await warm(desk);
    store.entries.set('a', 'old');
    const reading = new Outcome(cache.getOrLoad('a', source.load));
    const get = store.next('get');
    const change = new Outcome(
      cache.mutate('a', () => {
        source.content = 'new';
      }),
    );
    get.resolve('old'); // read before the delete
    await settled();
    expect([change.state, reading.state]).toEqual(['resolved', 'pending']);
    store.next('get').pass();
    await settled();
    source.last.answer();
    await settled();
    expect([reading.value, cache.stats.overtaken]).toEqual(['new', 1]);
  });

  it('asks again, in the very first call, if a delete was on its way when it was made', async () => {
    const { store, cache } = build([]);
    store.entries.set('a', 'old');
    const changing = new Outcome(cache.begin('a'));
    await settled();
    const reading = new Outcome(cache.getOrLoad('a', () => 'new'));
    store.next('get').pass(); // before the delete
    store.next('delete').pass();
    await settled();
    changing.value?.end();
    await settled();
    store.next('get').pass();
    await settled();
    expect(reading.value).toBe('new');
  });

  it('begins no load for the late answer to a get that was given up', async () => {
    const { store, source, cache } = build();
    const controller = new AbortController();
    const reading = new Outcome(cache.getOrLoad('a', source.load, { signal: controller.signal }));
    controller.abort('gone');
    await settled();
    expect([reading.error, cache.pending]).toEqual(['gone', 1]);
    store.next('get').pass();
    await settled();
    expect(source.calls).toEqual([]);
    expectNothingLeft(cache);
  });

  it('fails the begin if an entry cannot be deleted: the change is not run, and the others are deleted', async () => {
    const { store, cache } = build();
    let changed = false;
    const change = new Outcome(
      cache.mutate(cache.keyed.keys(['a', 'b', 'c']), () => {
        changed = true;
      }),
    );
    await settled();
    expect(store.log).toEqual(['delete a', 'delete b', 'delete c']);
    store.next('delete').reject(new Error('network'));
    store.next('delete').reject(new Error('disk'));
    store.next('delete').pass();
    await settled();
    expect([change.error, changed]).toEqual([expect.any(SubscriberError), false]);
    expect((change.error as SubscriberError).cause).toBeInstanceOf(AggregateError);
    expect(((change.error as SubscriberError).cause as AggregateError).message).toBe('2 entries could not be deleted');
    const single = new Outcome(cache.invalidate('a'));
    await settled();
    store.next('delete').reject(new Error('network'));
    await settled();
    expect((single.error as SubscriberError).cause).toMatchObject({ message: 'network' });
    expectNothingLeft(cache);
  });

  it('takes whatever a delete answers for done: false means that there was nothing', async () => {
    const { store, cache } = build();
    const change = new Outcome(cache.invalidate('a'));
    await settled();
    store.next('delete').resolve(false);
    await settled();
    expect(change.state).toBe('resolved');
  });

  it('hands the value out if it cannot be stored, counts it, and tells onSetError', async () => {
    const errors: unknown[] = [];
    const { store, cache } = build(['get'], { onSetError: (error, key) => errors.push([key, error]) });
    expect(await soon(cache.getOrLoad('a', () => 'x'))).toBe('x');
    store.next('set').reject('network');
    await settled();
    store.set = () => {
      throw 'at once';
    };
    expect(await soon(cache.getOrLoad('b', () => 'y'))).toBe('y');
    await settled();
    expect(errors).toEqual([
      ['a', 'network'],
      ['b', 'at once'],
    ]);
    expect(cache.stats.setErrors).toBe(2);
    expectNothingLeft(cache);
  });

  it('passes on an error of get as it is, thrown or rejected', async () => {
    const { store, cache } = build();
    const reading = new Outcome(cache.getOrLoad('a', never));
    store.next('get').reject('network');
    await settled();
    expect(reading.error).toBe('network');
    const second = new Outcome(cache.getOrLoad('a', never));
    store.next('get').pass();
    await settled();
    expect(second.error).toMatchObject({ message: 'the load was not expected' });
    store.get = () => {
      throw 'at once';
    };
    expect(await failure(cache.getOrLoad('a', never))).toBe('at once');
    expect(await failure(fence(store).getOrLoad('a', never))).toBe('at once');
    expectNothingLeft(cache);
  });

  it('hands out what the cache cannot keep, and does not store it', async () => {
    const { store, cache } = build(['get', 'set']);
    expect(await soon(cache.getOrLoad('a', () => undefined))).toBeUndefined();
    expect(await soon(cache.getOrLoad('a', () => null))).toBeNull();
    expect(await soon(cache.getOrLoad('a', never))).toBeNull();
    expect([store.log.filter((each) => each.startsWith('set')), cache.stats.unstored]).toEqual([['set a'], 1]);
  });

  it('passes setOptions to the set of the cache, also as a function of the value, and to set by hand', async () => {
    const { store, cache } = build(['get', 'delete']);
    await soon(cache.getOrLoad('a', () => 'x', { setOptions: 5 as never }));
    expect(store.next('set').rest).toEqual([5]);
    store.next('set').pass();
    await soon(cache.getOrLoad('b', () => 'four', { setOptions: (value: string) => value.length as never }));
    expect(store.next('set').rest).toEqual([4]);
    store.next('set').pass();
    await soon(cache.getOrLoad('c', () => 'x'));
    expect(store.next('set').rest).toEqual([]);
    store.next('set').pass();
    const setting = new Outcome(cache.set('a', 'y', { setOptions: 6 as never }));
    await settled();
    expect(store.next('set').rest).toEqual([6]);
    store.next('set').pass();
    await settled();
    expect([setting.state, store.entries.get('a')]).toEqual(['resolved', 'y']);
  });

  it('rejects a set by hand with the error of the cache, and readers load', async () => {
    const { store, source, cache } = build(['get', 'delete']);
    const setting = new Outcome(cache.set('a', 'y'));
    await settled();
    const reading = new Outcome(cache.getOrLoad('a', source.load));
    await settled();
    expect(source.calls).toEqual([]);
    store.next('set').reject('network');
    await settled();
    source.last.answer();
    await settled();
    expect([setting.error, reading.value]).toEqual(['network', 'old']);
  });

  it('only deletes by a set by hand while somebody else changes the key, whoever came first', async () => {
    for (const scope of ['key', 'all', 'where'] as const) {
      const { store, cache } = build(['get', 'delete', 'clear', 'set']);
      const { keyed } = cache;
      const what = { key: 'a', all: keyed.all, where: keyed.where((key) => key === 'a') }[scope];
      const other = await soon(keyed.begin(what));
      await soon(cache.set('a', 'during'));
      expect(store.entries.size).toBe(0);
      other.end();
      const setting = cache.set('a', 'overtaken'); // its begin takes a few turns
      await soon(keyed.mutate(what, () => {}));
      await soon(setting);
      expect(store.entries.size).toBe(0);
      await soon(cache.set('a', 'after'));
      expect(store.entries.get('a')).toBe('after');
      expectNothingLeft(cache);
    }
  });

  it('stores by a set inside a change of the key that names it', async () => {
    const { store, cache } = build(['get', 'delete', 'set']);
    await cache.mutate('a', (within) => cache.set('a', 'written', { within }));
    expect(store.entries.get('a')).toBe('written');
    await cache.mutate(cache.keyed.keys(['b', 'c']), async (within) => {
      const other = await cache.keyed.begin('b');
      await cache.set('b', 'who knows', { within });
      await cache.set('c', 'written', { within });
      other.end();
    });
    expect([...store.entries.keys()]).toEqual(['a', 'c']);
  });

  it('has a change that comes during a set by hand win', async () => {
    const { store, source, cache } = build(['get', 'delete']);
    const setting = new Outcome(cache.set('a', 'set'));
    await settled();
    const change = new Outcome(
      cache.mutate('a', () => {
        source.content = 'newer';
      }),
    );
    await settled();
    expect([store.waiting, change.state]).toEqual([['set'], 'pending']);
    store.next('set').pass();
    await settled();
    expect([setting.state, change.state, store.entries.size]).toEqual(['resolved', 'resolved', 0]);
  });

  it('cannot comply at once: tryBegin is refused, what is stored stays, and what was being loaded is loaded again', async () => {
    const desk = build(['set', 'delete']);
    const { store, source, cache } = desk;
    await warm(desk);
    const reading = new Outcome(cache.getOrLoad('a', source.load));
    expect([cache.tryBegin('a'), cache.tryBegin('warm')]).toEqual([undefined, undefined]);
    await settled();
    for (const get of [...store.operations]) get.pass();
    await settled();
    source.last.answer();
    await settled();
    expect([reading.value, [...store.entries.keys()]]).toEqual(['old', ['warm', 'a']]);
    expectNothingLeft(cache);
  });

  it('clears all when a condition changes and it cannot list its keys, after what is on its way', async () => {
    const { store, cache } = build(['get']);
    await soon(cache.getOrLoad('a', () => 'x'));
    const change = new Outcome(cache.invalidate(cache.keyed.where((key) => key === 'a')));
    await settled();
    expect(store.waiting).toEqual(['set']);
    store.next('set').pass();
    await settled();
    expect(store.waiting).toEqual(['clear']);
    store.next('clear').pass();
    await settled();
    expect([change.state, store.entries.size]).toEqual(['resolved', 0]);
    expectNothingLeft(cache);
  });

  it('peeks without waiting, and what that has asked the cache is waited for like any other get', async () => {
    const { store, cache } = build(['delete']);
    expect(cache.peek('a')).toBeUndefined();
    const change = new Outcome(cache.invalidate('a'));
    await settled();
    expect(change.state).toBe('pending');
    store.next('get').pass();
    await settled();
    expect(change.state).toBe('resolved');
    expect([cache.peek('a'), store.log.filter((each) => each.startsWith('get'))]).toEqual([undefined, ['get a']]);
  });

  it('lets what is on its way end before close of the fence resolves', async () => {
    const { store, cache } = build(['get']);
    await soon(cache.getOrLoad('a', () => 'x'));
    const closing = new Outcome(cache.keyed.close());
    await settled();
    expect(closing.state).toBe('pending');
    store.next('set').pass();
    await settled();
    expect([closing.state, store.entries.get('a')]).toEqual(['resolved', 'x']);
  });
});

describe('shapes', () => {
  class Items {
    readonly items = new Map<string, unknown>();
    getItem = async (key: string) => this.items.get(key) ?? null;
    setItem = async (key: string, value: unknown) => void this.items.set(key, value);
    removeItem = async (key: string) => void this.items.delete(key);
    getKeys = async () => [...this.items.keys()];
  }

  it('with getItem, setItem and removeItem, of which null is a miss, list their keys for a condition and for all', async () => {
    const items = new Items();
    const cache = fence(items);
    expect(await soon(cache.getOrLoad('a', () => null))).toBeNull();
    for (const key of ['a', 'b']) expect(await soon(cache.getOrLoad(key, () => 1))).toBe(1);
    expect([cache.stats.unstored, items.items.size]).toEqual([1, 2]);
    await soon(cache.invalidate(cache.keyed.where((key) => key === 'a')));
    expect([...items.items.keys()]).toEqual(['b']);
    await soon(cache.invalidateAll());
    expect(items.items.size).toBe(0);
  });

  it('with del for delete, and without a way to drop all keys, which is said before anything changes', async () => {
    const map = new Map<string, unknown>();
    const cache = fence({
      get: (key: string) => map.get(key),
      set: (key: string, value: unknown) => map.set(key, value),
      del: (key: string) => map.delete(key),
    });
    expect(await soon(cache.getOrLoad('a', () => 1))).toBe(1);
    await soon(cache.invalidate('a'));
    expect(map.size).toBe(0);
    expect(await failure(cache.invalidateAll())).toBeInstanceOf(InvalidArgumentError);
    expect(await failure(cache.mutate(cache.keyed.all, () => {}))).toBeInstanceOf(InvalidArgumentError);
    expect(await failure(cache.invalidate(cache.keyed.where(() => true)))).toBeInstanceOf(InvalidArgumentError);
    expect(await failure(cache.keyed.mutate(cache.keyed.all, () => {}))).toBeInstanceOf(SubscriberError);
    expectNothingLeft(cache);
  });

  it('that throw in delete fail the begin', async () => {
    const map = new Map<string, string>();
    map.delete = () => {
      throw new Error('read-only');
    };
    const cache = fence(map);
    expect(await failure(cache.invalidate('a'))).toBeInstanceOf(SubscriberError);
    expect(() => cache.tryBegin('a')).toThrow(SubscriberError);
  });

  it('whose set calls back and changes the key end without the value', async () => {
    const map = new Map<string, string>();
    const cache = fence({
      get: (key: string) => map.get(key),
      set(key: string, value: string) {
        changing = cache.invalidate(key);
        refused = cache.tryBegin(key) === undefined;
        map.set(key, value);
      },
      delete: (key: string) => map.delete(key),
    });
    let changing: Promise<void> | undefined;
    let refused: boolean | undefined;
    expect(await soon(cache.getOrLoad('a', () => 'x'))).toBe('x');
    await soon(changing!);
    expect([map.size, refused]).toEqual([0, true]);
    expectNothingLeft(cache);
  });

  it.each([
    ['a number', 7],
    ['nothing', undefined],
    ['an object without delete', { get() {}, set() {} }],
  ])('of %s are refused', (_, cache) => {
    expect(() => fence(cache as never)).toThrow(InvalidArgumentError);
  });

  it.each([
    ['options', null],
    ['keyed', { keyed: {} }],
    ['identify beside keyed', { keyed: new KeyedFence(), identify: (key: unknown) => key }],
    ['isMiss', { isMiss: 1 }],
    ['onSetError', { onSetError: 1 }],
    ['maxAttempts', { maxAttempts: 0.5 }],
    ['holdMs', { holdMs: 0 }],
    ['ignore', { ignore: 1 }],
    ['label', { label: 1 }],
  ])('with bad options are refused: %s', (_, options) => {
    expect(() => fence(new Map(), options as never)).toThrow(InvalidArgumentError);
  });

  it('check the load and the options of a call', async () => {
    const cache = fence(new Map<string, string>());
    expect(await failure(cache.getOrLoad('a', 1 as never))).toBeInstanceOf(InvalidArgumentError);
    expect(await failure(cache.getOrLoad('a', never, { timeoutMs: -1 }))).toBeInstanceOf(InvalidArgumentError);
    expectNothingLeft(cache);
  });
});
