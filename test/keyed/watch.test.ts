import { describe, expect, it, vi } from 'vitest';
import { InvalidArgumentError, RangeTracker } from '../../lib/index.js';
import { KeyedFence, watch } from '../../lib/keyed/index.js';
import { settled } from '../support/model/clock.js';
import { type Deferred, deferred, soon } from '../support/turns.js';

/** A fence, and loads of it that answer when they are told to. */
function desk() {
  const fence = new KeyedFence<string>();
  const loads: Deferred<number>[] = [];
  const load = () => {
    const answer = deferred<number>();
    loads.push(answer);
    return answer.promise;
  };
  const answer = async (value: number) => {
    loads.at(-1)!.resolve(value);
    await settled();
  };
  const values: number[] = [];
  return { fence, loads, load, answer, values, onValue: (value: number) => void values.push(value) };
}

describe('watch', () => {
  it('reads now, and again at the end of each change of its key', async () => {
    const { fence, loads, load, answer, values, onValue } = desk();
    watch(fence, 'a', load, onValue);
    await answer(1);
    const section = await soon(fence.begin('a'));
    expect(loads).toHaveLength(1);
    section.end();
    await answer(2);
    await soon(fence.invalidate('b'));
    await settled();
    expect([values, loads.length]).toEqual([[1, 2], 2]);
  });

  it('hands out nothing that a change has overtaken, and reads once for it', async () => {
    const { fence, loads, load, values, onValue } = desk();
    watch(fence, 'a', load, onValue);
    await soon(fence.invalidate('a'));
    loads[0]!.resolve(1);
    await settled();
    loads[1]!.resolve(2);
    await settled();
    expect([values, loads.length, fence.size]).toEqual([[2], 2, 0]);
  });

  it('begins inside a change by waiting for its end', async () => {
    const { fence, loads, load, answer, values, onValue } = desk();
    const section = await soon(fence.begin('a'));
    watch(fence, 'a', load, onValue);
    await settled();
    expect(loads).toHaveLength(0);
    section.end();
    await settled();
    await answer(2);
    expect([values, loads.length]).toEqual([[2], 1]);
  });

  it('misses no change, however soon it comes after a value or an error', async () => {
    for (const fails of [false, true]) {
      for (let turns = 0; turns < 12; turns++) {
        const { fence, loads, load, values, onValue } = desk();
        watch(fence, 'a', load, onValue, { onError: () => {} });
        if (fails) loads[0]!.reject(new Error('not found'));
        else loads[0]!.resolve(1);
        for (let i = 0; i < turns; i++) await undefined;
        fence.tryBegin('a')!.end();
        await settled();
        loads.at(-1)!.resolve(2);
        await settled();
        expect([fails, turns, values.at(-1), loads.length]).toEqual([fails, turns, 2, 2]);
      }
    }
  });

  it('watches several keys, a condition, and all', async () => {
    for (const [what, hit, missed] of [
      ['keys', 'b', 'c'],
      ['where', 'ab', 'c'],
      ['all', 'c', undefined],
    ] as const) {
      const { fence, loads, load, answer, onValue } = desk();
      const scopes = { keys: fence.keys(['a', 'b']), where: fence.where((key) => key.startsWith('a')), all: fence.all };
      watch(fence, scopes[what], load, onValue);
      await answer(1);
      if (missed !== undefined) await soon(fence.invalidate(missed));
      await settled();
      expect([what, loads.length]).toEqual([what, 1]);
      await soon(fence.invalidate(hit));
      await settled();
      expect([what, loads.length]).toEqual([what, 2]);
      await answer(2);
      await soon(fence.invalidate(fence.where(() => true)));
      await settled();
      expect([what, loads.length]).toEqual([what, 3]);
    }
  });

  it('watches ranges of a tracker', async () => {
    const tracker = new RangeTracker();
    const { loads, load, answer, values, onValue } = desk();
    const watched = watch(tracker, { start: 0, end: 8 }, load, onValue);
    await answer(1);
    await soon(tracker.invalidate({ start: 8, end: 16 }));
    await soon(tracker.invalidate({ start: 4, end: 16 }));
    await settled();
    await answer(2);
    expect([values, loads.length]).toEqual([[1, 2], 2]);
    await soon(tracker.close());
    expect(watched.closed).toBe(true);
  });

  it('leaves out changes that it ignores', async () => {
    const { fence, loads, load, answer, onValue } = desk();
    watch(fence, 'a', load, onValue, { ignore: ({ kind }) => kind === 'soft-dirty', label: 'mine' });
    await answer(1);
    await soon(fence.invalidate('a', { kind: 'soft-dirty' }));
    await settled();
    expect(loads).toHaveLength(1);
  });

  it('tells of errors, and tries again at the next change', async () => {
    const { fence, loads, load, answer, values } = desk();
    const errors: unknown[] = [];
    const onValue = (value: number) => {
      if (value === 2) throw new Error('no place');
      values.push(value);
    };
    watch(fence, 'a', load, onValue, { onError: (error) => void errors.push((error as Error).message) });
    loads[0]!.reject(new Error('not found'));
    await settled();
    for (const value of [2, 3]) {
      await soon(fence.invalidate('a'));
      await settled();
      await answer(value);
    }
    expect([errors, values]).toEqual([['not found', 'no place'], [3]]);
  });

  it('ends when it is closed, by its signal, or with its fence, and leaves nothing behind', async () => {
    for (const how of ['close', 'dispose', 'signal', 'fence', 'aborted before'] as const) {
      const { fence, loads, load, values, onValue } = desk();
      const controller = new AbortController();
      const onError = vi.fn();
      if (how === 'aborted before') controller.abort();
      const removed = vi.spyOn(controller.signal, 'removeEventListener');
      const watched = watch(fence, 'a', load, onValue, { signal: controller.signal, onError });
      if (how === 'close') watched.close();
      if (how === 'dispose') (watched as unknown as Record<symbol, () => void>)[Symbol.dispose]!();
      if (how === 'signal') controller.abort(new Error('enough'));
      if (how === 'fence') await soon(fence.close());
      loads[0]?.resolve(1);
      await settled();
      expect([how, watched.closed, values, fence.size, onError.mock.calls]).toEqual([how, true, [], 0, []]);
      if (how === 'fence') continue;
      await soon(fence.invalidate('a'));
      expect(loads.length).toBe(how === 'aborted before' ? 0 : 1);
      if (how === 'close') expect(removed).toHaveBeenCalled();
    }
  });

  it('refuses bad arguments before anything has changed', () => {
    const fence = new KeyedFence<string>();
    const nothing = () => {};
    expect(() => watch({} as never, 'a', nothing, nothing)).toThrow(InvalidArgumentError);
    expect(() => watch(fence, 'a', 1 as never, nothing)).toThrow('load is 1; expected a function');
    expect(() => watch(fence, 'a', nothing, 'b' as never)).toThrow('onValue is "b"');
    expect(() => watch(fence, 'a', nothing, nothing, { onerror: nothing } as never)).toThrow('did you mean "onError"?');
    expect(() => watch(fence, 'a', nothing, nothing, { onError: 1 as never })).toThrow('onError is 1');
    expect(() => watch(fence, 'a', nothing, nothing, { signal: 1 as never })).toThrow('signal is 1');
    expect(fence.size).toBe(0);
  });
});
