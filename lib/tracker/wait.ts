/**
 * Wait: a bare `readBegin`, parked until nothing active overlaps its ranges.
 */
import { type Cancellation, type CancelOptions, cancelOn, checkCancel } from '../base/cancel.js';
import type { Seq } from '../base/collision.js';
import { check } from '../base/errors.js';
import type { Spans } from '../base/range.js';
import type { Ignore } from './invalidation.js';
import { Reader } from './reader.js';
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

/** Checks the filter and the bounds; a signal that has already fired is thrown as its reason. */
export function checkWait(options: WaitOptions | undefined): void {
  if (options === undefined) return;
  check(options.ignore === undefined || typeof options.ignore === 'function', 'ignore', options.ignore, 'a function');
  checkCancel(options);
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
    if (!this.space.gate.parkIfBlocked(this)) {
      if (this.space.observer !== undefined) this.space.emit('read', { reader: this });
      return Promise.resolve(this.space.seq);
    }
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      this.cancellation = cancelOn(this.space.clock, options, 'readBegin', (error) => this.fail(error));
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
    if (this.space.observer !== undefined) this.space.emit('gaveUp', { waiter: this });
    this.reject(error);
  }
}

/** A token is a number: `undefined` is what a `tryReadBegin` returns that failed, and would compare as "fine". */
export function checkToken(seq: Seq): void {
  if (!(seq >= 0) || typeof seq !== 'number') check(false, 'seq', seq, 'a token from readBegin or tryReadBegin');
}
