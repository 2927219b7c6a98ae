/**
 * FencedQueryClient: TanStack's QueryClient, whose loads go through a fence.
 *
 * The contract, in short; docs/query.md has it whole.
 *
 * - What a load has read is stored only if no change of its query was announced or active since the load began; otherwise it is
 *   loaded again. This holds for first loads, for queries that nobody observes, and for `cancelRefetch: false`, too.
 * - Nobody's call is lost: whoever awaits a load that a change has overtaken gets the value of the next one.
 * - A change is announced by `meta.affects` of a mutation, by `mutate`, or by a section of the fence; `invalidateQueries` says that
 *   it has happened. At the end of an announced one its queries are invalidated, and fetched again where somebody looks at them.
 *
 * Not promised: anything about a change that nobody announces.
 */
import {
  type InvalidateOptions,
  type InvalidateQueryFilters,
  type Mutation,
  type MutationFunctionContext,
  matchQuery,
  noop,
  partialMatchKey,
  type Query,
  QueryClient,
  type QueryClientConfig,
  type QueryFunctionContext,
  type QueryKey,
} from '@tanstack/query-core';

import type { CancelOptions } from '../../base/cancel.js';
import { check } from '../../base/errors.js';
import { checkNames, names } from '../../base/options.js';
import type { KeyedChange, KeyedFenceOptions, KeyedInvalidation, KeyScope } from '../../keyed/index.js';
import { KeyedFence } from '../../keyed/internal.js';
import { AFTERWARDS, type Affected, Announced, filtersOf } from './affects.js';
import { Flights, type Tower } from './flights.js';
import { attemptOf } from './load.js';
import { Wraps } from './wraps.js';

/** How the fence of a client is made. */
export interface FencedQueryOptions extends Omit<KeyedFenceOptions<QueryKey>, 'identify'> {
  /**
   * The longest time, in milliseconds, for which a load waits for a change that is going on. Then it reads all the same, and the
   * query stays marked as invalidated: a function that reads what it changes does not wait for itself for ever. Default 5,000.
   */
  maxWaitMs?: number | undefined;
}

/** TanStack's configuration of a client, and how its fence is made. */
export interface FencedQueryClientConfig extends QueryClientConfig {
  /** See {@link FencedQueryOptions}. */
  fence?: FencedQueryOptions | undefined;
}

/** How `mutate` begins. */
export interface FencedMutateOptions extends CancelOptions {
  /** A name for error messages, snapshots and observers. */
  label?: string | undefined;
}

/** TanStack's QueryClient, whose loads go through a fence. `useQuery`, `useMutation` and all the rest take it as theirs. */
export interface FencedQueryClient extends QueryClient {
  /** The fence: sections by hand, lookups and subscribers by query key, `inspect()`. It knows a key by its hash. */
  readonly fence: KeyedFence<QueryKey>;
  /**
   * Announces a change of the queries that match, runs it, and resolves with what it returned. Loads of these queries that are
   * running are loaded again after its end; those that begin inside it wait for that. At the end they are invalidated, also if
   * the change has failed, and fetched again as `refetchType` says (default: those that somebody observes).
   *
   * Rejects with the error of `change`, unwrapped, and as {@link KeyedFence.begin}; with `InvalidArgumentError` for bad filters. O(queries).
   */
  mutate<T>(
    affects: Affected,
    change: (section: KeyedInvalidation<QueryKey>) => T | PromiseLike<T>,
    options?: FencedMutateOptions,
  ): Promise<T>;
}

/** What `persister` and `mutationFn` are in options, whatever the types of data and variables. */
type Persister = (queryFn: (context: QueryFunctionContext) => unknown, context: QueryFunctionContext, query: Query) => unknown;
type MutationFunction = (variables: unknown, context: MutationFunctionContext) => unknown;
type QueryFunction = (context: QueryFunctionContext) => unknown;

interface AnyOptions {
  readonly _defaulted?: boolean;
  readonly _type?: string;
  readonly getNextPageParam?: unknown;
  persister?: Persister | undefined;
  queryFn?: unknown;
  mutationFn?: unknown;
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
}

