/**
 * What lookups read, and when: a fetch that the test answers.
 */
import type { Attempt, Range } from '../../../index.js';
import { type Deferred, deferred } from './turns.js';

/** `[start, end)`. */
export function range(start: number, end: number): Range {
  return { start, end };
}

/** One call of fetch, waiting for the test to say what was read. */
export interface Call<T> extends Deferred<T> {
  readonly attempt: Attempt;
}

/** A fetch whose every attempt is answered by the test. */
export class ManualFetch<T = string> {
  readonly calls: Call<T>[] = [];

  readonly fetch = (attempt: Attempt): Promise<T> => {
    const call = { attempt, ...deferred<T>() };
    this.calls.push(call);
    return call.promise;
  };

  /** The attempt that runs now, or ran last. */
  get last(): Call<T> {
    const call = this.calls.at(-1);
    if (call === undefined) throw new Error('fetch has not been called');
    return call;
  }
}

/** The same without the class: a fetch that adds its calls to a list. */
export function deferredFetch<T>(calls: Call<T>[]): (attempt: Attempt) => Promise<T> {
  return (attempt) => {
    const call = { attempt, ...deferred<T>() };
    calls.push(call);
    return call.promise;
  };
}

/** Every order of the items. */
export function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => permutations(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest]));
}
