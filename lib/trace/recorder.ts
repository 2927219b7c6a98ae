/**
 * TraceRecorder: keeps what a tracker does, as a list of plain events that survives `JSON.stringify`.
 *
 * - It observes: give `recorder.observer` to one tracker. Ids are the recorder's own, given out by first appearance.
 * - Memory is bounded: a ring of `capacity` events. When it is full the oldest goes, and {@link Trace.dropped} counts it.
 * - Time is that of the given clock, which should be the tracker's own. It dates events; their order is that of the list.
 * - No reader, section or owner is kept alive: objects become numbers.
 *
 * What a lookup discovers through `attempt.observe` is no event of a tracker. To have it in the trace as well, wrap the
 * fetch: {@link TraceRecorder.watch}.
 */
import type { Answer } from '../answers.js';
import type { Attempt } from '../attempt.js';
import { type Clock, systemClock } from '../clock.js';
import type { Collision } from '../collision.js';
import { check } from '../errors.js';
import type { Invalidation } from '../invalidation.js';
import type { Fetch } from '../lookup.js';
import type { TrackerEvents, TrackerObserver } from '../observer.js';
import { type Range, type Ranges, toRanges, toSpans } from '../range.js';
import type { ReaderInfo } from '../reader.js';
import type { RangeTracker } from '../tracker.js';

/** Events kept by default. One takes 100 to 300 bytes, so a full recorder holds about 10 MiB. */
const DEFAULT_CAPACITY = 65_536;

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
  /** A bare `readBegin`, or a `lookup`. */
  readonly operation: ReaderInfo['operation'];
  /** What it reads, as far as the tracker knows by then: what an attempt observed counts from the next one on. */
  readonly ranges: readonly TraceRange[];
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
}

/** Each type of event, and what its events have besides `type`, `at` and `seq`. */
export interface TraceDetails {
  /** A section has begun. */
  begin: TraceSection;
  /** A subscriber was told of a begin. */
  notified: TraceNotice;
  /** A section has ended, or was rolled back. */
  ended: TraceOfSection;
  /** A non-waiting begin was refused, by a subscriber or (then without one) by held ranges. */
  refused: TraceSection & Partial<TraceOfSubscription>;
  /** A reader waits for a section. The first in a row is when it began to wait, the others say that it waits for another one. */
  wait: TraceReader & TraceBlocked;
  /** Nothing blocks a reader any more. */
  wake: TraceOfReader;
  /** A begin queues behind a holding lookup. */
  queued: TraceSection & TraceBlocked;
  /** A begin that queued may go. */
  granted: TraceOfSection;
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

/** How a recorder is made. */
export interface TraceRecorderOptions {
  /** Events kept: a whole number of at least 1; default 65,536. */
  capacity?: number | undefined;
  /** Where time comes from; default `performance.now()`. Give the tracker's. */
  clock?: Pick<Clock, 'now'> | undefined;
}

/** See the top of this page. */
export class TraceRecorder {
  /** What the tracker is given: `new RangeTracker({ observer: recorder.observer })`. */
  readonly observer: TrackerObserver;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #capacity: number;
  /** A ring once it is full: the oldest is at `#oldest`. */
  readonly #events: TraceEvent[] = [];
  #oldest = 0;
  #dropped = 0;
  #ids = new WeakMap<object, number>();
  #lastId = 0;
  /** Set by each attempt, which its fetch follows in the same turn: so this is the lookup whose fetch is being called. */
  #announced: { readonly reader: number; readonly tracker: RangeTracker } | undefined = undefined;

  /** Empty. Throws `InvalidArgumentError`. */
  constructor({ capacity = DEFAULT_CAPACITY, clock = systemClock }: TraceRecorderOptions = {}) {
    check(Number.isSafeInteger(capacity) && capacity >= 1, 'capacity', capacity, 'a whole number of at least 1');
    check(typeof clock?.now === 'function', 'clock', clock, 'an object with now');
    this.#capacity = capacity;
    this.#clock = clock;
    this.observer = this.#observe();
  }

  /** Events kept now. */
  get size(): number {
    return this.#events.length;
  }

