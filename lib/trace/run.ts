/**
 * Run: a trace as things that have a beginning and an end, for whoever draws or exports it.
 *
 * A trace is a list of events; here each section, reader and subscription is one object that spans from an event to another.
 * Spans are in positions of that list, since several events may have the same time: position `i` is that of event `i`, and
 * {@link Run.length} that of "still so at the end". What began before the first event that is left, and was never
 * described since, has no ranges and is left out; {@link Run.incomplete} counts it.
 */

import type { Range } from '../base/vocabulary.js';
import {
  rangesOfTrace,
  type Trace,
  type TraceCollision,
  type TraceEvent,
  type TraceReader,
  type TraceSection,
} from './events.js';
import type { Hit, Notice, Run, RunReader, RunSection, RunSubscription } from './parts.js';
import { advance, type EventOfReader } from './stretches.js';

export type { AttemptOutcome, Hit, Notice, Run, RunReader, RunSection, RunSubscription, Span, Stretch } from './parts.js';

/** O(n), but for collisions, which look back over the sections that ended during the attempt. */
export function runOf(trace: Trace): Run {
  const reading = new Reading(trace);
  for (const [at, event] of trace.events.entries()) reading.take(event, at);
  return reading.finish();
}

const EVERYTHING: readonly Range[] = [{ start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY }];

type EventOf<Type extends TraceEvent['type']> = Extract<TraceEvent, { readonly type: Type }>;

class Reading {
  readonly #trace: Trace;
  readonly #sections = new Map<number, RunSection>();
  readonly #readers = new Map<number, RunReader>();
  readonly #subscriptions = new Map<number, RunSubscription>();
  readonly #notices: Notice[] = [];
  readonly #active = new Set<RunSection>();
  /** In the order of their ends. */
  readonly #ended: RunSection[] = [];
  readonly #unknown = new Set<number>();

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  take(event: TraceEvent, at: number): void {
    switch (event.type) {
      case 'queued':
        this.#section(event).queue ??= { from: at, to: this.#end };
        return;
      case 'begin':
        return this.#begin(this.#section(event), at);
      case 'refused':
        this.#section(event).refused = at;
        return;
      case 'granted':
        return this.#unqueue(event.section, at);
      case 'withdrawn':
        return this.#withdraws(event.section, at);
      case 'begun':
        return this.#begun(event.section, at);
      case 'ended':
        return this.#ends(event.section, at);
      case 'notified':
        return this.#notified(event, at);
      case 'subscribed':
        this.#subscriptions.set(event.subscription, {
          ...{ id: event.subscription, label: event.label, ranges: rangesOfTrace(event.ranges) },
          ...{ from: at, to: this.#end },
        });
        return;
      case 'closed':
        if (event.subscription !== undefined) this.#subscription(event.subscription).to = at;
        return;
      default:
        return this.#read(event, at);
    }
  }

  finish(): Run {
    const { events } = this.#trace;
    const origin = events[0]?.at ?? 0;
    const times = events.map(({ at }) => at - origin);
    return {
      ...{ length: events.length, origin, times: [...times, times.at(-1) ?? 0] },
      sections: [...this.#sections.values()],
      readers: [...this.#readers.values()],
      subscriptions: [...this.#subscriptions.values()],
      notices: this.#notices,
      incomplete: [...this.#unknown].filter((id) => !this.#sections.has(id) && !this.#readers.has(id)).length,
    };
  }

  get #end(): number {
    return this.#trace.events.length;
  }

  #section({ section: id, ranges, where, kind, label, within }: TraceSection): RunSection {
    let section = this.#sections.get(id);
    if (section === undefined) {
      section = {
        ...{ id, ranges: rangesOfTrace(ranges), where, kind, label, within },
        ...{ queue: undefined, withdrawn: false, active: undefined, telling: undefined, rolledBack: false, refused: undefined },
      };
      this.#sections.set(id, section);
    }
    return section;
  }

  #begin(section: RunSection, at: number): void {
    section.active = { from: at, to: this.#end };
    this.#unqueue(section.id, at);
    this.#active.add(section);
  }

  #notified({ section: id, subscription, answer, ms }: EventOf<'notified'>, at: number): void {
    const section = this.#sections.get(id);
    if (section?.active !== undefined) section.telling ??= { from: section.active.from, to: this.#end };
    this.#notices.push({ at, section, subscription: this.#subscription(subscription), answer, ms });
  }

  #begun(id: number, at: number): void {
    const telling = this.#sections.get(id)?.telling;
    if (telling !== undefined) telling.to = at;
  }

  #withdraws(id: number, at: number): void {
    this.#unqueue(id, at);
    const section = this.#sections.get(id);
    if (section !== undefined) section.withdrawn = true;
  }

  #unqueue(id: number, at: number): void {
    const section = this.#sections.get(id);
    if (section === undefined) this.#unknown.add(id);
    else if (section.queue !== undefined && section.queue.to === this.#end) section.queue.to = at;
  }

  #ends(id: number, at: number): void {
    const section = this.#sections.get(id);
    if (section?.active === undefined) {
      this.#unknown.add(id);
      return;
    }
    section.active.to = at;
    if (section.telling?.to === this.#end) {
      section.telling.to = at;
      section.rolledBack = true;
    }
    this.#active.delete(section);
    this.#ended.push(section);
  }

  /** One whose beginning was forgotten covers, for all that is known, everything. */
  #subscription(id: number): RunSubscription {
    let subscription = this.#subscriptions.get(id);
    if (subscription === undefined) {
      subscription = { id, label: undefined, ranges: EVERYTHING, from: 0, to: this.#end };
      this.#subscriptions.set(id, subscription);
    }
    return subscription;
  }

  #read(event: EventOfReader, at: number): void {
    const reader = 'operation' in event ? this.#reader(event, at) : this.#readers.get(event.reader);
    if (reader === undefined) {
      this.#unknown.add(event.reader);
      return;
    }
    advance(reader, event, { at, end: this.#end, hit: this.#hit });
  }

  #reader({ reader: id, operation, where, label }: TraceReader, at: number): RunReader {
    let reader = this.#readers.get(id);
    if (reader === undefined) {
      reader = {
        ...{ id, operation, where, label, from: at, to: this.#end },
        stretches: [],
        hits: [],
        outcome: 'open',
        error: undefined,
      };
      this.#readers.set(id, reader);
    }
    return reader;
  }

  /** The section that covers the part that was hit, and was there at the time; the latest one if several were. */
  readonly #hit = (collision: TraceCollision, at: number, since: number): Hit => {
    const fits = ({ ranges, kind, label }: RunSection) =>
      kind === collision.kind && label === collision.label && covers(ranges, collision);
    let offender: RunSection | undefined;
    if (collision.reason === 'active') for (const section of this.#active) if (fits(section)) offender = section;
    for (let i = this.#ended.length - 1; collision.reason === 'ended' && i >= 0; i--) {
      const section = this.#ended[i]!;
      if (section.active!.to < since) break;
      if (!fits(section)) continue;
      offender = section;
      break;
    }
    return { at, collision, offender };
  };
}

function covers(ranges: readonly Range[], { range }: TraceCollision): boolean {
  if (range === undefined) return false;
  const start = Number(range.start);
  const end = Number(range.end);
  return ranges.some((own) => own.start <= start && end <= own.end);
}
