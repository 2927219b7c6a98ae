/**
 * Reader: one read that may have to wait for invalidations, alone or as a member of a hold.
 */
import type { Seq } from '../base/collision.js';
import { type Range, type Spans, toRanges } from '../base/range.js';
import type { Hold } from './hold.js';
import type { Ignore, Section } from './invalidation.js';
import { Parked } from './parking.js';

/** A reader as observers and snapshots see it. */
export interface ReaderInfo {
  /** Unique within the tracker, ascending. */
  readonly id: number;
  /** A bare `readBegin`, or a `lookup`. */
  readonly operation: 'readBegin' | 'lookup';
  /** The lookup's label, if it has one. */
  readonly label: string | undefined;
  /** What it reads, as far as is known: sorted, merged, frozen. */
  readonly ranges: readonly Range[];
}

/** What can wait for sections: a reader of its own, or a hold. `blockedBy` is set exactly while it is parked at one. */
export abstract class Waiter extends Parked {
  spans: Spans;
  readonly ignore: Ignore | undefined;
  /** Position in the order of arrival, shared with sections. */
  ticket = 0;
  blockedBy: Section | undefined = undefined;
  /** The clock when it was parked, for snapshots only. */
  since = 0;

  constructor(spans: Spans, ignore: Ignore | undefined) {
    super();
    this.spans = spans;
    this.ignore = ignore;
  }
}

/** What the gate knows of a reader. `hold` is set from {@link Gate.hold} to {@link Gate.release}; only the gate sets it. */
export abstract class Reader extends Waiter implements ReaderInfo {
  abstract readonly operation: 'readBegin' | 'lookup';
  abstract readonly label: string | undefined;
  readonly id: number;
  hold: Hold | undefined = undefined;
  /** What it has discovered while it held; over when the reader releases. */
  extensions: Hold[] | undefined = undefined;
  /** Where it stands among the hold's members. */
  place = 0;
  /** The clock at which its hold is dissolved; 0 before its first hold. It does not move when a hold is renewed. */
  deadline = 0;

  constructor(id: number, spans: Spans, ignore: Ignore | undefined) {
    super(spans, ignore);
    this.id = id;
  }

  get ranges(): readonly Range[] {
    return toRanges(this.spans);
  }

  /** Nothing blocks it any more. Called by the gate's user in the middle of an end: must only schedule. */
  abstract wake(seq: Seq): void;

  /** The wait is over for another reason. */
  abstract fail(error: unknown): void;

  /**
   * What it waited for is over, but a section that began meanwhile is in the way. True if it will not wait for that,
   * and wants to go on (to hold, or to give up).
   */
  overtaken(): boolean {
    return false;
  }

  /** The hold ran out. Only lookups hold, so only they have something to do here. */
  expire(): void {}
}
