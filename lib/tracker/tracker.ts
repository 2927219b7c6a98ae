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

import { checkCancel } from '../base/cancel.js';
import { type Clock, systemClock } from '../base/clock.js';
import type { Collision, Seq } from '../base/collision.js';
import { check, describe } from '../base/errors.js';
import { giveOut } from '../base/outlets.js';
import { EVERYTHING, type Ranges, single, toSpans } from '../base/range.js';
import { adopt, isThenable } from './answers.js';
import { type BeginOptions, HandledSection, type Invalidation, Section } from './invalidation.js';
import { type CommitOptions, type Fetch, Lookup, type LookupOptions, type PlainLookupOptions } from './lookup.js';
import { fillIn } from './notes.js';
import type { TrackerObserver } from './observer.js';
import { type TrackerSnapshot, takeSnapshot } from './snapshot.js';
import { Space } from './space.js';
import type { TrackerStats } from './stats.js';
import { Member, type SubscribeOptions, type Subscriber, type Subscription } from './subscription.js';
import { checkToken, checkWait, type FilterOptions, WaitingRead, type WaitOptions } from './wait.js';

/**
 * Ended ranges remembered by default. 4,096 cover a lookup of 100 ms at 40,000 invalidations a second, and cost
 * 128 KiB when full (it grows from nothing).
 */
export const DEFAULT_HISTORY_CAPACITY = 4096;

/** How a tracker is made. */
export interface RangeTrackerOptions {
  /** A name for error messages, snapshots and observers. */
  label?: string | undefined;
  /**
   * Ended ranges remembered: a whole number of at least 1; default 4,096. A lookup during which more end than that
   * retries although it may not have been hit (`history-lost`, counted in `stats.historyLost`).
   */
  historyCapacity?: number | undefined;
  /** Told of every event. Absent, it costs one comparison an event. */
  observer?: TrackerObserver | undefined;
  /** Where time comes from; default the host's timers and `performance.now()`. */
  clock?: Clock | undefined;
  /** The counter's first value, a safe integer of at least 0; default 0. For tests near a limit, or to go on counting. */
  initialSeq?: number | undefined;
}

/** @internal What drivers of this package need of a tracker, and the public must not see. */
export let spaceOf: (tracker: RangeTracker) => Space;

/** See the top of this page. */
export class RangeTracker {
  static {
    spaceOf = (tracker) => tracker.#space;
    fillIn((tracker, name, load, caller) => {
      const space = tracker.#space;
      if (space.observer !== undefined) space.emit(name, { load, caller } as never); // as TrackerEvents says
    });
    // biome-ignore lint/complexity/noThisInStatic: a bundler renames a class that names itself, and the name shows in stacks
    giveOut(this.prototype, ['begin', 'mutate', 'invalidate', 'readBegin', 'lookup', 'close']);
  }

  readonly #space: Space;
  #closing: Promise<void> | undefined = undefined;
  /** The section of {@link RangeTracker.close}. */
  #release: Section | undefined = undefined;

  /** An empty space. Costs a few hundred bytes; nothing is registered anywhere. Throws `InvalidArgumentError`. */
  constructor(options: RangeTrackerOptions = {}) {
    const { label, historyCapacity = DEFAULT_HISTORY_CAPACITY, observer, clock = systemClock, initialSeq = 0 } = options;
    check(label === undefined || typeof label === 'string', 'label', label, 'a string');
    check(
      Number.isSafeInteger(historyCapacity) && historyCapacity >= 1,
      'historyCapacity',
      historyCapacity,
      'a whole number of at least 1',
    );
    check(observer === undefined || (typeof observer === 'object' && observer !== null), 'observer', observer, 'an object');
    check(typeof clock?.now === 'function', 'clock', clock, 'an object with now, setTimeout and clearTimeout');
    check(Number.isSafeInteger(initialSeq) && initialSeq >= 0, 'initialSeq', initialSeq, 'a safe integer of at least 0');
    this.#space = new Space(this, { label, historyCapacity, observer, clock, seq: initialSeq });
  }

  /** The event counter: +1 at every begin and at every end, only ever forward. */
  get seq(): Seq {
    return this.#space.seq;
  }

  /** Invalidations that have begun and not ended, also those nested in others. */
  get activeCount(): number {
    return this.#space.activeCount;
  }

