/**
 * Performance: a trace as measures of the host's `performance`, which the DevTools of Chromium and Node show as tracks of
 * their own in the Performance panel.
 */
import { check } from '../base/errors.js';
import { hitText, rangesText, readerName, sectionName, stretchText, subjectOf } from './captions.js';
import { namedTraces, type Traces } from './chrome.js';
import { type AttemptOutcome, type Run, runOf, type Span, type Stretch } from './run.js';

/** What DevTools reads of a measure or a mark: <https://developer.chrome.com/docs/devtools/performance/extension>. */
export interface DevtoolsDetail {
  /** An entry of a track, or a line across all of them. */
  readonly dataType: 'track-entry' | 'marker';
  /** The track; absent for a marker. */
  readonly track?: string;
  /** Tracks of one space are together. */
  readonly trackGroup?: string;
  /** One of the panel's own colours, which suit its light and its dark theme. */
  readonly color: 'primary' | 'secondary' | 'tertiary' | 'tertiary-light' | 'secondary-light' | 'primary-light' | 'error';
  /** Shown when it is pointed at. */
  readonly tooltipText: string;
  /** Shown when it is selected. */
  readonly properties: readonly (readonly [name: string, value: string])[];
}

/** What is needed of `globalThis.performance`. */
export interface PerformanceTarget {
  /** Adds a measure from `start` to `end`, in milliseconds. */
  measure(name: string, options: { start: number; end: number; detail: { devtools: DevtoolsDetail } }): unknown;
  /** Adds a mark. */
  mark(name: string, options: { startTime: number; detail: { devtools: DevtoolsDetail } }): unknown;
}

const ATTEMPT_COLOURS: Record<AttemptOutcome, DevtoolsDetail['color']> = {
  committed: 'primary',
  lost: 'error',
  failed: 'error',
  open: 'primary-light',
};

/**
 * Adds a measure for each section, attempt, wait and hold, and a mark for each collision; returns how many. The trace must have
 * been recorded with `performance.now()`, the default, or its times mean nothing there. Throws `InvalidArgumentError`.
 */
export function toPerformance(traces: Traces, target: PerformanceTarget = globalThis.performance as PerformanceTarget): number {
  const fits = typeof target?.measure === 'function' && typeof target.mark === 'function';
  check(fits, 'performance', target, 'an object with measure and mark');
  let count = 0;
  for (const { name, trace } of namedTraces(traces)) count += new Measuring(runOf(trace), name, target).all();
  return count;
}

function colourOf(stretch: Stretch): DevtoolsDetail['color'] {
  if (stretch.what === 'attempt') return ATTEMPT_COLOURS[stretch.outcome];
  if (stretch.what === 'hold') return 'secondary';
  return stretch.gaveUp ? 'error' : 'secondary-light';
}

/** DevTools leaves out what takes no time, and counts in microseconds: of two, rounding leaves one at least. */
const LEAST_MS = 0.002;

type Look = Omit<DevtoolsDetail, 'dataType' | 'trackGroup'>;

class Measuring {
  readonly #run: Run;
  readonly #trackGroup: string;
  readonly #target: PerformanceTarget;
  #count = 0;

  constructor(run: Run, space: string, target: PerformanceTarget) {
    this.#run = run;
    this.#trackGroup = `rangefence: ${space}`;
    this.#target = target;
  }

  all(): number {
    this.#sections();
    this.#readers();
    return this.#count;
  }

  #sections(): void {
    for (const section of this.#run.sections) {
      const name = sectionName(section);
      const properties = [
        ['ranges', rangesText(section.ranges)],
        ...(section.label ? [['label', section.label] as const] : []),
      ] as const;
      const look = { tooltipText: name, properties };
      if (section.queue !== undefined)
        this.#measure(`queued: ${name}`, section.queue, { ...look, track: 'queue', color: 'tertiary-light' });
      if (section.active !== undefined) this.#measure(name, section.active, { ...look, track: 'sections', color: 'tertiary' });
      if (section.telling !== undefined)
        this.#measure(`told: ${name}`, section.telling, { ...look, track: 'subscribers', color: 'primary-light' });
    }
  }

  #readers(): void {
    const subject = subjectOf(this.#run);
    for (const reader of this.#run.readers) {
      const name = readerName(reader);
      for (const stretch of reader.stretches) {
        const tooltipText = stretchText(stretch, this.#run, subject);
        const track = { attempt: 'lookups', wait: 'waits', hold: 'holds' }[stretch.what];
        this.#measure(name, stretch, {
          track,
          color: colourOf(stretch),
          tooltipText,
          properties: [['ranges', rangesText(stretch.ranges)]],
        });
      }
      for (const hit of reader.hits) {
        const devtools = {
          dataType: 'marker',
          color: 'error',
          tooltipText: hitText(hit),
          properties: [['lookup', name]],
        } as const;
        this.#target.mark(`collision: ${name}`, { startTime: this.#at(hit.at), detail: { devtools } });
        this.#count++;
      }
    }
  }

  #measure(name: string, { from, to }: Span, look: Look): void {
    const devtools = { dataType: 'track-entry', trackGroup: this.#trackGroup, ...look } as const;
    const start = this.#at(from);
    const end = Math.max(this.#at(to), start + LEAST_MS);
    this.#target.measure(name, { start, end, detail: { devtools } });
    this.#count++;
  }

  #at(position: number): number {
    return this.#run.origin + this.#run.times[position]!;
  }
}
