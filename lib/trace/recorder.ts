/**
 * TraceRecorder: keeps what a tracker does, as a list of plain events that survives `JSON.stringify`.
 *
 * - It observes: give `recorder.observer` to one tracker. Ids are the recorder's own, given out by first appearance.
 * - Memory is bounded: a ring of `capacity` events. When it is full the oldest goes, and {@link Trace.dropped} counts it.
 * - Time is that of the given clock, which should be the tracker's own. It dates events; their order is that of the list.
 * - No reader, section or owner is kept alive: objects become numbers.
 *
 * What a lookup discovers through `attempt.observe` is no event of a tracker. To have it in the trace as well, wrap the
 * fetch: {@link TraceRecorder.watch}. Not recorded are `changing` and `changed`, which lie between `begun` and `ended` and show
 * nothing that those two do not, and `notifying`, which becomes the `ms` of `notified`.
 */

import { type Clock, systemClock } from '../base/clock.js';
import { check } from '../base/errors.js';
import { checkNames, type Names, names } from '../base/options.js';
import { printed } from '../base/print.js';
import { toRanges, toSpans } from '../base/range.js';
import type { Collision, LoadInfo, Range, Ranges, ReaderInfo } from '../base/vocabulary.js';
import type {
  Attempt,
  Fetch,
  Invalidation,
  ObservedTracker,
  RangeTracker,
  TrackerEvents,
  TrackerObserver,
} from '../tracker/index.js';
import { spaceOf } from '../tracker/internal.js';

import type {
  Trace,
  TraceBound,
  TraceDetails,
  TraceEvent,
  TraceOfAttempt,
  TraceRange,
  TraceReader,
  TraceSection,
} from './events.js';

export {
  rangesOfTrace,
  type Trace,
  type TraceBlocked,
  type TraceBound,
  type TraceCollision,
  type TraceDetails,
  type TraceEvent,
  type TraceFailure,
  type TraceNotice,
  type TraceObserved,
  type TraceOfAttempt,
  type TraceOfReader,
  type TraceOfSection,
  type TraceOfSubscription,
  type TraceRange,
  type TraceReader,
  type TraceSection,
  type TraceSubscription,
} from './events.js';

/** Events kept by default. One takes 100 to 300 bytes, so a full recorder holds about 10 MiB. */
const DEFAULT_CAPACITY = 65_536;

/** How a recorder is made. */
export interface TraceRecorderOptions {
  /** Events kept: a whole number of at least 1; default 65,536. */
  capacity?: number | undefined;
  /** Where time comes from; default `performance.now()`. Give the tracker's. */
  clock?: Pick<Clock, 'now'> | undefined;
}

const RECORDER_OPTIONS: Names = /* @__PURE__ */ names('capacity clock');

