/**
 * A fenced client under random readers, observers that come and go, writers, mutations, cancellations and failures, in random
 * schedules, judged by a server that knows every version of every key and which of them was announced.
 *
 * `RANGEFENCE_RUNS=50` plays 10,000 schedules.
 */
import {
  CancelledError,
  InfiniteQueryObserver,
  type InvalidateQueryFilters,
  MutationObserver,
  type Query,
  type QueryFunctionContext,
  type QueryKey,
  QueryObserver,
  experimental_streamedQuery as streamedQuery,
} from '@tanstack/query-core';
import { expect, test } from 'vitest';
import { FencedQueryClient } from '../../lib/query/tanstack/index.js';
import { ManualClock } from '../support/model/clock.js';
import { Random, seeds } from '../support/model/random.js';
import { Scheduler } from '../support/model/scheduler.js';
import { settle } from './support/backend.js';

const BROKEN = new Error('the network is down');
const PLAIN = ['a/1', 'a/2', 'b/1'];
const PAGED = 'list/1';
const STREAMED = 'stream/1';
const ALL = [...PLAIN, PAGED, STREAMED];

const keyOf = (name: string): QueryKey => name.split('/');
const nameOf = (key: QueryKey): string => key.join('/');

/** How rough it is: without cancellations every call must be answered, without failures every observer be up to date. */
interface Weather {
  readonly cancels: boolean;
  readonly fails: boolean;
}

class World {
  readonly random: Random;
  readonly clock = new ManualClock();
  readonly scheduler: Scheduler;
  readonly client: FencedQueryClient;
  readonly weather: Weather;
  readonly version: Map<string, number> = new Map(ALL.map((name) => [name, 0]));
  /** Changed, announced, and the announcement is over. */
  readonly announced: Map<string, number> = new Map(ALL.map((name) => [name, 0]));
  readonly refetchMode: 'append' | 'reset' | 'replace';
  readonly asksForSignals: boolean;
  /** Next pages are fetched: that cancels whatever fetches the whole, and those who wait for it get the pages that were there. */
  readonly fetchesMore: boolean;
  /** Somebody has said that what is invalidated is not to be fetched. */
  spares = false;
  answered = 0;
  /** Reads that run on the server. */
  reading = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.scheduler = new Scheduler(this.random, this.clock);
    this.weather = { cancels: this.random.chance(0.3), fails: this.random.chance(0.3) };
    this.refetchMode = this.random.pick(['reset', 'replace']);
    this.asksForSignals = this.random.chance(0.3);
    this.fetchesMore = this.random.chance(0.5);
    this.client = new FencedQueryClient({
      defaultOptions: {
        queries: { retry: false, gcTime: Number.POSITIVE_INFINITY },
        mutations: { gcTime: Number.POSITIVE_INFINITY },
      },
      fence: { clock: this.clock, maxWaitMs: Number.POSITIVE_INFINITY, historyCapacity: 1 + this.random.below(8) },
    });
    // For those that somebody has set before anybody has read them.
    for (const name of PLAIN) this.client.setQueryDefaults(keyOf(name), { queryFn: (context) => this.#read(name, context) });
  }

  async pause(most: number): Promise<void> {
    for (let i = this.random.below(most + 1); i > 0; i--) await this.scheduler.pause();
  }

  /** An observer that leaves cancels a load that has asked for its signal. */
  get mayCancel(): boolean {
    return this.weather.cancels || this.asksForSignals;
  }

  // --- the server

  async #read(name: string, context: QueryFunctionContext): Promise<number> {
    const signal = this.asksForSignals ? context.signal : undefined;
    this.reading++;
    await this.pause(1);
    const version = this.version.get(name)!;
    await this.pause(3);
    this.reading--;
    if (this.weather.fails && this.random.chance(0.1)) throw BROKEN;
    signal?.throwIfAborted();
    return version;
  }

