/**
 * Wait: a bare `readBegin`, parked until nothing active overlaps its ranges.
 */

import { type Cancellation, cancelOn } from '../base/cancel.js';
import type { WaitedFor } from '../base/errors.js';
import { describeSpans, intersect, rangeAt, type Spans } from '../base/range.js';
import type { Ignore, Seq } from '../base/vocabulary.js';
import type { WaitOptions } from './options.js';
import { type Hold, Reader } from './parties.js';
import type { Space } from './space.js';

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
    this.space.link?.sync();
    if (!this.space.gate.parkIfBlocked(this)) {
      this.space.note?.('read', { reader: this });
      return Promise.resolve(this.space.seq);
    }
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      const { clock } = this.space;
      const what = () => ({
        what: `readBegin over ${describeSpans(this.spans, this.space.describe)}`,
        waitedFor: waitedFor(this, undefined, clock.now()),
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

/** For which section a reader waits, alone or in its hold; `undefined` if it does not. `now` is the clock's time. */
export function waitedFor(reader: Reader, hold: Hold | undefined, now: number): WaitedFor | undefined {
  const waiter = reader.blockedBy === undefined ? hold : reader;
  const section = waiter?.blockedBy;
  if (waiter === undefined || section === undefined) return undefined;
  const { label, kind, spans, home } = section;
  const range = rangeAt(intersect(spans, waiter.spans));
  return { what: 'invalidation', label, kind, range, where: home.describe?.([range]), forMs: now - waiter.since };
}
