/**
 * Context: the asynchronous context of a call (what `AsyncLocalStorage` finds there), kept to run somebody's function in it later.
 *
 * A function that belongs to a call is not always called on that call's way: a load is repeated because a writer has come, a
 * second caller's load begins because the first one has left. Without this, it would run in the context of whoever woke it.
 *
 * Where the host has no such contexts, or does not hand out its modules (browsers; Node before 20.16), it is a plain call.
 */

/** A context that was kept. */
export interface CallContext {
  /** Calls the function in it, and returns what it returned. */
  runInAsyncScope<T>(fn: () => T): T;
}

interface Host {
  readonly process?: {
    getBuiltinModule?(name: 'node:async_hooks'): { AsyncResource?: new (type: string) => CallContext } | undefined;
  };
}

/** Looked up with the first call, not with the import: importing this package does nothing. `null` where there is none. */
let Resource: (new (type: string) => CallContext) | null | undefined;

const PLAIN: CallContext = Object.freeze({ runInAsyncScope: <T>(fn: () => T): T => fn() });

/** The context of the code that calls this. Costs 0.1 µs; running in it a sixth of that. */
export function keepContext(): CallContext {
  // Not `AsyncLocalStorage.snapshot`, which does the same and takes some hundred times as long in Node 20.
  if (Resource === undefined) {
    Resource = (globalThis as Host).process?.getBuiltinModule?.('node:async_hooks')?.AsyncResource ?? null;
  }
  return Resource === null ? PLAIN : new Resource('RANGEFENCE');
}
