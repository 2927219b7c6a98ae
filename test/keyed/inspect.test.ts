/**
 * What people are shown of a keyed fence: keys and labels, never points of a line.
 */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CollisionError, RetryLimitError } from '../../lib/index.js';
import { fence, KeyedFence } from '../../lib/keyed/index.js';
import { keysText, keyText } from '../../lib/keyed/keys.js';
import { TraceRecorder, toChromeTrace } from '../../lib/trace/index.js';
import { ManualCache } from '../support/keyed/manual-cache.js';
import { ManualClock, settled } from '../support/model/clock.js';
import { deferred, failure, Outcome, soon } from '../support/turns.js';

describe('inspect', () => {
  it('shows sections, who waits for them and who holds, by key and label, as plain data', async () => {
    const clock = new ManualClock();
    const keyed = new KeyedFence<unknown>({ label: 'users', clock });
    const cache = fence(new Map<unknown, number>(), { keyed, label: 'names' });
    const section = await soon(keyed.begin(keyed.keys(['a', 7, { id: 1 }]), { label: 'rename', kind: 'clear' }));
    const others = [await soon(keyed.begin(keyed.all)), await soon(keyed.begin(keyed.where((key) => key === 'q')))];
    const reading = new Outcome(cache.getOrLoad('a', () => 1));
    const looking = new Outcome(keyed.lookup(keyed.keys(['a', 'b']), () => 2, { label: 'sum' }));
    const both = new Outcome(keyed.readBegin(keyed.all));
    await settled();
    clock.advance(30);
    await settled();
    const snapshot = keyed.inspect();
    expect(JSON.parse(JSON.stringify(keyed))).toEqual(snapshot);
    expect(snapshot).toMatchObject({ label: 'users', closed: false, waiting: 3, size: expect.any(Number), holds: [] });
    expect(snapshot.sections.map(({ keys, kind, label, forMs }) => ({ keys, kind, label, forMs }))).toEqual([
      { keys: ['a', 7, '{"id":1}'], kind: 'clear', label: 'rename', forMs: 30 },
      { keys: 'all', kind: 'clear', label: null, forMs: 30 },
      { keys: 'condition', kind: 'clear', label: null, forMs: 30 },
    ]);
    expect(snapshot.sections.flatMap(({ waiting }) => waiting)).toEqual(
      expect.arrayContaining([
        { operation: 'lookup', label: 'names', keys: ['a'], forMs: 30 },
        { operation: 'lookup', label: 'sum', keys: ['a', 'b'], forMs: 30 },
        { operation: 'readBegin', label: null, keys: 'all', forMs: 30 },
      ]),
    );
    expect(snapshot.caches).toMatchObject([
      { label: 'names', closed: false, reads: [{ key: '"a"', state: 'waiting', attempt: 0, forMs: 30, callers: 1 }], busy: [] },
    ]);
    for (const each of [section, ...others]) each.end();
    await settled();
    expect([reading.value, looking.value, both.state]).toEqual([1, 2, 'resolved']);
    cache.close();
    expect(keyed.inspect().caches).toEqual([]);
  });

  it('shows what a cache is asked, what it loads and stores, its hits, loads and retries', async () => {
    const store = new ManualCache();
    store.quick.add('delete');
    const cache = fence(store, { label: 'names' });
    const answers = [deferred<string>(), deferred<string>()];
    let loads = 0;
    const reading = new Outcome(cache.getOrLoad('a', () => answers[loads++]!.promise));
    await settled();
    const shown = () => cache.inspect().reads.map(({ state, attempt, callers }) => [state, attempt, callers]);
    expect([shown(), cache.inspect().busy]).toEqual([[['asking', 0, 1]], ['"a"']]);
    store.next('get').pass();
    await settled();
    expect(shown()).toEqual([['loading', 1, 1]]);
    const joined = new Outcome(cache.getOrLoad('a', () => answers[1]!.promise));
    const section = await soon(cache.begin('a'));
    await settled();
    expect(shown()).toEqual([['waiting', 0, 2]]);
    section.end();
    await settled();
    store.next('get').pass();
    await settled();
    expect(shown()).toEqual([['loading', 2, 2]]);
    answers[1]!.resolve('x');
    await settled();
    expect([cache.inspect().reads, cache.inspect().busy, reading.value, joined.value]).toEqual([[], ['"a"'], 'x', 'x']);
    expect(cache.inspect().stats).toMatchObject({ hits: 0, misses: 2, loads: 2, joined: 1, overtaken: 1 });
    expect(cache.inspect().stats).not.toBe(cache.stats);
  });

  it('shows who holds a key, and for how much longer', async () => {
    const clock = new ManualClock();
    const keyed = new KeyedFence<string>({ clock });
    const gate = deferred();
    const holding = new Outcome(
      keyed.lookup(
        'a',
        async ({ number }) => {
          if (number === 1) await keyed.invalidate('a');
          else await gate.promise;
        },
        { maxAttempts: 1, holdMs: 500, label: 'stubborn' },
      ),
    );
    await settled();
    const queued = new Outcome(keyed.invalidate('a', { label: 'late' }));
    clock.advance(100);
    await settled();
    const { holds, sections } = keyed.inspect();
    expect(holds).toEqual([{ label: 'stubborn', keys: ['a'], admitted: true, leftMs: 400, waiting: 1 }]);
    expect(sections).toMatchObject([{ state: 'queued', keys: ['a'], label: 'late' }]);
    gate.resolve();
    await settled();
    expect([holding.state, queued.state]).toEqual(['resolved', 'resolved']);
  });
});