/**
 * Keeps what trackers tell, to be exported or drawn later: give its {@link TraceRecorder.observer} to a tracker, and take
 * {@link TraceRecorder.trace} to {@link toHtml}, {@link toSvg} or {@link toChromeTrace}.
 */
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
  /** Sections that somebody was told of. Of the others, `begun` says no more than `begin`. */
  readonly #told = new WeakSet<Invalidation>();
  /** When the callbacks that are running were called: one may begin a section of its own. */
  readonly #callbacks: number[] = [];
  /** Set by each attempt, which its fetch follows in the same turn: so this is the lookup whose fetch is being called. */
  #announced: { readonly reader: number; readonly tracker: ObservedTracker } | undefined = undefined;

  /** Empty. Throws `InvalidArgumentError`. */
  constructor(options: TraceRecorderOptions = {}) {
    checkNames(options, RECORDER_OPTIONS, 'new TraceRecorder');
    const { capacity = DEFAULT_CAPACITY, clock = systemClock } = options;
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
      begin: ({ seq, tracker, invalidation }) => add('begin', seq, this.#section(invalidation, tracker)),
      notifying: ({ invalidation }) => {
        this.#told.add(invalidation);
        this.#callbacks.push(this.#clock.now());
      },
      notified: ({ seq, invalidation, subscription, answer }) => {
        const ms = this.#clock.now() - this.#callbacks.pop()!;
        add('notified', seq, { section: id(invalidation), subscription: id(subscription), answer, ms });
      },
      begun: ({ seq, invalidation }) => {
        if (this.#told.has(invalidation)) add('begun', seq, { section: id(invalidation) });
      },
      ended: ({ seq, invalidation }) => add('ended', seq, { section: id(invalidation) }),
      refused: ({ seq, tracker, invalidation, subscription }) =>
        add('refused', seq, {
          ...this.#section(invalidation, tracker),
          ...(subscription === undefined ? {} : { subscription: id(subscription) }),
        }),
      wait: ({ seq, tracker, waiter, blocker }) => {
        if ('operation' in waiter) add('wait', seq, { ...this.#reader(waiter, tracker), blocker: id(blocker) });
        else add('queued', seq, { ...this.#section(waiter, tracker), blocker: id(blocker) });
      },
      wake: ({ seq, waiter }) => {
        if ('operation' in waiter) add('wake', seq, { reader: id(waiter) });
        else add('granted', seq, { section: id(waiter) });
      },
      gaveUp: ({ seq, waiter }) => {
        if ('operation' in waiter) add('gaveUp', seq, { reader: id(waiter) });
        else add('withdrawn', seq, { section: id(waiter) });
      },
      attempt: ({ tracker, seq, reader, attempt }) => {
        this.#announced = { reader: id(reader), tracker };
        add('attempt', seq, { ...this.#reader(reader, tracker), attempt });
      },
      collided: (event) => add('collided', event.seq, { ...step(event), ...hitBy(event.collision) }),
      committed: (event) => add('committed', event.seq, step(event)),
      failed: (event) => add('failed', event.seq, { ...step(event), error: textOf(event.error) }),
      held: (event) => add('held', event.seq, { ...this.#reader(event.reader, event.tracker), attempt: event.attempt }),
      released: (event) => add('released', event.seq, step(event)),
      loading: ({ seq, load }) => {
        if (load.ranges !== undefined) add('attempt', seq, this.#load(load, load.ranges));
      },
      landed: ({ seq, load }) => {
        if (load.ranges !== undefined) this.#landed(seq, load);
      },
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

  #section(invalidation: Invalidation, tracker: ObservedTracker): TraceSection {
    const { ranges, kind, owner, within } = invalidation;
    return {
      section: this.#id(invalidation),
      ranges: ranges.map(rangeFor),
      ...whereOf(tracker, ranges),
      kind,
      ...labelled(invalidation),
      ...(owner === undefined ? {} : { owner: this.#owner(owner) }),
      ...(within === undefined ? {} : { within: this.#id(within) }),
    };
  }

  #reader(reader: ReaderInfo, tracker: ObservedTracker): TraceReader {
    const { operation, ranges } = reader;
    return {
      reader: this.#id(reader),
      operation,
      ranges: ranges.map(rangeFor),
      ...whereOf(tracker, ranges),
      ...labelled(reader),
    };
  }

  /** A load that is no lookup of the tracker, as if it were one of one attempt. */
  #load(load: LoadInfo, ranges: readonly Range[]): TraceReader & TraceOfAttempt {
    return {
      ...{ reader: this.#id(load), operation: 'load', ranges: ranges.map(rangeFor), where: load.name, attempt: 1 },
      ...labelled({ label: load.label }),
    };
  }

  #landed(seq: number, load: LoadInfo): void {
    const { collision, failure } = load;
    const step = { reader: this.#id(load), attempt: 1 };
    if (collision !== undefined) this.#add('collided', seq, { ...step, ...hitBy(collision) });
    if (failure === undefined) this.#add('committed', seq, step);
    else this.#add('failed', seq, { ...step, error: textOf(failure.error) });
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

function rangeFor({ start, end }: Range): TraceRange {
  return { start: boundOf(start), end: boundOf(end) };
}

function boundOf(bound: number): TraceBound {
  return Number.isFinite(bound) ? bound : bound < 0 ? '-Infinity' : 'Infinity';
}

/** Asked at once: what a driver's ranges mean is known while somebody uses them. */
function whereOf(tracker: ObservedTracker, ranges: readonly Range[]): { readonly where?: string } {
  const words = spaceOf(tracker as RangeTracker).describe;
  return words === undefined ? {} : { where: words(ranges) };
}

function labelled({ label }: { readonly label: string | undefined }): { readonly label?: string } {
  return label === undefined ? {} : { label };
}

function hitBy({ reason, range, where, kind, label }: Collision) {
  return {
    reason,
    ...(range === undefined ? {} : { range: rangeFor(range) }),
    ...(where === undefined ? {} : { where }),
    ...(kind === undefined ? {} : { kind }),
    ...labelled({ label }),
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

printed(TraceRecorder.prototype, {
  name: 'TraceRecorder',
  data: (recorder) => recorder.trace(),
  brief: ({ size }) => ({ events: size }),
});
