/**
 * Flight: one read of one key, shared by everybody who asks for it meanwhile.
 *
 * Algorithm note
 *
 *     nothing is changing anywhere: value = cache.get(key)
 *         told of a change of the key                 -> as below
 *         a hit                                       -> hand out, over
 *     otherwise, or a miss: a lookup of the key:      (waits for active changes of it)
 *         token = seq
 *         value = cache.get(key)                      (not again, if that was how the miss was found)
 *         a miss: value = load(key)
 *         told of a change of the key: given up       (at once: nobody waits for a load that is useless)
 *         collides(token) ? again
 *         store, hand out, over                       (same turn as the check)
 *
 * The first step needs no token: the cache's subscription is told of every change in the turn in which it begins, and so is every
 * flight of the key. It spares a hit over a network the lookup, which is most of what it would cost.
 *
 * One is made for every read that is not a hit in memory, so its fields are `private` instead of `#private`, as those of a lookup.
 *
 * New callers join at any time before the end, as no attempt that a change has overtaken is still running: the flight is waiting
 * then, and reads again. Whoever leaves is gone at once; the last to leave ends it all.
 */

import { type Cancellation, type CancelOptions, cancelOn } from '../base/cancel.js';
import type { Seq } from '../base/collision.js';
import { CollisionError, describe } from '../base/errors.js';
import { isThenable } from '../tracker/answers.js';
import { type LoadEventName, noteLoad } from '../tracker/notes.js';
import type { LoadInfo } from '../tracker/observer.js';
import type { KeyedAttempt } from './keyed-fence.js';
import type { FenceSettings, KeyedLoad, KeyedLoadContext } from './options.js';
import type { KeyedChange } from './section.js';
import type { Slot } from './slots.js';
import type { FencedCacheStats } from './stats.js';
import type { Store } from './store.js';

/** What a flight needs of its cache. */
export interface Host<K> {
  readonly settings: FenceSettings<K>;
  readonly store: Store<K>;
  readonly stats: FencedCacheStats;
  /** The cache's `get`, counted as running. */
  get(slot: Slot<K>): unknown;
  /** Stores what was loaded; called in the turn of the check. Never throws. */
  keep(slot: Slot<K>, value: unknown, setOptions: unknown): void;
  /** The flight is over. */
  landed(slot: Slot<K>): void;
}

/** What one caller has asked for. */
export interface Request<K> extends CancelOptions {
  readonly load: KeyedLoad<K, unknown>;
  readonly setOptions: unknown;
}

interface Caller<K> {
  readonly request: Request<K>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  cancellation: Cancellation | undefined;
}

/** A value that was read; with the request of the caller whose load it was, if it was loaded. */
interface Outcome<K> {
  readonly value: unknown;
  readonly loadedFor: Request<K> | undefined;
}

/** What the cache has answered before the lookup began; it counts if no event came in between. */
interface Answer {
  readonly seq: Seq;
  /** In a later turn it was a miss; if not, it is what the cache's `get` has returned. */
  readonly wasMiss: boolean;
  readonly got: unknown;
}

/** See the top of the file. */
export class Flight<K> implements LoadInfo {
  private readonly host: Host<K>;
  private readonly slot: Slot<K>;
  private readonly callers: Caller<K>[] = [];
  private leaving: LeaveSignal | undefined = undefined;
  private first: Answer | undefined;
  /** The attempt that is running; undefined while the flight waits. */
  private run: Run | undefined = undefined;
  private over = false;

  /** `first` is what the cache has answered in this turn, if it was asked. */
  constructor(host: Host<K>, slot: Slot<K>, first: Answer | undefined) {
    this.host = host;
    this.slot = slot;
    this.first = first;
  }

