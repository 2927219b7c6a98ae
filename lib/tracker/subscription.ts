/**
 * Subscription: a party that holds derived state for some ranges and must drop it before an invalidation proceeds.
 */

import type { DisposableHandle } from '../base/dispose.js';
import { ClosedError, check, describe, InvalidRangeError } from '../base/errors.js';
import { checkNames, type Names, names } from '../base/options.js';
import { giveOut } from '../base/outlets.js';
import { printed } from '../base/print.js';
import { contains, describeSpans, type Spans, toSpans } from '../base/range.js';
import type { Range, Ranges, Seq } from '../base/vocabulary.js';
import { lookUp } from './flight.js';
import type { Subscriber } from './invalidation.js';
import {
  type CommitOptions,
  checkFilter,
  checkToken,
  checkWait,
  type Fetch,
  type FilterOptions,
  LOOKUP_NAMES,
  type LookupOptions,
  type PlainLookupOptions,
  WAIT_NAMES,
  type WaitOptions,
} from './options.js';
import { Member } from './parties.js';
import { deleteSpans, type Handles, insertSpans } from './register.js';
import type { Space } from './space.js';
import { WaitingRead } from './wait.js';

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
  /**
   * No callback starts after this has returned, also when called from inside a callback. It is the answer to every begin that
   * still waits for this subscriber. Idempotent. O(log n).
   */
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

const SUBSCRIBE_OPTIONS: Names = /* @__PURE__ */ names('ignore label');
const FILTER_OPTIONS: Names = /* @__PURE__ */ names('ignore ranges');
const WAIT_OPTIONS: Names = /* @__PURE__ */ names(WAIT_NAMES, 'ranges');
const SUBSCRIPTION_LOOKUP: Names = /* @__PURE__ */ names(LOOKUP_NAMES, 'ranges');

/** The object behind {@link Subscription}. */
export class OpenSubscription extends Member implements Subscription {
  static {
    // biome-ignore lint/complexity/noThisInStatic: a bundler renames a class that names itself
    giveOut(this.prototype, ['readBegin', 'lookup']);
  }

  readonly #space: Space;
  readonly #handles: Handles;

  /** Throws before anything has changed. */
  constructor(space: Space, ranges: Ranges, subscriber: Subscriber, options: SubscribeOptions | undefined) {
    checkNames(options, SUBSCRIBE_OPTIONS, 'subscribe');
    const { ignore, label } = options ?? {};
    const spans = toSpans(ranges);
    check(typeof subscriber?.invalidate === 'function', 'subscriber', subscriber, 'an object with an invalidate method');
    const { end } = subscriber;
    check(end === undefined || typeof end === 'function', 'end of the subscriber', end, 'a function');
    check(ignore === undefined || typeof ignore === 'function', 'ignore', ignore, 'a function');
    check(label === undefined || typeof label === 'string', 'label', label, 'a string');
    super(subscriber, spans, ignore, label, space.seq, ++space.subscriptions);
    this.#space = space;
    this.#handles = insertSpans(space.members, spans, this);
    if (subscriber.end !== undefined) space.endListeners++;
    space.link?.asks(spans, 1, end !== undefined);
    if (space.note !== undefined) space.note('subscribed', { subscription: this });
  }

  close(): void {
    this.shut();
    for (const asked of [...(this.owes ?? [])]) asked.answered(this);
  }

  shut(): void {
    if (this.closed) return;
    this.closed = true;
    const space = this.#space;
    deleteSpans(space.members, this.#handles);
    if (this.subscriber.end !== undefined) space.endListeners--;
    space.link?.asks(this.spans, -1, this.subscriber.end !== undefined);
    if (space.note !== undefined) space.note('closed', { subscription: this });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The error of everything that is asked of a closed subscription. */
  closedError(): ClosedError {
    return new ClosedError(this.label === undefined ? 'the subscription' : `the subscription ${describe(this.label)}`);
  }

  async readBegin(options: WaitOptions & WithinSubscription = {}): Promise<Seq> {
    checkNames(options, WAIT_OPTIONS, 'readBegin');
    const spans = this.#open(options.ranges);
    checkWait(options);
    const seq = await new WaitingRead(this.#space, spans, options.ignore ?? this.ignore).start(options);
    if (this.closed) throw this.closedError();
    return seq;
  }

  tryReadBegin(options: FilterOptions & WithinSubscription = {}): Seq | undefined {
    checkNames(options, FILTER_OPTIONS, 'tryReadBegin');
    checkFilter(options);
    const spans = this.#open(options.ranges);
    const ignore = options.ignore ?? this.ignore;
    this.#space.link?.sync();
    for (let i = 0; i < spans.length; i += 2) if (this.#space.isActive(spans[i]!, spans[i + 1]!, ignore)) return undefined;
    return this.#space.seq;
  }

  readRetry(seq: Seq, options: FilterOptions & WithinSubscription = {}): boolean {
    checkNames(options, FILTER_OPTIONS, 'readRetry');
    checkFilter(options);
    checkToken(seq, this.#space.seq);
    const spans = this.#part(options.ranges);
    this.#space.link?.linger(spans[0]!, spans[spans.length - 1]!);
    return this.closed || this.#space.closed || this.#space.answer(this.#space.check(spans, seq, options.ignore ?? this.ignore));
  }

  lookup<T, R>(fetch: Fetch<T>, options: CommitOptions<T, R> & WithinSubscription): Promise<R>;
  lookup<T>(fetch: Fetch<T>, options?: PlainLookupOptions<T> & WithinSubscription): Promise<T>;
  lookup<T, R>(fetch: Fetch<T>, options: LookupOptions<T, R> & WithinSubscription): Promise<T | R>;
  lookup<T, R>(fetch: Fetch<T>, options: LookupOptions<T, R> & WithinSubscription = {}): Promise<R> {
    try {
      checkNames(options, SUBSCRIPTION_LOOKUP, 'lookup');
      return lookUp(this.#space, this.#open(options.ranges), fetch, options, this);
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
    if (ranges === undefined) return this.spans;
    const spans = toSpans(ranges);
    if (!contains(this.spans, spans))
      throw new InvalidRangeError(
        `range ${describeSpans(spans)} reaches outside the subscription's ${describeSpans(this.spans)}`,
      );
    return spans;
  }
}

printed(OpenSubscription.prototype, {
  name: 'Subscription',
  data: ({ label, ranges, closed, owes }) => ({ label, ranges, closed, owes: owes?.size ?? 0 }),
});
