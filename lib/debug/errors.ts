/**
 * What the lock-order checker reports.
 */
import { RangefenceError } from '../base/errors.js';

/**
 * What was found.
 *
 * - `self-wait`: a context waits for a section that the same context must end;
 * - `callback-wait`: a subscriber's callback waits for the very section whose begin waits for this callback;
 * - `cycle`: contexts, in one or several trackers, wait for each other;
 * - `inversion`: sections of different spaces were nested in both orders, so that a cycle needs only bad luck;
 * - `leak`: a section that nobody had ended, whose handle or whose tracker was garbage-collected.
 */
export type LockOrderKind = 'self-wait' | 'callback-wait' | 'cycle' | 'inversion' | 'leak';

/** One arrow of what was found: somebody waits for something (or began inside it), and who must end that. */
export interface LockOrderStep {
  /** Who waits, or what was begun inside; `undefined` for a leak. */
  readonly waiter: string | undefined;
  /** The stack at which the wait, or the inner one, began; `undefined` for a leak. */
  readonly waitedAt: string | undefined;
  /** The section, or the holding lookup, that is waited for (begun inside of, never ended). */
  readonly blocker: string;
  /** The stack at which the blocker began. */
  readonly beganAt: string;
  /** The context that must end the blocker, if one is known. */
  readonly obliged: string | undefined;
}

/** The contents of a {@link LockOrderError}. */
export interface LockOrderDetails {
  /** What was found. */
  readonly kind: LockOrderKind;
  /** `error`: it hangs. `warning`: it may hang another time, or it ends by a limit. */
  readonly severity: 'error' | 'warning';
  /** The arrows; each blocker is obliged to whoever waits in the next step, the last to the first. */
  readonly steps: readonly LockOrderStep[];
}

/** A deadlock, or the way to one. Reported, never thrown by the tracker: the program goes on as it would have. */
export class LockOrderError extends RangefenceError implements LockOrderDetails {
  override readonly name = 'LockOrderError';
  /** What was found. */
  readonly kind: LockOrderKind;
  /** `error`: it hangs. `warning`: it may hang another time, or it ends by a limit. */
  readonly severity: 'error' | 'warning';
  /** The arrows; each blocker is obliged to whoever waits in the next step, the last to the first. */
  readonly steps: readonly LockOrderStep[];

  /** @param summary one sentence; the steps with their stacks follow in the message */
  constructor(summary: string, { kind, severity, steps }: LockOrderDetails) {
    super('RANGEFENCE_LOCK_ORDER', [summary, ...steps.map((step) => picture(kind, step))].join('\n'));
    this.kind = kind;
    this.severity = severity;
    this.steps = steps;
  }
}

function picture(kind: LockOrderKind, { waiter, waitedAt, blocker, beganAt }: LockOrderStep): string {
  const first = `  ${blocker} began\n${beganAt}`;
  if (waiter === undefined) return first;
  const inner = kind === 'inversion' ? `  ${waiter} came inside it` : `  ${waiter} began to wait for it`;
  return `${first}\n${inner}\n${waitedAt}`;
}
