/**
 * Spans of keys: what a change is about, and what a block covers. `undefined` is the open end, on both sides.
 */
import { check, describe, InvalidArgumentError, InvalidRangeError } from '../base/errors.js';
import { checkNames, names } from '../base/options.js';

/** Negative if `a` comes first, positive if `b` does, 0 if they are the same key. */
export type Compare<Key> = (a: Key, b: Key) => number;

/** A row that is new, gone, or different. */
export interface RowKeyChange<Key> {
  /** Its key. */
  readonly key: Key;
}

/** All rows of a stretch, half-open. */
export interface RowStretchChange<Key> {
  /** The first key; `undefined`: from the first row on. */
  readonly from?: Key | undefined;
  /** The key behind the last one; `undefined`: up to the last row. */
  readonly to?: Key | undefined;
}

/** What has changed: a row, by its key, or all rows of a stretch. */
export type RowChange<Key> = RowKeyChange<Key> | RowStretchChange<Key>;

/** A change, checked. It is the owner of its section, so that a load can tell whether it is concerned. */
export class Span<Key> {
  private readonly from: Key | undefined;
  private readonly to: Key | undefined;
  /** `from` alone. */
  private readonly isKey: boolean;
  private readonly compare: Compare<Key>;

  /** Throws `InvalidArgumentError`, `InvalidRangeError`. */
  constructor(change: RowChange<Key>, compare: Compare<Key>) {
    checkNames(object(change), CHANGE, 'a change of rows');
    const { key, from, to } = boundsOf(change);
    this.isKey = key !== undefined;
    check(!this.isKey || (from === undefined && to === undefined), 'change', change, '{ key } or { from, to }, not both');
    check(this.isKey || !('key' in change), 'key', key, 'the key of a row');
    this.compare = compare;
    this.from = this.isKey ? key : from;
    this.to = to;
    if (from === undefined || to === undefined || compare(from, to) < 0) return;
    throw new InvalidRangeError(`rows from ${describe(from)} to ${describe(to)} are none: to must come after from`);
  }

  /** Has it anything in common with the keys from `from` up to `to`? */
  touches(from: Key | undefined, to: Key | undefined): boolean {
    const isBehind = this.from !== undefined && to !== undefined && this.compare(this.from, to) >= 0;
    if (isBehind || from === undefined) return !isBehind;
    if (this.isKey) return this.compare(this.from as Key, from) >= 0;
    return this.to === undefined || this.compare(from, this.to) < 0;
  }
}

/** A change with the names of both kinds. */
export function boundsOf<Key>(change: RowChange<Key>): {
  readonly key?: Key;
  readonly from?: Key | undefined;
  readonly to?: Key | undefined;
} {
  return change;
}

const CHANGE = /* @__PURE__ */ names('key from to');

function object<Key>(change: RowChange<Key>): RowChange<Key> {
  if (typeof change === 'object' && change !== null) return change;
  throw new InvalidArgumentError(`change is ${describe(change)}; expected { key } or { from, to }`);
}
