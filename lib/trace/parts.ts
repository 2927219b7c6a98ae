/**
 * Parts: what a run consists of. Positions are those of events in the trace; see run.ts.
 */
import type { Range } from '../base/vocabulary.js';
import type { Answer } from '../tracker/index.js';

import type { TraceCollision, TraceReader } from './events.js';

/** From one position to a later (or the same) one. */
export interface Span {
  readonly from: number;
  to: number;
}

/** What a subscriber answered. */
export interface Notice {
  readonly at: number;
  readonly section: RunSection | undefined;
  readonly subscription: RunSubscription;
  readonly answer: Answer;
  /** How long its callback took before it returned. */
  readonly ms: number;
}

/** A section: queued, then active, or refused. */
export interface RunSection {
  readonly id: number;
  readonly ranges: readonly Range[];
  /** What they mean in the words of a driver: keys. */
  readonly where: string | undefined;
  readonly kind: string;
  readonly label: string | undefined;
  readonly within: number | undefined;
  /** From the queue to the begin; undefined if it never queued. */
  queue: Span | undefined;
  /** It left the queue without a begin. */
  withdrawn: boolean;
  /** From begin to end; undefined if it never began. */
  active: Span | undefined;
  /** The part of that in which it waited for its subscribers; undefined if nobody was told. */
  telling: Span | undefined;
  /** Somebody has not confirmed, so nothing was changed. */
  rolledBack: boolean;
  /** Where a begin that does not wait was refused. */
  refused: number | undefined;
}

/** How an attempt ended; `open` if it had not by the end of the trace. */
export type AttemptOutcome = 'committed' | 'lost' | 'failed' | 'open';

/** What a reader does for a while. */
export type Stretch = Span & { readonly ranges: Range[] } & (
    | { readonly what: 'attempt'; readonly number: number; outcome: AttemptOutcome }
    | { readonly what: 'wait'; readonly blocker: number; gaveUp: boolean }
    | { readonly what: 'hold' }
  );

/** Where an attempt was hit. */
export interface Hit {
  readonly at: number;
  readonly collision: TraceCollision;
  /** Who did it, as far as that can be told from the trace. */
  readonly offender: RunSection | undefined;
}

/** A lookup, or a bare `readBegin` that had to wait. */
export interface RunReader extends Span {
  readonly id: number;
  readonly operation: TraceReader['operation'];
  /** What it reads in the words of a driver: keys. */
  readonly where: string | undefined;
  readonly label: string | undefined;
  readonly stretches: Stretch[];
  readonly hits: Hit[];
  outcome: 'committed' | 'failed' | 'open';
  /** What it rejected with, as text. */
  error: string | undefined;
}

/** A subscription. */
export interface RunSubscription extends Span {
  readonly id: number;
  readonly label: string | undefined;
  readonly ranges: readonly Range[];
}

/** See the top of the file. Everything is in order of first appearance. */
export interface Run {
  /** The number of events. */
  readonly length: number;
  /** Milliseconds from the first event, for each position: one more than there are events. */
  readonly times: readonly number[];
  /** The recorder's clock at the first event, in milliseconds. */
  readonly origin: number;
  readonly sections: readonly RunSection[];
  readonly readers: readonly RunReader[];
  readonly subscriptions: readonly RunSubscription[];
  readonly notices: readonly Notice[];
  /** Things whose beginning was forgotten, and whose ranges are therefore unknown. */
  readonly incomplete: number;
}
