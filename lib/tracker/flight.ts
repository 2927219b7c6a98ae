/**
 * Flight: a lookup on its first attempt, as long as nothing happens to it.
 *
 * Algorithm note
 *
 * Most lookups are never hit, and need no object but their attempt. Three lanes share the check, the commit and the error:
 *
 *   fast   not blocked, not hot      token = seq; fetch; check; commit
 *   hot    others lose here          join the open hold over these ranges, await its turn, then as above; release
 *   slow   anything else             a Lookup (lookup.ts), which can wait, hold, retry and be aborted
 *
 * On the fast lane, and on the hot one if it has its turn at once, the caller's promise is what the fetch's own
 * `then(land, crash)` returns. An attempt that is hit goes over to the slow lane with what it has lost; so does one whose hold was
 * dissolved, or crossed, before its turn. A lookup that somebody listens to (an observer, a signal, a time limit) is on the slow lane from the start: a promise of the
 * fetch cannot be settled from outside.
 *
 * Freshness is the same on every lane, as the same lines see to it: the token is older than the first read (`start`), and
 * `land` asks `collides()` and commits in one turn, with no await and no foreign code in between. That a hold keeps others
 * away makes an attempt likely to get through; it is not what makes it fresh.
 *
 * Whoever runs here runs in the caller's asynchronous context: after a wait it is called by a promise of the caller's.
 *
 * A hold joined here has no deadline until it is in the way of a begin (gate.ts), so that nobody reads the clock for it.
 */

import { check } from '../base/errors.js';
import { type Spans, toRanges } from '../base/range.js';
import { assimilate } from '../base/thenable.js';
import type { Ignore, Range } from '../base/vocabulary.js';
import { COMMITTED, committed, ignoreOf, ReadAttempt, type Through } from './attempt.js';
import { Lookup } from './lookup.js';
import { checkLookup, DEFAULT_HOLD_MS, type Fetch, type LookupOptions } from './options.js';
import type { Hold, Holder } from './parties.js';
import type { Space } from './space.js';

/** Checks its arguments, and throws before anything has changed; then reads, checks and commits. `through` is the subscription it was asked through. */
export function lookUp<T, R>(
  space: Space,
  spans: Spans,
  fetch: Fetch<T>,
  options: LookupOptions<T, R> | undefined,
  through?: Through,
): Promise<R> {
  check(typeof fetch === 'function', 'fetch', fetch, 'a function');
  if (options !== undefined) checkLookup(options);
  space.stats.lookups++;
  space.link?.sync();
  const { gate } = space;
  const isHeard = space.note !== undefined || options?.signal !== undefined || options?.timeoutMs !== undefined;
  if (!isHeard) {
    if (gate.heat.isHot(spans) && (options === undefined || mayHold(options)))
      return new Flight(space, spans, fetch, options, through).join();
    const blocker = space.activeCount === 0 ? undefined : gate.blockerOf(spans, ignoreOf(options, through));
    if (blocker === undefined) return new Flight(space, spans, fetch, options, through).start();
    return new Lookup(space, spans, fetch, options, through).startBehind(blocker);
  }
  return new Lookup(space, spans, fetch, options, through).start();
}

function mayHold({ maxAttempts, whenExhausted }: LookupOptions<never, unknown>): boolean {
  return maxAttempts !== Number.POSITIVE_INFINITY && whenExhausted !== 'throw';
}

/** The attempt is all there is of the lookup. */
class Flight<T, R> extends ReadAttempt implements Holder {
  hold: Hold | undefined = undefined;
  extensions: Hold[] | undefined = undefined;
  place = 0;
  private readonly fetch: Fetch<T>;
  private readonly options: LookupOptions<T, R> | undefined;
  private readonly through: Through | undefined;

  constructor(
    space: Space,
    spans: Spans,
    fetch: Fetch<T>,
    options: LookupOptions<T, R> | undefined,
    through: Through | undefined,
  ) {
    super(space, spans);
    this.fetch = fetch;
    this.options = options;
    this.through = through;
  }

  get number(): number {
    return 1;
  }

  get holder(): Holder {
    return this;
  }

  get ignore(): Ignore | undefined {
    return ignoreOf(this.options, this.through);
  }

  // --- the lanes

  /** Fast lane, and the hot one once it has its turn: the token is new, and nothing blocks it. */
  start(): Promise<R> {
    const { fetch } = this;
    this.space.stats.attempts++;
    try {
      const value = fetch(this);
      const promise = assimilate(value);
      if (promise === undefined) return Promise.resolve(this.land(value as T, true));
      return promise.then(
        (late) => this.land(late),
        (error) => this.crash(error),
      );
    } catch (error) {
      return this.thrown(error);
    }
  }

