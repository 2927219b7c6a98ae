/**
 * Chrome: a trace in the JSON format of Chrome's tracing, which ui.perfetto.dev and chrome://tracing open.
 *
 * A space is a process; each section, lookup and subscriber is an asynchronous track of its own in it (`b` … `e`, matched by
 * category and id). On a lookup's track lie its waits and attempts, on a track beside it its holds, which may overlap them. A
 * collision is an instant on the lookup's track, an answer one on the subscriber's. Times are microseconds.
 */
import {
  hitText,
  noticeText,
  rangesText,
  readerName,
  sectionName,
  stretchText,
  subjectOf,
  subscriptionName,
} from './captions.js';
import type { Trace } from './events.js';
import { type Run, type RunReader, runOf, type Span, type Stretch } from './run.js';

/** An event of that format; only the fields that are used here. */
export interface ChromeEvent {
  /** Shown. */
  readonly name: string;
  /** Begin, instant and end on an asynchronous track; `M` names a process. */
  readonly ph: 'b' | 'n' | 'e' | 'M';
  /** Begin and end of a track have the same. */
  readonly cat: string;
  /** Tells tracks of one category apart, those of all spaces: a hexadecimal number. */
  readonly id?: string;
  /** Microseconds by the recorder's clock. */
  readonly ts: number;
  /** The number of the space, from 1. */
  readonly pid: number;
  /** Always that of the process: nothing here is a thread. */
  readonly tid: number;
  /** Shown when it is selected. */
  readonly args: Readonly<Record<string, unknown>>;
}

/** A file of that format. */
export interface ChromeTrace {
  /** In order of time. */
  readonly traceEvents: readonly ChromeEvent[];
  /** How times are shown. */
  readonly displayTimeUnit: 'ms';
}

/** A trace with the name of its space. */
export interface NamedTrace {
  /** The name. */
  readonly name: string;
  /** What was recorded there; all of them should have the same clock. */
  readonly trace: Trace;
}

/** One trace, or those of several spaces. */
export type Traces = Trace | readonly NamedTrace[];

/** What `JSON.stringify` makes a file of that ui.perfetto.dev opens. What is not over ends with the trace. O(n log n). */
export function toChromeTrace(traces: Traces): ChromeTrace {
  const traceEvents = namedTraces(traces).flatMap(({ name, trace }, i) => eventsOf(runOf(trace), { name, pid: i + 1 }));
  // Stable, so what has the same time stays in the order in which tracks are balanced.
  return { traceEvents: traceEvents.sort((a, b) => a.ts - b.ts), displayTimeUnit: 'ms' };
}

/** A list in any case. */
export function namedTraces(traces: Traces): readonly NamedTrace[] {
  return 'events' in traces ? [{ name: 'space', trace: traces }] : traces;
}

/** Tracks are told apart by category and id only, in all processes together, so the number of the space is in the id. */
function trackId(id: number, pid: number): string {
  return `0x${(pid * 2 ** 40 + id).toString(16)}`;
}

