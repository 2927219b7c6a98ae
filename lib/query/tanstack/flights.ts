/**
 * Flights: the fetches that TanStack is running, and what becomes of one that a change has hit.
 *
 * Algorithm note
 *
 * A flight is known by TanStack's promise of it, and is over when that is settled. Not by the events of its query: TanStack begins a
 * second fetch while a first one is about to land or to fail, and no event says which of two it is about.
 *
 * What a flight reads is guarded by its load while that runs. Everything else that a change may hit is seen here:
 *
 *     load                            writer
 *     checked: fresh
 *                                     begin, change, end, query.invalidate()
 *     (some microtasks later)
 *     query.setData(old)              -> hit: invalidated again, and fetched again if somebody looks at it
 *
 * The same for a promise that came with hydration.
 *
 * Pages of infinite queries have no load: TanStack calls the query's function for each, in a function of its own that remembers
 * where it was and goes on there when it is called again, so it cannot be repeated. A flight that was hit is cancelled silently, and
 * the query is fetched anew, as a refetch is; a turn later, as `invalidateQueries` may do the same. Not so a flight of the next page:
 * TanStack keeps the pages before it, and takes them for fresh when it is there. If it was hit, or the query was invalidated before,
 * the whole is invalidated again then.
 *
 * `cancelQueries` restores the state from before the fetch, and `isInvalidated` with it. What was hit is invalidated again.
 */
import { noop, type Query, type QueryCacheNotifyEvent, type QueryFunctionContext } from '@tanstack/query-core';

import { TimeoutError } from '../../base/errors.js';
import type { KeyedChange } from '../../keyed/index.js';
import { Load, type Loading, type Read } from './load.js';

/** What flights need of their client. */
export interface Tower extends Loading {
  /** Marks it, without saying so to the fence. */
  invalidate(query: Query): void;
  /** Fetches it again if it is active. */
  refetch(query: Query): void;
}

/** One fetch of a query. */
interface Flight {
  readonly query: Query;
  /** It fetches a page beside those that are there. */
  readonly isMore: boolean;
  load: Load | undefined;
  /** What it brings is known to be old, or of two fetches at once. */
  isHit: boolean;
  /** A change has hit it at all. */
  isTouched: boolean;
  /** It has waited too long, and reads while a change is going on. */
  isUnfenced: boolean;
}

/** See the top of the file. */
export class Flights {
  readonly #tower: Tower;
  readonly #flights: Map<Promise<unknown>, Flight> = new Map();
  /** Queries that are fetched, as their states have it. */
  readonly #fetching: Set<Query> = new Set();
  /** The last load of each query. */
  readonly #loads: WeakMap<Query, Load> = new WeakMap();

  constructor(tower: Tower) {
    this.#tower = tower;
  }

  /** True while the query is being fetched. */
  has(query: Query): boolean {
    return this.#fetching.has(query);
  }

  /** True if something is being fetched. */
  get isAny(): boolean {
    return this.#flights.size > 0;
  }

