/**
 * What a browser has no counterpart of. It can be imported, and says so when it is used: tests that need it are named, with the
 * reason, in `vitest.config.mjs`.
 */
function absent(): never {
  throw new Error('this exists in Node only: a test that needs it is left out by its name');
}

export class AsyncLocalStorage {
  readonly run = absent;
  readonly getStore = absent;
}

export { absent as createHook, absent as readFileSync, absent as subscribe, absent as unsubscribe };
