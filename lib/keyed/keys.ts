/**
 * Keys, as people read them: in messages, snapshots and traces.
 */
import { describe } from '../base/errors.js';

/** Longest text of one key, and most keys in one list: what still fits into a line. */
const LONGEST = 60;
const MOST = 4;

/** A short text for any key; never throws. Strings in quotes; lists and plain objects as JSON. */
export function keyText(key: unknown): string {
  let text = typeof key === 'bigint' ? `${key}n` : describe(key);
  if (typeof key === 'object' && key !== null) {
    try {
      const prototype: unknown = Object.getPrototypeOf(key);
      if (Array.isArray(key) || prototype === Object.prototype || prototype === null) text = JSON.stringify(key);
      else text = `a ${(key as object).constructor.name}`;
    } catch {
      // a circle, a bigint, a getter of somebody's: it stays an object
    }
  }
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

/** Several keys; `undefined` for all of them. */
export function keysText(keys: readonly unknown[] | undefined): string {
  if (keys === undefined) return 'all keys';
  if (keys.length === 0) return 'a key';
  const more = keys.length > MOST ? ` and ${keys.length - MOST} more` : '';
  return `${keys.length === 1 ? 'key' : 'keys'} ${keys.slice(0, MOST).map(keyText).join(', ')}${more}`;
}

/** A key as JSON has it, or as a text. */
export function keyData(key: unknown): string | number | boolean | null {
  if (key === null || typeof key === 'string' || typeof key === 'boolean') return key;
  return typeof key === 'number' && Number.isFinite(key) ? key : keyText(key);
}
