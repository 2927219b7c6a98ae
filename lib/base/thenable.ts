/**
 * Thenables: what users hand over in place of a promise.
 */

/** True for anything with a `then`. Reads it; whoever goes on with the value does so through {@link assimilate}, or `await`. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  const mayBe = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return mayBe && typeof (value as { then?: unknown }).then === 'function';
}

/**
 * The value as a promise, if it is a thenable; otherwise `undefined`. A native promise comes back as it is. Of anything else
 * `then` is read once and called once, at once: it may be a query that runs each time it is called.
 */
export function assimilate<T>(value: T | PromiseLike<T>): Promise<T> | undefined {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return undefined;
  const { then } = value as { then?: unknown };
  if (typeof then !== 'function') return undefined;
  if (value instanceof Promise && then === Promise.prototype.then) return value;
  return new Promise((resolve, reject) => then.call(value, resolve, reject));
}
