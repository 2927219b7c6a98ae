/**
 * Watch: counts turns of microtasks since the event loop last came round, and cuts off those that never come to an end.
 *
 * Algorithm note
 *
 *     a promise's continuation is about to run     counted, by a hook of the engine
 *     queueMicrotask, process.nextTick             counted, by standing in for them
 *     too many, in a continuation                the running JavaScript is terminated, as a debugger would: the engine then
 *                                                  drops all microtasks, and the event loop comes round
 *     too many, in a call of one of these two      what was to be called is dropped
 *
 * Nothing is lost but what never ends: whatever was not part of it has run out of microtasks long ago. An exception cannot do
 * this, as each turn is a call of its own from the engine. Not a timer: it would never run.
 *
 * Termination must not leave an asynchronous resource of Node entered, as Node then aborts the process. So nothing is terminated
 * inside one, and the hook comes before Node's own, which enters them. If it does not, those who wait are told all the same,
 * while the loop goes on.
 *
 * Only Node has these hooks. Elsewhere what never leaves the microtask queue can neither be told nor stopped from inside.
 */

/**
 * A step of the tracker takes dozens of turns, and one that a person would wait for a second. This many take Node half a second.
 */
export const MAX_TURNS = 500_000;

interface Session {
  connect(): void;
  disconnect(): void;
  post(method: string): void;
}

interface Modules {
  'node:v8': { readonly promiseHooks?: { createHook(hooks: { before(): void }): () => void } };
  'node:inspector': { readonly Session: new () => Session };
  'node:async_hooks': {
    executionAsyncId(): number;
    createHook(hooks: { init(): void }): { enable(): { disable(): void } };
  };
}

interface Host {
  readonly process?: { getBuiltinModule?<Name extends keyof Modules>(name: Name): Modules[Name] | undefined };
}

/** What is done when there are too many turns. */
interface Ends {
  /** Called in the middle of the first turn that is one too many, which is about to be dropped: it may post a message, no more. */
  cutting(): void;
  /** The same if it cannot be dropped. Its microtasks and those of the loop take turns from now on. */
  lost(): void;
}

/** See the top of the file. */
export class Watch {
  readonly #ends: Ends;
  readonly #stop: (() => void)[] = [];
  #turns = 0;

  constructor(ends: Ends) {
    this.#ends = ends;
    const { process } = globalThis as unknown as Host;
    const hooks = process?.getBuiltinModule?.('node:v8')?.promiseHooks;
    const inspector = process?.getBuiltinModule?.('node:inspector');
    const resources = process?.getBuiltinModule?.('node:async_hooks');
    if (hooks === undefined || inspector === undefined || resources === undefined) return;
    try {
      const session = new inspector.Session();
      session.connect();
      this.#stop.push(() => session.disconnect());
      const terminate = () => session.post('Runtime.terminateExecution');
      const mayTerminate = () => resources.executionAsyncId() === 0;
      const before = () => {
        if (!this.#isOneTooMany()) return;
        if (mayTerminate()) this.#cut(terminate);
        else this.#lose();
      };
      this.#stop.push(hooks.createHook({ before }));
      resources
        .createHook({ init: () => {} })
        .enable()
        .disable(); // puts Node's own hook behind this one
    } catch {
      return; // a host that has the names only
    }
    this.#standInFor(globalThis as never, 'queueMicrotask');
    this.#standInFor(process as never, 'nextTick');
  }

  /** The event loop has come round. */
  reset(): void {
    this.#turns = 0;
  }

  close(): void {
    for (const stop of this.#stop.splice(0)) stop();
  }

  #standInFor<Name extends string>(owner: Record<Name, (...args: unknown[]) => unknown>, name: Name): void {
    const original = owner[name];
    const counted = (...args: unknown[]) => (this.#isOneTooMany() ? this.#cut() : original.apply(owner, args));
    owner[name] = counted;
    this.#stop.push(() => {
      if (owner[name] === counted) owner[name] = original;
    });
  }

  #isOneTooMany(): boolean {
    return ++this.#turns > MAX_TURNS;
  }

  /** Every loop that runs is cut, so this may be called for several. */
  #cut(terminate?: () => void): void {
    this.#ends.cutting();
    terminate?.();
  }

  #lose(): void {
    if (this.#turns === MAX_TURNS + 1) this.#ends.lost();
  }
}