  /** A copy of what is kept, oldest first. O(n). */
  trace(): Trace {
    const events = [...this.#events.slice(this.#oldest), ...this.#events.slice(0, this.#oldest)];
    return { version: 1, dropped: this.#dropped, events };
  }

  /** Forgets all events. Ids go on, so that what is recorded from now on can be put behind an earlier trace. */
  clear(): void {
    this.#events.length = 0;
    this.#oldest = 0;
    this.#dropped = 0;
  }

  /**
   * The same fetch, which also records what its attempts observe; for lookups of the recorded tracker only. The attempt's
   * signal is not asked for unless the fetch does.
   */
  watch<T>(fetch: Fetch<T>): Fetch<T> {
    return (attempt) => {
      const announced = this.#announced;
      this.#announced = undefined;
      if (announced === undefined) return fetch(attempt); // a lookup of a tracker that is not recorded
      const { reader, tracker } = announced;
      const record = (ranges: Ranges) =>
        this.#add('observed', tracker.seq, { reader, attempt: attempt.number, ranges: toRanges(toSpans(ranges)).map(rangeFor) });
      return fetch(new WatchedAttempt(attempt, record));
    };
  }

  #observe(): TrackerObserver {
    const id = (thing: object) => this.#id(thing);
    const add = this.#add.bind(this);
    const step = ({ reader, attempt }: TrackerEvents['committed']) => ({ reader: id(reader), attempt });
    return {
      begin: ({ seq, invalidation }) => add('begin', seq, this.#section(invalidation)),
      notified: ({ seq, invalidation, subscription, answer }) =>
        add('notified', seq, { section: id(invalidation), subscription: id(subscription), answer }),
      ended: ({ seq, invalidation }) => add('ended', seq, { section: id(invalidation) }),
      refused: ({ seq, invalidation, subscription }) =>
        add('refused', seq, {
          ...this.#section(invalidation),
          ...(subscription === undefined ? {} : { subscription: id(subscription) }),
        }),
      wait: ({ seq, waiter, blocker }) => {
        if ('operation' in waiter) add('wait', seq, { ...this.#reader(waiter), blocker: id(blocker) });
        else add('queued', seq, { ...this.#section(waiter), blocker: id(blocker) });
      },
      wake: ({ seq, waiter }) => {
        if ('operation' in waiter) add('wake', seq, { reader: id(waiter) });
        else add('granted', seq, { section: id(waiter) });
      },
      attempt: ({ tracker, seq, reader, attempt }) => {
        this.#announced = { reader: id(reader), tracker };
        add('attempt', seq, { ...this.#reader(reader), attempt });
      },
      collided: (event) => add('collided', event.seq, { ...step(event), ...hitBy(event.collision) }),
      committed: (event) => add('committed', event.seq, step(event)),
      failed: (event) => add('failed', event.seq, { ...step(event), error: textOf(event.error) }),
      held: (event) => add('held', event.seq, { ...this.#reader(event.reader), attempt: event.attempt }),
      released: (event) => add('released', event.seq, step(event)),
      subscribed: ({ seq, subscription }) =>
        add('subscribed', seq, {
          subscription: id(subscription),
          ranges: subscription.ranges.map(rangeFor),
          ...labelled(subscription),
        }),
      closed: ({ seq, subscription }) => add('closed', seq, subscription === undefined ? {} : { subscription: id(subscription) }),
    };
  }

  #add<Type extends keyof TraceDetails>(type: Type, seq: number, details: TraceDetails[Type]): void {
    // Type and details go together, as the parameters say; the compiler cannot see that of a union it has not picked from.
    const event = { type, at: this.#clock.now(), seq, ...details } as unknown as TraceEvent;
    if (this.#events.length < this.#capacity) {
      this.#events.push(event);
      return;
    }
    this.#events[this.#oldest] = event;
    this.#oldest = (this.#oldest + 1) % this.#capacity;
    this.#dropped++;
  }

  #section(invalidation: Invalidation): TraceSection {
    const { ranges, kind, owner, within } = invalidation;
    return {
      section: this.#id(invalidation),
      ranges: ranges.map(rangeFor),
      kind,
      ...labelled(invalidation),
      ...(owner === undefined ? {} : { owner: this.#owner(owner) }),
      ...(within === undefined ? {} : { within: this.#id(within) }),
    };
  }

  #reader(reader: ReaderInfo): TraceReader {
    const { operation, ranges } = reader;
    return { reader: this.#id(reader), operation, ranges: ranges.map(rangeFor), ...labelled(reader) };
  }

  #id(thing: object): number {
    let id = this.#ids.get(thing);
    if (id === undefined) {
      id = ++this.#lastId;
      this.#ids.set(thing, id);
    }
    return id;
  }

  /** Not a map for everything: owners that are no objects cannot be held weakly, and would stay for ever. */
  #owner(owner: unknown): number | string {
    const isObject = (typeof owner === 'object' && owner !== null) || typeof owner === 'function';
    return isObject ? this.#id(owner) : String(owner);
  }
}

/** Hands everything on to the real attempt, its lazy signal too. */
class WatchedAttempt implements Attempt {
  readonly #attempt: Attempt;
  readonly #record: (ranges: Ranges) => void;

  constructor(attempt: Attempt, record: (ranges: Ranges) => void) {
    this.#attempt = attempt;
    this.#record = record;
  }

  get number(): number {
    return this.#attempt.number;
  }

  get seq(): Attempt['seq'] {
    return this.#attempt.seq;
  }

  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  observe(ranges: Ranges): void {
    this.#attempt.observe(ranges); // first: bad ranges throw, and are then not recorded
    this.#record(ranges);
  }
}

/** Ordinary ranges, with real infinities. */
export function rangesOfTrace(ranges: readonly TraceRange[]): Range[] {
  return ranges.map(({ start, end }) => ({ start: Number(start), end: Number(end) }));
}

function rangeFor({ start, end }: Range): TraceRange {
  return { start: boundOf(start), end: boundOf(end) };
}

function boundOf(bound: number): TraceBound {
  return Number.isFinite(bound) ? bound : bound < 0 ? '-Infinity' : 'Infinity';
}

function labelled({ label }: { readonly label: string | undefined }): { readonly label?: string } {
  return label === undefined ? {} : { label };
}

function hitBy({ reason, range, kind, label }: Collision) {
  return {
    reason,
    ...(range === undefined ? {} : { range: rangeFor(range) }),
    ...(kind === undefined ? {} : { kind }),
    ...labelled({ label }),
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
