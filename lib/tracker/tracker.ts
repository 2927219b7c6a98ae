/**
 * RangeTracker: one per ordered space (a file, a buffer, a table, an address space), shared by everyone who reads it,
 * changes it, or keeps something derived from it.
 *
 * The contract, in short; docs/contract.md has it whole, with the races it closes.
 *
 * - Between a resolved begin and its `end()`, no overlapping lookup commits, and no overlapping subscriber uses its old
 *   state (provided it does in its callback what it says).
 * - A lookup commits only if no overlapping invalidation was active at any moment since its token was taken.
 * - It waits only for invalidations that overlap it, and retries only if one did, as long as the history reaches back
 *   to its token; beyond that the answer is "collides", and it is counted.
 * - Contention never throws. A bad argument, or use after close, throws (from a method that returns a promise: rejects)
 *   with a typed error, before anything has changed.
 *
 * Not promised: exclusion between invalidators, any order between overlapping invalidations, old content, anything
 * about readers that bypass the tracker.
 */

import { CANCEL_NAMES, type CancelOptions, cancelOn, checkCancel } from '../base/cancel.js';
import { checkClock, systemClock } from '../base/clock.js';
import { check } from '../base/errors.js';
import { linkOf } from '../base/links.js';
import { fillIn } from '../base/notes.js';
import { checkNames, type Names, names } from '../base/options.js';
import { giveOut } from '../base/outlets.js';
import { printed } from '../base/print.js';
import { EVERYTHING, single, toSpans } from '../base/range.js';
import type { Collision, Ranges, Seq } from '../base/vocabulary.js';
import { observed } from './change.js';
import { lookUp } from './flight.js';
import { HandledSection } from './handle.js';
import { takeSnapshot } from './inspect.js';
import type { BeginOptions, Invalidation, Subscriber } from './invalidation.js';
import type { SpaceLink } from './link.js';
import { checkObservers, noteTo, stillNote } from './observer.js';
import {
  type CommitOptions,
  checkToken,
  checkWait,
  type Fetch,
  type FilterOptions,
  filterOf,
  LOOKUP_NAMES,
  type LookupOptions,
  type PlainLookupOptions,
  WAIT_NAMES,
  type WaitOptions,
} from './options.js';
import { Section } from './parties.js';
import type { TrackerSnapshot } from './snapshot.js';
import { Space } from './space.js';
import type { TrackerStats } from './stats.js';
import { OpenSubscription, type SubscribeOptions, type Subscription } from './subscription.js';
import { DEFAULT_HISTORY_CAPACITY, type RangeTrackerOptions, TRACKER_OPTIONS } from './tracker-options.js';
import { WaitingRead } from './wait.js';

/** @internal What drivers of this package need of a tracker, and the public must not see. */
export let spaceOf: (tracker: RangeTracker) => Space;

const WAIT_OPTIONS: Names = /* @__PURE__ */ names(WAIT_NAMES);
const LOOKUP_OPTIONS: Names = /* @__PURE__ */ names(LOOKUP_NAMES);
const CLOSE_OPTIONS: Names = /* @__PURE__ */ names(CANCEL_NAMES);

/**
 * One ordered space (bytes of a file, rows, keys, milliseconds), shared by everyone who reads it, changes it, or keeps something
 * derived from it. Whoever changes it wraps the change in {@link RangeTracker.mutate}; whoever reads it asynchronously does so in
 * {@link RangeTracker.lookup}, which commits only what no overlapping change has touched meanwhile; whoever keeps something
 * registers with {@link RangeTracker.subscribe}, and is told before each overlapping change.
 */
