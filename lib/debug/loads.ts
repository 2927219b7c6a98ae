/**
 * Loads: waits for what several calls share, in a mirror or a fenced cache.
 *
 * A call that shares a load waits for a function that another call has started. That function has a context of its own, inside
 * that of the call that has started it as long as this one waits, too. So it can be told what the load waits for.
 */
import type { Clock } from '../base/clock.js';
import type { LoadInfo } from '../base/vocabulary.js';
import type { CallerEvent, LoadEvent, TrackerEvent } from '../tracker/index.js';

import type { Contexts } from './context.js';
import type { Fresh } from './fresh.js';
import type { Judge } from './judge.js';
import { CallRecord, Context, type Ledger, LoadRecord } from './parties.js';
import { Trace } from './stack.js';

/** What of the checker is needed here. */
interface Checker {
  readonly contexts: Contexts;
  readonly clock: Clock;
  readonly judge: Judge;
  readonly fresh: Fresh;
  ledger(event: TrackerEvent): Ledger;
}

/** See the top of the file. */
export class Loads {
  readonly #checker: Checker;
  readonly #loads: WeakMap<LoadInfo, LoadRecord> = new WeakMap();
  /** A call may wait for several loads, one after the other or at once; its context is that of the first time. */
  readonly #callers: WeakMap<object, { readonly context: Context | undefined; readonly calls: Map<LoadRecord, CallRecord> }> =
    new WeakMap();

  constructor(checker: Checker) {
    this.#checker = checker;
  }

  joined(event: CallerEvent): void {
    const { contexts, clock, judge, fresh } = this.#checker;
    const load = this.#load(event);
    let caller = this.#callers.get(event.caller);
    if (caller === undefined) {
      caller = { context: contexts.current, calls: new Map() };
      this.#callers.set(event.caller, caller);
    }
    const origin = { trace: new Trace('wait'), context: caller.context };
    const call = new CallRecord(`call that shares the ${load.name}`, load.ledger, origin);
    caller.calls.set(load, call);
    fresh.add(call);
    judge.suspect(call.park(load, clock.now()));
  }

  left(event: CallerEvent): void {
    const load = this.#loads.get(event.load);
    const caller = this.#callers.get(event.caller);
    if (load === undefined || caller === undefined) return;
    caller.calls.get(load)?.finish();
    caller.calls.delete(load);
    // The load goes on for others, and whoever started it waits for it no longer.
    if (!isAwaitedIn(load, load.context?.parent)) load.context?.detach();
  }

  loading(event: LoadEvent): void {
    const { contexts, judge } = this.#checker;
    const load = this.#load(event);
    const { current } = contexts;
    const context = new Context(`the ${load.name}`, isAwaitedIn(load, current) ? current : undefined);
    load.context?.finish();
    load.context = context;
    contexts.enter(context);
    judge.suspectAll(load);
  }

  landed({ load }: LoadEvent): void {
    const record = this.#loads.get(load);
    if (record === undefined) return;
    this.#loads.delete(load);
    record.finish();
    this.#checker.fresh.delete(record);
  }

  #load(event: LoadEvent): LoadRecord {
    let found = this.#loads.get(event.load);
    if (found === undefined) {
      found = new LoadRecord(`load of ${event.load.name}`, this.#checker.ledger(event), new Trace('wait'));
      this.#loads.set(event.load, found);
      this.#checker.fresh.add(found);
    }
    return found;
  }
}

/** Does a call that was made in this context wait for it? */
function isAwaitedIn({ waiters }: LoadRecord, context: Context | undefined): boolean {
  for (const { waiter } of waiters ?? []) if (waiter.context === context) return true;
  return false;
}
