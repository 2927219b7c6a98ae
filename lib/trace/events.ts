/**
 * Events: what a recorded run consists of: plain data that survives `JSON.stringify`. Objects have become numbers; the same
 * thing has the same number in all of its events.
 */

import type { Collision, Range, ReaderInfo } from '../base/vocabulary.js';
import type { Answer } from '../tracker/index.js';

/** A bound of a range. JSON has no infinity, so that is spelt out. */
export type TraceBound = number | '-Infinity' | 'Infinity';

/** A half-open range `[start, end)`. {@link rangesOfTrace} gives ordinary ones back. */
export interface TraceRange {
  /** Belongs to the range. */
  readonly start: TraceBound;
  /** The first number after the range. */
  readonly end: TraceBound;
}

/** An event of a section. All ids are positive whole numbers, and no two things in a trace share one. */
export interface TraceOfSection {
  /** The id of the section. */
  readonly section: number;
}

/** A section where it first appears: when it queues, when it is refused, or else when it begins. */
export interface TraceSection extends TraceOfSection {
  /** What changes. */
  readonly ranges: readonly TraceRange[];
  /** What the ranges mean in the words of a driver (`key "a"`); absent where ranges are ranges. */
  readonly where?: string;
  /** The kind. */
  readonly kind: string;
  /** The label; absent if it has none. */
  readonly label?: string;
  /** An id for an object, otherwise the owner as text; absent if it was not said. */
  readonly owner?: number | string;
  /** The id of the section it is nested in; absent if it is in none. */
  readonly within?: number;
}

/** An event of a bare `readBegin` or of a lookup. */
export interface TraceOfReader {
  /** The id of the reader. */
  readonly reader: number;
}

/** A reader whenever it waits, holds or calls its fetch. */
export interface TraceReader extends TraceOfReader {
  /** A bare `readBegin`, a `lookup`, or a `load` of a mirror: one attempt, which is made again as another load. */
  readonly operation: ReaderInfo['operation'] | 'load';
  /** What it reads, as far as the tracker knows by then: what an attempt observed counts from the next one on. */
  readonly ranges: readonly TraceRange[];
  /** What the ranges mean in the words of a driver (`key "a"`); absent where ranges are ranges. */
  readonly where?: string;
  /** The label; absent if it has none. */
  readonly label?: string;
}

/** An event of one attempt of a lookup. */
export interface TraceOfAttempt extends TraceOfReader {
  /** The number of the attempt, from 1; 0 before the first. */
  readonly attempt: number;
}

/** What an attempt has discovered. */
export interface TraceObserved extends TraceOfAttempt {
  /** What it is about to read, too. */
  readonly ranges: readonly TraceRange[];
}

/** An attempt that was hit; what is absent is not known any more. */
export interface TraceCollision extends TraceOfAttempt {
  /** In which way. */
  readonly reason: Collision['reason'];
  /** The part of the lookup's ranges that was hit. */
  readonly range?: TraceRange;
  /** What that means in the words of a driver; absent where ranges are ranges. */
  readonly where?: string;
  /** The kind of the section that hit it. */
  readonly kind?: string;
  /** The label of the section that hit it. */
  readonly label?: string;
}

/** A lookup that ended without a commit. */
export interface TraceFailure extends TraceOfAttempt {
  /** What it rejected with, as text. */
  readonly error: string;
}

/** Somebody who has to wait for somebody. */
export interface TraceBlocked {
  /** The id of who is in the way: a section, active or queued, or a holding lookup. */
  readonly blocker: number;
}

/** An event of a subscriber. */
export interface TraceOfSubscription {
  /** The id of the subscription. */
  readonly subscription: number;
}

/** A new subscriber. */
export interface TraceSubscription extends TraceOfSubscription {
  /** What it covers. */
  readonly ranges: readonly TraceRange[];
  /** The label; absent if it has none. */
  readonly label?: string;
}

/** A subscriber that was told of a begin. */
export interface TraceNotice extends TraceOfSection, TraceOfSubscription {
  /** What it answered at once. */
  readonly answer: Answer;
  /** How long its callback took before it returned, in milliseconds by the recorder's clock. */
  readonly ms: number;
}

/** Each type of event, and what its events have besides `type`, `at` and `seq`. */
export interface TraceDetails {
  /** A section has begun. */
  begin: TraceSection;
  /** A subscriber was told of a begin. */
  notified: TraceNotice;
  /**
   * Every subscriber has confirmed, and the content may be changed. Not recorded for a section of which nobody was told, where
   * it is the same moment as `begin`.
   */
  begun: TraceOfSection;
  /** A section has ended, or was rolled back. */
  ended: TraceOfSection;
  /** A non-waiting begin was refused, by a subscriber or (then without one) by held ranges. */
  refused: TraceSection & Partial<TraceOfSubscription>;
  /** A reader waits for a section. The first in a row is when it began to wait, the others say that it waits for another one. */
  wait: TraceReader & TraceBlocked;
  /** Nothing blocks a reader any more. */
  wake: TraceOfReader;
  /** A `readBegin` that waited was aborted, timed out, or turned away; a lookup says `failed` instead. */
  gaveUp: TraceOfReader;
  /** A begin queues behind a holding lookup. */
  queued: TraceSection & TraceBlocked;
  /** A begin that queued may go. */
  granted: TraceOfSection;
  /** A begin that queued was aborted or turned away, and will not begin. */
  withdrawn: TraceOfSection;
  /** A lookup calls its fetch. */
  attempt: TraceReader & TraceOfAttempt;
  /** An attempt is about to read this, too; recorded through {@link TraceRecorder.watch} only. */
  observed: TraceObserved;
  /** An attempt was hit. */
  collided: TraceCollision;
  /** A lookup has committed. */
  committed: TraceOfAttempt;
  /** A lookup ended without a commit. */
  failed: TraceFailure;
  /** A lookup has announced its ranges. */
  held: TraceReader & TraceOfAttempt;
  /** A lookup has given its ranges free. */
  released: TraceOfAttempt;
  /** A subscriber was added. */
  subscribed: TraceSubscription;
  /** A subscription was closed; without one it was the tracker. */
  closed: Partial<TraceOfSubscription>;
}

/** One event; `type` says which, and which other fields it has. */
export type TraceEvent = {
  [Type in keyof TraceDetails]: {
    /** Which event. */
    readonly type: Type;
    /** Milliseconds by the recorder's clock. */
    readonly at: number;
    /** The space's counter right after the event. */
    readonly seq: number;
  } & TraceDetails[Type];
}[keyof TraceDetails];

/** A recorded run, in the order of events. Nothing in it is lost by `JSON.stringify` and `JSON.parse`. */
export interface Trace {
  /** Of this format. */
  readonly version: 1;
  /** Events that came before the first one here, and were forgotten. */
  readonly dropped: number;
  /** What is kept. */
  readonly events: readonly TraceEvent[];
}

/** Ordinary ranges, with real infinities. */
export function rangesOfTrace(ranges: readonly TraceRange[]): Range[] {
  return ranges.map(({ start, end }) => ({ start: Number(start), end: Number(end) }));
}