  /** Hot lane: holds with others who are there already, or from now on. */
  join(): Promise<R> {
    const { stats, gate } = this.space;
    stats.holds++;
    if (gate.join(this)) return this.start();
    const turn = this.hold!.turn();
    return new Promise((resolve, reject) => {
      turn.then(() => this.turned(resolve, reject));
    });
  }

  /** It has its turn; or its hold is over before that, or was crossed after it. */
  private turned(resolve: (value: R | Promise<R>) => void, reject: (error: unknown) => void): void {
    try {
      this.space.link?.sync();
      this.demandOpen();
      if (this.hold?.isQuiet !== true) {
        this.release();
        return resolve(this.lookup().startWithoutHold());
      }
      this.restart();
      this.space.stats.attempts++;
      const { fetch } = this;
      const value = fetch(this);
      const promise = assimilate(value);
      if (promise === undefined) return resolve(this.land(value as T, true));
      // Not "resolve(promise.then(…))": a promise that is resolved with another one costs two turns more.
      promise.then(
        (late) => {
          try {
            resolve(this.land(late));
          } catch (error) {
            reject(error);
          }
        },
        (error) => resolve(this.thrown(error)),
      );
    } catch (error) {
      resolve(this.thrown(error));
    }
  }

  /** Check and commit, in the turn in which the value has come; or goes on in the slow lane. */
  private land(value: T, isEarly = false): R | Promise<R> {
    this.demandOpen();
    const { link } = this.space;
    if (link === undefined) return this.collides() ? this.lose(isEarly) : this.install(value);
    link.open(this.base, this.observed);
    try {
      if (!this.collides()) return this.install(value);
    } finally {
      link.shut();
    }
    return this.lose(isEarly);
  }

  /** Right after the check. */
  private install(value: T): R {
    // No await and no callback from here to the end of commit: the check is true in this turn only.
    let result: unknown = value;
    const commit = this.options?.commit;
    if (commit !== undefined) result = this.commit(commit, value);
    this.space.stats.commits++;
    this.finish(COMMITTED);
    if (this.hold === undefined) this.space.gate.heat.undisturbed(this.base);
    else this.release();
    return result as R;
  }

  private commit(commit: (value: T) => R, value: T): unknown {
    try {
      return committed(commit, value);
    } catch (error) {
      throw this.over(error);
    }
  }

  /** An error of an attempt that was hit says nothing: a torn read often does not parse. Any other is the caller's. */
  private crash(error: unknown, isEarly = false): Promise<R> {
    this.space.link?.sync();
    this.demandOpen();
    if (this.collides()) return this.lose(isEarly);
    throw this.over(error);
  }

  /** What fetch, or the landing of what it has returned at once, has thrown. */
  private thrown(error: unknown): Promise<R> {
    try {
      if (this.isOver) throw error;
      return this.crash(error, true);
    } catch (reason) {
      return Promise.reject(reason);
    }
  }

  private lose(isEarly: boolean): Promise<R> {
    this.release(); // hit although it held: by a nested begin
    return this.lookup().lost(this, isEarly);
  }

  /** The slow lane. */
  private lookup(): Lookup<T, R> {
    return new Lookup(this.space, this.base, this.fetch, this.options, this.through);
  }

  private demandOpen(): void {
    if (this.space.closed) throw this.over(this.space.closedError());
    if (this.through?.closed) throw this.over(this.through.closedError());
  }

  /** It ends with this error. */
  private over(error: unknown): unknown {
    this.finish({ error });
    this.release();
    return error;
  }

  /** Gives the ranges free, and lets the begins go that waited for that. */
  private release(): void {
    if (this.hold !== undefined) this.space.grant(this.space.gate.release(this));
  }

  // --- what a holder is asked for

  get spans(): Spans {
    return this.base;
  }

  get holdMs(): number {
    return this.options?.holdMs ?? DEFAULT_HOLD_MS;
  }

  get deadline(): number {
    return this.hold?.deadline ?? 0;
  }

  get operation(): 'lookup' {
    return 'lookup';
  }

  get label(): string | undefined {
    return this.options?.label ?? this.through?.label;
  }

  get ranges(): readonly Range[] {
    return toRanges(this.base);
  }

  /** Given to those who hold and are looked at. */
  get id(): number {
    this.identity ??= ++this.space.readers;
    return this.identity;
  }
  private identity: number | undefined = undefined;

  /** The tracker is closed: `land` or `turned` says so to the caller. */
  fail(): void {
    const { hold } = this;
    this.release();
    hold?.dissolve();
  }

  /** The hold ran out: it goes on as it would have without. */
  expire(): void {
    this.space.stats.holdsExpired++;
    this.fail();
  }
}
