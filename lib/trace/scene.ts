/**
 * Scene: a run as shapes, ready to be painted: the space across, time down. Plain data, so that it can be put into a page.
 *
 * A shape goes from one position of the trace to another, and from one place of the axis to another; whoever paints decides
 * whether a position is an event or a moment. Shapes stand in layers, each in order of their beginnings, as numbers in
 * columns: a run of 100,000 events has some 50,000 of them.
 */
import type { Range } from '../base/vocabulary.js';
import { Axis, type Piece } from './axis.js';
import { hitText, noticeText, readerText, sectionText, stretchText, subjectOf } from './captions.js';
import type { Trace, TraceEvent } from './events.js';
import { type AttemptOutcome, type Run, type RunReader, runOf, type Stretch } from './run.js';

/** How a shape is painted; the positions in {@link STYLES} are the numbers in the columns. */
export const STYLES = [
  'section',
  'telling',
  'queue',
  'refused',
  'committed',
  'lost',
  'failed',
  'open',
  'wait',
  'gaveUp',
  'hold',
  'notice',
] as const;
/** One of {@link STYLES}. */
export type Style = (typeof STYLES)[number];

/** Shapes in columns. */
export interface Layer {
  readonly style: number[];
  /** Positions in the trace. */
  readonly from: number[];
  readonly to: number[];
  /** Places on the axis, 0 to 1. */
  readonly x0: number[];
  readonly x1: number[];
  /** How far a bar steps back from the edges of its range, so that those over the same range can be told apart. */
  readonly lane: number[];
  /** Which text of the scene is shown when it is pointed at. */
  readonly text: number[];
  /** Which name of the scene is written into it; -1 for none. */
  readonly name: number[];
}

/** A cross where an attempt was hit, with a line from where the offender began (-1 if it is not known). */
export interface Mark {
  readonly at: number;
  readonly since: number;
  readonly x: number;
  /** How much of the axis the attempt reaches over; 0 if that is not known. */
  readonly reach: number;
  readonly text: number;
}

/** Everything that is painted. */
export interface Scene {
  readonly styles: readonly Style[];
  /** Events; positions go from 0 to this. */
  readonly length: number;
  /** Milliseconds since the first event, for each position. */
  readonly times: readonly number[];
  readonly pieces: readonly Piece[];
  /** What the numbers of the axis are. */
  readonly space: string;
  /** Sections, readers, notices: painted in this order. */
  readonly layers: readonly Layer[];
  /** For each 256 shapes of each layer, how far the farthest of them reaches. */
  readonly reaches: readonly (readonly number[])[];
  readonly marks: readonly Mark[];
  readonly texts: readonly string[];
  readonly names: readonly string[];
  /** What each event is called, as a number of a name; empty for a run too long to show them. */
  readonly kinds: readonly number[];
  readonly kindNames: readonly string[];
  readonly counts: {
    readonly sections: number;
    readonly lookups: number;
    readonly attempts: number;
    readonly collisions: number;
    readonly waits: number;
    readonly dropped: number;
    readonly incomplete: number;
  };
}

const ATTEMPTS: Record<AttemptOutcome, Style> = { committed: 'committed', lost: 'lost', failed: 'failed', open: 'open' };

/** What has happened, in at most 14 characters: a line of a picture has no room for more. */
const EVENTS: Readonly<Record<TraceEvent['type'], string>> = {
  ...{ begin: 'change begins', notified: 'told', begun: 'all let go', ended: 'change ends', refused: 'refused' },
  ...{ queued: 'change queues', granted: 'may go', withdrawn: 'gives up', wait: 'read waits', wake: 'goes on' },
  ...{ gaveUp: 'gives up', attempt: 'read begins', observed: 'reads more', collided: 'is hit', committed: 'result counts' },
  ...{ failed: 'fails', held: 'holds', released: 'hold is over', subscribed: 'subscribes', closed: 'closes' },
};

/** Events are named where there is a line for each, which is of use in a figure, not in a day's work. */
const MOST_KINDS = 10_000;

/** Shapes that are passed over at once. */
const BLOCK = 256;

/** As many different insets as can be told apart. */
const LANES = 5;

/**
 * Lays a recorded run out; `space` is what the numbers of the axis are, if somebody has said it. O(n log n) for n events, times the number
 * of readers at work at once.
 */
