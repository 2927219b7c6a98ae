/**
 * Promises step by step, in turns of the microtask queue: nothing here waits for time to pass.
 */

/** More than any chain of promises in the tracker is long: after so many turns, what is still pending waits for something. */
const ENOUGH = 60;

/** Lets all promise callbacks run that can run now. */
export async function turns(count: number = ENOUGH): Promise<void> {
  for (let i = 0; i < count; i++) await undefined;
}

/** A promise and the two functions that settle it. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Node 20 has no `Promise.withResolvers`. */
export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((accept, refuse) => {
    resolve = accept;
    reject = refuse;
  });
  return { promise, resolve, reject };
}

/** What has become of a promise, readable at any time. */
export class Outcome<T> {
  state: 'pending' | 'resolved' | 'rejected' = 'pending';
  value: T | undefined = undefined;
  error: unknown = undefined;

  constructor(promise: PromiseLike<T>) {
    promise.then(
      (value) => {
        this.state = 'resolved';
        this.value = value;
      },
      (error) => {
        this.state = 'rejected';
        this.error = error;
      },
    );
  }
}

/** The value of a promise that must settle without anything else happening. A lost wake-up fails at once and never hangs. */
export async function soon<T>(promise: PromiseLike<T>): Promise<T> {
  const outcome = new Outcome(promise);
  for (let i = 0; i < ENOUGH && outcome.state === 'pending'; i++) await undefined;
  if (outcome.state === 'pending') throw new Error(`the promise is still pending after ${ENOUGH} turns`);
  if (outcome.state === 'rejected') throw outcome.error;
  return outcome.value as T;
}

/** The error with which a promise rejects without anything else happening. */
export async function failure(promise: PromiseLike<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await soon(promise);
  } catch (error) {
    return error;
  }
  throw new Error(`the promise was resolved with ${String(value)}; expected it to be rejected`);
}
