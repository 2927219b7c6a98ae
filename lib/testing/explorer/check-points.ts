/**
 * Check points: code that awaits a promise of the library goes on in a step of its own.
 *
 * Algorithm note
 *
 *     an actor calls lookup        gets a promise that looks like the real one (lib/base/outlets.ts says which methods)
 *     it awaits that               `then` of the promise is called: even `await` calls it, since it is a subclass
 *     the real one is settled      the actor stands, as at a `step`
 *     the explorer takes the step  the code behind the await runs
 *
 * Between settling and going on lie turns of microtasks, in which the real host may run anybody. Without check points the
 * explorer would not: all microtasks run before it chooses again.
 *
 * Who calls is known by the asynchronous context. Where the host has none, only one exploration runs at a time, and whoever
 * takes a step is taken for the caller: somebody whom he wakes by a promise of the scenario's own then stands as one of his
 * strands, so that the diagram is wrong there, and no order is missed.
 */
import { type ContextStorage, newContextStorage } from '../../base/async-context.js';
import { outlets } from '../../base/outlets.js';

import type { Touches } from './scenario.js';

/** An actor of a run, as its promises know it. */
export interface Place {
  /** What the step touches that is being taken, if it is this actor's: the code behind the check point is part of it. */
  readonly touches: Touches | undefined;
  /** Resolves when it is this actor's turn. */
  stand(label: string, touches: Touches | undefined): Promise<void>;
}

type Method = (...args: unknown[]) => unknown;

/** See the top of the file. One for all explorations that run now. */
export class CheckPoints {
  readonly #storage: ContextStorage<Place> | undefined = newContextStorage<Place>();
  /** Where there is no storage: who takes a step. */
  #taking: Place | undefined = undefined;
  /** Puts each method back. */
  readonly #restore: (() => void)[] = [];
  /** Outlets that were replaced: classes may be loaded later. */
  #replaced = 0;

  /** False if explorations must take turns. */
  get mayShare(): boolean {
    return this.#storage !== undefined;
  }

  /** Runs the function as part of what this actor does. */
  run<T>(place: Place, fn: () => T): T {
    for (; this.#replaced < outlets.length; this.#replaced++) {
      const { prototype, methods } = outlets[this.#replaced]!;
      for (const name of methods) this.#replace(prototype as Record<string, Method>, name);
    }
    if (this.#storage !== undefined) return this.#storage.run(place, fn);
    this.#taking = place;
    return fn();
  }

  /** What runs from now on is no part of any actor. */
  leave(): void {
    this.#taking = undefined;
  }

  /** Puts everything back as it was. */
  close(): void {
    for (const restore of this.#restore.splice(0)) restore();
    this.#replaced = 0;
    this.#storage?.disable?.();
  }

  #replace(prototype: Record<string, Method>, name: string): void {
    const { value: original } = Object.getOwnPropertyDescriptor(prototype, name)! as { value: Method };
    const current = () => this.#storage?.getStore() ?? this.#taking;
    const replaced = function (this: unknown, ...args: unknown[]): unknown {
      const place = current();
      const touches = place?.touches; // of the call: whatever it calls back may take steps
      const result = original.apply(this, args);
      if (place === undefined || !(result instanceof Promise)) return result;
      return new GivenOut((resolve, reject) => result.then(resolve, reject)).at(() => {
        const now = current();
        return (now ?? place).stand(`after ${name}`, now === undefined || now === place ? touches : undefined);
      });
    };
    const define = (value: Method) => Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
    define(replaced);
    this.#restore.push(() => define(original));
  }
}

/** A promise of which each `then` is a check point. What is derived from it is an ordinary promise. */
class GivenOut<T> extends Promise<T> {
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  #arrive: (() => Promise<void>) | undefined = undefined;

  /** `arrive` is called when it is settled, in the context of whoever called `then`. */
  at(arrive: () => Promise<void>): this {
    this.#arrive = arrive;
    return this;
  }

  // biome-ignore lint/suspicious/noThenProperty: that is what it is for
  override then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const arrive = this.#arrive!;
    const checked = super.then(
      async (value) => {
        await arrive();
        return value;
      },
      async (error) => {
        await arrive();
        throw error;
      },
    );
    return checked.then(fulfilled, rejected);
  }
}
