/**
 * Subscription: a party that holds derived state for some ranges and must drop it before an invalidation proceeds.
 */
import type { Seq } from '../base/collision.js';
import type { DisposableHandle } from '../base/dispose.js';
import { ClosedError, check, describe, InvalidRangeError } from '../base/errors.js';
import { giveOut } from '../base/outlets.js';
import {
  contains,
  deleteSpans,
  type Handles,
  insertSpans,
  type Range,
  type Ranges,
  type Spans,
  toRanges,
  toSpans,
} from '../base/range.js';
import type { Ignore, Invalidation } from './invalidation.js';
import { type CommitOptions, type Fetch, Lookup, type LookupOptions, type PlainLookupOptions } from './lookup.js';
import type { Space } from './space.js';
import { checkToken, checkWait, type FilterOptions, WaitingRead, type WaitOptions } from './wait.js';

/** The two calls a party gets. They may close any subscription, and begin or end other invalidations. */
export interface Subscriber {
  /**
   * The content of `invalidation.ranges` is about to change: stop using what was derived from it. All overlapping
   * subscribers are called before any is awaited.
   *
   * Return nothing when it is done, or a promise for when it will be. If `invalidation.blockable` is false, `false` or
   * a promise refuses: then nothing is changed. Throwing, rejecting, or answering `false` to a blockable invalidation
   * makes the begin fail with `SubscriberError`.
   */
  invalidate(invalidation: Invalidation): void | false | PromiseLike<void>;
  /**
   * The ranges are stable again (as far as this section is concerned). Also called for a begin that failed or was
   * rolled back after this subscriber had been told, and for a section that was active when it subscribed. What it
   * throws is reported by the host as an uncaught exception; nobody else misses the end because of it.
   */
  end?(invalidation: Invalidation): void;
}

/** How to subscribe. */
export interface SubscribeOptions extends FilterOptions {
  /** A name for error messages, snapshots and observers; also the default label of this subscription's lookups. */
  label?: string | undefined;
}

/** Which part of the subscription a call is about; default all of it. */
export interface WithinSubscription {
  /** Must lie inside the subscription's ranges: what is derived from elsewhere would never be dropped. */
  ranges?: Ranges | undefined;
}

/**
 * A place among the subscribers, until closed. Its reading methods are the tracker's, with this subscription's ranges
 * and filter as defaults; they throw or reject with `ClosedError` once it is closed, as nobody would drop the result.
 */
export interface Subscription extends DisposableHandle {
  /** What it covers: sorted, merged, frozen. */
  readonly ranges: readonly Range[];
  /** Its name, if it has one. */
  readonly label: string | undefined;
  /** True after `close()`, or after the tracker was closed. */
  readonly closed: boolean;
  /** No callback starts after this has returned, also when called from inside a callback. Idempotent. O(log n). */
  close(): void;
  /** As {@link RangeTracker.readBegin}. */
  readBegin(options?: WaitOptions & WithinSubscription): Promise<Seq>;
  /** As {@link RangeTracker.tryReadBegin}. */
  tryReadBegin(options?: FilterOptions & WithinSubscription): Seq | undefined;
  /** As {@link RangeTracker.readRetry}; true once the subscription is closed. */
  readRetry(seq: Seq, options?: FilterOptions & WithinSubscription): boolean;
  /** As {@link RangeTracker.lookup}. */
  lookup<T, R>(fetch: Fetch<T>, options: CommitOptions<T, R> & WithinSubscription): Promise<R>;
  /** The same without a commit: resolves with what `fetch` returned. */
  lookup<T>(fetch: Fetch<T>, options?: PlainLookupOptions<T> & WithinSubscription): Promise<T>;
  /** The same with options of which it is not known whether they have a commit. */
  lookup<T, R>(fetch: Fetch<T>, options: LookupOptions<T, R> & WithinSubscription): Promise<T | R>;
}

/** The object behind {@link Subscription}. In the space's tree exactly while `closed` is false. */
export class Member implements Subscription {
  static {
    // biome-ignore lint/complexity/noThisInStatic: a bundler renames a class that names itself
    giveOut(this.prototype, ['readBegin', 'lookup']);
  }

