/**
 * A cache over a slow network, step by step: every operation waits until it is let through, and takes effect in that turn.
 */
import { type Deferred, deferred } from '../turns.js';

/** One operation that is on its way. */
export interface Operation extends Deferred<unknown> {
  readonly name: 'get' | 'set' | 'delete' | 'clear';
  readonly key: string | undefined;
  readonly rest: readonly unknown[];
  /** Lets it take effect and answer. */
  pass(): void;
}

export class ManualCache {
  readonly entries: Map<string, unknown> = new Map();
  /** Those on their way, the oldest first. */
  readonly operations: Operation[] = [];
  /** All there were, as `name key`. */
  readonly log: string[] = [];
  /** Operations that are let through at once, in the turn after their call. */
  readonly quick: Set<string> = new Set();

  get(key: string): Promise<unknown> {
    return this.#start('get', key, [], () => this.entries.get(key));
  }

  set(key: string, value: unknown, ...rest: unknown[]): Promise<unknown> {
    return this.#start('set', key, rest, () => void this.entries.set(key, value));
  }

  delete(key: string): Promise<unknown> {
    return this.#start('delete', key, [], () => this.entries.delete(key));
  }

  clear(): Promise<unknown> {
    return this.#start('clear', undefined, [], () => this.entries.clear());
  }

  /** The oldest operation of this name that is on its way. */
  next(name: Operation['name']): Operation {
    const found = this.operations.find((operation) => operation.name === name);
    if (found === undefined) throw new Error(`no ${name} is on its way; there are: ${this.operations.map((each) => each.name)}`);
    return found;
  }

  /** Names of those on their way. */
  get waiting(): string[] {
    return this.operations.map(({ name }) => name);
  }

  #start(name: Operation['name'], key: string | undefined, rest: unknown[], effect: () => unknown): Promise<unknown> {
    this.log.push(key === undefined ? name : `${name} ${key}`);
    const answer = deferred<unknown>();
    const leave = () => {
      const at = this.operations.indexOf(operation);
      if (at >= 0) this.operations.splice(at, 1);
    };
    const operation: Operation = {
      ...{ name, key, rest, promise: answer.promise },
      resolve: (value) => {
        leave();
        answer.resolve(value);
      },
      reject: (error) => {
        leave();
        answer.reject(error);
      },
      pass: () => operation.resolve(effect()),
    };
    this.operations.push(operation);
    if (this.quick.has(name)) Promise.resolve().then(() => operation.pass());
    return answer.promise;
  }
}
