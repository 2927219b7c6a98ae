/**
 * Lookup: the read loop that everyone should use, in its slow lane: one that can wait, hold, retry and be aborted. How a lookup
 * gets through without any of that is in flight.ts.
 *
 * Algorithm note
 *
 *     wait until nothing active overlaps          (parked; or: held, see gate.ts)
 *     token = seq
 *     value = fetch(attempt)                      (the token is older than its first await)
 *     if collides(ranges + observed, token)       again
 *     commit(value)                               (same turn as the check)
 *
 * It is a state machine with callbacks, not an async function: a fetch that answers at once must not cost a turn,
 * and abort, timeout, close and the end of a hold must settle the result while fetch is still running.
 *
 * States, by fields:   waiting: turn is set   running: attempt is set   settled: done
 * A lookup is in one of them, or has scheduled `next`, whenever control leaves this file.
 */

import { type Cancellation, cancelOn } from '../base/cancel.js';
import { describe, describeCollision, RetryLimitError, type WaitedFor } from '../base/errors.js';
import { describeSpans, type Spans, unite } from '../base/range.js';
import { assimilate } from '../base/thenable.js';
import type { Collision } from '../base/vocabulary.js';
import { COMMITTED, committed, ignoreOf, LookupAttempt, type ReadAttempt, type Through } from './attempt.js';
import { DEFAULT_HOLD_MS, DEFAULT_MAX_ATTEMPTS, type Fetch, type LookupOptions } from './options.js';
import { type Hold, type Holder, Reader, type Section } from './parties.js';
import type { Space } from './space.js';
import { waitedFor } from './wait.js';

/** One running `lookup`. */
export class Lookup<T, R> extends Reader implements Holder {
  readonly operation = 'lookup';
  hold: Hold | undefined = undefined;
  extensions: Hold[] | undefined = undefined;
  place = 0;
  /** 0 before its first hold. It does not move when a hold is renewed. */
  deadline = 0;
  private readonly space: Space;
  private readonly member: Through | undefined;
  private readonly base: Spans;
  private readonly fetch: Fetch<T>;
  private readonly options: LookupOptions<T, R> | undefined;
  private attempts = 0;
  /** Attempts that were hit, and waits in which it was overtaken: both are what escalation counts. */
  private losses = 0;
  /** May it hold before it has lost, where others have? Once at most. */
  private mayPresume = true;
  private lastCollision: Collision | undefined = undefined;
  private attempt: LookupAttempt | undefined = undefined;
  /** How long its holds have waited for their turn since the deadline was set, in milliseconds: no time of the hold's. */
  private waitedMs = 0;
  /** The clock when its hold began to wait; undefined while it does not. */
  private waitsSince: number | undefined = undefined;
  /** What is left of `holdMs`, where it has waited. */
  private leftMs: number | undefined = undefined;
  /** True while fetch is on the stack: a retry must then be scheduled, or a fetch that always collides would recurse. */
  private fetching = false;
  private done = false;
  /** What the caller gets. Made when it is given out, or when the lookup is settled before that. */
  private result: Promise<R> | undefined = undefined;
  /** Settle `result`; undefined until it has been given out. */
  private resolve: ((value: R) => void) | undefined = undefined;
  private reject: ((error: unknown) => void) | undefined = undefined;
  /** What it waits for; another one, or none, when an older one resolves. */
  private turn: Promise<void> | undefined = undefined;
  /** Resolves `turn`, where it is not that of the hold. */
  private proceed: () => void = ignoreCall;
  private cancellation: Cancellation | undefined = undefined;

  /** Takes what has been checked. `member` is the subscription it was asked through. */
  constructor(
    space: Space,
    spans: Spans,
    fetch: Fetch<T>,
    options: LookupOptions<T, R> | undefined,
    member: Through | undefined,
  ) {
    super(++space.readers, spans, ignoreOf(options, member));
    this.space = space;
    this.member = member;
    this.base = spans;
    this.fetch = fetch;
    this.options = options;
  }

  get label(): string | undefined {
    return this.options?.label ?? this.member?.label;
  }

  get holdMs(): number {
    return this.options?.holdMs ?? DEFAULT_HOLD_MS;
  }

  /** Runs the first attempt at once if nothing blocks it. */
  start(): Promise<R> {
    this.next();
    return this.promise();
  }

  /** The same where this section is known to block it. */
  startBehind(blocker: Section): Promise<R> {
    this.space.gate.parkBehind(this, blocker);
    this.wait();
    return this.promise();
  }

  /** The same after a hold that was over before its turn: it loses an attempt first before it holds again. */
  startWithoutHold(): Promise<R> {
    this.mayPresume = false;
    return this.start();
  }

  /** Goes on after a first attempt that was hit; `isEarly` if its fetch is still on the stack. */
  lost(attempt: ReadAttempt, isEarly: boolean): Promise<R> {
    this.attempts = attempt.number;
    this.fetching = isEarly;
    this.retry(attempt);
    this.fetching = false;
    return this.promise();
  }