export class RangeTracker {
  static {
    spaceOf = (tracker) => tracker.#space;
    fillIn((tracker, name, load, caller) => {
      // A tracker of another copy of the package has another `#space`. The names and the details go together as TrackerEvents says.
      if (#space in tracker) tracker.#space.note?.(name, { load, caller } as never);
    });
    // biome-ignore lint/complexity/noThisInStatic: a bundler renames a class that names itself, and the name shows in stacks
    giveOut(this.prototype, ['begin', 'mutate', 'invalidate', 'readBegin', 'lookup', 'close']);
  }

  readonly #space: Space;
  #closing: Promise<void> | undefined = undefined;
  /** The section of `close`, once that was called. */
  #release: Section | undefined = undefined;

  /** An empty space. Costs some kilobytes; nothing is registered anywhere. Throws `InvalidArgumentError`. */
  constructor(options: RangeTrackerOptions = {}) {
    checkNames(options, TRACKER_OPTIONS, 'new RangeTracker');
    const {
      label,
      historyCapacity = DEFAULT_HISTORY_CAPACITY,
      observer,
      clock = systemClock,
      initialSeq = 0,
      space: shared,
    } = options;
    check(label === undefined || typeof label === 'string', 'label', label, 'a string');
    check(
      Number.isSafeInteger(historyCapacity) && historyCapacity >= 1,
      'historyCapacity',
      historyCapacity,
      'a whole number of at least 1',
    );
    const observers = checkObservers(observer);
    checkClock(clock);
    check(Number.isSafeInteger(initialSeq) && initialSeq >= 0, 'initialSeq', initialSeq, 'a safe integer of at least 0');
    const noted = observers.length === 0 ? undefined : noteTo(this, observers, () => this.#space.stats.observerErrors++);
    const note = shared === undefined || noted === undefined ? noted : stillNote(noted, () => this.#space.link);
    const givesHandles = observers.some(({ given }) => given !== undefined);
    this.#space = new Space({ label, historyCapacity, note, givesHandles, clock, seq: initialSeq });
    if (shared === undefined) return;
    const close = () => void this.close().catch(() => {}); // whoever calls close() hears of it
    this.#space.link = linkOf(shared, { space: this.#space, label, close }) as SpaceLink;
  }

  /** The event counter: +1 at every begin and at every end, only ever forward. */
  get seq(): Seq {
    this.#space.link?.sync();
    return this.#space.seq;
  }

  /** Invalidations that have begun and not ended, also those nested in others. */
  get activeCount(): number {
    this.#space.link?.sync();
    return this.#space.activeCount;
  }

  /** True from the call of {@link RangeTracker.close} on. */
  get closed(): boolean {
    return this.#space.closed;
  }

  /**
   * True while nobody here knows what has changed: the process shares the space with others, and has lost contact. Every check says
   * "collides" then; whoever keeps something uses it only while this is false, and asks in the turn of the use. False where nothing is shared.
   */
  get lapsed(): boolean {
    return this.#space.guard?.() === false;
  }

  /** Live counters. Read or copy them; they go on counting. */
  get stats(): Readonly<TrackerStats> {
    return this.#space.stats;
  }

  // --- the invalidating side

  /**
   * Opens a section: begins an invalidation and resolves with it when every overlapping subscriber has confirmed; only then
   * change the content, and call `end()` when it is stable again, whatever happens. Prefer {@link RangeTracker.mutate}.
   *
   * In this order: waits for overlapping *held* lookups; then in one step moves the counter, enters the section and
   * fires the signals of overlapping attempts; then calls all overlapping subscribers; then awaits their promises.
   * Lookups that hold nothing never delay it.
   *
   * Rejects, having changed nothing and left nothing: `SubscriberError` (someone has not confirmed), the signal's
   * reason, `InvalidRangeError`, `InvalidArgumentError`, `ClosedError`. O(log n + subscribers that overlap).
   */
  async begin(ranges: Ranges, options?: BeginOptions): Promise<Invalidation> {
    const section = this.#section(ranges, true, options);
    const begun = this.#space.begin(section, options);
    if (begun !== undefined) await begun;
    return this.#given(section);
  }

  /**
   * The same without waiting, for places that cannot: `undefined` if a subscriber cannot comply at once, or if a
   * lookup holds an overlapping range. Then nothing may be changed; those already told hear the end.
   *
   * Throws `SubscriberError` if a subscriber throws, and the errors of {@link RangeTracker.begin}.
   */
  tryBegin(ranges: Ranges, options?: BeginOptions): Invalidation | undefined {
    const section = this.#space.tryBegin(this.#section(ranges, false, options));
    return section === undefined ? undefined : this.#given(section);
  }

  #given(section: Section): Invalidation {
    const { note } = this.#space;
    if (note === undefined) return section;
    note('begun', { invalidation: section });
    const handle = section.give();
    note('given', { invalidation: section, handle });
    return handle;
  }

  /**
   * Begins, runs `change`, ends whatever happens, and resolves with what `change` returned. An error of `change` is
   * passed on unwrapped; those of the begin are those of {@link RangeTracker.begin}.
   */
  async mutate<T>(
    ranges: Ranges,
    change: (invalidation: Invalidation) => T | PromiseLike<T>,
    options?: BeginOptions,
  ): Promise<T> {
    check(typeof change === 'function', 'change', change, 'a function');
    const section = this.#section(ranges, true, options);
    const begun = this.#space.begin(section, options);
    if (begun !== undefined) await begun;
    try {
      return await (this.#space.note === undefined ? change(section) : observed(section, change, this.#space.note));
    } finally {
      section.end();
    }
  }

  /**
   * Says that the content *has changed*: begins and ends. When it resolves, every overlapping subscriber has dropped the old
   * state, and no lookup that began before commits. For a change that takes time say it before, with
   * {@link RangeTracker.mutate}: a reader between the change and this call gets the old content.
   *
   * Rejects as {@link RangeTracker.begin}; then some subscriber may still use the old state. Costs a begin and an end.
   */
  async invalidate(ranges: Ranges, options?: BeginOptions): Promise<void> {
    const section = await this.begin(ranges, options);
    section.end();
  }

  // --- the reading side, low level

  /**
   * Waits until no active invalidation overlaps, then resolves with a token. Call it *before* the first read, and
   * {@link RangeTracker.readRetry} after the last one, in the turn in which the result is installed. A token registers
   * nothing; drop it if you like.
   *
   * Rejects: `TimeoutError`, the signal's reason, `InvalidRangeError`, `InvalidArgumentError`, `ClosedError`.
   */
  async readBegin(ranges: Ranges, options?: WaitOptions): Promise<Seq> {
    if (this.#space.closed) throw this.#space.closedError();
    const spans = toSpans(ranges);
    checkNames(options, WAIT_OPTIONS, 'readBegin');
    checkWait(options);
    return new WaitingRead(this.#space, spans, options?.ignore).start(options);
  }

  /**
   * A token at once, or `undefined` if an active invalidation overlaps. Never waits, and for a single range allocates
   * nothing. Throws `InvalidRangeError`, `ClosedError`. One comparison while nothing is active, O(log active) otherwise.
   */
  tryReadBegin(ranges: Ranges, options?: FilterOptions): Seq | undefined {
    const space = this.#space;
    if (space.closed) throw space.closedError();
    const ignore = filterOf(options, 'tryReadBegin');
    space.link?.sync();
    const range = single(ranges);
    if (range !== undefined) return space.isActive(range.start, range.end, ignore) ? undefined : space.seq;
    const spans = toSpans(ranges);
    for (let i = 0; i < spans.length; i += 2) if (space.isActive(spans[i]!, spans[i + 1]!, ignore)) return undefined;
    return space.seq;
  }

  /**
   * True if what was read since `seq` must not be used: an overlapping invalidation is active, or has ended since, or
   * the tracker no longer knows, or is closed. The token carries no range: give all that was read, also what was not
   * known at the begin. For a single range allocates nothing. Throws `InvalidRangeError`, `InvalidArgumentError`.
   *
   * Two comparisons while nothing is active and nothing has ended since; otherwise O(log active + ended since), with
   * whole blocks of what has ended skipped once they have been asked about often.
   */
  readRetry(ranges: Ranges, seq: Seq, options?: FilterOptions): boolean {
    const space = this.#space;
    checkToken(seq, space.seq);
    const range = single(ranges);
    const ignore = filterOf(options, 'readRetry');
    const spans = range === undefined ? toSpans(ranges) : undefined;
    space.link?.linger(spans?.[0] ?? range!.start, spans?.[spans.length - 1] ?? range!.end);
    if (spans !== undefined) return space.closed || space.answer(space.check(spans, seq, ignore));
    return space.closed || space.answer(space.checkRange(range!.start, range!.end, seq, ignore));
  }

  /** What {@link RangeTracker.readRetry} says, with the reason; `undefined` if the reads may be used. Allocates. */
  collision(ranges: Ranges, seq: Seq, options?: FilterOptions): Collision | undefined {
    checkToken(seq, this.#space.seq);
    const spans = toSpans(ranges);
    const ignore = filterOf(options, 'collision');
    this.#space.link?.sync();
    if (this.#space.closed) return { reason: 'closed' };
    const collision = this.#space.collision(spans, seq, ignore);
    if (collision?.reason === 'history-lost') this.#space.stats.historyLost++;
    return collision;
  }

  // --- the reading side, high level

  /**
   * Reads until a read was not hit, commits it, and resolves with what was committed.
   *
   * `fetch` is called once for each attempt, at once if nothing overlapping is active. It may read only what `ranges`
   * say, or say more through `attempt.observe`. An error it throws in an attempt that was hit is a collision, since a
   * torn read often does not parse; any other is passed on unwrapped.
   *
   * After `maxAttempts` collisions the lookup *holds* its ranges: overlapping begins queue for one attempt (or
   * `holdMs`), so that no reader starves; with `whenExhausted: 'throw'` it rejects instead.
   *
   * Rejects: `RetryLimitError`, `TimeoutError`, the signal's reason, `CommitError`, `ClosedError`,
   * `InvalidRangeError`, `InvalidArgumentError`. Leaves nothing behind on any path.
   */
  lookup<T, R>(ranges: Ranges, fetch: Fetch<T>, options: CommitOptions<T, R>): Promise<R>;
  /** The same without a commit: resolves with what `fetch` returned. */
  lookup<T>(ranges: Ranges, fetch: Fetch<T>, options?: PlainLookupOptions<T>): Promise<T>;
  /** The same with options of which it is not known whether they have a commit. */
  lookup<T, R>(ranges: Ranges, fetch: Fetch<T>, options: LookupOptions<T, R>): Promise<T | R>;
  lookup<T, R>(ranges: Ranges, fetch: Fetch<T>, options?: LookupOptions<T, R>): Promise<R> {
    // Not an async function: returning a promise from one costs three turns more.
    try {
      if (this.#space.closed) throw this.#space.closedError();
      if (options !== undefined) checkNames(options, LOOKUP_OPTIONS, 'lookup');
      return lookUp(this.#space, toSpans(ranges), fetch, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  // --- subscribers

  /**
   * Has `subscriber` told of every overlapping invalidation before it proceeds, until the subscription is closed. If
   * one is active now, its end will be heard. Subscribe *before* the first read. O(log n) in the number of subscribed
   * ranges. Throws `InvalidRangeError`, `InvalidArgumentError`, `ClosedError`.
   */
  subscribe(ranges: Ranges, subscriber: Subscriber, options?: SubscribeOptions): Subscription {
    if (this.#space.closed) throw this.#space.closedError();
    this.#space.link?.sync();
    return new OpenSubscription(this.#space, ranges, subscriber, options);
  }

  // --- the whole space

  /** Who is active, who waits for whom, since when, under which label. Costs as much as there is; for people. */
  inspect(): TrackerSnapshot {
    this.#space.link?.sync();
    return takeSnapshot(this.#space);
  }

  /**
   * Ends the space: an invalidation of kind `'release'` over everything. Everything that waits rejects with
   * `ClosedError`, attempts in flight are aborted and will not commit, all subscribers are told and awaited, then their
   * subscriptions are closed. Later calls throw `ClosedError`; handles already given out can still be ended.
   *
   * A second call returns the same promise, and may bound it: when any bound runs out, it rejects with `TimeoutError` or the
   * signal's reason. Rejects with `SubscriberError` if a subscriber has not confirmed. Closed it is in all of these cases.
   */
  close(options?: CancelOptions): Promise<void> {
    try {
      checkNames(options, CLOSE_OPTIONS, 'close');
      if (options !== undefined) checkCancel(options);
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.#closing === undefined) {
      let settle!: (done: Promise<void>) => void;
      this.#closing = new Promise((resolve) => {
        settle = resolve;
      });
      settle(this.#close(options)); // only now: a subscriber may call close() while it is told
    } else {
      if (this.#release?.active === true) this.#space.note?.('closing', { invalidation: this.#release });
      const bound = cancelOn(this.#space.clock, options, 'the close of the tracker', (error) => this.#release?.giveUp(error));
      const clear = () => bound?.clear();
      this.#closing.then(clear, clear);
    }
    return this.#closing;
  }

  async #close(options: CancelOptions | undefined): Promise<void> {
    const space = this.#space;
    const release = new Section(space, EVERYTHING, true, { kind: 'release', label: space.label });
    this.#release = release;
    let released = false;
    try {
      await space.shut(release, options);
      released = true;
    } finally {
      release.end();
      space.closeMembers(released);
      space.link?.close();
      if (space.note !== undefined) space.note('closed', { subscription: undefined });
    }
  }

  #section(ranges: Ranges, blockable: boolean, options: BeginOptions | undefined): Section {
    const space = this.#space;
    if (space.closed) throw space.closedError();
    const spans = toSpans(ranges);
    const Made = space.givesHandles ? HandledSection : Section;
    const section = new Made(space, spans, blockable, options);
    if (options !== undefined) checkCancel(options);
    return section;
  }
}

printed(RangeTracker.prototype, {
  name: 'RangeTracker',
  data: (tracker) => tracker.inspect(),
  brief: (tracker) => {
    const { label, seq, closed, waiting, subscribedRanges } = tracker.inspect();
    return { label, seq, active: tracker.activeCount, waiting, subscribed: subscribedRanges, closed };
  },
});
