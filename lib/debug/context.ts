/**
 * Context: one sequential activity, and who is the current one.
 *
 * What a context starts it waits for, and what it has begun it ends: that is what makes it a party to a deadlock. Such
 * contexts are declared, never guessed: by `run`, and by the tracker's own structure, since a begin waits for its
 * subscribers' callbacks, and a `mutate` ends when its change does. Code outside any context is party to nothing.
 *
 * Only those declared by `run` must end what is begun by hand in them: a change or a callback may fork, and then it is one
 * branch that ends the section while the other one waits for it. A change waits for both of its branches, so all waits in it
 * are its own; but which of them has begun a section by hand, nobody has said.
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

/** What sort of context it is. */
interface Origin {
  /** True if `run` opened it. */
  readonly declared?: boolean;
  /** The section whose begin waits for this context, if it is a subscriber's callback. */
  readonly serves?: SectionRecord | undefined;
}

/** The object behind {@link LockContext}. One is made for every change and callback, so its sets are made when needed. */
export class Context implements LockContext {
  readonly parent: Context | undefined;
  readonly declared: boolean;
  readonly serves: SectionRecord | undefined;
  over = false;
  /** Waits that were started in this one and stand. */
  waits: Set<Wait> | undefined = undefined;
  /** Sections that this one must end. */
  held: Set<SectionRecord> | undefined = undefined;
  /** Contexts that were started in this one and are not over. */
  private children: Set<Context> | undefined = undefined;
  #label: string | (() => string);

  constructor(label: string | (() => string), parent: Context | undefined, { declared = false, serves }: Origin = {}) {
    this.#label = label;
    this.parent = parent?.over === true ? undefined : parent;
    this.declared = declared;
    this.serves = serves;
    this.parent?.startChild(this);
  }

  get label(): string {
    if (typeof this.#label !== 'string') this.#label = this.#label();
    return this.#label;
  }

  /** open -> over. Idempotent. */
  finish(): void {
    this.over = true;
    this.parent?.children?.delete(this);
  }

  private startChild(child: Context): void {
    this.children ??= new Set();
    this.children.add(child);
  }

  /** Does this context go on only when the other one does? True for itself and for those that wait for it. */
  isInside(other: Context): boolean {
    for (const each of this.chain()) if (each === other) return true;
    return false;
  }

  /** Itself and those that wait for it, innermost first. */
  *chain(): Generator<Context> {
    for (let each: Context | undefined = this; each !== undefined && !each.over; each = each.parent) yield each;
  }

  /** The one that must end what is begun by hand in this one; `undefined` if nobody has said that it does. */
  get obliged(): Context | undefined {
    for (const each of this.chain()) if (each.declared) return each;
    return undefined;
  }

  /** A wait that was started in it stands. */
  addWait(wait: Wait): void {
    this.waits ??= new Set();
    this.waits.add(wait);
  }

  /** It must end this section. */
  hold(section: SectionRecord): void {
    this.held ??= new Set();
    this.held.add(section);
  }

  /** The waits that keep this context from going on: its own, and those of what it waits for. */
  *blocking(): Generator<Wait> {
    if (this.over) return;
    yield* this.waits ?? [];
    for (const child of this.children ?? []) yield* child.blocking();
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
