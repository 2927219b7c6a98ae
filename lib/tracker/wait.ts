/**
 * Wait: a bare `readBegin`, parked until nothing active overlaps its ranges.
 */
import { CANCEL_NAMES, type Cancellation, type CancelOptions, cancelOn, checkCancel } from '../base/cancel.js';
import { check } from '../base/errors.js';
import { describeSpans, type Spans } from '../base/range.js';
import type { Ignore, Seq } from '../base/vocabulary.js';
import { Reader, waitedFor } from './parties.js';
import type { Space } from './space.js';

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

/** The names of {@link WaitOptions}. */
export const WAIT_NAMES: string = `ignore ${CANCEL_NAMES}`;

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

/** One waiting `readBegin`. Parked from its start to its settlement. */
export class WaitingRead extends Reader {
  readonly operation = 'readBegin';
  readonly label = undefined;
  private readonly space: Space;
  private resolve!: (seq: Seq) => void;
  private reject!: (error: unknown) => void;
  private cancellation: Cancellation | undefined = undefined;

  constructor(space: Space, spans: Spans, ignore: Ignore | undefined) {
    super(++space.readers, spans, ignore);
    this.space = space;
  }

  /** Resolves with a token at a moment at which nothing active overlaps. */
  start(options: WaitOptions | undefined): Promise<Seq> {
    if (!this.space.gate.parkIfBlocked(this)) return Promise.resolve(this.space.seq);
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      const { clock } = this.space;
      const what = () => ({
        what: `readBegin over ${describeSpans(this.spans, this.space.describe)}`,
        waitedFor: waitedFor(this, clock.now()),
      });
      this.cancellation = cancelOn(clock, options, what, (error) => this.fail(error));
    });
  }

  override wake(seq: Seq): void {
    // The token is of the moment at which the range was quiet, not of the turn in which the caller goes on: what
    // begins in between is newer than the token, and the check will see it.
    this.cancellation?.clear();
    this.resolve(seq);
  }

  override fail(error: unknown): void {
    this.space.gate.leave(this);
    this.cancellation?.clear();
    if (this.space.note !== undefined) this.space.note('gaveUp', { waiter: this });
    this.reject(error);
  }
}

/**
 * A token is a number: `undefined` is what a `tryReadBegin` returns that failed, and would compare as "fine". So would a token of
 * another tracker, which may be ahead of this one: only of those that are can this be seen.
 */
export function checkToken(seq: Seq, now: Seq): void {
  if (!(seq >= 0 && seq <= now) || typeof seq !== 'number')
    check(false, 'seq', seq, `a token from readBegin or tryReadBegin of this tracker, which has counted to ${now}`);
}
