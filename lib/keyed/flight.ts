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

import { type Activity, currentActivity, findCycle } from '../base/activity.js';
import { cancelOn } from '../base/cancel.js';
import { keepContext } from '../base/context.js';
import { CollisionError, CycleError } from '../base/errors.js';
import { LeaveSignal } from '../base/leave-signal.js';
import { type LoadEventName, noteLoad } from '../base/notes.js';
import { assimilate } from '../base/thenable.js';
import type { LoadInfo, Seq } from '../base/vocabulary.js';

import { type Caller, noteRetry, noteWait, serveLast } from './caller.js';
import type { KeyedAttempt } from './fence-types.js';
import { keyText } from './keys.js';
import type { FenceSettings } from './options.js';
import { Run, type RunOf } from './run.js';
import type { KeyScope } from './scope.js';
import type { KeyedChange } from './section.js';
import type { Request, SharedRead, Slot } from './slot.js';
import type { FlightSnapshot } from './snapshot.js';
import type { FencedCacheStats } from './stats.js';
import type { Store } from './store.js';

/** What a flight needs of its cache. */
export interface Host<K> {
  readonly settings: FenceSettings<K>;
  readonly store: Store<K>;
  readonly stats: FencedCacheStats;
  /** True once a load has observed something. */
  observes: boolean;
  /** The cache's `get`, counted as running: a value, or a native promise of one. */
  get(slot: Slot<K>): unknown;
  /** Stores what was loaded; called in the turn of the check. Never throws. */
  keep(slot: Slot<K>, loaded: Loaded<K>): void;
  /** Keeps what a caller got who takes the last value another time. */
  remember(slot: Slot<K>, value: unknown): void;
  /** The flight is over. */
  landed(slot: Slot<K>): void;
}

/** A value that was loaded, on its way into the cache. */
export interface Loaded<K> {
  readonly value: unknown;
  readonly setOptions: unknown;
  /** What else its load has read. */
  readonly observed: readonly (K | KeyScope<K>)[] | undefined;
  /** True if the cache has answered with a promise that it has nothing. */
  readonly wasLate: boolean;
}

/** A value that was read; with the caller whose load it was, if it was loaded. */
interface Outcome<K> {
  readonly value: unknown;
  readonly loadedFor: Caller<K> | undefined;
  readonly wasLate: boolean;
}

/** What the cache has answered before the lookup began; it counts if no event came in between. */
interface Answer {
  readonly seq: Seq;
  /** It is known to be a miss; if not, `got` is what the cache's `get` has returned: a value, or a native promise. */
  readonly wasMiss: boolean;
  /** The cache has taken its time to answer. */
  readonly wasLate: boolean;
  readonly got: unknown;
}

/** What a flight is doing. */
export type FlightState = 'waiting' | 'asking' | 'loading';

/** See the top of the file. */
export class Flight<K> implements SharedRead<K>, RunOf, LoadInfo {
  private readonly host: Host<K>;
  private readonly slot: Slot<K>;
  private readonly callers: Caller<K>[] = [];
  private leaving: LeaveSignal | undefined = undefined;
  private first: Answer | undefined;
  /** The attempt that is running; undefined while the flight waits. */
  private run: Run<K> | undefined = undefined;
  private isLoading = false;
  private isWaiting = false;
  private over = false;
  readonly since: number;

  /** `first` is what the cache has answered in this turn, if it was asked. */
  constructor(host: Host<K>, slot: Slot<K>, first: Answer | undefined) {
    this.host = host;
    this.slot = slot;
    this.first = first;
    this.since = host.settings.keyed.clock.now();
  }