/** A human notices longer waits; and what is read after it is read again at the end of the change. */
const DEFAULT_MAX_WAIT_MS = 5000;
const OPTIONS = /* @__PURE__ */ names('label historyCapacity observer clock maxWaitMs');
const MUTATE = /* @__PURE__ */ names('label signal timeoutMs');

class Client extends QueryClient implements FencedQueryClient, Tower {
  readonly fence: KeyedFence<QueryKey>;
  readonly maxWaitMs: number;
  readonly #flights: Flights = new Flights(this);
  readonly #known: WeakMap<QueryKey, Query> = new WeakMap();
  readonly #persisters: Wraps<Persister> = new Wraps();
  readonly #pages: Wraps<QueryFunction> = new Wraps();
  readonly #mutations: Wraps<MutationFunction> = new Wraps();
  readonly #persister: Persister = (queryFn, context, query) => this.#flights.load(query, queryFn, context);
  /** Ended changes of mutations whose callbacks are not through. */
  #due: KeyedChange<QueryKey>[] = [];
  /** Greater than 0 while queries are marked by somebody who tells the fence himself. */
  #quiet = 0;

  constructor({ fence = {}, ...config }: FencedQueryClientConfig = {}) {
    checkNames(fence, OPTIONS, 'fence of FencedQueryClient');
    const { maxWaitMs = DEFAULT_MAX_WAIT_MS, ...options } = fence;
    check(typeof maxWaitMs === 'number' && maxWaitMs > 0, 'maxWaitMs', maxWaitMs, 'a positive number of milliseconds');
    super(config);
    this.maxWaitMs = maxWaitMs;
    this.fence = new KeyedFence<QueryKey>({ ...options, identify: (key) => this.#hash(key) });
    this.fence.subscribe({ invalidate: (change) => this.#begun(change), end: (change) => this.#ended(change) });
    this.getQueryCache().subscribe((event) => {
      if (event.type === 'added') this.#know(event.query);
      const isMark = event.type === 'updated' && event.action.type === 'invalidate';
      if (isMark && this.#quiet === 0) this.#hasChanged(this.fence.keys([event.query.queryKey]))?.catch(noop);
      this.#flights.see(event);
    });
    this.getMutationCache().subscribe((event) => {
      if (event.type === 'updated' && (event.action.type === 'success' || event.action.type === 'error')) this.#refetchDue();
    });
  }

  // --- which queries

  /** TanStack complains of a key that is no array, and goes on. */
  #know(query: Query): void {
    if (Array.isArray(query.queryKey)) this.#known.set(query.queryKey, query);
  }

  #hash(key: QueryKey): string {
    return (this.#known.get(key) ?? this.defaultQueryOptions({ queryKey: key })).queryHash;
  }

  #matches(filters: InvalidateQueryFilters, key: QueryKey): boolean {
    const query = this.#known.get(key) ?? this.getQueryCache().get(this.#hash(key));
    if (query !== undefined) return matchQuery(filters, query);
    return filters.queryKey === undefined || partialMatchKey(key, filters.queryKey);
  }

  #scope(filters: readonly InvalidateQueryFilters[]): KeyScope<QueryKey> {
    return this.fence.where((key) => filters.some((each) => this.#matches(each, key)));
  }

  // --- changes

  async mutate<T>(
    affects: Affected,
    change: (section: KeyedInvalidation<QueryKey>) => T | PromiseLike<T>,
    options?: FencedMutateOptions,
  ): Promise<T> {
    checkNames(options, MUTATE, 'mutate');
    return await this.#announce(new Announced(filtersOf(affects), false), change, options);
  }

  async #announce<T>(
    owner: Announced,
    change: (section: KeyedInvalidation<QueryKey>) => T | PromiseLike<T>,
    options?: FencedMutateOptions,
  ): Promise<T> {
    return await this.fence.mutate(this.#scope(owner.filters), change, { ...options, owner });
  }

  /** Told by the fence, before the change. */
  #begun(change: KeyedChange<QueryKey>): void {
    this.#flights.overtaken(change);
    if (change.owner !== AFTERWARDS) this.#mark(change);
  }

  #ended(change: KeyedChange<QueryKey>): void {
    const { owner } = change;
    if (owner === AFTERWARDS) return;
    this.#mark(change); // again: what was stored inside it by hand is not the end of it
    if (owner instanceof Announced && owner.isMutation) this.#due.push(change);
    else this.#refetchAfter(change);
  }

  #mark(change: KeyedChange<QueryKey>): void {
    for (const query of this.getQueryCache().getAll()) if (change.has(query.queryKey)) this.invalidate(query);
  }

  invalidate(query: Query): void {
    this.#quietly(() => query.invalidate());
  }

  #quietly<T>(fn: () => T): T {
    this.#quiet++;
    try {
      return fn();
    } finally {
      this.#quiet--;
    }
  }