  /** True from the call of {@link RangeTracker.close} on. */
  get closed(): boolean {
    return this.#space.closed;
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
    const begun = this.#space.begin(section, options?.signal);
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
    const space = this.#space;
    if (space.observer === undefined) return section;
    space.emit('begun', { invalidation: section });
    const handle = section.give();
    space.emit('given', { invalidation: section, handle });
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
    const begun = this.#space.begin(section, options?.signal);
    if (begun !== undefined) await begun;
    try {
      return await (this.#space.observer === undefined ? change(section) : this.#observed(section, change));
    } finally {
      section.end();
    }
  }

  /** Calls the change between the two events that say so. */
  #observed<T>(section: Section, change: (invalidation: Invalidation) => T | PromiseLike<T>): T | PromiseLike<T> {
    const space = this.#space;
    space.emit('begun', { invalidation: section });
    space.emit('changing', { invalidation: section });
    try {
      const returned: T | PromiseLike<T> = change(section.outward());
      return isThenable(returned) ? (adopt(returned) as T) : returned; // inside the two: a lazy one starts when it is asked
    } finally {
      space.emit('changed', { invalidation: section });
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
    const ignore = options?.ignore;
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
    checkToken(seq);
    const range = single(ranges);
    const ignore = options?.ignore;
    if (range === undefined) return space.closed || space.answer(space.check(toSpans(ranges), seq, ignore));
    return space.closed || space.answer(space.checkRange(range.start, range.end, seq, ignore));
  }

  /** What {@link RangeTracker.readRetry} says, with the reason; `undefined` if the reads may be used. Allocates. */
  collision(ranges: Ranges, seq: Seq, options?: FilterOptions): Collision | undefined {
    checkToken(seq);
    const spans = toSpans(ranges);
    if (this.#space.closed) return { reason: 'closed' };
    const collision = this.#space.collision(spans, seq, options?.ignore);
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
      return new Lookup(this.#space, toSpans(ranges), fetch, options).start();
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
  subscribe(ranges: Ranges, subscriber: Subscriber, options: SubscribeOptions = {}): Subscription {
    if (this.#space.closed) throw this.#space.closedError();
    return new Member(this.#space, ranges, subscriber, options);
  }

  // --- the whole space

  /** Who is active, who waits for whom, since when, under which label. Costs as much as there is; for people. */
  inspect(): TrackerSnapshot {
    return takeSnapshot(this.#space);
  }

  /**
   * Ends the space: an invalidation of kind `'release'` over everything. Everything that waits rejects with
   * `ClosedError`, attempts in flight are aborted and will not commit, all subscribers are told and awaited, then their
   * subscriptions are closed. Later calls throw `ClosedError`; handles already given out can still be ended. A second
   * call returns the same promise. Rejects with `SubscriberError` if a subscriber has not confirmed; closed it is, too.
   */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      let settle!: (done: Promise<void>) => void;
      this.#closing = new Promise((resolve) => {
        settle = resolve;
      });
      settle(this.#close()); // only now: a subscriber may call close() while it is told
    } else if (this.#release?.active === true && this.#space.observer !== undefined) {
      this.#space.emit('closing', { invalidation: this.#release });
    }
    return this.#closing;
  }

  async #close(): Promise<void> {
    const space = this.#space;
    const release = new Section(space, EVERYTHING, true, { kind: 'release', label: space.label });
    this.#release = release;
    try {
      await space.shut(release);
    } finally {
      release.end();
      space.closeMembers();
      if (space.observer !== undefined) space.emit('closed', { subscription: undefined });
    }
  }

  #section(ranges: Ranges, blockable: boolean, options: BeginOptions | undefined): Section {
    const space = this.#space;
    if (space.closed) throw space.closedError();
    const spans = toSpans(ranges);
    const Made = space.observer?.given === undefined ? Section : HandledSection;
    const section = new Made(space, spans, blockable, options);
    if (options?.signal !== undefined) checkCancel({ signal: options.signal });
    return section;
  }

  /** Shows as `RangeTracker "label"` wherever objects are described. */
  get [Symbol.toStringTag](): string {
    const { label } = this.#space;
    return label === undefined ? 'RangeTracker' : `RangeTracker ${describe(label)}`;
  }
}
