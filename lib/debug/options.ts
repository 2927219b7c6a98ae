/**
 * Options: how a checker is made, and how a context is started. Everything is checked before anything changes.
 */
import { type Clock, systemClock } from '../base/clock.js';
import { check } from '../base/errors.js';
import { checkNames, type Names, names } from '../base/options.js';

import type { LockOrderError } from './errors.js';

/** How to check. */
export interface LockOrderOptions {
  /**
   * Told of everything found, each once. Default: an `error` becomes an uncaught exception, since the program is about to hang;
   * a `warning` goes to the console.
   */
  readonly report?: ((error: LockOrderError) => void) | undefined;
  /**
   * Milliseconds for which a cycle of waits must stand before it is reported; default 0: those that stand at the end of
   * the turn. More, for programs in which a context often starts waits that it does not wait for.
   */
  readonly graceMs?: number | undefined;
  /**
   * `'automatic'` (default): contexts follow their code across every `await`, if the runtime has `AsyncLocalStorage`.
   * `'explicit'`: they are known only while the call of `run` is on the stack; enter again after each `await`.
   */
  readonly contexts?: 'automatic' | 'explicit' | undefined;
  /** Where ages and `graceMs` come from; default the host's. */
  readonly clock?: Clock | undefined;
}

/** How to start a context. */
export interface RunOptions {
  /** True if the context around it does not wait for this one. Default false: what that one holds, this one must not wait for. */
  readonly detached?: boolean | undefined;
}

const CHECKER_OPTIONS: Names = /* @__PURE__ */ names('report graceMs contexts clock');
const RUN_OPTIONS: Names = /* @__PURE__ */ names('detached');

/** Options with their defaults, checked. */
export interface CheckerSettings {
  readonly report: ((error: LockOrderError) => void) | undefined;
  readonly graceMs: number;
  readonly automatic: boolean;
  readonly clock: Clock;
}

/** Throws `InvalidArgumentError`. */
export function settingsOf(options: LockOrderOptions): CheckerSettings {
  checkNames(options, CHECKER_OPTIONS, 'lockOrder');
  const { report, graceMs = 0, contexts = 'automatic', clock = systemClock } = options;
  check(report === undefined || typeof report === 'function', 'report', report, 'a function');
  check(graceMs >= 0 && graceMs < Number.POSITIVE_INFINITY, 'graceMs', graceMs, 'milliseconds, at least 0');
  check(contexts === 'automatic' || contexts === 'explicit', 'contexts', contexts, "'automatic' or 'explicit'");
  check(typeof clock?.now === 'function', 'clock', clock, 'an object with now, setTimeout and clearTimeout');
  return { report, graceMs, automatic: contexts === 'automatic', clock };
}

/** Throws `InvalidArgumentError`. */
export function isDetached(options: RunOptions): boolean {
  checkNames(options, RUN_OPTIONS, 'run');
  return options.detached === true;
}
