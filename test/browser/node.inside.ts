/** What stands in for Node in these tests, in the page itself: a count that is always 0 would let every leak pass. */
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { listeners } from '../support/leftovers.js';
import { setImmediate } from './node/globals.js';

describe('the count of abort listeners', () => {
  it('goes up and down with them, each counted once', () => {
    const { signal } = new AbortController();
    const [one, other] = [() => {}, () => {}];
    signal.addEventListener('abort', one);
    signal.addEventListener('abort', one);
    signal.addEventListener('abort', other, { once: true });
    expect([listeners(signal), getEventListeners(signal, 'abort')]).toEqual([2, [one, other]]);
    signal.removeEventListener('abort', one);
    signal.removeEventListener('abort', one);
    expect(getEventListeners(signal, 'abort')).toEqual([other]);
    signal.removeEventListener('abort', other);
    expect(listeners(signal)).toBe(0);
  });

  it('is without those for once when they are called, and keeps the others', () => {
    const controller = new AbortController();
    const counts: number[] = [];
    controller.signal.addEventListener('abort', () => counts.push(listeners(controller.signal)), { once: true });
    controller.signal.addEventListener('abort', () => counts.push(listeners(controller.signal)));
    controller.abort();
    controller.abort();
    expect([counts, listeners(controller.signal)]).toEqual([[1, 1], 1]);
  });

  it('is about abort listeners of this signal alone', () => {
    const { signal } = new AbortController();
    signal.addEventListener('else', () => {});
    AbortSignal.any([signal]).addEventListener('abort', () => {});
    expect(listeners(signal)).toBe(0);
  });
});

describe('the page', () => {
  it('has no globals of Node, whatever tests import', () => {
    expect(['process', 'Buffer', 'setImmediate', 'require'].filter((name) => name in globalThis)).toEqual([]);
  });

  it('runs what setImmediate has put off after the microtasks', async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      setImmediate(() => resolve(void order.push('task')));
      queueMicrotask(() => queueMicrotask(() => order.push('microtasks')));
    });
    expect(order).toEqual(['microtasks', 'task']);
  });
});
