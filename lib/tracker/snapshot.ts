/**
 * Snapshot: who is active, who waits, since when, under which label. For people who debug something that hangs.
 */

import type { Clock } from '../base/clock.js';
import { toRanges } from '../base/range.js';
import type { Range, Seq } from '../base/vocabulary.js';
import type { Gate } from './gate.js';
import type { History } from './history.js';
import { type Hold, Reader, type Section } from './parties.js';

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
    history: { size: history.sections, ranges: history.size, capacity: history.capacity, floor: history.floor as Seq },
  };
}

function sectionSnapshot(section: Section, now: number): SectionSnapshot {
  const { ranges, kind, label, since, active, beginSeq, behind } = section;
  const forMs = now - since;
  const waiters = section.waiters?.list() ?? [];
  const waiting = waiters.flatMap((waiter) => {
    const readers = waiter instanceof Reader ? [waiter] : (waiter as Hold).members;
    return readers.map((reader) => waitSnapshot(reader, now - waiter.since));
  });
  const pending = [...(section.asked?.pending ?? [])];
  return {
    beginSeq: active ? beginSeq : undefined,
    state: active ? 'active' : 'queued',
    ranges,
    kind,
    label,
    forMs,
    waiting,
    subscribers: pending.map((member) => ({ label: member.label, ranges: member.ranges, forMs })),
    behind: behind?.members.map((reader) => waitSnapshot(reader, forMs)) ?? [],
  };
}

function waitSnapshot({ id, operation, label, ranges }: Reader, forMs: number): WaitSnapshot {
  return { id, operation, label, ranges, forMs };
}

function holdSnapshot({ spans, begins }: Hold, reader: Reader, now: number): HoldSnapshot {
  const { id, label, deadline } = reader;
  const admitted = reader.hold?.admitted === true; // also where this is what it has discovered meanwhile
  return { id, label, ranges: toRanges(spans), admitted, leftMs: deadline - now, waiting: begins?.size ?? 0 };
}
