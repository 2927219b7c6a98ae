/**
 * Flights: the fetches that TanStack is running, by query, and what becomes of one that a change has hit.
 *
 * Algorithm note
 *
 * A flight lasts from the event by which a query begins to fetch to the one by which it is idle again, or removed. What it fetches
 * is guarded by its load while that runs. Everything else that a change may hit is seen here:
 *
 *     load                            writer
 *     checked: fresh
 *                                     begin, change, end, query.invalidate()
 *     (some microtasks later)
 *     query.setData(old)              -> hit: invalidated again, and fetched again if somebody looks at it
 *
 * The same for a promise that came with hydration, and for the pages of an infinite query: its function remembers where it was and
 * goes on there when it is called again, so it cannot be repeated. It is cancelled silently, and fetched anew, as a refetch is; a
 * turn later, as `invalidateQueries` may do the same. The next page of one is not: TanStack keeps the pages before it and takes them
 * for fresh, so if it was hit, or invalidated before, the whole is invalidated again when the page is there.
 *
 * `cancelQueries` restores the state from before the fetch, and `isInvalidated` with it. What was hit is invalidated again.
 */
import { noop, type Query, type QueryCacheNotifyEvent, type QueryFunctionContext } from '@tanstack/query-core';

import { TimeoutError } from '../../base/errors.js';
import type { KeyedChange } from '../../keyed/index.js';
import { Load, type Loading, type Read } from './load.js';

/** One fetch of a query. */
interface Flight {
  load: Load | undefined;
  /** Of an infinite query: TanStack's promise of the fetch whose pages are being read, and how many are. */
  promise: Promise<unknown> | undefined;
  pages: number;
  /** A change has hit what is not guarded by a load. */
  isHit: boolean;
  /** A change has hit it at all. */
  isTouched: boolean;
  /** It has waited too long, and reads while a change is going on. */
  isUnfenced: boolean;
}

/** What flights need of their client. */
export interface Tower extends Loading {
  /** Marks it, without saying so to the fence. */
  invalidate(query: Query): void;
  /** Fetches it again if it is active. */
  refetch(query: Query): void;
}

/** See the top of the file. */
export class Flights {
  readonly #tower: Tower;
  readonly #flights: Map<Query, Flight> = new Map();

  constructor(tower: Tower) {
    this.#tower = tower;
  }

  /** True while the query is being fetched. */
  has(query: Query): boolean {
    return this.#flights.has(query);
  }

  /** True while the query is being fetched, and what that brings is known to be old. Costs nothing while nothing is. */
  isHit(find: () => Query | undefined): boolean {
    for (const { isHit } of this.#flights.values()) {
      if (!isHit) continue;
      const query = find();
      return query !== undefined && this.#flights.get(query)?.isHit === true;
    }
    return false;
  }

  /** Reads for the fetch that TanStack has begun; of an older one of the same query nobody hears any more. */
  load(query: Query, read: Read, context: QueryFunctionContext): Promise<unknown> {
    const flight = this.#open(query);
    flight.load?.stop();
    flight.isHit = false;
    const load = new Load(this.#tower, query, read, context);
    flight.load = load;
    return load.start();
  }

  /** Reads one page for the fetch that TanStack has begun, once no change of the query is active. */
  async page<T>(query: Query, read: () => T | PromiseLike<T>): Promise<T> {
    const flight = this.#open(query);
    const { promise } = query;
    if (flight.promise !== promise) flight.pages = 0;
    flight.promise = promise;
    flight.pages++;
    try {
      await this.#wait(flight, query);
      return await read();
    } finally {
      if (flight.promise === promise) flight.pages--;
    }
  }

  async #wait(flight: Flight, { queryKey }: Query): Promise<void> {
    const { fence, maxWaitMs } = this.#tower;
    try {
      await fence.lookup(queryKey, noop, { maxAttempts: Number.POSITIVE_INFINITY, timeoutMs: maxWaitMs });
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      flight.isUnfenced = true;
    }
  }

  #open(query: Query): Flight {
    let flight = this.#flights.get(query);
    if (flight === undefined) {
      flight = { load: undefined, promise: undefined, pages: 0, isHit: false, isTouched: false, isUnfenced: false };
      this.#flights.set(query, flight);
    }
    return flight;
  }

  /** A change begins. */
  overtaken(change: KeyedChange<readonly unknown[]>): void {
    for (const [query, flight] of this.#flights) {
      if (!change.has(query.queryKey)) continue;
      flight.isTouched = true;
      if (flight.load?.reading === true) flight.load.overtaken(change);
      else this.#hit(query, flight);
    }
  }

  #hit(query: Query, flight: Flight): void {
    if (!isInfinite(query) && query.state.fetchStatus === 'paused') return; // what it has read it will not use
    flight.isHit = true;
    if (!isInfinite(query) || fetchesMore(query)) return;
    const { promise } = query;
    queueMicrotask(() => {
      // Somebody may have begun anew meanwhile, or it has landed.
      if (this.#flights.get(query) !== flight || query.promise !== promise || promise === undefined) return;
      // If it is about to land, that does nothing, and what it was hit by is seen then.
      query.cancel({ silent: true }).catch(noop);
      query.fetch().catch(noop);
    });
  }

  /** Something has happened to a query. */
  see(event: QueryCacheNotifyEvent): void {
    const { query } = event;
    const flight = this.#flights.get(query);
    if (event.type === 'removed') {
      this.#flights.delete(query);
      flight?.load?.stop();
      return;
    }
    if (event.type !== 'updated') return;
    const { type } = event.action;
    if (query.state.fetchStatus !== 'idle') {
      const open = this.#open(query);
      if (type === 'fetch') open.isHit = query.state.isInvalidated && fetchesMore(query);
      return;
    }
    if (flight === undefined) return;
    // What has landed is an older fetch, which was about to when this one began: TanStack could not cancel it any more.
    const isReading = flight.load?.isOver === false || (flight.pages > 0 && flight.promise === query.promise);
    if (type === 'success' && isReading) return;
    this.#flights.delete(query);
    const { load, isHit, isTouched } = flight;
    const isUnfenced = flight.isUnfenced || load?.isUnfenced === true;
    load?.stop();
    if (type === 'success') {
      if (!isHit && !isUnfenced) return;
      this.#tower.invalidate(query);
      if (!isUnfenced) this.#tower.refetch(query); // otherwise the end of the change that it waited for does that
    } else if (isTouched && !query.state.isInvalidated) this.#tower.invalidate(query);
  }
}

/** True for a query that is fetched page by page. */
function isInfinite({ queryType }: Query): boolean {
  return queryType === 'infinite';
}

/** True if it fetches a page beside those that it has. */
function fetchesMore({ state }: Query): boolean {
  return state.fetchMeta?.fetchMore !== undefined;
}
