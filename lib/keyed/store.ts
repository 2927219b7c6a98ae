/**
 * Store: a cache with its shape taken away, and what the fence asks of it.
 *
 * What a method returns is handed on as it came: whoever calls it assimilates it (base/thenable.ts), once.
 */
import { check, InvalidArgumentError } from '../base/errors.js';
import { assimilate } from '../base/thenable.js';

import { ErrorWatch } from './error-watch.js';
import { isRedis, redisKeys } from './redis.js';
import type { FenceableCache } from './shapes.js';

/** A cache with the shape taken away. */
export interface Store<K> {
  get(key: K): unknown;
  /** The value, asked for without that counting as a use, where the cache can. */
  peek(key: K): unknown;
  /** There is something to ask after a miss. */
  readonly mayHave: boolean;
  has(key: K): boolean;
  set(key: K, value: unknown): unknown;
  setWith(key: K, value: unknown, options: unknown): unknown;
  delete(key: K): unknown;
  readonly clear: (() => unknown) | undefined;
  readonly keys: (() => unknown) | undefined;
  /** The value says that there is none. */
  isMiss(value: unknown): boolean;
  /** Why it cannot drop all keys, or those of a condition; `undefined` if it can. */
  refusal(isAll: boolean): string | undefined;
  /** Errors of deletes that the cache reports without failing. */
  readonly watch: ErrorWatch;
}

type Method = (...args: unknown[]) => unknown;
type Shape = { readonly [name: string]: Method };

interface Traits {
  readonly isMiss: (value: unknown) => boolean;
  readonly mayHave: boolean;
  readonly clear?: (() => unknown) | undefined;
  readonly keys?: (() => unknown) | undefined;
  /** Why not, where there is neither. */
  readonly cannotList?: string | undefined;
  readonly cannotDropAll?: string | undefined;
}

const isUndefined = (value: unknown): boolean => value === undefined;
const isNullish = (value: unknown): boolean => value === undefined || value === null;

/**
 * The shapes. Methods are called on the cache each time, by name: one that is replaced later (a test's spy) is the one that
 * is called; and by a name that is written here: one in a variable made a hit in lru-cache three times as expensive.
 */
abstract class AnyStore<K> implements Store<K> {
  readonly cache: Shape;
  readonly mayHave: boolean;
  readonly isMiss: (value: unknown) => boolean;
  readonly clear: (() => unknown) | undefined;
  readonly keys: (() => unknown) | undefined;
  readonly watch: ErrorWatch;
  private readonly peeks: boolean;
  private readonly cannotList: string | undefined;
  private readonly cannotDropAll: string | undefined;

  constructor(cache: Shape, { isMiss, mayHave, clear, keys, cannotList, cannotDropAll }: Traits) {
    this.cache = cache;
    this.isMiss = isMiss;
    this.mayHave = mayHave;
    this.clear = clear;
    this.keys = keys;
    const isAble = clear !== undefined || keys !== undefined;
    this.cannotList = isAble ? undefined : (cannotList ?? 'it has neither clear nor a list of its keys');
    this.cannotDropAll = this.cannotList ?? cannotDropAll;
    this.peeks = isCallable(cache, 'peek');
    this.watch = new ErrorWatch(cache);
  }

  abstract get(key: K): unknown;
  abstract set(key: K, value: unknown): unknown;
  abstract setWith(key: K, value: unknown, options: unknown): unknown;
  abstract delete(key: K): unknown;

  peek(key: K): unknown {
    return this.peeks ? this.cache.peek!(key) : this.get(key);
  }

  refusal(isAll: boolean): string | undefined {
    return isAll ? this.cannotDropAll : this.cannotList;
  }

  has(key: K): boolean {
    if (!this.mayHave) return false;
    const said = this.cache.has!(key);
    if (said === true) return true;
    assimilate(said)?.catch(() => {}); // of a synchronous cache it is not asked for a promise; one that fails is of no interest
    return false;
  }
}

class ValueStore<K> extends AnyStore<K> {
  get(key: K): unknown {
    return this.cache.get!(key);
  }

  set(key: K, value: unknown): unknown {
    return this.cache.set!(key, value);
  }

  setWith(key: K, value: unknown, options: unknown): unknown {
    return this.cache.set!(key, value, options);
  }

  delete(key: K): unknown {
    return this.cache.delete!(key);
  }
}

class DelStore<K> extends ValueStore<K> {
  override delete(key: K): unknown {
    return this.cache.del!(key);
  }
}

