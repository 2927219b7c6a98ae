/**
 * Options: how a mirror is made and read. Everything is checked before anything changes.
 */
import { CANCEL_NAMES, type CancelOptions, checkCancel } from '../base/cancel.js';
import { type Clock, systemClock } from '../base/clock.js';
import { check, InvalidRangeError } from '../base/errors.js';
import { checkNames, isPlain, type Names, names } from '../base/options.js';
import { single } from '../base/range.js';
import type { Ignore, Range, Ranges } from '../base/vocabulary.js';
import type { RangeTracker } from '../tracker/index.js';

/**
 * Pages kept by default: 4 MiB of 4 KiB pages, 64 MiB of 64 KiB pages. A mirror of images or of device memory knows better.
 * The table is laid out at once, with about 24 bytes a page: 24 kB.
 */
const DEFAULT_MAX_PAGES = 1024;

/** Pages that one call of `load` gets at most: 256 KiB of 4 KiB pages, where longer transfers no longer get cheaper per byte. */
export const DEFAULT_MAX_RUN_PAGES = 64;

/** As for a lookup of the tracker (docs/contract.md, "Why two"): the least that asks for a second opinion. */
const DEFAULT_MAX_ATTEMPTS = 2;

/** The most pages of a table or of one read: beyond it the columns of the table alone take 400 MB. */
const MOST_PAGES = 2 ** 24;

/** What a call of `load` gets besides its pages. Both may be taken out of it (`{ signal, observe }`). */
export interface LoadContext {
  /**
   * Fires when nobody wants the pages any more: all readers have left, a change has hit every page, the mirror was banned
   * or closed. Created on first use: a load that does not ask pays nothing.
   */
  readonly signal: AbortSignal;
  /**
   * Says "I am about to read this, too": all pages of this call are derived from these ranges, wherever on the tracker's
   * line they lie. A change there, now or as long as the pages are present, drops them. **What is read from outside of the
   * pages without being observed is not covered.** After the load is over it does nothing.
   *
   * Throws `InvalidRangeError`, `ClosedError`. O(log n) for each range.
   */
  observe(ranges: Ranges): void;
}

/** How a mirror is made. */
export interface RangeMirrorOptions<Page> {
  /** The space, shared with whoever changes the source and with other mirrors. */
  tracker: RangeTracker;
  /** Length of a page in the space's unit, a positive whole number: page `i` covers `[i * pageSize, (i + 1) * pageSize)`. */
  pageSize: number;
  /** What is mirrored, in whole pages; either end may be infinite. Default `[0, Infinity)`. */
  range?: Range | undefined;
  /**
   * Reads `count` pages from `firstPage` on out of the source. Must return exactly `count` pages (`LoadError`). Called again
   * for pages that a change has hit; never twice at once for a page that nothing has hit. An error it throws, or rejects
   * with, reaches every reader of its pages unwrapped and is not kept; where a change has hit the page it is a torn read,
   * and the page is loaded again. Runs in the asynchronous context of the read that has started it.
   */
  load(firstPage: number, count: number, context: LoadContext): readonly Page[] | PromiseLike<readonly Page[]>;
  /**
   * Told of every page that leaves the mirror, once. Of a promise the begin that drops the page is aware: it resolves when
   * the page is really out of use. A rejection makes the begin fail with `SubscriberError`. A page that was loaded but never
   * installed, because a change had hit it, is not reported. Runs in the asynchronous context of the begin, of `close`, or of the
   * read that needed the room.
   */
  onDrop?: ((page: Page, index: number) => void | PromiseLike<void>) | undefined;
  /** Pages kept, least recently used ones leave first: a whole number from 1 to 2^24, default 1,024. */
  maxPages?: number | undefined;
  /** Pages of one call of `load` at most: a whole number of at least 1, default 64. */
  maxRunPages?: number | undefined;
  /**
   * Losses of any one page after which a read holds its range while it gets what is missing: a whole number of at least 1,
   * or `Infinity` for "retry for ever". Default 2.
   */
  maxAttempts?: number | undefined;
  /** The longest time, in milliseconds, for which such a hold may delay begins; then `RetryLimitError`. Default 1000. */
  holdMs?: number | undefined;
  /**
   * `'retry'` (default) loads again what a change has hit; `'ban'` gives the mirror up at the first change that hits it, or
   * anything its pages were derived from: all pages are dropped, all reads reject with `BannedError`, for good.
   */
  policy?: 'retry' | 'ban' | undefined;
  /** True for invalidations that do not concern the content: they neither drop a page nor delay a load. Must be pure. */
  ignore?: Ignore | undefined;
  /** A name for error messages, snapshots and observers. */
  label?: string | undefined;
  /** Where `timeoutMs` gets its time from; give the tracker's own. Default the host's timers. */
  clock?: Clock | undefined;
}

/** The outer bounds of one read. */
export interface MirrorReadOptions extends CancelOptions {}

const MIRROR_OPTIONS: Names = /* @__PURE__ */ names(
  'tracker pageSize range load onDrop maxPages maxRunPages maxAttempts holdMs policy ignore label clock',
);
const READ_OPTIONS: Names = /* @__PURE__ */ names(CANCEL_NAMES);

