/**
 * Flights: the fetches that TanStack is running, by query, and what becomes of one that a change has hit.
 *
 * Algorithm note
 *
 * A flight lasts from the event by which a query begins to fetch to the one by which it is idle again, or removed. What it fetches
 * is guarded by its load while that runs, or by pages.ts. Everything else that a change may hit is seen here:
 *
 *     load                            writer
 *     checked: fresh
 *                                     begin, change, end, query.invalidate()
 *     (some microtasks later)
 *     query.setData(old)              -> hit: invalidated again, and fetched again if somebody looks at it
 *
 * The same for a promise that came with hydration.
 *
 * `cancelQueries` restores the state from before the fetch, and `isInvalidated` with it. What was hit is invalidated again.
 */
import type { Query, QueryCacheNotifyEvent, QueryFunctionContext } from '@tanstack/query-core';

import type { KeyedChange } from '../../keyed/index.js';
import { Load, type Read } from './load.js';
import { fetchesMore, Pages } from './pages.js';
import type { Tower } from './tower.js';

/** One fetch of a query. */
interface Flight {
  load: Load | undefined;
  /** A change has hit what nothing else guards. */
  isHit: boolean;
  /** A change has hit it at all. */
  isTouched: boolean;
}

/** See the top of the file. */
export class Flights {
  readonly pages: Pages;
  readonly #tower: Tower;
  readonly #flights: Map<Query, Flight> = new Map();

  constructor(tower: Tower) {
    this.#tower = tower;
    this.pages = new Pages(tower);
  }

  /** True while the query is being fetched. */
  has(query: Query): boolean {
    return this.#flights.has(query);
  }

  /** True if something is being fetched. */
  get isAny(): boolean {
    return this.#flights.size > 0;
  }

  /** True while the query is being fetched, and what that brings is known to be old. */
  isHit(query: Query): boolean {
    return this.#flights.get(query)?.isHit === true || this.pages.isHit(query);
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

  #open(query: Query): Flight {
    let flight = this.#flights.get(query);
    if (flight === undefined) {
      flight = { load: undefined, isHit: false, isTouched: false };
      this.#flights.set(query, flight);
    }
    return flight;
  }

  /** A change begins. */
  overtaken(change: KeyedChange<readonly unknown[]>): void {
    this.pages.overtaken(change);
    for (const [query, flight] of this.#flights) {
      if (!change.has(query.queryKey)) continue;
      flight.isTouched = true;
      if (flight.load?.reading === true) flight.load.overtaken(change);
      // What was read before a pause will not be used.
      else if (!this.pages.has(query) && query.state.fetchStatus === 'fetching') flight.isHit = true;
    }
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
    const { load, isHit, isTouched } = flight;
    // What has landed is an older fetch, which was about to when this one began: TanStack could not cancel it any more.
    if (type === 'success' && load?.isOver === false) return;
    this.#flights.delete(query);
    load?.stop();
    const isUnfenced = load?.isUnfenced === true;
    if (type === 'success' && (isHit || isUnfenced)) {
      this.#tower.invalidate(query);
      if (!isUnfenced) this.#tower.refetch(query); // otherwise the end of the change that it waited for does that
    } else if (type !== 'success' && isTouched && !query.state.isInvalidated) this.#tower.invalidate(query);
  }
}