/** A client of Redis; its `set` takes what comes after the value as a list, where the client does. */
class RedisStore<K> extends DelStore<K> {
  override setWith(key: K, value: unknown, options: unknown): unknown {
    const rest = Array.isArray(options) ? options : [options];
    return this.cache.set!(key, value, ...rest);
  }
}

class ItemStore<K> extends AnyStore<K> {
  get(key: K): unknown {
    return this.cache.getItem!(key);
  }

  set(key: K, value: unknown): unknown {
    return this.cache.setItem!(key, value);
  }

  setWith(key: K, value: unknown, options: unknown): unknown {
    return this.cache.setItem!(key, value, options);
  }

  delete(key: K): unknown {
    return this.cache.removeItem!(key);
  }
}

/** Throws `InvalidArgumentError` for what has none of the shapes, and for what cannot be fenced as it is set up. */
export function storeOf<K>(cache: FenceableCache, isMiss: ((value: unknown) => boolean) | undefined): Store<K> {
  const target = cache as unknown as Shape;
  const has = (...names: string[]) => names.every((name) => isCallable(target, name));
  const method = (name: string) => (has(name) ? () => target[name]!() : undefined);
  const own = isMiss === undefined ? undefined : (value: unknown) => said(isMiss(value));
  const answersEarly = (cache as { nonBlocking?: unknown } | undefined)?.nonBlocking === true;
  check(!answersEarly, 'cache', cache, 'one that answers when it is done (nonBlocking: false)');
  // First, because unstorage has `get` and `set`, too, as other names of its own methods.
  if (has('getItem', 'setItem', 'removeItem')) {
    return new ItemStore(target, {
      ...{ isMiss: own ?? isNullish, mayHave: false },
      ...{ clear: method('clear'), keys: method('getKeys') },
    });
  }
  if (has('get', 'set', 'del') && isRedis(target))
    return new RedisStore(target, { ...redisKeys(target), isMiss: own ?? isNullish });
  const traits = {
    ...{ isMiss: own ?? isUndefined, mayHave: own === undefined && has('has') },
    ...{ clear: method('clear'), keys: method('keys') },
  };
  if (has('get', 'set', 'delete')) return new ValueStore(target, traits);
  const expected = 'an object with get, set and delete (or del), or with getItem, setItem and removeItem';
  check(has('get', 'set', 'del'), 'cache', cache, expected);
  return new DelStore(target, traits);
}

/** What `isMiss` has answered. It decides in this turn, so it cannot take its time. */
function said(answer: unknown): boolean {
  const late = typeof answer === 'boolean' ? undefined : assimilate(answer);
  if (late === undefined) return Boolean(answer);
  late.catch(() => {});
  throw new InvalidArgumentError('isMiss returned a promise; expected true or false, at once');
}

function isCallable(cache: Shape | undefined, name: string): boolean {
  return typeof cache?.[name] === 'function';
}

/** Keys as a list, from whatever a cache's own listing returned: an iterable, one that takes its time, or a promise of one. */
export function listed<K>(keys: unknown): K[] | Promise<K[]> {
  const late = assimilate(keys);
  if (late !== undefined) return late.then((list) => listed<K>(list));
  if (typeof (keys as AsyncIterable<K> | undefined)?.[Symbol.asyncIterator] === 'function') {
    return collect(keys as AsyncIterable<K>);
  }
  return [...(keys as Iterable<K>)];
}

async function collect<K>(keys: AsyncIterable<K>): Promise<K[]> {
  const list: K[] = [];
  for await (const key of keys) list.push(key);
  return list;
}

/** Starts all, whatever the others do; done when all are. Fails if any failed. What they return or resolve with does not matter. */
export function allDone(operations: readonly (() => unknown)[]): void | Promise<void> {
  const errors: unknown[] = [];
  const running: Promise<unknown>[] = [];
  for (const operation of operations) {
    try {
      const late = assimilate(operation());
      if (late !== undefined) running.push(late);
    } catch (error) {
      errors.push(error);
    }
  }
  if (running.length === 0) return raise(errors);
  return Promise.allSettled(running).then((outcomes) => {
    for (const outcome of outcomes) if (outcome.status === 'rejected') errors.push(outcome.reason);
    raise(errors);
  });
}

/** One error as it is, several as one. */
export function raise(errors: readonly unknown[]): void {
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} entries could not be deleted`);
}
