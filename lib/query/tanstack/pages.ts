/**
 * Pages: the fetches of infinite queries.
 *
 * TanStack calls the query's function for each page, in a function of its own that remembers where it was and goes on there when it
 * is called again, so a fetch cannot be repeated as a load is. One that a change has hit is cancelled silently, and the query is
 * fetched anew, as a refetch is; a turn later, as `invalidateQueries` may do the same.
 *
 * A fetch of the next page is not: TanStack keeps the pages before it, and takes them for fresh when it is there. If it was hit, or
 * the query was invalidated before, the whole is invalidated again then. So is what was hit when it was about to land.
 *
 * A fetch is known by its promise, and lands when that resolves: by its events one cannot tell which of two has landed, as TanStack
 * begins a second one while a first is about to.
 */
import { noop, type Query } from '@tanstack/query-core';

import { TimeoutError } from '../../base/errors.js';
import type { KeyedChange } from '../../keyed/index.js';
import type { Tower } from './tower.js';

/** One fetch of one infinite query. */
interface PagedFetch {
  readonly query: Query;
  /** It fetches a page beside those that are there. */
  readonly isMore: boolean;
  isHit: boolean;
  /** A page has waited too long, and was read while a change was going on. */
  isUnfenced: boolean;
}

/** See the top of the file. */
export class Pages {
  readonly #tower: Tower;
  readonly #fetches: Map<Promise<unknown>, PagedFetch> = new Map();

  constructor(tower: Tower) {
    this.#tower = tower;
  }

  /** Reads one page once no change of its query is active. */
  async read<T>(query: Query, read: () => T | PromiseLike<T>): Promise<T> {
    const fetch = this.#open(query);
    const { fence, maxWaitMs } = this.#tower;
    try {
      await fence.lookup(query.queryKey, noop, { maxAttempts: Number.POSITIVE_INFINITY, timeoutMs: maxWaitMs });
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      if (fetch !== undefined) fetch.isUnfenced = true;
    }
    return await read();
  }

  /** The fetch that the query is running; of one that was replaced and goes on, nobody hears any more. */
  #open(query: Query): PagedFetch | undefined {
    const { promise } = query;
    if (promise === undefined) return undefined;
    let fetch = this.#fetches.get(promise);
    if (fetch === undefined) {
      const isMore = fetchesMore(query);
      const opened: PagedFetch = { query, isMore, isHit: isMore && query.state.isInvalidated, isUnfenced: false };
      fetch = opened;
      this.#fetches.set(promise, opened);
      const over = () => this.#fetches.delete(promise);
      // A turn later than the promise, for TanStack has stored it then.
      promise.then(noop).then(() => {
        over();
        this.#landed(opened);
      }, over);
    }
    return fetch;
  }

  #landed({ query, isHit, isUnfenced }: PagedFetch): void {
    if (!isHit && !isUnfenced) return;
    this.#tower.invalidate(query);
    if (!isUnfenced) this.#tower.refetch(query); // otherwise the end of the change that it waited for does that
  }

  /** True if the query is running a fetch whose pages are known here. */
  has({ promise }: Query): boolean {
    return promise !== undefined && this.#fetches.has(promise);
  }

  /** True if what the query is fetching is known to be old. */
  isHit({ promise }: Query): boolean {
    return promise !== undefined && this.#fetches.get(promise)?.isHit === true;
  }

  /** A change begins. */
  overtaken(change: KeyedChange<readonly unknown[]>): void {
    for (const [promise, fetch] of this.#fetches) {
      if (fetch.isHit || !change.has(fetch.query.queryKey)) continue;
      fetch.isHit = true;
      if (!fetch.isMore) queueMicrotask(() => this.#renew(promise, fetch.query));
    }
  }

  #renew(promise: Promise<unknown>, query: Query): void {
    if (query.promise !== promise || !this.#fetches.has(promise)) return; // somebody has begun anew, or it has landed
    // If it is about to land, TanStack can cancel it no more, and the fetch joins it.
    query.cancel({ silent: true }).catch(noop);
    query.fetch().catch(noop);
  }
}

/** True if the query fetches a page beside those that it has. */
export function fetchesMore({ state }: Query): boolean {
  return state.fetchMeta?.fetchMore !== undefined;
}