  // --- what is fetched again

  refetch(query: Query): void {
    this.#refetch({ predicate: (each) => each === query });
  }

  #refetch({ refetchType, ...filters }: InvalidateQueryFilters): void {
    if (refetchType === 'none') return;
    const { predicate, type } = filters;
    const isDue = (query: Query) => query.state.isInvalidated && (predicate === undefined || predicate(query));
    const marked = { ...filters, type: refetchType ?? type ?? 'active', predicate: isDue };
    super.refetchQueries(marked, { cancelRefetch: false }).catch(noop); // they tell their observers
  }

  #refetchAfter(change: KeyedChange<QueryKey>): void {
    const { owner } = change;
    if (!(owner instanceof Announced)) this.#refetch({ predicate: ({ queryKey }) => change.has(queryKey) });
    else for (const filters of owner.filters) this.#refetch(filters);
  }

  /** The callbacks of a mutation are through: what they have not fetched themselves is fetched now. */
  #refetchDue(): void {
    const due = this.#due;
    if (due.length === 0) return;
    this.#due = [];
    for (const change of due) this.#refetchAfter(change);
  }

  // --- TanStack's own, with the fence

  /** Says it to the fence, in this turn if it can. Rejects if a subscriber of somebody's does not confirm. */
  #hasChanged(scope: KeyScope<QueryKey>): Promise<void> | undefined {
    const { fence } = this;
    if (fence.closed) return undefined;
    const section = fence.tryBegin(scope, { owner: AFTERWARDS });
    if (section === undefined) return fence.invalidate(scope, { owner: AFTERWARDS });
    section.end();
    return undefined;
  }

  // biome-ignore lint/suspicious/noExplicitAny: what is declared is TanStack's own signature
  override fetchQuery(options: any): any {
    return this.#fresh(options, () => super.fetchQuery(options));
  }

  // biome-ignore lint/suspicious/noExplicitAny: what is declared is TanStack's own signature
  override query(options: any): any {
    return this.#fresh(options, () => super.query(options));
  }

  /** TanStack has a call join the fetch that is running. One that is known to bring something old is waited for, and not joined. */
  #fresh<T>(options: { readonly queryKey: QueryKey }, fetch: () => Promise<T>): Promise<T> {
    if (!this.#isJoiningOld(options)) return fetch();
    // A turn later it may have been begun anew.
    return Promise.resolve().then(() => {
      if (!this.#isJoiningOld(options)) return fetch();
      return fetch()
        .then(noop, noop)
        .then(() => this.#fresh(options, fetch));
    });
  }

  #isJoiningOld(options: { readonly queryKey: QueryKey }): boolean {
    if (!this.#flights.isAny) return false;
    const query = this.getQueryCache().get(this.defaultQueryOptions(options).queryHash);
    return query !== undefined && this.#flights.isHit(query);
  }

  // biome-ignore lint/suspicious/noExplicitAny: the filters' keys may have any type
  override invalidateQueries(filters: InvalidateQueryFilters<any> = {}, options?: InvalidateOptions): Promise<void> {
    try {
      const told = this.#hasChanged(this.#scope([filters]));
      const done = this.#quietly(() => super.invalidateQueries(filters, options));
      return told === undefined ? done : Promise.all([done, told]).then(noop);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: what is declared is TanStack's own signature
  override setQueryData(queryKey: QueryKey, updater: any, options?: any): any {
    const attempt = attemptOf(queryKey);
    if (attempt?.overtaken === true) return this.getQueryData(queryKey);
    if (attempt !== undefined) attempt.wrote = true;
    else this.#assume(queryKey);
    return super.setQueryData(queryKey, updater, options);
  }

  /** Data that is set by hand while it is fetched is newer than what is fetched, if a mutation has said that it affects it. */
  #assume(queryKey: QueryKey): void {
    const query = this.getQueryCache().get(this.#hash(queryKey));
    if (query === undefined || !this.#flights.has(query)) return;
    const pending = this.getMutationCache().findAll({ status: 'pending' });
    const isAffected = ({ meta, state }: Mutation) =>
      meta?.affects !== undefined && filtersOf(meta.affects, state.variables).some((each) => matchQuery(each, query));
    if (pending.some(isAffected)) this.#hasChanged(this.fence.keys([query.queryKey]))?.catch(noop);
  }

  // biome-ignore lint/suspicious/noExplicitAny: what is declared is TanStack's own signature
  override defaultQueryOptions(options: any): any {
    const given: AnyOptions = options;
    const defaulted: AnyOptions = super.defaultQueryOptions(given._defaulted === true ? options : this.#bare(given));
    if (isPaged(defaulted)) return this.#fencedPages(defaulted);
    // Options that are defaulted have been here before.
    if (given._defaulted !== true) defaulted.persister = this.#fencedPersister(defaulted.persister);
    return defaulted;
  }

  /** Options as they were before they came here: with a persister, TanStack has another default for `networkMode`. */
  #bare(options: AnyOptions): AnyOptions {
    if (options.persister === undefined) return options;
    const { persister, ...others } = options;
    if (persister === this.#persister) return others;
    return this.#persisters.has(persister) ? { ...others, persister: this.#persisters.inside(persister) } : options;
  }

  #fencedPersister(persister: Persister | undefined): Persister {
    if (persister === undefined) return this.#persister;
    if (typeof persister !== 'function') return persister; // TanStack says what is wrong with it
    return this.#persisters.around(persister, () => (queryFn, context, query) => {
      return this.#flights.load(query, (own) => persister(queryFn, own, query), context);
    });
  }

  /** Not by the persister: with one, TanStack aborts every infinite query that is unmounted. */
  #fencedPages(options: AnyOptions): AnyOptions {
    const { queryFn, ...others } = this.#bare(options);
    if (typeof queryFn !== 'function') return { ...others, queryFn }; // skipToken, or none yet
    const read = queryFn as QueryFunction;
    const fenced = this.#pages.around(read, () => (context) => {
      const query = this.#known.get(context.queryKey);
      return query === undefined ? read(context) : this.#flights.page(query, () => read(context));
    });
    return { ...others, queryFn: fenced };
  }

  // biome-ignore lint/suspicious/noExplicitAny: what is declared is TanStack's own signature
  override defaultMutationOptions(options?: any): any {
    const defaulted: AnyOptions = super.defaultMutationOptions(options);
    const { meta, mutationFn } = defaulted;
    if (meta?.affects === undefined || typeof mutationFn !== 'function') return defaulted;
    const change = mutationFn as MutationFunction;
    const announced = this.#mutations.around(change, () => (variables, context) => {
      const filters = filtersOf(context.meta?.affects ?? [], variables);
      return this.#announce(new Announced(filters, true), () => change(variables, context));
    });
    return { ...defaulted, mutationFn: announced };
  }
}

/** A client whose loads go through a fence. Throws `InvalidArgumentError`. */
export const FencedQueryClient: new (config?: FencedQueryClientConfig) => FencedQueryClient = Client;

/** True for the options of a query that is fetched page by page. */
function isPaged({ _type, getNextPageParam }: AnyOptions): boolean {
  return _type === 'infinite' || typeof getNextPageParam === 'function';
}
