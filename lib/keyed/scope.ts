/**
 * Scope: several keys as one, all keys, or all keys of which something is true.
 *
 * An object of a class of its own, and not a list: a list may itself be somebody's key. Where a key is expected, a scope is a
 * scope, and everything else is one key.
 */
import { check } from '../base/errors.js';
import { assimilate } from '../base/thenable.js';

/** Several keys as one; made by `KeyedFence`'s `keys`, `prefix`, `where` and `all`. Holds nothing but what it was given. */
export class KeyScope<K> {
  /** The keys, if they are listed; `undefined` if the scope is a condition. */
  readonly keys: readonly K[] | undefined;
  /** The condition; `undefined` for a list, and for "all". */
  readonly where: ((key: K) => boolean) | undefined;
  /** What the keys begin with, where that is the condition. It can be told to others, as a function cannot. */
  readonly prefix: string | undefined;

  private constructor(keys: readonly K[] | undefined, where: ((key: K) => boolean) | undefined, prefix?: string) {
    this.keys = keys;
    this.where = where;
    this.prefix = prefix;
  }

  /** @internal Throws `InvalidArgumentError`. */
  static of<K>(keys: Iterable<K>): KeyScope<K> {
    const isList = typeof (keys as Iterable<K> | undefined)?.[Symbol.iterator] === 'function' && typeof keys !== 'string';
    check(isList, 'keys', keys, 'an iterable of keys (a single key is given as it is)');
    const list = Object.freeze([...keys]);
    return new KeyScope<K>(list, undefined);
  }

  /** @internal Throws `InvalidArgumentError`. */
  static where<K>(condition: (key: K) => boolean): KeyScope<K> {
    check(typeof condition === 'function', 'condition', condition, 'a function of a key');
    return new KeyScope<K>(undefined, condition);
  }

  /** @internal Throws `InvalidArgumentError`. */
  static prefix<K>(prefix: string): KeyScope<K> {
    check(typeof prefix === 'string', 'prefix', prefix, 'a string');
    return new KeyScope<K>(undefined, (key) => typeof key === 'string' && key.startsWith(prefix), prefix);
  }

  /** @internal */
  static all<K>(): KeyScope<K> {
    return new KeyScope<K>(undefined, undefined);
  }
}

/** True unless the condition says no. One that throws, or returns a promise, has not said no: the careful answer stands. */
export function mayMatch<K>(condition: (key: K) => boolean, key: K): boolean {
  try {
    const said: unknown = condition(key);
    if (said === false || said === true) return said;
    assimilate(said)?.catch(() => {});
    return Boolean(said);
  } catch {
    return true;
  }
}

/** True if a change may hit this key, or one of these. */
export function hits<K>(
  change: { readonly keys: readonly K[] | undefined; has(key: K): boolean },
  what: K | KeyScope<K>,
): boolean {
  if (!(what instanceof KeyScope)) return change.has(what);
  if (what.keys !== undefined) return what.keys.some((key) => change.has(key));
  const { where } = what;
  return where === undefined || change.keys === undefined || change.keys.some((key) => mayMatch(where, key));
}
