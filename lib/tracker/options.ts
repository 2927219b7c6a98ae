/**
 * Options: how one waits, reads and looks up; what holds where nothing is said; and what is refused.
 */

import { CANCEL_NAMES, type CancelOptions, checkCancel } from '../base/cancel.js';
import { check } from '../base/errors.js';
import { checkNames, type Names, names } from '../base/options.js';
import type { Ignore, Ranges, Seq } from '../base/vocabulary.js';

/** Which invalidations do not concern a reader. */
export interface FilterOptions {
  /**
   * True for invalidations this reader may ignore: they cause it neither wait nor retry. Must be pure and must not
   * throw (one that throws has not ignored). Default: every invalidation counts.
   */
  ignore?: Ignore | undefined;
}

/** Filter and outer bounds of a wait. */
export interface WaitOptions extends FilterOptions, CancelOptions {}

/** The names of {@link FilterOptions}. */
export const FILTER_NAMES = 'ignore';

/** The names of {@link WaitOptions}. */
export const WAIT_NAMES: string = `${FILTER_NAMES} ${CANCEL_NAMES}`;

/** Checks the filter and the bounds; a signal that has already fired is thrown as its reason. */
export function checkWait(options: WaitOptions | undefined): void {
  if (options === undefined) return;
  checkFilter(options);
  checkCancel(options);
}

/** Checks the filter. */
export function checkFilter(options: FilterOptions | undefined): void {
  if (options === undefined) return;
  check(options.ignore === undefined || typeof options.ignore === 'function', 'ignore', options.ignore, 'a function');
}

/**
 * A token is a number: `undefined` is what a `tryReadBegin` returns that failed, and would compare as "fine". So would a token of
 * another tracker, which may be ahead of this one: only of those that are can this be seen.
 */
export function checkToken(seq: Seq, now: Seq): void {
  if (!(seq >= 0 && seq <= now) || typeof seq !== 'number')
    check(false, 'seq', seq, `a token from readBegin or tryReadBegin of this tracker, which has counted to ${now}`);
}

const FILTER_OPTIONS: Names = /* @__PURE__ */ names(FILTER_NAMES);

/** The filter of a call that takes nothing else; throws `InvalidArgumentError`. */
export function filterOf(options: FilterOptions | undefined, where: string): Ignore | undefined {
  if (options === undefined) return undefined;
  checkNames(options, FILTER_OPTIONS, where);
  checkFilter(options);
  return options.ignore;
}

// --- lookups

/** What `fetch` gets: who it is, whether it is still worth going on, and where to say what else it reads. */
export interface Attempt {
  /** 1 for the first attempt. */
  readonly number: number;
  /** The token: the space's counter when the attempt began, before `fetch` was called. */
  readonly seq: Seq;
  /**
   * Fires when an overlapping invalidation begins (reason: `CollisionError`), or when the lookup is aborted, timed out
   * or closed (that reason). Created on first use, and only then is the attempt registered with the tracker: a fetch
   * that does not ask pays nothing.
   */
  readonly signal: AbortSignal;
  /**
   * Says "I am about to read this, too": the ranges are checked at the commit as if they had been given to `lookup`,
   * from the attempt's token on, so that it is right to call this while reading. **Whatever is read without being
   * named to `lookup` or observed here is not covered.** After the attempt is over it does nothing.
   *
   * Throws `InvalidRangeError`. O(n log n) in what has been observed.
   */
  observe(ranges: Ranges): void;
}

/**
 * Collisions before a lookup holds its ranges. Chosen by measurement on the hot spot (every lookup and every invalidator
 * on one page): see docs/contract.md, "Why two".
 */
export const DEFAULT_MAX_ATTEMPTS = 2;

/** How long a hold may delay overlapping begins, unless the lookup says otherwise: a human notices, nothing breaks. */
export const DEFAULT_HOLD_MS = 1000;

/** How a lookup reads, retries and gives up. */
export interface LookupOptions<T, R = T> extends WaitOptions {
  /**
   * Installs the value; its result is the lookup's. Runs in the same synchronous turn as the check, so what it installs
   * is fresh when it is installed. Must not return a promise (`CommitError`). Default: the value itself is the result.
   */
  commit?: ((value: T) => R) | undefined;
  /**
   * Collisions after which the lookup holds its ranges or gives up: a whole number of at least 1, or `Infinity` for
   * "retry for ever". Default 2. A lookup whose ranges are being fought over already may hold them earlier.
   */
  maxAttempts?: number | undefined;
  /**
   * After `maxAttempts` collisions: `'hold'` (default) delays overlapping begins until one more attempt is through;
   * `'throw'` rejects with `RetryLimitError` and never delays anybody.
   */
  whenExhausted?: 'hold' | 'throw' | undefined;
  /**
   * The longest time, in milliseconds, for which a hold may delay others; then `RetryLimitError`. The time in which it waits for its
   * turn is not its own: then it gets in line again. Default 1000.
   */
  holdMs?: number | undefined;
  /** A name for snapshots and observers. */
  label?: string | undefined;
}

/** The names of {@link LookupOptions}. */
export const LOOKUP_NAMES: string = `commit maxAttempts whenExhausted holdMs label ${WAIT_NAMES}`;

/** {@link LookupOptions} with a commit, whose result is then the lookup's. */
export interface CommitOptions<T, R> extends LookupOptions<T, R> {
  /** See {@link LookupOptions.commit}. */
  commit: (value: T) => R;
}

/** {@link LookupOptions} without a commit: the result is what `fetch` returned. */
export interface PlainLookupOptions<T> extends LookupOptions<T, T> {
  /** Not given. */
  commit?: undefined;
}

/** The function that reads. It may be called several times, but never twice at once. */
export type Fetch<T> = (attempt: Attempt) => T | PromiseLike<T>;

/** Throws `InvalidArgumentError`, or the reason of a signal that has fired. */
export function checkLookup<T, R>(options: LookupOptions<T, R>): void {
  checkWait(options);
  const { commit, maxAttempts, whenExhausted, holdMs, label } = options;
  check(commit === undefined || typeof commit === 'function', 'commit', commit, 'a function');
  check(
    maxAttempts === undefined ||
      (maxAttempts >= 1 && (Number.isInteger(maxAttempts) || maxAttempts === Number.POSITIVE_INFINITY)),
    'maxAttempts',
    maxAttempts,
    'a whole number of at least 1, or Infinity',
  );
  check(
    whenExhausted === undefined || whenExhausted === 'hold' || whenExhausted === 'throw',
    'whenExhausted',
    whenExhausted,
    "'hold' or 'throw'",
  );
  check(
    holdMs === undefined || (typeof holdMs === 'number' && holdMs > 0 && holdMs < Number.POSITIVE_INFINITY),
    'holdMs',
    holdMs,
    'a positive number of milliseconds',
  );
  check(label === undefined || typeof label === 'string', 'label', label, 'a string');
}
