/**
 * Recording: one slice under `rangefence` whose every event is kept, after the measured ones, since an observer has its price.
 */
import { extname } from 'node:path';
import { RangeTracker } from '../../lib/index.js';
import { type Trace, TraceRecorder, toChromeTrace, toHtml, toSvg } from '../../lib/trace/index.js';
import { RangefenceGuard } from '../guards/rangefence.js';
import { runSlice, type Slice } from './load.js';
import { makeSubscribers } from './subscriber.js';

/** What a picture shows: 10,000 reads a second make some 40 events each millisecond, and nobody looks at many of those. */
const RECORDED_MS = 500;

/** A hold of the demo never runs out, also on a busy disk. */
const HOLD_MS = 60_000;

/** Runs the slice and returns what its tracker did, from the first moment on. */
export async function recordSlice(slice: Omit<Slice, 'guard' | 'subscribers' | 'ms' | 'warmMs'>): Promise<Trace> {
  const recorder = new TraceRecorder({ capacity: 262_144 });
  const tracker = new RangeTracker({ label: 'demo', observer: recorder.observer });
  const guard = new RangefenceGuard(tracker, { holdMs: HOLD_MS });
  const subscribers = makeSubscribers(slice.options.subscribers, slice.file.pages);
  await runSlice({ ...slice, guard, subscribers, warmMs: 0, ms: RECORDED_MS });
  return recorder.trace();
}

/** What is written into a file of this name: a page, or by its extension a Chrome trace (`.json`) or a picture (`.svg`). */
export function renderTrace(trace: Trace, file: string): string {
  const title = 'npm run demo';
  switch (extname(file).toLowerCase()) {
    case '.json':
      return JSON.stringify(toChromeTrace([{ name: title, trace }]));
    case '.svg':
      return toSvg(trace, { time: 'clock', height: 1200, width: 1200, space: 'pages' });
    default:
      return toHtml(trace, { title, space: 'pages' });
  }
}
