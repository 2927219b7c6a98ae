/**
 * Asynchronous context: the runtime's `AsyncLocalStorage`, where it has one.
 *
 * Asked for by name at run time, not imported: the same file runs in browsers.
 */

/** The part of `AsyncLocalStorage` that is used. */
export interface ContextStorage<T> {
  getStore(): T | undefined;
  run<R>(store: T | undefined, callback: () => R): R;
  enterWith?(store: T | undefined): void;
  /** Following a context slows every promise of the process; from now on it is not followed. */
  disable?(): void;
}

interface Host {
  readonly process?: { getBuiltinModule?(name: string): { AsyncLocalStorage?: new <T>() => ContextStorage<T> } | undefined };
}

/** A new one; `undefined` where the runtime has none (Node before 20.16, browsers). */
export function newContextStorage<T>(): ContextStorage<T> | undefined {
  const { process } = globalThis as unknown as Host;
  const Storage = process?.getBuiltinModule?.('node:async_hooks')?.AsyncLocalStorage;
  return Storage === undefined ? undefined : new Storage<T>();
}