export function sceneOf(trace: Trace, space?: string): Scene {
  const layout = new Layout(runOf(trace));
  layout.sections();
  layout.readers();
  layout.notices();
  return { ...layout.scene(trace.dropped, space), ...kindsOf(trace) };
}

function kindsOf({ events }: Trace): Pick<Scene, 'kinds' | 'kindNames'> {
  if (events.length > MOST_KINDS) return { kinds: [], kindNames: [] };
  const kindNames = [...new Set(events.map(({ type }) => EVENTS[type]))];
  return { kinds: events.map(({ type }) => kindNames.indexOf(EVENTS[type])), kindNames };
}

class Layout {
  readonly #run: Run;
  readonly #axis: Axis;
  readonly #texts: string[] = [];
  readonly #names: string[] = [];
  readonly #nameIds = new Map<string, number>();
  readonly #layers: readonly [Shape[], Shape[], Shape[]] = [[], [], []];
  readonly #marks: Mark[] = [];

  constructor(run: Run) {
    this.#run = run;
    const ranges: Range[] = [];
    for (const section of run.sections) ranges.push(...section.ranges);
    for (const reader of run.readers) for (const stretch of reader.stretches) ranges.push(...stretch.ranges);
    this.#axis = new Axis(ranges);
  }

  sections(): void {
    for (const section of this.#run.sections) {
      const { ranges, where, active, telling, queue, withdrawn, refused } = section;
      const text = this.#text(sectionText(section, this.#run));
      const name = this.#name(section.label ?? where ?? section.kind);
      const add = (style: Style, from: number, to: number) => this.#add(0, ranges, { style, from, to, text, name, lane: 0 });
      if (queue !== undefined) add(withdrawn ? 'gaveUp' : 'queue', queue.from, queue.to);
      if (active !== undefined) add('section', active.from, active.to);
      if (telling !== undefined) add('telling', telling.from, telling.to);
      if (refused !== undefined) add('refused', refused, refused);
    }
  }

  readers(): void {
    const lanes = lanesOf(this.#run.readers);
    const subjects = subjectOf(this.#run);
    this.#run.readers.forEach((reader, i) => {
      const about = readerText(reader, this.#run);
      // That it is a lookup, one sees. Of a load it is of interest which pages it loads.
      const { operation, label, where } = reader;
      const called = operation === 'load' ? (where ?? label) : (label ?? where);
      const name = called === undefined ? -1 : this.#name(called);
      for (const stretch of reader.stretches) {
        const text = this.#text(`${about}\n${stretchText(stretch, this.#run, subjects)}`);
        const style = styleOf(stretch);
        const named = stretch.what === 'attempt' ? name : -1;
        const { from, to, ranges } = stretch;
        this.#add(1, ranges, { style, from, to, text, name: named, lane: lanes[i]! % LANES });
      }
      for (const hit of reader.hits) {
        const { range } = hit.collision;
        const text = this.#text(`${about}\n${hitText(hit)}`);
        const x = range === undefined ? 0.5 : (this.#axis.at(Number(range.start)) + this.#axis.at(Number(range.end))) / 2;
        this.#marks.push({
          at: hit.at,
          since: hit.offender?.active?.from ?? -1,
          x: round(x),
          reach: this.#reachOf(reader, hit.at),
          text,
        });
      }
    });
  }

  notices(): void {
    for (const notice of this.#run.notices) {
      const { at, section, subscription } = notice;
      const ranges = section === undefined ? [] : intersect(section.ranges, subscription.ranges);
      const text = this.#text(noticeText(notice));
      const name = this.#name(subscription.label ?? `subscriber #${subscription.id}`);
      this.#add(2, ranges, { style: 'notice', from: at, to: at, text, name, lane: 0 });
    }
  }

