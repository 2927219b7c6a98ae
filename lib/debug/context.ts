/**
 * Context: one sequential activity, and who is the current one.
 *
 * What a context starts it waits for, and what it has begun it ends: that is what makes it a party to a deadlock. Such
 * contexts are declared, never guessed: by `run`, and by the tracker's own structure, since a begin waits for its
 * subscribers' callbacks, and a `mutate` ends when its change does. Code outside any context is party to nothing.
 *
 * States: open, over. Waits and sections of a context that is over oblige nobody: whatever still runs in it was started
 * without being waited for.
 */
import type { SectionRecord, Wait } from './graph.js';

/** A context, as it is handed out: to enter it again, or to hand a section over to it. */
export interface LockContext {
  /** Its name in reports. */
  readonly label: string;
  /** The context it was started in, which waits for it; `undefined` if none, or if it was detached. */
  readonly parent: LockContext | undefined;
  /** True once what it was opened for is done. */
  readonly over: boolean;
}

/** The object behind {@link LockContext}. */
export class Context implements LockContext {
  readonly label: string;
  readonly parent: Context | undefined;
  over = false;
  /** Contexts that were started in this one and are not over. */
  readonly children: Set<Context> = new Set();
  /** Waits that were started in this one and stand. */
  readonly waits: Set<Wait> = new Set();
  /** Sections that this one must end. */
  readonly held: Set<SectionRecord> = new Set();
  /** The section whose begin waits for this context, if it is a subscriber's callback. */
  readonly serves: SectionRecord | undefined;

  constructor(label: string, parent: Context | undefined, serves?: SectionRecord) {
    this.label = label;
    this.parent = parent?.over === true ? undefined : parent;
    this.serves = serves;
    this.parent?.children.add(this);
  }

  /** open -> over. Idempotent. */
  finish(): void {
    this.over = true;
    this.parent?.children.delete(this);
  }

  /** Does this context go on only when the other one does? True for itself and for those that wait for it. */
  isInside(other: Context): boolean {
    for (let each: Context | undefined = this; each !== undefined && !each.over; each = each.parent) {
      if (each === other) return true;
    }
    return false;
  }

  /** Itself and those that wait for it, innermost first. */
  *chain(): Generator<Context> {
    for (let each: Context | undefined = this; each !== undefined && !each.over; each = each.parent) yield each;
  }

  /** The waits that keep this context from going on: its own, and those of what it waits for. */
  *blocking(): Generator<Wait> {
    if (this.over) return;
    yield* this.waits;
    for (const child of this.children) yield* child.blocking();
  }
}

/** The part of `AsyncLocalStorage` that is used. */
interface Storage<T> {
  getStore(): T | undefined;
  run<R>(store: T | undefined, callback: () => R): R;
  enterWith?(store: T | undefined): void;
}

interface Host {
  readonly process?: { getBuiltinModule?(name: string): { AsyncLocalStorage?: new <T>() => Storage<T> } | undefined };
}

/** Who is the current context: carried along by the runtime where it can, else known while a call is on the stack. */
export class Contexts {
  readonly #storage: Storage<Context> | undefined;
  #current: Context | undefined = undefined;
  /** What was entered and not yet left, each with what was current before. */
  readonly #entered: { readonly context: Context; readonly before: Context | undefined }[] = [];

  constructor(automatic: boolean) {
    const storage = automatic ? newStorage() : undefined;
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
  run<T>(context: Context, fn: () => T): T {
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

function newStorage(): Storage<Context> | undefined {
  const { process } = globalThis as unknown as Host;
  const Storage = process?.getBuiltinModule?.('node:async_hooks')?.AsyncLocalStorage;
  return Storage === undefined ? undefined : new Storage<Context>();
}