/** Throws `InvalidArgumentError`, or the reason of a signal that has already fired. */
export function checkRead(options: MirrorReadOptions | undefined): void {
  if (options === undefined) return;
  checkNames(options, READ_OPTIONS, 'read');
  checkCancel(options);
}

/** Options with their defaults, checked. */
export type Settings<Page> = {
  readonly [Name in keyof RangeMirrorOptions<Page>]-?: RangeMirrorOptions<Page>[Name];
} & {
  readonly range: Range;
  readonly maxPages: number;
  readonly maxRunPages: number;
  readonly maxAttempts: number;
  readonly clock: Clock;
};

/** Throws `InvalidArgumentError` or `InvalidRangeError`. */
export function settingsOf<Page>(options: RangeMirrorOptions<Page>): Settings<Page> {
  check(typeof options === 'object' && options !== null, 'options', options, 'an object');
  // One of a class has its `load` and `onDrop` called as methods, and may have fields that they use.
  if (isPlain(options)) checkNames(options, MIRROR_OPTIONS, 'new RangeMirror');
  const { tracker, pageSize, load, onDrop, policy, ignore, label, holdMs } = options;
  const { maxPages = DEFAULT_MAX_PAGES, maxRunPages = DEFAULT_MAX_RUN_PAGES, maxAttempts = DEFAULT_MAX_ATTEMPTS } = options;
  const { range = { start: 0, end: Number.POSITIVE_INFINITY }, clock = systemClock } = options;
  check(typeof tracker?.subscribe === 'function', 'tracker', tracker, 'a RangeTracker');
  check(Number.isSafeInteger(pageSize) && pageSize > 0, 'pageSize', pageSize, 'a positive whole number');
  check(typeof load === 'function', 'load', load, 'a function');
  check(onDrop === undefined || typeof onDrop === 'function', 'onDrop', onDrop, 'a function');
  const pages = 'a whole number from 1 to 2^24';
  check(Number.isInteger(maxPages) && maxPages >= 1 && maxPages <= MOST_PAGES, 'maxPages', maxPages, pages);
  check(isCount(maxRunPages), 'maxRunPages', maxRunPages, 'a whole number of at least 1');
  const attempts = 'a whole number of at least 1, or Infinity';
  check(isCount(maxAttempts) || maxAttempts === Number.POSITIVE_INFINITY, 'maxAttempts', maxAttempts, attempts);
  const isTime = holdMs === undefined || (holdMs > 0 && holdMs < Number.POSITIVE_INFINITY);
  check(isTime, 'holdMs', holdMs, 'a positive number of milliseconds');
  check(policy === undefined || policy === 'retry' || policy === 'ban', 'policy', policy, "'retry' or 'ban'");
  check(ignore === undefined || typeof ignore === 'function', 'ignore', ignore, 'a function');
  check(label === undefined || typeof label === 'string', 'label', label, 'a string');
  check(typeof clock?.setTimeout === 'function', 'clock', clock, 'an object with now, setTimeout and clearTimeout');
  const whole = wholePages(range, pageSize);
  // `load` and `onDrop` are called as methods of the options, as the caller wrote them.
  return {
    tracker,
    pageSize,
    range: whole,
    load: load.bind(options),
    onDrop: onDrop?.bind(options),
    maxPages,
    maxRunPages,
    maxAttempts,
    holdMs,
    policy,
    ignore,
    label,
    clock,
  };
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

/** A frozen copy of a range whose ends are infinite or bounds of pages. */
function wholePages(range: Range, pageSize: number): Range {
  const { start, end } = one(range);
  const isBound = (at: number) => !Number.isFinite(at) || (Number.isSafeInteger(at) && at % pageSize === 0);
  if (!isBound(start) || !isBound(end))
    throw new InvalidRangeError(`range ${show(start, end)} is cut into pages of ${pageSize}; expected whole pages`);
  return Object.freeze({ start: start + 0, end: end + 0 });
}

/** The pages that cover `range`: `[first, end)`. Throws `InvalidRangeError` if they are not all within the mirror. */
export function pagesOf(range: Range, { range: whole, pageSize }: { range: Range; pageSize: number }): Pages {
  const { start, end } = one(range);
  const first = Math.floor(start / pageSize);
  const last = Math.ceil(end / pageSize);
  if (start < whole.start || end > whole.end)
    throw new InvalidRangeError(`range ${show(start, end)} reaches outside the mirror's ${show(whole.start, whole.end)}`);
  if (!Number.isSafeInteger(first * pageSize) || !Number.isSafeInteger(last * pageSize) || last - first > MOST_PAGES)
    throw new InvalidRangeError(`range ${show(start, end)} covers ${last - first} pages; expected finitely many, at most 2^24`);
  return { first, count: last - first };
}

/** Adjacent pages. */
export interface Pages {
  readonly first: number;
  readonly count: number;
}

function one(range: Range): Range {
  const only = single(range);
  if (only === undefined) throw new InvalidRangeError('range is an array; expected a single { start, end }');
  return only;
}

function show(start: number, end: number): string {
  return `[${start}, ${end})`;
}
