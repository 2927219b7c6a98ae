/**
 * Inspect: takes a snapshot of a space.
 */
import type { Clock } from '../base/clock.js';
import { toRanges } from '../base/range.js';
import type { Seq } from '../base/vocabulary.js';
import type { Gate } from './gate.js';
import type { History } from './history.js';
import { type Hold, type Holder, Reader, type Section } from './parties.js';
import type { HoldSnapshot, SectionSnapshot, TrackerSnapshot, WaitSnapshot } from './snapshot.js';

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
    const readers: readonly (Reader | Holder)[] = waiter instanceof Reader ? [waiter] : (waiter as Hold).members;
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

function waitSnapshot({ id, operation, label, ranges }: Reader | Holder, forMs: number): WaitSnapshot {
  return { id, operation, label, ranges, forMs };
}

function holdSnapshot({ spans, begins }: Hold, reader: Holder, now: number): HoldSnapshot {
  const { id, label, deadline } = reader;
  const admitted = reader.hold?.admitted === true; // also where this is what it has discovered meanwhile
  return { id, label, ranges: toRanges(spans), admitted, leftMs: deadline - now, waiting: begins?.size ?? 0 };
}