  private promise(): Promise<R> {
    this.result ??= new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      const { options } = this;
      if (options !== undefined) {
        this.cancellation = cancelOn(
          this.space.clock,
          options,
          () => this.overdue(),
          (error) => this.fail(error),
        );
      }
    });
    return this.result;
  }

  override wake(): void {
    if (this.hold === undefined) this.proceed();
    else this.hold.open();
  }

  override fail(error: unknown): void {
    if (this.done) return;
    this.note('failed', { error });
    this.space.gate.leave(this);
    this.attempt?.finish({ error });
    this.settle(true, error);
  }

  override overtaken(): boolean {
    this.losses++;
    return this.isExhausted();
  }

  expire(): void {
    if (this.done) return;
    this.space.stats.holdsExpired++;
    if (!this.isExhausted()) return this.trust();
    const { holdMs } = this;
    this.waited();
    if (this.waitedMs > 0) {
      // Others need not wait for it any longer, but its own time is not over: it gets in line again.
      this.leftMs = Math.min(this.waitedMs, holdMs);
      return this.trust();
    }
    this.fail(this.limit(`held its ranges for ${holdMs} ms without getting through`));
  }

  /** It held on suspicion only, or has waited: so it goes on as it would have without. */
  private trust(): void {
    this.mayPresume = false;
    this.deadline = 0;
    // An admitted one runs, or is about to: it has been woken, and looks again in its own turn.
    const isAdmitted = this.hold?.admitted === true;
    this.release();
    if (isAdmitted) return;
    this.turn = undefined;
    this.next();
  }

  /** Waits if it must, then runs one attempt. */
  private next(): void {
    this.space.link?.sync();
    if (this.isTurnedAway()) return;
    const isExhausted = this.losses > 0 && this.isExhausted();
    const isHot = this.mayPresume && this.space.gate.heat.isHot(this.spans);
    if (isExhausted || isHot || this.deadline > 0) {
      if (this.mayHold()) return this.nextHeld();
      if (isExhausted) return this.fail(this.limit(`lost ${this.losses} times`));
    }
    if (!this.space.gate.parkIfBlocked(this)) return this.run();
    this.wait();
  }

  private nextHeld(): void {
    const { gate, stats } = this.space;
    if (this.deadline === 0) {
      const { leftMs } = this;
      if (leftMs !== undefined) this.deadline = this.space.clock.now() + leftMs;
      else this.deadline = gate.turn.now() + this.holdMs;
      this.waitedMs = 0;
    }
    // Not left to the timer alone: attempts that never leave the microtask queue would starve it.
    else if (gate.isOverdue(this)) return this.expire();
    stats.holds++;
    this.note('held');
    if (gate.hold(this)) return this.run();
    this.waitsSince = this.space.clock.now();
    this.wait();
  }

  /** The clock of a hold stands while it waits for its turn. If that has delayed somebody, `expire` makes up for it. */
  private waited(): void {
    if (this.waitsSince === undefined) return;
    this.waitedMs += this.space.clock.now() - this.waitsSince;
    this.waitsSince = undefined;
    if (this.hold?.admitted !== true || this.space.gate.queued.overlaps(this.hold.spans)) return;
    this.deadline += this.waitedMs;
    this.waitedMs = 0;
  }

  private wait(): void {
    const turn =
      this.hold?.turn() ??
      new Promise<void>((resolve) => {
        this.proceed = resolve;
      });
    this.turn = turn;
    // A promise, although a callback would do: what runs after it belongs to the caller's asynchronous context.
    turn.then(() => {
      if (this.turn === turn) this.awake();
    });
  }

  private awake(): void {
    this.turn = undefined;
    this.space.link?.sync();
    this.waited();
    if (this.isTurnedAway()) return;
    if (this.hold !== undefined) {
      if (this.hold.admitted && this.space.gate.activeOver(this) === undefined) return this.run();
      // Dissolved, or a nested begin came between its turn and this one: it gets in line again, its deadline stays.
      this.release();
    }
    this.next();
  }

  /** Gives the ranges free, and lets the begins go that waited for that. */
  private release(): void {
    if (this.hold === undefined) return;
    const begins = this.space.gate.release(this);
    this.note('released');
    this.space.grant(begins);
  }

  private run(): void {
    const attempt = new LookupAttempt(this.space, this, this.base, ++this.attempts);
    this.attempt = attempt;
    this.space.stats.attempts++;
    this.note('attempt');
    this.fetching = true;
    this.call(attempt);
    this.fetching = false;
  }

  private call(attempt: LookupAttempt): void {
    const { fetch } = this;
    let value: T | PromiseLike<T>;
    try {
      value = fetch(attempt);
    } catch (error) {
      return this.threw(attempt, error);
    }
    const promise = assimilate(value);
    if (promise === undefined) return this.fetched(attempt, value as T);
    promise.then(
      (late) => this.fetched(attempt, late),
      (error) => this.threw(attempt, error),
    );
  }

  private fetched(attempt: LookupAttempt, value: T): void {
    if (attempt !== this.attempt || this.isTurnedAway()) return;
    const { link } = this.space;
    link?.open(attempt.base, attempt.observed);
    try {
      if (!attempt.collides()) return this.install(attempt, value);
    } finally {
      link?.shut();
    }
    this.retry(attempt);
  }

  private install(attempt: LookupAttempt, value: T): void {
    // No await and no callback from here to the end of commit: the check is true in this turn only.
    let result: unknown = value;
    const commit = this.options?.commit;
    if (commit !== undefined) {
      try {
        result = committed(commit, value);
      } catch (error) {
        return this.fail(error);
      }
    }
    if (this.done || this.isAborted()) return; // by commit itself: the caller gets that reason
    this.space.stats.commits++;
    this.note('committed');
    attempt.finish(COMMITTED);
    if (this.hold === undefined) this.space.gate.heat.undisturbed(this.base);
    this.settle(false, result);
  }

  /** An error of an attempt that was hit says nothing: a torn read often does not parse. Any other is the caller's. */
  private threw(attempt: LookupAttempt, error: unknown): void {
    this.space.link?.sync();
    if (attempt !== this.attempt || this.isTurnedAway()) return;
    if (attempt.collides()) this.retry(attempt);
    else this.fail(error);
  }

  private retry(attempt: ReadAttempt): void {
    const collision = attempt.collision();
    if (collision.reason === 'history-lost') this.space.stats.historyLost++;
    this.lastCollision = collision;
    this.losses++;
    this.space.stats.collisions++;
    this.note('collided', { collision });
    this.space.gate.heat.lost(this.base, this.space.seq - attempt.seq);
    attempt.finish({ collision });
    this.attempt = undefined;
    this.release(); // hit although it held: by a nested begin, too
    // What it has discovered it will most likely read again: waiting for that, too, spares an attempt that is lost.
    this.spans = attempt.observed === undefined ? this.base : unite(this.base, attempt.observed);
    // Lapsed: whoever shares the space is about to begin a section over everything, which is waited for.
    if (this.fetching || collision.reason === 'lapsed') Promise.resolve().then(() => this.next());
    else this.next();
  }

  /** Turns the lookup away if the tracker, or the subscription it came through, has been closed; or if it was aborted. */
  private isTurnedAway(): boolean {
    if (this.done) return true;
    if (this.space.closed) this.fail(this.space.closedError());
    else if (this.member?.closed) this.fail(this.member.closedError());
    return this.done || this.isAborted();
  }

  /** By code that ran inside fetch or commit before anything listened to the signal. */
  private isAborted(): boolean {
    const signal = this.options?.signal;
    if (signal?.aborted) this.fail(signal.reason);
    return this.done;
  }

  private settle(failed: boolean, outcome: unknown): void {
    this.done = true;
    this.attempt = undefined;
    this.cancellation?.clear();
    this.release();
    if (this.resolve === undefined) this.result = failed ? Promise.reject(outcome) : Promise.resolve(outcome as R);
    else if (failed) this.reject!(outcome);
    else this.resolve(outcome as R);
  }

  private isExhausted(): boolean {
    return this.losses >= (this.options?.maxAttempts ?? DEFAULT_MAX_ATTEMPTS);
  }

  private mayHold(): boolean {
    return this.options?.maxAttempts !== Number.POSITIVE_INFINITY && this.options?.whenExhausted !== 'throw';
  }

  /** For error messages. */
  get name(): string {
    return `lookup${this.label === undefined ? '' : ` ${describe(this.label)}`} over ${describeSpans(this.spans, this.space.describe)}`;
  }

  private limit(what: string): RetryLimitError {
    const last = this.lastCollision;
    const reason = last === undefined ? '' : `; last: ${describeCollision(last)}`;
    return new RetryLimitError(`${this.name} ${what}${reason}`, this.attempts, last);
  }

  private overdue(): { what: string; waitedFor: WaitedFor | undefined } {
    const wait = waitedFor(this, this.hold, this.space.clock.now());
    const running = wait === undefined ? `, attempt ${this.attempts} of which was running,` : '';
    return { what: this.name + running, waitedFor: wait };
  }

  private note(name: 'attempt' | 'collided' | 'committed' | 'failed' | 'held' | 'released', details?: object): void {
    if (this.space.note === undefined) return;
    // The names and details go together as TrackerEvents says; spelling that out for the compiler takes six overloads.
    this.space.note(name, { reader: this, attempt: this.attempts, ...details } as never);
  }
}

function ignoreCall(): void {}