describe('what is printed', () => {
  it('is one line, with keys, and plain data as JSON', async () => {
    const cache = fence(new Map<string, number>(), { label: 'names' });
    const told: unknown[] = [];
    cache.keyed.subscribe({ invalidate: (change) => void told.push(change) });
    const section = await soon(cache.begin(cache.keyed.keys(['a', 'b']), { label: 'rename' }));
    const reading = cache.getOrLoad('a', () => 1);
    expect([cache, cache.keyed, section, told[0]].map((each) => inspect(each))).toEqual([
      'FencedCache { label: "names", reading: "\\"a\\"", hits: 0, loads: 0, closed: false }',
      'KeyedFence { label: "names", seq: 1, keys: 2, active: 1, waiting: 1, caches: 1, closed: false }',
      'KeyedInvalidation { keys: "a" "b", kind: "clear", label: "rename", active: true }',
      'KeyedChange { keys: "a" "b", kind: "clear", label: "rename", active: true }',
    ]);
    expect(JSON.stringify(section)).toBe('{"keys":["a","b"],"kind":"clear","label":"rename","active":true}');
    section.end();
    await soon(reading);
  });
});

describe('a trace', () => {
  it('shows keys: of sections, readers and collisions', async () => {
    const recorder = new TraceRecorder();
    const keyed = new KeyedFence<string>({ observer: recorder.observer });
    await soon(keyed.invalidate('x'));
    const lookup = keyed.lookup(keyed.keys(['a', 'b']), async ({ number }) => {
      if (number === 1) await keyed.invalidate('b', { label: 'rename' });
    });
    await soon(lookup);
    const trace = recorder.trace();
    const where = (type: string) =>
      trace.events.filter((each) => each.type === type).map((each) => (each as { where?: string }).where);
    expect(where('begin')).toEqual(['key "x"', 'key "b"']);
    expect(where('attempt')).toEqual(['keys "a", "b"', 'keys "a", "b"']);
    expect(where('collided')).toEqual(['key "b"']);
    const events = JSON.stringify(toChromeTrace(trace));
    for (const text of ['section #1 (clear of key \\"x\\")', 'of keys \\"a\\", \\"b\\"']) expect(events).toContain(text);
  });
});

