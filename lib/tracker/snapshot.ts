/**
 * Snapshot: who is active, who waits, since when, under which label. For people who debug something that hangs.
 */

import type { Clock } from '../base/clock.js';
import { toRanges } from '../base/range.js';
import type { Range, ReaderInfo, Seq } from '../base/vocabulary.js';
import type { Gate } from './gate.js';
import type { History } from './history.js';
import { type Hold, type Invalidation, Reader, type Section } from './parties.js';

/** A section at one moment. */
export interface SectionSnapshot {
  /** The section itself: by identity the same object in every snapshot and event. */
  readonly invalidation: Invalidation;
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
}

/** A reader that waits, or holds, at one moment. */
export interface WaitSnapshot {
  /** The reader itself. */
  readonly reader: ReaderInfo;
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
  /** The lookup itself. */
  readonly reader: ReaderInfo;
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
  /** Ended ranges remembered now. */
  readonly size: number;
  /** Ended ranges remembered at most. */
  readonly capacity: number;
  /** Tokens from here on are answered exactly; older ones with `history-lost`. */
  readonly floor: Seq;
}

/** Everything a tracker knows about now. A copy: it does not change afterwards. */
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

/** What a snapshot looks at. */
export interface Snapshotted {
  readonly label: string | undefined;
  readonly seq: Seq;
  readonly closed: boolean;
  readonly clock: Clock;
  readonly gate: Gate;
  readonly history: History;
  readonly members: { readonly size: number };
  readonly inFlight: { readonly size: number };
}

/** O(everything in it); for people, not for loops. */
export function takeSnapshot(space: Snapshotted): TrackerSnapshot {
  const { gate, history } = space;
  const now = space.clock.now();
  const all = [...gate.active.all(), ...gate.queued.all()].sort((a, b) => a.ticket - b.ticket);
  const sections = all.map((section) => sectionSnapshot(section, now));
  return {
    label: space.label,
    seq: space.seq,
    closed: space.closed,
    sections,
    holds: gate.holds.all().flatMap((hold) => hold.members.map((reader) => holdSnapshot(hold, reader, now))),
    waiting: sections.reduce((sum, section) => sum + section.waiting.length, 0),
    subscribedRanges: space.members.size,
    inFlightRanges: space.inFlight.size,
    history: { size: history.size, capacity: history.capacity, floor: history.floor as Seq },
  };
}

function sectionSnapshot(section: Section, now: number): SectionSnapshot {
  const { ranges, kind, label, since } = section;
  const waiters = section.waiters?.list() ?? [];
  const waiting = waiters.flatMap((waiter) => {
    const readers = waiter instanceof Reader ? [waiter] : (waiter as Hold).members;
    return readers.map((reader) => waitSnapshot(reader, now - waiter.since));
  });
  return { invalidation: section, state: section.active ? 'active' : 'queued', ranges, kind, label, forMs: now - since, waiting };
}

function waitSnapshot(reader: Reader, forMs: number): WaitSnapshot {
  const { operation, label, ranges } = reader;
  return { reader, operation, label, ranges, forMs };
}

function holdSnapshot({ spans, begins }: Hold, reader: Reader, now: number): HoldSnapshot {
  const { label, deadline } = reader;
  const admitted = reader.hold?.admitted === true; // also where this is what it has discovered meanwhile
  return { reader, label, ranges: toRanges(spans), admitted, leftMs: deadline - now, waiting: begins?.size ?? 0 };
}