  readonly subscriber: Subscriber;
  readonly ignore: Ignore | undefined;
  readonly label: string | undefined;
  /** The space's counter when it subscribed: sections from then on that it was not told of began without it. */
  readonly since: Seq;
  closed = false;
  readonly #space: Space;
  readonly #spans: Spans;
  readonly #handles: Handles;

  /** Throws before anything has changed. */
  constructor(space: Space, ranges: Ranges, subscriber: Subscriber, { ignore, label }: SubscribeOptions) {
    const spans = toSpans(ranges);
    check(typeof subscriber?.invalidate === 'function', 'subscriber', subscriber, 'an object with an invalidate method');
    check(ignore === undefined || typeof ignore === 'function', 'ignore', ignore, 'a function');
    check(label === undefined || typeof label === 'string', 'label', label, 'a string');
    this.subscriber = subscriber;
    this.ignore = ignore;
    this.label = label;
    this.since = space.seq;
    this.#space = space;
    this.#spans = spans;
    this.#handles = insertSpans(space.members, spans, this);
    if (subscriber.end !== undefined) space.endListeners++;
    if (space.observer !== undefined) space.emit('subscribed', { subscription: this });
  }

  get ranges(): readonly Range[] {
    return toRanges(this.#spans);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    const space = this.#space;
    deleteSpans(space.members, this.#handles);
    if (this.subscriber.end !== undefined) space.endListeners--;
    if (space.observer !== undefined) space.emit('closed', { subscription: this });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The error of everything that is asked of a closed subscription. */
  closedError(): ClosedError {
    return new ClosedError(this.label === undefined ? 'the subscription' : `the subscription ${describe(this.label)}`);
  }

  async readBegin(options: WaitOptions & WithinSubscription = {}): Promise<Seq> {
    const spans = this.#open(options.ranges);
    checkWait(options);
    const seq = await new WaitingRead(this.#space, spans, options.ignore ?? this.ignore).start(options);
    if (this.closed) throw this.closedError();
    return seq;
  }

  tryReadBegin(options: FilterOptions & WithinSubscription = {}): Seq | undefined {
    const spans = this.#open(options.ranges);
    const ignore = options.ignore ?? this.ignore;
    for (let i = 0; i < spans.length; i += 2) if (this.#space.isActive(spans[i]!, spans[i + 1]!, ignore)) return undefined;
    return this.#space.seq;
  }

  readRetry(seq: Seq, options: FilterOptions & WithinSubscription = {}): boolean {
    checkToken(seq);
    const spans = this.#part(options.ranges);
    return this.closed || this.#space.closed || this.#space.answer(this.#space.check(spans, seq, options.ignore ?? this.ignore));
  }

  lookup<T, R>(fetch: Fetch<T>, options: CommitOptions<T, R> & WithinSubscription): Promise<R>;
  lookup<T>(fetch: Fetch<T>, options?: PlainLookupOptions<T> & WithinSubscription): Promise<T>;
  lookup<T, R>(fetch: Fetch<T>, options: LookupOptions<T, R> & WithinSubscription): Promise<T | R>;
  lookup<T, R>(fetch: Fetch<T>, options: LookupOptions<T, R> & WithinSubscription = {}): Promise<R> {
    try {
      return new Lookup(this.#space, this.#open(options.ranges), fetch, options, this).start();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #open(ranges: Ranges | undefined): Spans {
    if (this.#space.closed) throw this.#space.closedError();
    if (this.closed) throw this.closedError();
    return this.#part(ranges);
  }

  #part(ranges: Ranges | undefined): Spans {
    if (ranges === undefined) return this.#spans;
    const spans = toSpans(ranges);
    if (!contains(this.#spans, spans))
      throw new InvalidRangeError(`${show(spans)} reaches outside the subscription's ${show(this.#spans)}`);
    return spans;
  }
}

function show(spans: Spans): string {
  const more = spans.length > 2 ? ` and ${spans.length / 2 - 1} more` : '';
  return `range [${spans[0]}, ${spans[1]})${more}`;
}