describe('errors', () => {
  it('of a wait, of a begin and of a subscriber name keys, too', async () => {
    const clock = new ManualClock();
    const keyed = new KeyedFence<string>({ clock });
    await soon(keyed.invalidate('x'));
    const section = await soon(keyed.begin('a', { label: 'rename' }));
    const late = [
      keyed.lookup('a', () => 1, { timeoutMs: 5, label: 'sum' }),
      keyed.readBegin(keyed.keys(['a', 'b']), { timeoutMs: 5 }),
    ].map((each) => new Outcome<unknown>(each));
    await settled();
    clock.advance(5);
    await settled();
    const messages = late.map(({ error }) => (error as Error).message);
    expect(messages[0]).toMatch(/lookup "sum" over key "a" .* the invalidation "rename" \(clear\) over key "a"/);
    expect(messages[1]).toContain('readBegin over keys "a", "b"');
    section.end();
    keyed.subscribe({ invalidate: () => Promise.reject(new Error('no')) });
    messages.push(((await failure(keyed.invalidate('c', { label: 'third' }))) as Error).message);
    for (const message of messages) expect(message).not.toMatch(/\[\d/);
  });

  it('name the key that was hit, where a tracker names ranges', async () => {
    const keyed = new KeyedFence<string>();
    for (const key of ['x', 'y', 'z']) await soon(keyed.invalidate(key));
    const lookup = keyed.lookup(
      keyed.keys(['a', 'b']),
      async ({ signal }) => {
        void signal;
        await keyed.invalidate('b', { label: 'rename' });
      },
      { maxAttempts: 1, whenExhausted: 'throw', label: 'sum' },
    );
    const error = (await failure(lookup)) as RetryLimitError;
    expect(error).toBeInstanceOf(RetryLimitError);
    expect(error.message).toContain('"rename" over key "b"');
    expect(error.collision?.where).toBe('key "b"');

    const reasons: unknown[] = [];
    const observing = keyed.lookup('a', async (attempt) => {
      if (attempt.number > 1) return;
      attempt.observe('c');
      attempt.signal.addEventListener('abort', () => reasons.push(attempt.signal.reason));
      await keyed.invalidate('c');
    });
    await soon(observing);
    expect(reasons).toEqual([expect.any(CollisionError)]);
    expect((reasons[0] as Error).message).toContain('over key "c"');
    expect((reasons[0] as Error).message).not.toContain('[');
  });

  it('name the key that was not read in time', async () => {
    const clock = new ManualClock();
    const cache = fence(new Map<string, number>(), { clock });
    const section = await soon(cache.begin('a'));
    const reading = new Outcome(cache.getOrLoad('a', () => 1, { timeoutMs: 5 }));
    clock.advance(5);
    await settled();
    expect((reading.error as Error).message).toContain('getOrLoad of "a"');
    section.end();
  });
});

describe('a key as a text', () => {
  it.each([
    ['a', '"a"'],
    [7, '7'],
    [7n, '7n'],
    [Symbol('s'), 'Symbol(s)'],
    [undefined, 'undefined'],
    [null, 'null'],
    [['user', 1], '["user",1]'],
    [{ id: 1 }, '{"id":1}'],
    [new Date(0), 'a Date'],
    [Object.create(null), '{}'],
    [() => {}, 'a function'],
    [[7n], 'an array'],
    ['x'.repeat(100), `"${'x'.repeat(59)}...`],
  ])('%s', (key, text) => {
    expect(keyText(key)).toBe(text);
  });

  it('in a list is short, whatever is in it', () => {
    const getter = Object.defineProperty({}, 'a', {
      enumerable: true,
      get() {
        throw new Error('mine');
      },
    });
    expect(keysText([getter])).toBe('key an object');
    expect(keysText([1, 2, 3, 4, 5, 6])).toBe('keys 1, 2, 3, 4 and 2 more');
    expect([keysText(undefined), keysText([])]).toEqual(['all keys', 'a key']);
  });
});
