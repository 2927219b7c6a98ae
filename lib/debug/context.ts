/**
 * Context: who is the current one, carried along by the runtime where it can, else known while a call is on the stack.
 */
import { type ContextStorage, newContextStorage } from '../base/async-context.js';
import type { Context } from './parties.js';

/** See the top of the file. */
export class Contexts {
  readonly #storage: ContextStorage<Context> | undefined;
  #current: Context | undefined = undefined;
  /** What was entered and not yet left, each with what was current before. */
  readonly #entered: { readonly context: Context; readonly before: Context | undefined }[] = [];

  constructor(automatic: boolean) {
    const storage = automatic ? newContextStorage<Context>() : undefined;
    this.#storage = typeof storage?.enterWith === 'function' ? storage : undefined;
  }

  /** True if a context follows its code across every `await`. */
  get automatic(): boolean {
    return this.#storage !== undefined;
  }

  get current(): Context | undefined {
    return this.#storage === undefined ? this.#current : this.#storage.getStore();
  }

  /** Runs the function in the context. */
  run<T>(context: Context | undefined, fn: () => T): T {
    if (this.#storage !== undefined) return this.#storage.run(context, fn);
    const before = this.#current;
    this.#current = context;
    try {
      return fn();
    } finally {
      this.#current = before;
    }
  }

  /** {@link run} in two halves, of which {@link leave} must follow in the same turn: events tell of calls made elsewhere. */
  enter(context: Context): void {
    this.#entered.push({ context, before: this.current });
    this.set(context);
  }

  /** Returns the context that is left. */
  leave(): Context | undefined {
    const last = this.#entered.pop();
    if (last !== undefined) this.set(last.before);
    return last?.context;
  }

  /** Makes it the current one for the rest of the turn. */
  set(context: Context | undefined): void {
    if (this.#storage === undefined) this.#current = context;
    else this.#storage.enterWith!(context);
  }
}