  /** One more caller. Rejects with `CycleError` if this flight waits for the one that asks. */
  join(request: Request<K>): Promise<unknown> {
    const inside = currentActivity();
    const cycle = findCycle(this, inside);
    if (cycle !== undefined) return Promise.reject(new CycleError(cycle.map(String)));
    return new Promise((resolve, reject) => {
      const settle = { resolve, reject, cancellation: undefined, isServed: false };
      const caller: Caller<K> = { request, context: keepContext(), inside, ...settle };
      this.callers.push(caller);
      this.note('joined', caller);
      const what = () => ({ what: `${this}` });
      caller.cancellation = cancelOn(this.host.settings.keyed.clock, request, what, (error) => this.leave(caller, error));
      if (this.isWaiting) this.wait();
      else if (this.isLoading) this.serveLast();
    });
  }

  *waitedForIn(): Generator<Activity> {
    for (const { inside } of this.callers) if (inside !== undefined) yield inside;
  }

  noteObserved(): void {
    this.host.observes = true;
  }

  /** Asks the cache, or runs the first attempt, at once if no change is active. Somebody must have joined. */
  start(): void {
    const { tracker } = this.host.settings.keyed;
    const { first } = this;
    if (tracker.activeCount > 0 || tracker.lapsed || (first !== undefined && first.seq !== tracker.seq)) return this.lookUp();
    try {
      const got = first === undefined ? this.host.get(this.slot) : first.got;
      if (got instanceof Promise) return this.ask(got);
      if (first === undefined) this.first = { seq: tracker.seq, wasMiss: false, wasLate: false, got };
    } catch (error) {
      return this.fail(error);
    }
    this.lookUp();
  }

  private ask(got: Promise<unknown>): void {
    const run = new Run<K>(this, undefined);
    this.first = undefined;
    this.run = run;
    run.whenGivenUp = () => {
      if (!this.over) this.forCaller(() => this.lookUp()); // the writer has woken it, and it is no business of the writer's
    };
    const { store, settings } = this.host;
    got.then(
      (value) => {
        if (run.over) return;
        if (settings.keyed.tracker.lapsed) {
          this.run = undefined;
          return this.forCaller(() => this.lookUp()); // nobody knows how old this is
        }
        try {
          if (!this.forCaller(() => store.isMiss(value))) {
            return this.land({ value, loadedFor: undefined, wasLate: true });
          }
        } catch (error) {
          return this.fail(error);
        }
        this.run = undefined;
        this.first = { seq: settings.keyed.tracker.seq, wasMiss: true, wasLate: true, got: value };
        this.forCaller(() => this.lookUp());
      },
      (error) => {
        if (!run.over) this.fail(error);
      },
    );
  }

  /** Runs what is done for all in the context of one who still waits: of those who are left, the one who came first. */
  private forCaller<T>(fn: () => T): T {
    return this.callers[0]!.context.runInAsyncScope(fn);
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
    const read = (attempt: KeyedAttempt<K>) => this.forCaller(() => this.tellAndRead(attempt));
    keyed.lookup<Outcome<K>, void>(this.slot.key, read, options).catch((error) => this.fail(error));
    if (this.run === undefined && !this.over) this.wait();
  }

  /** It waits for a change. */
  private wait(): void {
    this.isWaiting = true;
    noteWait(this.callers);
    this.serveLast();
  }

  private serveLast(): void {
    this.host.stats.stale += serveLast(this.callers);
  }

  /** Inside of the caller's context, so that whoever follows contexts finds the load's own one in it. */
  private tellAndRead(attempt: KeyedAttempt<K>): ReturnType<typeof this.read> {
    this.note('loading');
    try {
      return this.read(attempt);
    } finally {
      this.note('loaded');
    }
  }

  /** True if the attempt that is running has observed what this change is about to change. */
  hasObserved(change: KeyedChange<K>): boolean {
    return this.run?.hasObserved(change) ?? false;
  }

