/**
 * Options: how a source is made and read. Everything is checked before anything changes.
 */

import { CANCEL_NAMES } from '../base/cancel.js';
import { type Clock, systemClock } from '../base/clock.js';
import { check, InvalidRangeError } from '../base/errors.js';
import { checkNames, type Names, names } from '../base/options.js';
import { DEFAULT_MAX_RUN_PAGES } from '../mirror/internal.js';
import { RangeTracker } from '../tracker/index.js';

import type { ByteBackend, ByteVersion } from './backend.js';
import type { ByteReadOptions } from './reader.js';

/**
 * A page by default. A request to a server costs about 50 ms before its first byte, in which 64 KiB come over a line of
 * 10 Mbit/s: smaller pages would save nothing, and of larger ones a look at a few bytes would cost more than the trip.
 */
const DEFAULT_PAGE_SIZE = 65_536;

/** Options that all sources have. */
export interface ByteSourceSettings {
  /** The space, if others take part: bytes from 0 on. One thing for each tracker. Default: a tracker of its own. */
  tracker?: RangeTracker | undefined;
  /** A name for error messages, snapshots and observers; default the backend's. */
  label?: string | undefined;
  /** Bytes of a page, the unit of what is kept and loaded: a positive whole number, default 65,536. */
  pageSize?: number | undefined;
  /** Pages kept, least recently used ones leave first: a whole number from 1 to 2^24, default 1,024. */
  maxPages?: number | undefined;
  /** Pages of one request at most: a whole number of at least 1, default 64. */
  maxRunPages?: number | undefined;
  /** Losses after which a read or a query holds its range: a whole number of at least 1, or `Infinity`. Default 2. */
  maxAttempts?: number | undefined;
  /** The longest time, in milliseconds, for which a hold may delay announced changes; then `RetryLimitError`. Default 1000. */
  holdMs?: number | undefined;
  /** Where time limits and pauses get their time from; default the host's timers. */
  clock?: Clock | undefined;
}

/** The names of {@link ByteSourceSettings}. */
export const SOURCE_NAMES = 'tracker label pageSize maxPages maxRunPages maxAttempts holdMs clock';

/** How a source of any backend is made. */
export interface ByteSourceOptions<Version extends ByteVersion = ByteVersion> extends ByteSourceSettings {
  /** What it reads from. */
  backend: ByteBackend<Version>;
}

/** The outer bounds of one read of a source, and how sure it wants to be. */
export interface SourceReadOptions extends ByteReadOptions {
  /**
   * Asks for the version first: then the result is not older than the call, even if the thing was replaced by somebody who told
   * nobody. Costs one request (a file: one `stat`), shared by all who ask at once. Default false.
   */
  revalidate?: boolean | undefined;
}

/** The outer bounds of one query. */
export interface ConsistentOptions extends SourceReadOptions {
  /** Attempts that may be lost before the query holds what it reads, see the source's. Default the source's. */
  maxAttempts?: number | undefined;
  /** The longest hold in milliseconds. Default the source's. */
  holdMs?: number | undefined;
  /** `'throw'` rejects with `RetryLimitError` instead of holding. Default `'hold'`. */
  whenExhausted?: 'hold' | 'throw' | undefined;
  /** A name for snapshots and observers. */
  label?: string | undefined;
}

const SOURCE_OPTIONS: Names = /* @__PURE__ */ names(SOURCE_NAMES, 'backend');
const READ_NAMES = `${CANCEL_NAMES} revalidate`;
/** The names of {@link SourceReadOptions}. */
export const READ_OPTIONS: Names = /* @__PURE__ */ names(READ_NAMES);
/** The names of {@link ConsistentOptions}. */
export const CONSISTENT_OPTIONS: Names = /* @__PURE__ */ names(READ_NAMES, 'maxAttempts holdMs whenExhausted label');

/** Options with their defaults, checked. */
export interface Settings {
  readonly backend: ByteBackend;
  readonly tracker: RangeTracker;
  /** The tracker was made here, and goes with the source. */
  readonly ownsTracker: boolean;
  readonly label: string;
  readonly pageSize: number;
  readonly maxPages: number | undefined;
  readonly maxRunPages: number;
  readonly maxAttempts: number | undefined;
  readonly holdMs: number | undefined;
  readonly clock: Clock;
}

/** Throws `InvalidArgumentError`. What only the mirror uses is checked by the mirror. */
export function settingsOf<Version extends ByteVersion>(options: ByteSourceOptions<Version>): Settings {
  check(typeof options === 'object' && options !== null, 'options', options, 'an object');
  checkNames(options, SOURCE_OPTIONS, 'new ByteSource');
  const { backend, tracker, clock = systemClock, maxPages, maxAttempts, holdMs } = options;
  const { pageSize = DEFAULT_PAGE_SIZE, maxRunPages = DEFAULT_MAX_RUN_PAGES } = options;
  const isBackend = typeof backend?.read === 'function' && typeof backend.identify === 'function';
  check(isBackend, 'backend', backend, 'an object with name, identify and read');
  check(tracker === undefined || typeof tracker?.subscribe === 'function', 'tracker', tracker, 'a RangeTracker');
  check(typeof clock?.setTimeout === 'function', 'clock', clock, 'an object with now, setTimeout and clearTimeout');
  const label = options.label ?? backend.name;
  check(typeof label === 'string', 'label', label, 'a string');
  return {
    backend: backend as unknown as ByteBackend,
    tracker: tracker ?? new RangeTracker({ label, clock }),
    ownsTracker: tracker === undefined,
    label,
    pageSize,
    maxPages,
    maxRunPages,
    maxAttempts,
    holdMs,
    clock,
  };
}

/** Throws `InvalidRangeError` unless these can be the place and the number of bytes; `length` may be infinite. */
export function checkBytes(offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new InvalidRangeError(`offset is ${String(offset)}; expected a whole number, 0 or more`);
  if (length !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(length) || length < 0))
    throw new InvalidRangeError(`length is ${String(length)}; expected a whole number, 0 or more, or Infinity`);
}
