/**
 * Run: one attempt of a flight, what its load is told, and what it has said that it reads.
 */
import { Activity, type Work } from '../base/activity.js';
import type { KeyedAttempt } from './fence-types.js';
import type { KeyedLoadContext } from './options.js';
import { KeyScope } from './scope.js';
import type { KeyedChange } from './section.js';

/** What a run is an attempt of. */
export interface RunOf extends Work {
  /** Its load has observed something. */
  noteObserved(): void;
}

/** See the top of the file. */
export class Run<K> implements KeyedLoadContext<K> {
  private readonly flight: RunOf;
  /** The attempt of the lookup; undefined for a question to the cache without one. */
  private readonly lookup: KeyedAttempt<K> | undefined;
  /** What its load runs as, once it does. */
  private activity: Activity | undefined = undefined;
  /** What its load has observed. */
  observed: (K | KeyScope<K>)[] | undefined = undefined;
  over = false;
  private controller: AbortController | undefined = undefined;
  /** Why it was given up; kept for a signal that is asked for too late. */
  private reason: { readonly error: unknown } | undefined = undefined;
  /** Called once at most, when it is. */
  whenGivenUp: ((error: unknown) => void) | undefined = undefined;

  constructor(flight: RunOf, lookup: KeyedAttempt<K> | undefined) {
    this.flight = flight;
    this.lookup = lookup;
  }

  get attempt(): number {
    return this.lookup?.number ?? 0;
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.reason !== undefined) this.controller.abort(this.reason.error);
    }
    return this.controller.signal;
  }

  /** Calls the load, as an activity of the flight: whoever it reads knows that it waits. */
  load<T>(load: () => T): T {
    this.activity = new Activity(this.flight);
    return this.activity.run(load);
  }

  /** Bound, so that a load may take it out of its context, as it may the signal. Made when it is asked for. */
  get observe(): (key: K | KeyScope<K>) => void {
    return (key) => {
      if (this.over) return;
      this.lookup!.observe(key); // checks it, too
      this.observed ??= [];
      this.flight.noteObserved();
      this.observed.push(key);
    };
  }

  /** True if the change hits what was observed. */
  hasObserved(change: KeyedChange<K>): boolean {
    return this.observed?.some((each) => reads(each, change)) ?? false;
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
    this.activity?.finish();
    this.reason = { error };
    this.whenGivenUp?.(error);
    this.controller?.abort(error);
  }

  /** Its value is used: its signal never fires. */
  land(): void {
    this.over = true;
    this.activity?.finish();
  }
}

function reads<K>(read: K | KeyScope<K>, change: KeyedChange<K>): boolean {
  if (!(read instanceof KeyScope)) return change.has(read);
  return read.keys === undefined || read.keys.some((key) => change.has(key));
}