  /** True while what is being fetched for the query is known to be old. */
  isHit(query: Query): boolean {
    if (query.state.fetchStatus === 'paused') return false; // what it has read so far it will not use
    for (const flight of this.#flights.values()) if (flight.query === query && flight.isHit) return true;
    return false;
  }

  /** What the query is fetching; undefined in what goes on of a fetch that was replaced. */
  #open(query: Query): Flight | undefined {
    const { promise } = query;
    if (promise === undefined) return undefined;
    let flight = this.#flights.get(promise);
    if (flight === undefined) {
      const state = { load: undefined, isHit: false, isTouched: false, isUnfenced: false };
      const opened: Flight = { query, isMore: fetchesMore(query), ...state };
      flight = opened;
      this.#flights.set(promise, opened);
      const over = (outcome: (flight: Flight) => void) => () => {
        this.#flights.delete(promise);
        outcome.call(this, opened);
      };
      // A turn later than the promise, for TanStack has stored it then.
      promise.then(noop).then(over(this.#landed), over(this.#failed));
    }
    return flight;
  }

  /** Reads for the fetch that TanStack has begun; of an older one of the same query nobody hears any more. */
  load(query: Query, read: Read, context: QueryFunctionContext): Promise<unknown> {
    const flight = this.#open(query);
    this.#loads.get(query)?.stop();
    const load = new Load(this.#tower, query, read, context);
    this.#loads.set(query, load);
    if (flight !== undefined) {
      flight.load = load;
      flight.isHit = false;
    }
    return load.start();
  }

  /** Reads one page of an infinite query, once no change of it is active. */
  async page<T>(query: Query, read: () => T | PromiseLike<T>): Promise<T> {
    const flight = this.#open(query);
    const { fence, maxWaitMs } = this.#tower;
    try {
      await fence.lookup(query.queryKey, noop, { maxAttempts: Number.POSITIVE_INFINITY, timeoutMs: maxWaitMs });
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      if (flight !== undefined) flight.isUnfenced = true;
    }
    return await read();
  }

  /** A change begins. */
  overtaken(change: KeyedChange<readonly unknown[]>): void {
    // Those that have not read anything here: a promise that came with hydration, say.
    for (const query of this.#fetching)
      if (query.state.fetchStatus === 'fetching' && change.has(query.queryKey)) this.#open(query);
    for (const [promise, flight] of this.#flights) {
      const { query, load, isMore } = flight;
      if (!change.has(query.queryKey)) continue;
      flight.isTouched = true;
      if (load?.reading === true) load.overtaken(change);
      else if (load === undefined || load.isOver) {
        flight.isHit = true;
        if (isInfinite(query) && !isMore) queueMicrotask(() => this.#renew(promise, query));
      }
    }
  }

  #renew(promise: Promise<unknown>, query: Query): void {
    if (query.promise !== promise || !this.#flights.has(promise)) return; // somebody has begun anew, or it has landed
    // If it is about to land, TanStack can cancel it no more, and the fetch joins it.
    query.cancel({ silent: true }).catch(noop);
    query.fetch().catch(noop);
  }

  #landed({ query, load, isHit, isUnfenced }: Flight): void {
    // One that was begun when this one was about to land, and has written chunks, has written them after those of this one.
    for (const flight of this.#flights.values()) {
      if (flight.query === query && flight.load !== undefined) flight.load.isMixed = true;
    }
    const isMixed = load?.isMixed === true && load.hasWritten;
    const wasUnfenced = isUnfenced || load?.isUnfenced === true;
    if (!isHit && !isMixed && !wasUnfenced) return;
    this.#tower.invalidate(query);
    // One of the next page that has begun meanwhile has not seen the mark.
    if (query.state.fetchStatus !== 'idle') this.#hitMore(query);
    if (!wasUnfenced) this.#tower.refetch(query); // otherwise the end of the change that it waited for does that
  }

  #failed({ query, load, isTouched }: Flight): void {
    load?.stop();
    const { fetchStatus, isInvalidated } = query.state;
    if (isTouched && fetchStatus === 'idle' && !isInvalidated) this.#tower.invalidate(query);
  }

  /** Something has happened to a query. */
  see(event: QueryCacheNotifyEvent): void {
    const { type, query } = event;
    if (type === 'removed') this.#fetching.delete(query);
    if (type !== 'updated') return;
    if (query.state.fetchStatus === 'idle') {
      this.#fetching.delete(query);
      return;
    }
    this.#fetching.add(query);
    // It may end without having read a page, and takes those that are there for fresh; the mark may be gone in the next turn.
    if (event.action.type === 'fetch' && query.state.isInvalidated && fetchesMore(query))
      queueMicrotask(() => this.#hitMore(query));
  }

  /** The pages that are there are old, and what fetches one more does not see that. */
  #hitMore(query: Query): void {
    const flight = this.#open(query);
    if (flight?.isMore === true) flight.isHit = true;
  }
}

/** True for a query that is fetched page by page. */
function isInfinite({ queryType }: Query): boolean {
  return queryType === 'infinite';
}

/** True if the query fetches a page beside those that it has. */
function fetchesMore({ state }: Query): boolean {
  return state.fetchMeta?.fetchMore !== undefined;
}