  async *#stream(name: string, context: QueryFunctionContext): AsyncGenerator<number> {
    for (let i = 0; i < 2; i++) yield await this.#read(name, context);
  }

  #change(names: readonly string[]): void {
    for (const name of names) this.version.set(name, this.version.get(name)! + 1);
  }

  #announce(then: ReadonlyMap<string, number>, names: readonly string[]): void {
    for (const name of names) this.announced.set(name, Math.max(this.announced.get(name)!, then.get(name)!));
  }

  // --- who reads

  #options(name: string) {
    const queryKey = keyOf(name);
    if (name === STREAMED) {
      const streamFn = (context: QueryFunctionContext) => this.#stream(name, context);
      return { queryKey, queryFn: streamedQuery({ streamFn, refetchMode: this.refetchMode }) };
    }
    if (name === PAGED) {
      const next = (_: unknown, pages: readonly unknown[]) => (pages.length < 2 ? pages.length : undefined);
      return {
        queryKey,
        queryFn: (context: QueryFunctionContext) => this.#read(name, context),
        initialPageParam: 0,
        getNextPageParam: next,
      };
    }
    return { queryKey, queryFn: (context: QueryFunctionContext) => this.#read(name, context) };
  }

  #versions(data: unknown): readonly number[] {
    if (Array.isArray(data)) return data;
    if (typeof data === 'number') return [data];
    return (data as { pages: number[] }).pages;
  }

  async reader(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await this.pause(4);
      const name = this.random.pick(ALL);
      const least = this.announced.get(name)!;
      const options = this.#options(name);
      try {
        const paged = { ...options, pages: 2 } as never;
        const data = await (name === PAGED ? this.client.fetchInfiniteQuery(paged) : this.client.fetchQuery(options as never));
        // Whoever waits for a fetch that is cancelled gets what was there before.
        const isBlind = this.mayCancel || (name === PAGED && this.fetchesMore);
        for (const version of this.#versions(data)) if (!isBlind) expect(version, name).toBeGreaterThanOrEqual(least);
        this.answered++;
      } catch (error) {
        const isCancelled = error instanceof CancelledError || (error as Error).name === 'AbortError';
        if (!(error === BROKEN && this.weather.fails) && !(isCancelled && this.mayCancel)) throw error;
      }
    }
  }

  async observer(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await this.pause(4);
      const name = this.random.pick(ALL);
      const options = this.#options(name) as never;
      const observer = name === PAGED ? new InfiniteQueryObserver(this.client, options) : new QueryObserver(this.client, options);
      const leave = observer.subscribe(() => {});
      if (this.random.chance(0.3)) {
        await this.pause(2);
        void observer.refetch({ cancelRefetch: this.random.chance(0.5) });
      }
      if (observer instanceof InfiniteQueryObserver && this.fetchesMore && this.random.chance(0.5)) {
        await this.pause(4);
        void observer.fetchNextPage();
      }
      await this.pause(4);
      if (this.random.chance(0.6)) leave();
    }
  }

  // --- who writes

  #affected(): { readonly filters: InvalidateQueryFilters; readonly names: readonly string[] } {
    const name = this.random.pick(ALL);
    const top = name.slice(0, name.indexOf('/'));
    const below = ALL.filter((each) => each.startsWith(`${top}/`));
    switch (this.random.below(4)) {
      case 0:
        return { filters: { queryKey: [top] }, names: below };
      case 1:
        return { filters: { predicate: ({ queryKey }: Query) => below.includes(nameOf(queryKey)) }, names: below };
      case 2:
        return { filters: {}, names: ALL };
      default:
        return { filters: { queryKey: keyOf(name), exact: true }, names: [name] };
    }
  }

  async writer(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await this.pause(5);
      try {
        await this.#write();
      } catch (error) {
        if (error !== BROKEN) throw error;
      }
    }
  }

  async #write(): Promise<void> {
    const { client, random } = this;
    const { filters, names } = this.#affected();
    const change = async (fails: boolean) => {
      await this.pause(1);
      this.#change(names);
      await this.pause(3);
      then = new Map(this.version);
      if (fails && random.chance(0.2)) throw BROKEN;
    };
    // What was there at the end of the change; somebody else may have changed it before this is known.
    let then = new Map(this.version);
    const announce = () => this.#announce(then, names);
    switch (random.below(5)) {
      case 0: {
        // Changed first, and said afterwards: until then nobody can know.
        await change(false);
        const refetchType = random.chance(0.1) ? 'none' : random.pick(['active', 'all'] as const);
        this.spares ||= refetchType === 'none';
        then = new Map(this.version);
        const told = client.invalidateQueries({ ...filters, refetchType }, { cancelRefetch: random.chance(0.5) });
        announce();
        if (random.chance(0.5)) await told;
        return;
      }
      case 1:
        await client.mutate(filters, () => change(true)).finally(announce);
        return;
      case 2: {
        const section = await client.fence.begin(client.fence.keys(names.map(keyOf)));
        await change(false);
        section.end();
        announce();
        return;
      }
      case 3:
        await this.#mutation(filters, names, () => change(true), announce);
        return;
      default:
        if (this.weather.cancels) await this.#cancel(filters);
    }
  }

  async #mutation(
    filters: InvalidateQueryFilters,
    names: readonly string[],
    mutationFn: () => Promise<void>,
    announce: () => void,
  ): Promise<void> {
    const { client, random } = this;
    const plain = names.filter((name) => PLAIN.includes(name));
    const onSuccess = random.pick([
      () => client.invalidateQueries(filters),
      () => {
        client.invalidateQueries(filters);
      },
      () => {
        for (const name of plain) client.setQueryData(keyOf(name), this.version.get(name));
      },
      () => {},
    ]);
    const guesses = () => {
      for (const name of plain) client.setQueryData(keyOf(name), this.version.get(name)! + 1);
    };
    const onMutate = random.pick([guesses, () => {}, () => this.pause(2).then(guesses)]);
    const observer = new MutationObserver(client, {
      ...{ mutationFn, meta: { affects: filters }, onMutate, onSuccess },
      ...(random.chance(0.3) && { scope: { id: 'one by one' } }),
    });
    await observer.mutate().finally(announce);
  }

  async #cancel(filters: InvalidateQueryFilters): Promise<void> {
    const { client } = this;
    switch (this.random.below(4)) {
      case 0:
        return await client.cancelQueries(filters);
      case 1:
        return await client.cancelQueries(filters, { revert: false });
      case 2:
        return client.removeQueries(filters);
      default:
        return await client.resetQueries(filters);
    }
  }

  // --- at rest

  #judge(query: Query): void {
    const { data, isInvalidated, fetchStatus } = query.state;
    const name = nameOf(query.queryKey);
    expect(fetchStatus).toBe('idle');
    const isOld = data !== undefined && this.#versions(data).some((version) => version !== this.version.get(name));
    const seen = () => `${name} has ${JSON.stringify(data)}, the server ${this.version.get(name)}, invalidated: ${isInvalidated}`;
    if (isOld && !isInvalidated) throw new Error(`stale at rest: ${seen()}`);
    if (isOld && query.isActive() && !this.mayCancel && !this.weather.fails && !this.spares)
      throw new Error(`old before somebody's eyes: ${seen()}`);
  }

  async run(): Promise<void> {
    const { client } = this;
    const parts = [this.reader(), this.reader(), this.observer(), this.observer(), this.writer(), this.writer()];
    let isDone = false;
    const all = Promise.all(parts).finally(() => {
      isDone = true;
    });
    all.catch(() => {});
    const isQuiet = () => isDone && this.reading === 0 && client.isFetching() === 0 && client.isMutating() === 0;
    await this.scheduler.run(isQuiet, () => {});
    await all;
    await settle();
    if (client.isFetching() > 0) await this.scheduler.run(isQuiet, () => {}).then(settle);
    for (const query of client.getQueryCache().getAll()) this.#judge(query);
    const { waiting, sections } = client.fence.tracker.inspect();
    expect([client.fence.size, waiting, sections.length, this.clock.pending]).toEqual([0, 0, 0, 0]);
    client.clear();
  }
}

test('nothing stale is left at rest, no call is lost, and nothing is left behind', { timeout: 600_000 }, async () => {
  let collisions = 0;
  let answered = 0;
  for (const seed of seeds(200)) {
    const world = new World(seed);
    try {
      await world.run();
    } catch (error) {
      throw new Error(`RANGEFENCE_SEED=${seed} fails: ${String(error)}`, { cause: error });
    }
    collisions += world.client.fence.stats.collisions;
    answered += world.answered;
  }
  // The schedules reach what they are about.
  expect(collisions).toBeGreaterThan(200);
  expect(answered).toBeGreaterThan(200);
});
