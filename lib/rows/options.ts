/**
 * Options of a window of rows: what it reads from, how much of it, and how one read is bounded.
 */
import { CANCEL_NAMES, type CancelOptions, checkCancel } from '../base/cancel.js';
import { type Clock, checkClock, systemClock } from '../base/clock.js';
import { check, describe, InvalidRangeError } from '../base/errors.js';
import { checkNames, names } from '../base/options.js';
import type { RangeTrackerOptions } from '../tracker/index.js';
import type { Compare } from './spans.js';

/** Which rows a window asks for. */
export interface RowRequest<Key> {
  /** The first row is the first one whose key is this or comes after it; `undefined`: the first of all. */
  readonly from: Key | undefined;
  /** The last row is the last one whose key comes before this; `undefined`: the last of all. */
  readonly to: Key | undefined;
  /** Not more rows than this; and not fewer, if there are so many. */
  readonly limit: number;
  /** Fires when nobody waits for these rows any more. */
  readonly signal: AbortSignal;
}

/** What a window of rows is made of. */
export interface RowWindowOptions<Row, Key> extends Pick<RangeTrackerOptions, 'label' | 'observer'> {
  /**
   * Reads rows in the order of their keys: `WHERE key >= from AND key < to ORDER BY key LIMIT limit`. What it returns is checked, and
   * is not copied.
   */
  load: (request: RowRequest<Key>) => readonly Row[] | PromiseLike<readonly Row[]>;
  /** The key of a row: what the order is by, different for each row, never `undefined`. */
  keyOf: (row: Row) => Key;
  /** The order of keys, the same as that of `load`. */
  compare: Compare<Key>;
  /** Rows of a block: what one changed row costs to read again. Default 100. */
  blockRows?: number | undefined;
  /** The most rows that are asked for at once where several blocks, one after the other, are to be read. Default 10 blocks. */
  maxLoadRows?: number | undefined;
  /**
   * Rows that are kept while nobody waits for any; above that, the blocks that were read longest ago keep only how many they have.
   * Default 100,000.
   */
  keepRows?: number | undefined;
  /**
   * Milliseconds for which changes are collected before `onChange` hears of them, and sixteen times that while they come faster than
   * rows can be read. Default 16: a frame.
   */
  coalesceMs?: number | undefined;
  /** Where its time comes from. Default: the host. */
  clock?: Clock | undefined;
}

/** How a read of rows was answered. */
export interface RowStatus {
  /** It waited for no load. */
  hit?: boolean;
  /** Loads that it waited for and that a change had overtaken. */
  retried?: number;
  /** A change has overtaken some of these rows; `onChange` follows. */
  stale?: boolean;
}

/** How rows are read. */
export interface RowReadOptions extends CancelOptions {
  /**
   * Rather than waiting for a change that is going on, or reading a second time, hands out the newest rows that were read, marked by
   * `status.stale`; then `onChange` is called. Needs `status`. For what is shown at once. Default false.
   */
  allowStale?: boolean | undefined;
  /** An object that is filled with how this read was answered. */
  status?: RowStatus | undefined;
}

/** Options with their defaults. */
export interface RowSettings<Row, Key> {
  readonly load: RowWindowOptions<Row, Key>['load'];
  readonly keyOf: (row: Row) => Key;
  readonly compare: Compare<Key>;
  readonly blockRows: number;
  readonly maxLoadRows: number;
  readonly keepRows: number;
  readonly coalesceMs: number;
  readonly clock: Clock;
}

const WINDOW = /* @__PURE__ */ names('load keyOf compare blockRows maxLoadRows keepRows coalesceMs label observer clock');
const READ = /* @__PURE__ */ names('allowStale status', CANCEL_NAMES);

/** Throws `InvalidArgumentError`. `label` and `observer` the tracker checks. */
export function checkWindow<Row, Key>(options: RowWindowOptions<Row, Key>): RowSettings<Row, Key> {
  checkNames(options, WINDOW, 'new RowWindow');
  check(options !== undefined, 'options', options, '{ load, keyOf, compare }');
  const { load, keyOf, compare, blockRows = 100, coalesceMs = 16, clock = systemClock } = options;
  for (const [name, value] of Object.entries({ load, keyOf, compare }))
    check(typeof value === 'function', name, value, 'a function');
  check(Number.isSafeInteger(blockRows) && blockRows >= 1, 'blockRows', blockRows, 'a whole number of at least 1');
  const { maxLoadRows = 10 * blockRows, keepRows = 100_000 } = options;
  const isAtLeast = Number.isSafeInteger(maxLoadRows) && maxLoadRows >= blockRows;
  check(isAtLeast, 'maxLoadRows', maxLoadRows, `a whole number of at least blockRows, ${blockRows}`);
  check(typeof keepRows === 'number' && keepRows >= 0, 'keepRows', keepRows, 'a number of rows, 0 or more');
  check(typeof coalesceMs === 'number' && coalesceMs >= 0, 'coalesceMs', coalesceMs, 'a number of milliseconds, 0 or more');
  checkClock(clock);
  return { load, keyOf, compare, blockRows, maxLoadRows, keepRows, coalesceMs, clock };
}

/** Throws `InvalidArgumentError`, `InvalidRangeError`, or the reason of a signal that has fired; clears the status. */
export function checkRead(start: number, end: number, options: RowReadOptions | undefined): void {
  checkIndexes(start, end);
  checkNames(options, READ, 'read');
  if (options === undefined) return;
  checkCancel(options);
  const { allowStale, status } = options;
  check(allowStale === undefined || typeof allowStale === 'boolean', 'allowStale', allowStale, 'true or false');
  check(status === undefined || (typeof status === 'object' && status !== null), 'status', status, 'an object');
  check(allowStale !== true || status !== undefined, 'status', status, 'an object beside `allowStale`, in which it is marked');
  if (status !== undefined) Object.assign(status, { hit: false, retried: 0, stale: false });
}

/** Throws `InvalidRangeError`. */
export function checkIndexes(start: number, end: number): void {
  if (Number.isSafeInteger(start) && start >= 0 && Number.isSafeInteger(end) && end > start) return;
  const got = `[${describe(start)}, ${describe(end)})`;
  throw new InvalidRangeError(`rows ${got} are no range of indexes; expected whole numbers, 0 <= start < end`);
}
