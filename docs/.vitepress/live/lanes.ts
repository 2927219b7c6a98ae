/**
 * Lanes: the three of the demo, side by side, and a hand that changes all of them at once.
 */
import { type Range, RangeTracker } from '../../../lib/index.js';
import type { TraceRecorder } from '../../../lib/trace/index.js';
import { fenced, noGuard, oneLock } from './guards.js';
import { Lane } from './lane.js';
import type { Pace } from './pace.js';

/** Names of the lanes, from above. */
export const LANES = ['none', 'lock', 'rangefence'] as const;
/** One of them. */
export type LaneName = (typeof LANES)[number];

/** A change that somebody holds. */
export interface Grip {
  /** What it covers. */
  readonly range: Range;
  /** Covers all up to this place, too. What it once covered, it covers to its end. */
  reach(place: number): void;
  /** It is over. */
  release(): void;
}

/** See the top of the file. */
export class Lanes {
  readonly lanes: Readonly<Record<LaneName, Lane>>;

  /** The recorder sees what the tracker of `rangefence` does. */
  constructor(pace: Pace, recorder: TraceRecorder) {
    const tracker = new RangeTracker({ clock: pace, observer: recorder.observer });
    this.lanes = {
      none: new Lane(noGuard, pace),
      lock: new Lane(oneLock(), pace),
      rangefence: new Lane(fenced(tracker), pace),
    };
  }

  /** Begins to change a place. */
  grip(place: number): Grip {
    let release = (): void => {};
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    let range: Range = { start: place, end: place };
    const take = (part: Range): void => {
      if (part.start < part.end) for (const name of LANES) void this.lanes[name].change(part, until);
    };
    const reach = (to: number): void => {
      take({ start: Math.min(to, range.start), end: range.start });
      take({ start: range.end, end: Math.max(to + 1, range.end) });
      range = { start: Math.min(to, range.start), end: Math.max(to + 1, range.end) };
    };
    reach(place);
    return {
      get range() {
        return range;
      },
      reach,
      release,
    };
  }
}
