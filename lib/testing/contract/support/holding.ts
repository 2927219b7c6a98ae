/**
 * Lookups that hold their ranges, and sections that make them do so.
 */
import type { PlainLookupOptions, Range, Ranges, RangeTracker } from '../../../index.js';
import { ManualFetch } from './reading.js';
import { Outcome, turns } from './turns.js';

/** A lookup that has lost its first attempt and holds its ranges, its second attempt running or waiting for its turn. */
export interface Holder {
  readonly read: ManualFetch;
  readonly result: Promise<string>;
  readonly outcome: Outcome<string>;
  /** Answers the running attempt and lets everybody react. */
  commit(value?: string): Promise<void>;
}

type Tracker = Pick<RangeTracker, 'lookup' | 'tryBegin'>;

/** Starts a lookup and lets it lose once; it holds as soon as {@link hold} is awaited. */
export async function hold(tracker: Tracker, ranges: Ranges, options: PlainLookupOptions<string> = {}): Promise<Holder> {
  const read = new ManualFetch();
  const result = tracker.lookup(ranges, read.fetch, { maxAttempts: 1, ...options });
  const outcome = new Outcome(result);
  const section = tracker.tryBegin(firstOf(ranges));
  // Refused: the range is known to be fought over, so the lookup holds it from its first attempt on.
  if (section !== undefined) {
    section.end();
    read.last.resolve('stale');
    await turns();
  }
  return {
    read,
    result,
    outcome,
    async commit(value = 'fresh') {
      read.last.resolve(value);
      await turns();
    },
  };
}

/** A whole section over part of the ranges, begun and ended in one turn. */
export function hit(tracker: Tracker, ranges: Ranges): void {
  const section = tracker.tryBegin(firstOf(ranges));
  if (section === undefined) throw new Error('the begin was refused');
  section.end();
}

function firstOf(ranges: Ranges): Range {
  return Array.isArray(ranges) ? ranges[0] : (ranges as Range);
}
