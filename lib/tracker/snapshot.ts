/**
 * Snapshot: who is active, who waits, since when, under which label. For people who debug something that hangs.
 */

import type { Range, Seq } from '../base/vocabulary.js';

/** A section at one moment. */
export interface SectionSnapshot {
  /** The counter at its begin, which names it; `undefined` while it queues. */
  readonly beginSeq: Seq | undefined;
  /** `queued` behind a held lookup, or `active`. */
  readonly state: 'queued' | 'active';
  /** What changes. */
  readonly ranges: readonly Range[];
  /** Kind, as given to the begin. */
  readonly kind: string;
  /** Label, as given to the begin. */
  readonly label: string | undefined;
  /** Milliseconds since it began, or queued. */
  readonly forMs: number;
  /** Readers that wait for it. */
  readonly waiting: readonly WaitSnapshot[];
  /** Subscribers that have been told of it and have not confirmed yet: its begin waits for them. */
  readonly subscribers: readonly AwaitedSnapshot[];
  /** The held lookups behind which it queues. */
  readonly behind: readonly WaitSnapshot[];
}

/** A subscriber whose answer is waited for, at one moment. */
export interface AwaitedSnapshot {
  /** The subscription's label. */
  readonly label: string | undefined;
  /** What it covers. */
  readonly ranges: readonly Range[];
  /** Milliseconds since the section began. */
  readonly forMs: number;
}

/** A reader that waits, or holds, at one moment. */
export interface WaitSnapshot {
  /** Which reader: unique within the tracker, as in events. */
  readonly id: number;
  /** `readBegin` or `lookup`. */
  readonly operation: 'readBegin' | 'lookup';
  /** The lookup's label. */
  readonly label: string | undefined;
  /** What it reads. */
  readonly ranges: readonly Range[];
  /** Milliseconds since it was parked. */
  readonly forMs: number;
}

/** A lookup that holds its ranges, at one moment. */
export interface HoldSnapshot {
  /** Which lookup: unique within the tracker, as in events. */
  readonly id: number;
  /** The lookup's label. */
  readonly label: string | undefined;
  /** What it holds. */
  readonly ranges: readonly Range[];
  /** True if it has its turn; false if it still waits for it. */
  readonly admitted: boolean;
  /** Milliseconds until the hold is dissolved. */
  readonly leftMs: number;
  /** Begins that queue behind it. */
  readonly waiting: number;
}

/** How far a tracker remembers. */
export interface HistorySnapshot {
  /** Ended invalidations remembered now. */
  readonly size: number;
  /** Their ranges. */
  readonly ranges: number;
  /** Ended invalidations remembered at most. */
  readonly capacity: number;
  /** Tokens from here on are answered exactly; older ones with `history-lost`. */
  readonly floor: Seq;
}

/** Everything a tracker knows about now: a copy, and plain data, which `JSON.stringify` takes (infinite ends become null). */
export interface TrackerSnapshot {
  /** The tracker's label. */
  readonly label: string | undefined;
  /** The counter. */
  readonly seq: Seq;
  /** True after `close()`. */
  readonly closed: boolean;
  /** Sections that are active or queued, in order of arrival. */
  readonly sections: readonly SectionSnapshot[];
  /** Lookups that hold their ranges, in order of arrival. */
  readonly holds: readonly HoldSnapshot[];
  /** Readers that wait, in all. */
  readonly waiting: number;
  /** Open subscriptions, counted by range. */
  readonly subscribedRanges: number;
  /** Ranges of attempts whose signal was asked for. */
  readonly inFlightRanges: number;
  /** How much of the past is remembered. */
  readonly history: HistorySnapshot;
}
