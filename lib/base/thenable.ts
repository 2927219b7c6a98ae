/**
 * Thenables: what users hand over in place of a promise.
 */

/** True for anything with a `then`. Reads it; whoever goes on with the value does so through {@link assimilate}, or `await`. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  const mayBe = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return mayBe && typeof (value as { then?: unknown }).then === 'function';
}

/**
 * The value as a native promise, if it is a thenable; otherwise `undefined`. A native promise comes back as it is. Of anything else
 * `then` is read once and called once, at once: it may be a query that runs each time it is called, return nothing, call back in
 * this turn, twice, or in another asynchronous context. Never throws: what a `then` throws is what the promise rejects with.
 */
export function assimilate<T>(value: T | PromiseLike<T>): Promise<T> | undefined {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return undefined;
  let then: unknown;
  try {
    ({ then } = value as { then?: unknown });
  } catch (error) {
    return Promise.reject(error);
  }
  if (typeof then !== 'function') return undefined;
  // Subclasses, and instances with a `then` of their own, are as foreign as anybody.
  if (then === Promise.prototype.then && value instanceof Promise && value.constructor === Promise) return value;
  return new Promise((resolve, reject) => Reflect.apply(then, value, [resolve, reject]));
}