  /** A change of the key begins, or of what was observed. What is running is useless, and nobody waits for it any more. */
  overtaken(change: KeyedChange<K>): void {
    const run = this.run;
    if (run === undefined) return;
    this.run = undefined;
    this.isLoading = false;
    this.host.stats.overtaken++;
    noteRetry(this.callers);
    this.wait();
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
    this.isWaiting = false;
    this.run?.land(); // it was hit, and nobody has said so: too many have come since
    const run = new Run<K>(this, attempt);
    this.run = run;
    this.isLoading = false;
    const first = this.first;
    this.first = undefined;
    const isCurrent = first !== undefined && first.seq === attempt.seq;
    if (isCurrent && first.wasMiss) return this.load(run, first.wasLate);
    const got = isCurrent ? first.got : this.host.get(this.slot);
    const { store } = this.host;
    if (got instanceof Promise) {
      return run.unlessGivenUp<Outcome<K>>((resolve, reject) => {
        got.then((value) => {
          // The late answer to an attempt that was given up must not begin a load.
          if (run.over) return;
          try {
            const isMiss = this.forCaller(() => store.isMiss(value));
            resolve(isMiss ? this.forCaller(() => this.load(run, true)) : { value, loadedFor: undefined, wasLate: true });
          } catch (error) {
            reject(error);
          }
        }, reject);
      });
    }
    const isMiss = store.isMiss(got) && !(got === undefined && store.has(this.slot.key));
    return isMiss ? this.load(run, false) : { value: got, loadedFor: undefined, wasLate: false };
  }

  /** The cache has nothing: the load of the caller for whom this runs begins. */
  private load(run: Run<K>, wasLate: boolean): Outcome<K> | Promise<Outcome<K>> {
    const caller = this.callers[0]!;
    this.host.stats.loads++;
    this.isLoading = true;
    const returned = run.load(() => caller.request.load(this.slot.key, run));
    const late = assimilate(returned);
    if (late === undefined) return { value: returned, loadedFor: caller, wasLate };
    this.serveLast();
    return run.unlessGivenUp((resolve, reject) => {
      late.then((value) => resolve({ value, loadedFor: caller, wasLate }), reject);
    });
  }

  // --- the end

  /** Nothing here calls anybody but the cache's `set`, whose errors are its own, so the check still holds when it is stored. */
  private land({ value, loadedFor, wasLate }: Outcome<K>): void {
    if (this.over) return;
    const { stats } = this.host;
    const observed = this.run?.observed;
    this.run?.land();
    this.run = undefined;
    if (loadedFor !== undefined) {
      const { context, request } = loadedFor;
      const loaded = { value, setOptions: request.setOptions, observed, wasLate };
      context.runInAsyncScope(() => this.host.keep(this.slot, loaded));
    }
    const callers = this.end();
    if (loadedFor === undefined) stats.hits += callers.length;
    else stats.misses += callers.length;
    for (const { request, cancellation, isServed, resolve } of callers) {
      cancellation?.clear();
      const { status, last } = request;
      if (status !== undefined && !isServed) status.hit = loadedFor === undefined;
      if (last !== undefined) this.host.remember(this.slot, value);
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
    return keyText(this.slot.key);
  }

  private note(name: LoadEventName, caller?: object): void {
    noteLoad(this.host.settings.keyed.tracker, name, this, caller);
  }

  // --- for people

  /** What it is doing, and for whom. */
  inspect(): FlightSnapshot {
    const { run, callers, since } = this;
    const state: FlightState = run === undefined ? 'waiting' : this.isLoading ? 'loading' : 'asking';
    const inside = new Set([...this.waitedForIn()].filter((each) => !each.over).map((each) => String(each.work)));
    const forMs = this.host.settings.keyed.clock.now() - since;
    return {
      key: keyText(this.slot.key),
      state,
      attempt: run?.attempt ?? 0,
      forMs,
      callers: callers.length,
      waitedForBy: [...inside],
    };
  }

  /** For error messages, which say what was not done. */
  toString(): string {
    return `getOrLoad of ${keyText(this.slot.key)}`;
  }
}