/** An event before it has a time: `depth` is how far inside its track it is. */
interface Placed {
  readonly at: number;
  readonly ph: 'b' | 'n' | 'e';
  readonly depth: number;
  readonly track: { readonly cat: string; readonly id: number };
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

function eventsOf(run: Run, { name, pid }: { name: string; pid: number }): ChromeEvent[] {
  const placed: Placed[] = [];
  sections(run, placed);
  readers(run, placed);
  subscriptions(run, placed);
  placed.sort((a, b) => a.at - b.at || rank(a) - rank(b));
  const process = { name: 'process_name', ph: 'M', cat: '__metadata', ts: 0, pid, tid: pid, args: { name } } as const;
  const ts = (at: number) => (run.origin + run.times[at]!) * 1000;
  const events = placed.map(({ at, ph, track: { cat, id }, name, args }) => ({
    ...{ name, ph, cat, id: trackId(id, pid), ts: ts(at), pid, tid: pid, args },
  }));
  return [process, ...events];
}

/** At one position: inner ends, outer ends, outer begins, inner begins, instants. No track ends where it has an instant. */
function rank({ ph, depth }: Placed): number {
  if (ph === 'n') return 4;
  return ph === 'e' ? 1 - depth : 2 + depth;
}

interface Entry {
  readonly cat: string;
  readonly id: number;
  readonly name: string;
  readonly depth?: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

function add(placed: Placed[], { from, to }: Span, { cat, id, name, depth = 0, args = {} }: Entry): void {
  if (from >= to) return; // closed by the first event that is left
  const common = { depth, track: { cat, id }, name };
  placed.push({ ...common, at: from, ph: 'b', args }, { ...common, at: to, ph: 'e', args: {} });
}

function instant(placed: Placed[], at: number, { cat, id, name, args = {} }: Entry): void {
  placed.push({ at, ph: 'n', depth: 1, track: { cat, id }, name, args });
}

function sections(run: Run, placed: Placed[]): void {
  for (const section of run.sections) {
    const { id, ranges, kind, queue, withdrawn, active, telling, rolledBack, refused, within } = section;
    const args = {
      ...{ ranges: rangesText(ranges), kind, ...(within === undefined ? {} : { within }) },
      ...(withdrawn ? { withdrawn } : {}),
      ...(rolledBack ? { rolledBack } : {}),
    };
    const name = sectionName(section);
    if (queue !== undefined) add(placed, queue, { cat: 'queue', id, name: `queued: ${name}`, args });
    if (active !== undefined) add(placed, active, { cat: 'section', id, name, args });
    if (telling !== undefined) add(placed, telling, { cat: 'section', id, name: 'waits for its subscribers', depth: 1 });
    if (refused !== undefined) {
      add(placed, { from: refused, to: refused + 1 }, { cat: 'refused', id, name: `refused: ${name}`, args });
    }
  }
}

function readers(run: Run, placed: Placed[]): void {
  const subject = subjectOf(run);
  for (const reader of run.readers) {
    const { id, outcome, error, stretches, hits } = reader;
    const cat = reader.operation;
    add(placed, trackOf(reader), {
      cat,
      id,
      name: readerName(reader),
      args: { outcome, ...(error === undefined ? {} : { error }) },
    });
    for (const stretch of stretches) {
      const name = stretchName(stretch);
      const args = { about: stretchText(stretch, run, subject), ranges: rangesText(stretch.ranges) };
      const isHold = stretch.what === 'hold';
      add(placed, stretch, { cat: isHold ? 'hold' : cat, id, name, depth: isHold ? 0 : 1, args });
    }
    for (const hit of hits) {
      instant(placed, hit.at, { cat, id, name: 'collision', args: { about: hitText(hit), offender: hit.offender?.id } });
    }
  }
}

function stretchName(stretch: Stretch): string {
  if (stretch.what === 'attempt') return `attempt ${stretch.number}`;
  return stretch.what === 'wait' && stretch.gaveUp ? 'wait, given up' : stretch.what;
}

/** A lookup that gives up its hold after its commit: the track is over with the commit. */
function trackOf({ from, to, stretches }: RunReader): Span {
  const last = Math.max(from, ...stretches.filter(({ what }) => what !== 'hold').map((stretch) => stretch.to));
  return { from, to: Math.max(to, last) };
}

function subscriptions(run: Run, placed: Placed[]): void {
  for (const subscription of run.subscriptions) {
    const { id, ranges } = subscription;
    add(placed, subscription, {
      cat: 'subscriber',
      id,
      name: subscriptionName(subscription),
      args: { ranges: rangesText(ranges) },
    });
  }
  for (const notice of run.notices) {
    const { at, section, subscription, answer, ms } = notice;
    const args = { about: noticeText(notice), section: section?.id, answer, ms };
    instant(placed, at, { cat: 'subscriber', id: subscription.id, name: `told: ${answer}`, args });
  }
}
