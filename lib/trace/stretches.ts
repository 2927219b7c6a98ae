/**
 * Stretches: what a reader does, event by event: it waits, tries, holds. A stretch is open, to the end of the trace, until an
 * event closes it.
 */
import { rangesOfTrace, type TraceCollision, type TraceEvent } from './events.js';
import type { AttemptOutcome, Hit, RunReader, Stretch } from './parts.js';

/** An event of a lookup, or of a bare `readBegin`. */
export type EventOfReader = Extract<TraceEvent, { readonly reader: number }>;

/** Where an event stands. */
export interface Place {
  readonly at: number;
  /** The position after the last event: where whatever is open ends for now. */
  readonly end: number;
  /** Who has hit an attempt that began at `since`. */
  readonly hit: (collision: TraceCollision, at: number, since: number) => Hit;
}

type StretchOf<What extends Stretch['what']> = Extract<Stretch, { readonly what: What }>;

type Steps = {
  readonly [Type in EventOfReader['type']]: (
    reader: RunReader,
    event: Extract<EventOfReader, { readonly type: Type }>,
    place: Place,
  ) => void;
};

const STEPS: Steps = {
  wait(reader, { ranges, blocker }, { at, end }) {
    close(reader, 'wait', { at, end });
    reader.stretches.push({ what: 'wait', from: at, to: end, ranges: rangesOfTrace(ranges), blocker, gaveUp: false });
  },
  wake(reader, _event, place) {
    close(reader, 'wait', place);
    if (reader.operation === 'readBegin') finish(reader, 'committed', place);
  },
  gaveUp(reader, _event, place) {
    giveUp(reader, place);
    finish(reader, 'failed', place);
  },
  attempt(reader, { ranges, attempt: number }, { at, end }) {
    close(reader, 'wait', { at, end });
    reader.stretches.push({ what: 'attempt', from: at, to: end, ranges: rangesOfTrace(ranges), number, outcome: 'open' });
  },
  observed(reader, { ranges }, { end }) {
    open(reader, 'attempt', end)?.ranges.push(...rangesOfTrace(ranges));
  },
  held(reader, { ranges }, { at, end }) {
    reader.stretches.push({ what: 'hold', from: at, to: end, ranges: rangesOfTrace(ranges) });
  },
  released(reader, _event, place) {
    close(reader, 'hold', place);
    if (reader.outcome !== 'open') reader.to = place.at;
  },
  collided(reader, event, place) {
    reader.hits.push(place.hit(event, place.at, open(reader, 'attempt', place.end)?.from ?? reader.from));
    settle(reader, 'lost', place);
  },
  committed(reader, _event, place) {
    settle(reader, 'committed', place);
    finish(reader, 'committed', place);
  },
  failed(reader, { error }, place) {
    settle(reader, 'failed', place);
    giveUp(reader, place);
    reader.error = error;
    finish(reader, 'failed', place);
  },
};

/** Takes one event of a reader. What comes after its end is of no account, but that its hold is over. */
export function advance(reader: RunReader, event: EventOfReader, place: Place): void {
  if (reader.outcome !== 'open' && event.type !== 'released') return;
  // The step of an event takes that event, as the table says; the compiler cannot see that of a union.
  const step = STEPS[event.type] as (reader: RunReader, event: EventOfReader, place: Place) => void;
  step(reader, event, place);
}

function finish(reader: RunReader, outcome: 'committed' | 'failed', { at }: Place): void {
  reader.outcome = outcome;
  reader.to = at;
}

function giveUp(reader: RunReader, place: Place): void {
  const wait = close(reader, 'wait', place);
  if (wait !== undefined) wait.gaveUp = true;
}

function settle(reader: RunReader, outcome: AttemptOutcome, place: Place): void {
  const attempt = close(reader, 'attempt', place);
  if (attempt !== undefined) attempt.outcome = outcome;
}

function close<What extends Stretch['what']>(
  reader: RunReader,
  what: What,
  { at, end }: Pick<Place, 'at' | 'end'>,
): StretchOf<What> | undefined {
  const stretch = open(reader, what, end);
  if (stretch !== undefined) stretch.to = at;
  return stretch;
}

/** The last of its sort that has not ended: the newest stretches are at the end of the list, and few. */
function open<What extends Stretch['what']>(reader: RunReader, what: What, end: number): StretchOf<What> | undefined {
  for (let i = reader.stretches.length - 1; i >= 0; i--) {
    const stretch = reader.stretches[i]!;
    if (stretch.what === what && stretch.to === end) return stretch as StretchOf<What>;
  }
  return undefined;
}
