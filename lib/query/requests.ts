/**
 * Requests: what the adapters for other clients share. A request of theirs reads, or writes, what its fence knows by keys.
 */
import { check } from '../base/errors.js';
import { assimilate } from '../base/thenable.js';
import type { KeyedAttempt, KeyScope } from '../keyed/index.js';
import { KeyedFence } from '../keyed/internal.js';

/** What a request is about: a key, several as one (`fence.keys`, `where`, `all`), or `undefined` if the fence has no business with it. */
export type RequestScope<K> = K | KeyScope<K> | undefined;

/** A load retries, and never holds its keys: a hold would delay the change that is announced after the fact. */
export const RETRIES: { readonly maxAttempts: number } = { maxAttempts: Number.POSITIVE_INFINITY };

/** What is read, or the rejection of an attempt as soon as a change has hit it: nobody waits for what will not be used. */
export function unlessHit<K, T>(attempt: KeyedAttempt<K>, read: () => T | PromiseLike<T>): T | Promise<T> {
  const { signal } = attempt;
  const returned = read();
  const late = assimilate(returned);
  if (late === undefined) return returned as T;
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    late.then(resolve, reject);
  });
}

/** Throws `InvalidArgumentError`. */
export function checkFence(fence: unknown): void {
  check(fence instanceof KeyedFence, 'fence', fence, 'a KeyedFence');
}

/** Throws `InvalidArgumentError`. */
export function checkFunction(name: string, value: unknown): void {
  check(value === undefined || typeof value === 'function', name, value, 'a function');
}
