/**
 * Activity: code that runs for work that several parties wait for, and who waits for whose work from inside of what.
 *
 * Algorithm note
 *
 * Shared work (a load that everybody who asks for the key waits for) can wait for itself: a load reads its own key; or that of a
 * reads b, whose load reads a. No lock is involved, and nobody would ever say anything.
 *
 *     load of a                       load of b
 *     runs as an activity of "a"
 *     reads b, waits
 *                                     runs as an activity of "b"
 *                                     reads a: "a" is waited for from inside of "b", and "b" from inside of "a"
 *                                     -> CycleError, before it waits
 *
 * Works are nodes; there is an arrow from the work inside of which somebody waits to the work that is waited for. An arrow comes
 * into being when somebody joins a work, so that is when to look: is the new arrow's end connected to its beginning?
 *
 * Inside of which activity code runs is known by its asynchronous context, where the host has one, across every await; elsewhere
 * as long as the load's own call is on the stack. An activity that is over waits for nothing, so code that was started in it and
 * not waited for obliges nobody.
 *
 * Following contexts makes every await of the process dearer in Node 20, so they are followed only while an activity runs.
 */

/** Work that several parties may wait for as one. */
export interface Work {
  /** The activities inside of which somebody waits for it now. */
  waitedForIn(): Iterable<Activity>;
}

/** The part of `AsyncLocalStorage` that is used. */
interface Storage {
  getStore(): Activity | undefined;
  run<T>(store: Activity, fn: () => T): T;
  disable?(): void;
}

interface Host {
  readonly process?: {
    getBuiltinModule?(name: 'node:async_hooks'): { AsyncLocalStorage?: new () => Storage } | undefined;
  };
}

/** `null` where there is none; looked up with the first activity. */
let storage: Storage | null | undefined;
/** Activities that were run and are not over: contexts are followed while there are any. */
let followed = 0;
/** The one whose call is on the stack, for hosts without a storage. */
let onStack: Activity | undefined;

/** One run of some work. States: new, running, over. */
export class Activity {
  readonly work: Work;
  private running = false;
  private ended = false;

  constructor(work: Work) {
    this.work = work;
  }

  /** True once it waits for nothing any more. */
  get over(): boolean {
    return this.ended;
  }

  /** new -> running. Calls the function as a part of it; {@link finish} must follow. */
  run<T>(fn: () => T): T {
    if (storage === undefined) {
      const Storage = (globalThis as Host).process?.getBuiltinModule?.('node:async_hooks')?.AsyncLocalStorage;
      storage = Storage === undefined ? null : new Storage();
    }
    this.running = true;
    followed++;
    if (storage !== null) return storage.run(this, fn);
    const before = onStack;
    onStack = this;
    try {
      return fn();
    } finally {
      onStack = before;
    }
  }

  /** -> over. Idempotent. */
  finish(): void {
    if (this.ended) return;
    this.ended = true;
    if (this.running && --followed === 0) storage?.disable?.();
  }
}

/** The activity that this code is a part of; `undefined` outside of any, and after its end. */
export function currentActivity(): Activity | undefined {
  if (followed === 0) return undefined;
  const current = storage ? storage.getStore() : onStack;
  return current === undefined || current.over ? undefined : current;
}

/**
 * The way from `work` back to itself that there would be if somebody inside of `from` waited for it: each waits for the next,
 * and the last for the first. `undefined` if there is none. O(arrows that lead to `from`).
 */
export function findCycle(work: Work, from: Activity | undefined): Work[] | undefined {
  if (from === undefined) return undefined;
  const next = new Map<Work, Work | undefined>([[from.work, undefined]]);
  for (const each of next.keys()) {
    if (each === work) return wayFrom(work, next);
    for (const activity of each.waitedForIn()) {
      if (!activity.over && !next.has(activity.work)) next.set(activity.work, each);
    }
  }
  return undefined;
}

function wayFrom(work: Work, next: ReadonlyMap<Work, Work | undefined>): Work[] {
  const way: Work[] = [];
  for (let each: Work | undefined = work; each !== undefined; each = next.get(each)) way.push(each);
  return way;
}