  /** One more caller. */
  join(request: Request<K>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const caller: Caller<K> = { request, resolve, reject, cancellation: undefined };
      this.callers.push(caller);
      this.note('joined', caller);
      caller.cancellation = cancelOn(this.host.settings.keyed.clock, request, this, (error) => this.leave(caller, error));
    });
  }

  /** Asks the cache, or runs the first attempt, at once if no change is active. Somebody must have joined. */
  start(): void {
    this.note('loading');
    this.takeOff();
    this.note('loaded');
  }

  private takeOff(): void {
    const { tracker } = this.host.settings.keyed;
    const { first } = this;
    if (tracker.activeCount > 0 || (first !== undefined && first.seq !== tracker.seq)) return this.lookUp();
    try {
      const got = first === undefined ? this.host.get(this.slot) : first.got;
      if (isThenable(got)) return this.ask(got);
      this.first = { seq: tracker.seq, wasMiss: false, got };
    } catch (error) {
      return this.fail(error);
    }
    this.lookUp();
  }

  private ask(got: PromiseLike<unknown>): void {
    const run = new Run(0);
    this.first = undefined;
    this.run = run;
    run.whenGivenUp = () => {
      if (!this.over) this.lookUp();
    };
    const { store, settings } = this.host;
    got.then(
      (value) => {
        if (run.over) return;
        if (!store.isMiss(value)) return this.land({ value, loadedFor: undefined });
        this.run = undefined;
        this.first = { seq: settings.keyed.tracker.seq, wasMiss: true, got: value };
        this.lookUp();
      },
      (error) => {
        if (!run.over) this.fail(error);
      },
    );
  }

  private lookUp(): void {
    this.leaving = new LeaveSignal();
    const { keyed, maxAttempts, holdMs, ignore, label } = this.host.settings;
    // One literal, without a spread: this is made for every read.
    const options = {
      maxAttempts,
      holdMs,
      ignore,
      label,
      signal: this.leaving as unknown as AbortSignal,
      commit: (outcome: Outcome<K>) => this.land(outcome),
    };
    keyed.lookup<Outcome<K>, void>(this.slot.key, (attempt) => this.read(attempt), options).catch((error) => this.fail(error));
  }

  /** A change of the key begins. What is running is useless, and nobody waits for it any more. */
  overtaken(change: KeyedChange<K>): void {
    const run = this.run;
    if (run === undefined) return;
    this.run = undefined;
    this.host.stats.overtaken++;
    const { kind, label, beginSeq: seq } = change;
    run.giveUp(new CollisionError({ reason: 'active', kind, seq, ...(label === undefined ? {} : { label }) }));
  }

  /** The end without a value, for all callers. */
  fail(error: unknown): void {
    if (this.over) return;
    const callers = this.end();
    for (const { cancellation, reject } of callers) {
      cancellation?.clear();
      reject(error);
    }
    this.leaving?.fire(error);
    this.run?.giveUp(error);
    this.run = undefined;
  }

  private leave(caller: Caller<K>, error: unknown): void {
    const at = this.callers.indexOf(caller);
    if (at < 0) return;
    this.callers.splice(at, 1);
    this.note('left', caller);
    caller.reject(error);
    if (this.callers.length === 0) this.fail(error);
  }

  // --- one attempt

  private read(attempt: KeyedAttempt<K>): Outcome<K> | Promise<Outcome<K>> {
    const run = new Run(attempt.number);
    this.run = run;
    const first = this.first;
    this.first = undefined;
    const isCurrent = first !== undefined && first.seq === attempt.seq;
    const got = isCurrent ? first.got : this.host.get(this.slot);
    if (isThenable(got)) {
      return run.unlessGivenUp<Outcome<K>>((resolve, reject) => {
        got.then((value) => {
          // The late answer to an attempt that was given up must not begin a load.
          if (run.over) return;
          try {
            resolve(this.answered(run, value, this.host.store.isMiss(value)));
          } catch (error) {
            reject(error);
          }
        }, reject);
      });
    }
    const { store } = this.host;
    const wasMiss = isCurrent && first.wasMiss;
    const isMiss = wasMiss || (store.isMiss(got) && !(got === undefined && store.has(this.slot.key)));
    const outcome = this.answered(run, got, isMiss);
    if (!isThenable(outcome)) return outcome;
    return run.unlessGivenUp((resolve, reject) => outcome.then(resolve, reject));
  }

  /** The cache has answered: that is it, or the load begins. */
  private answered(run: Run, got: unknown, isMiss: boolean): Outcome<K> | PromiseLike<Outcome<K>> {
    if (!isMiss) return { value: got, loadedFor: undefined };
    const [caller] = this.callers; // of those who are left, the one who came first
    const { request } = caller!;
    this.host.stats.loads++;
    const value = request.load(this.slot.key, run);
    return isThenable(value) ? value.then((late) => ({ value: late, loadedFor: request })) : { value, loadedFor: request };
  }

  // --- the end

  /** Nothing here calls anybody but the cache's `set`, whose errors are its own, so the check still holds when it is stored. */
  private land({ value, loadedFor }: Outcome<K>): void {
    if (this.over) return;
    const { stats } = this.host;
    this.run?.land();
    this.run = undefined;
    if (loadedFor !== undefined) this.host.keep(this.slot, value, loadedFor.setOptions);
    const callers = this.end();
    if (loadedFor === undefined) stats.hits += callers.length;
    else stats.misses += callers.length;
    for (const { cancellation, resolve } of callers) {
      cancellation?.clear();
      resolve(value);
    }
  }

  private end(): Caller<K>[] {
    this.over = true;
    const callers = this.callers.splice(0);
    this.note('landed');
    this.host.landed(this.slot);
    return callers;
  }

  /** For observers. */
  get name(): string {
    return describe(this.slot.key);
  }

  private note(name: LoadEventName, caller?: object): void {
    noteLoad(this.host.settings.keyed.tracker, name, this, caller);
  }

  /** For error messages. */
  toString(): string {
    return `getOrLoad of ${describe(this.slot.key)}`;
  }
}

/** One attempt, and what its load is told. */
class Run implements KeyedLoadContext {
  readonly attempt: number;
  over = false;
  private controller: AbortController | undefined = undefined;
  /** Why it was given up; kept for a signal that is asked for too late. */
  private reason: { readonly error: unknown } | undefined = undefined;
  /** Called once at most, when it is. */
  whenGivenUp: ((error: unknown) => void) | undefined = undefined;

  constructor(attempt: number) {
    this.attempt = attempt;
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.reason !== undefined) this.controller.abort(this.reason.error);
    }
    return this.controller.signal;
  }

  /** A promise as `executor` settles it, or rejected as soon as the attempt is given up. */
  unlessGivenUp<T>(
    executor: (resolve: (value: T | PromiseLike<T>) => void, reject: (error: unknown) => void) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      this.whenGivenUp = reject;
      executor(resolve, reject);
    });
  }

  /** Nobody waits for it any more. Runs the load's abort listeners, as the last thing. */
  giveUp(error: unknown): void {
    this.over = true;
    this.reason = { error };
    this.whenGivenUp?.(error);
    this.controller?.abort(error);
  }

  /** Its value is used: its signal never fires. */
  land(): void {
    this.over = true;
  }
}

/**
 * As much of an AbortSignal as the tracker looks at, for the one listener of one lookup. A real one, made for each read, would
 * cost as much as all the rest of it.
 */
class LeaveSignal {
  aborted = false;
  reason: unknown = undefined;
  private listener: { handleEvent(): void } | undefined = undefined;

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  addEventListener(_type: 'abort', listener: { handleEvent(): void }): void {
    this.listener = listener;
  }

  removeEventListener(): void {
    this.listener = undefined;
  }

  /** Idempotent. */
  fire(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.listener?.handleEvent();
  }
}
