/**
 * Recorded: turns a recorded run into work. What a lookup did once it could go on is how long it takes; what it had to do
 * twice, and how long it had to wait, is the rule's doing, and is left out.
 */
import type { Range } from '../../lib/index.js';
import { rangesOfTrace, type Trace, type TraceEvent } from '../../lib/trace/index.js';
import { joined } from '../../test/support/model/ranges.js';
import type { Work, WorkInvalidation, WorkLookup } from './work.js';

type EventOf<Type extends TraceEvent['type']> = Extract<TraceEvent, { readonly type: Type }>;

interface LookupRecord {
  readonly at: number;
  readonly ranges: Range[];
  attempted: number;
  takes: number | undefined;
}

interface SectionRecord {
  readonly asked: number;
  readonly ranges: readonly Range[];
  began: number;
  ended: number | undefined;
}

/**
 * The work of a trace. Lookups and sections of which the trace has not the end are left out. A lookup that failed for a reason
 * of its own is in: its answer had to be checked like any other. Bare `readBegin`s are not: nobody records when they are over.
 */
export function workOfTrace(trace: Trace): Work {
  if (trace.dropped > 0) throw new Error(`the trace has lost its first ${trace.dropped} events; expected a whole one`);
  const lookups = new Map<number, LookupRecord>();
  const sections = new Map<number, SectionRecord>();
  const objects: Range[] = [];
  for (const event of trace.events) {
    if (event.type === 'subscribed') objects.push(...rangesOfTrace(event.ranges));
    else if ('reader' in event) noteLookup(lookups, event);
    else if ('section' in event) noteSection(sections, event);
  }
  return {
    lookups: [...lookups.values()].flatMap(toLookup).sort((a, b) => a.at - b.at),
    invalidations: [...sections.values()].flatMap(toInvalidation).sort((a, b) => a.begin - b.begin),
    objects: distinct(objects),
  };
}

type ReaderEvent = Extract<TraceEvent, { readonly reader: number }>;

function noteLookup(lookups: Map<number, LookupRecord>, event: ReaderEvent): void {
  const { reader, at } = event;
  if ('operation' in event && event.operation === 'lookup' && !lookups.has(reader)) {
    lookups.set(reader, { at, ranges: [], attempted: at, takes: undefined });
  }
  const lookup = lookups.get(reader);
  if (lookup === undefined) return;
  if ('ranges' in event) lookup.ranges.push(...rangesOfTrace(event.ranges));
  if (event.type === 'attempt') lookup.attempted = at;
  else if (event.type === 'committed' || event.type === 'failed') lookup.takes = at - lookup.attempted;
}

type SectionEvent = Extract<TraceEvent, { readonly section: number }>;

function noteSection(sections: Map<number, SectionRecord>, event: SectionEvent): void {
  const { section, at } = event;
  if (isFirst(event) && !sections.has(section)) {
    sections.set(section, { asked: at, ranges: rangesOfTrace(event.ranges), began: at, ended: undefined });
  }
  const record = sections.get(section);
  if (record === undefined) return;
  if (event.type === 'begin') record.began = at;
  else if (event.type === 'ended') record.ended = at;
}

function isFirst(event: SectionEvent): event is EventOf<'begin'> | EventOf<'queued'> {
  return event.type === 'begin' || event.type === 'queued';
}

function toLookup({ at, takes, ranges }: LookupRecord): WorkLookup[] {
  return takes === undefined ? [] : [{ at, takes, ranges: joined(ranges) }];
}

/** A begin that queued wanted to begin when it came, and would have ended as much earlier. */
function toInvalidation({ asked, began, ended, ranges }: SectionRecord): WorkInvalidation[] {
  return ended === undefined ? [] : [{ begin: asked, end: asked + ended - began, ranges }];
}

function distinct(ranges: readonly Range[]): Range[] {
  return [...new Map(ranges.map((range) => [`${range.start} ${range.end}`, range])).values()];
}