  scene(dropped: number, space: string | undefined): Omit<Scene, 'kinds' | 'kindNames'> {
    const { sections, readers, length, times, incomplete } = this.#run;
    const layers = this.#layers.map(columns);
    const stretches = (what: Stretch['what']) =>
      readers.reduce((sum, reader) => sum + reader.stretches.filter((stretch) => stretch.what === what).length, 0);
    return {
      ...{ styles: STYLES, length, times: times.map((time) => Math.round(time * 1000) / 1000), pieces: this.#axis.pieces },
      space: space ?? (this.#hasKeys() ? 'slots of keys' : 'space'),
      ...{ layers, reaches: layers.map(reachesOf), marks: this.#marks.sort((a, b) => a.at - b.at) },
      ...{ texts: this.#texts, names: this.#names },
      counts: {
        sections: sections.length,
        lookups: readers.filter(({ operation }) => operation !== 'readBegin').length,
        attempts: stretches('attempt'),
        collisions: this.#marks.length,
        waits: stretches('wait'),
        ...{ dropped, incomplete },
      },
    };
  }

  /** Of the attempt that was hit there. */
  #reachOf({ stretches }: RunReader, at: number): number {
    const lost = stretches.filter(({ what, to }) => what === 'attempt' && to === at).at(-1);
    if (lost === undefined || lost.ranges.length === 0) return 0;
    const places = lost.ranges.flatMap(({ start, end }) => [this.#axis.at(start), this.#axis.at(end)]);
    return round(Math.max(...places) - Math.min(...places));
  }

  #add(layer: 0 | 1 | 2, ranges: readonly Range[], shape: Omit<Shape, 'x0' | 'x1'>): void {
    for (const { start, end } of ranges) {
      this.#layers[layer].push({ ...shape, x0: round(this.#axis.at(start)), x1: round(this.#axis.at(end)) });
    }
  }

  /** A driver that has words for its ranges has keys; but a load says in words whose it is, too. */
  #hasKeys(): boolean {
    const { sections, readers } = this.#run;
    const has = ({ where }: { readonly where: string | undefined }) => where !== undefined;
    return sections.some(has) || readers.some((reader) => reader.operation !== 'load' && has(reader));
  }

  #text(text: string): number {
    return this.#texts.push(text) - 1;
  }

  #name(name: string): number {
    let id = this.#nameIds.get(name);
    if (id === undefined) {
      id = this.#names.push(name) - 1;
      this.#nameIds.set(name, id);
    }
    return id;
  }
}

interface Shape {
  readonly style: Style;
  readonly from: number;
  readonly to: number;
  readonly x0: number;
  readonly x1: number;
  readonly lane: number;
  readonly text: number;
  readonly name: number;
}

function columns(shapes: readonly Shape[]): Layer {
  const sorted = [...shapes].sort((a, b) => a.from - b.from);
  const column = (field: Exclude<keyof Shape, 'style'>) => sorted.map((shape) => shape[field]);
  return {
    style: sorted.map(({ style }) => STYLES.indexOf(style)),
    ...{ from: column('from'), to: column('to'), x0: column('x0'), x1: column('x1') },
    ...{ lane: column('lane'), text: column('text'), name: column('name') },
  };
}

function reachesOf({ to }: Layer): number[] {
  return Array.from({ length: Math.ceil(to.length / BLOCK) }, (_, i) => Math.max(...to.slice(i * BLOCK, (i + 1) * BLOCK)));
}

function styleOf(stretch: Stretch): Style {
  if (stretch.what === 'attempt') return ATTEMPTS[stretch.outcome];
  return stretch.what === 'wait' && stretch.gaveUp ? 'gaveUp' : stretch.what;
}

/** Readers that are at work at the same time over the same numbers get different ones. The smallest that is free. */
function lanesOf(readers: readonly RunReader[]): number[] {
  let working: { readonly to: number; readonly low: number; readonly high: number; readonly lane: number }[] = [];
  return readers.map(({ from, to, stretches }) => {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const { ranges } of stretches) {
      for (const { start, end } of ranges) {
        low = Math.min(low, start);
        high = Math.max(high, end);
      }
    }
    working = working.filter((other) => other.to > from);
    const taken = new Set(working.filter((other) => other.low < high && low < other.high).map(({ lane }) => lane));
    let lane = 0;
    while (taken.has(lane)) lane++;
    working.push({ to, low, high, lane });
    return lane;
  });
}

function intersect(some: readonly Range[], others: readonly Range[]): Range[] {
  return some.flatMap(({ start, end }) =>
    others
      .map((other) => ({ start: Math.max(start, other.start), end: Math.min(end, other.end) }))
      .filter((both) => both.start < both.end),
  );
}

/** A page of 100,000 pixels would show the difference. */
function round(x: number): number {
  return Math.round(x * 1e6) / 1e6;
}
