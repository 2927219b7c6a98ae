/** Loads: of plain, streamed and infinite queries, and whoever waits for them or has left. */
import {
  dehydrate,
  hydrate,
  InfiniteQueryObserver,
  onlineManager,
  type QueryFunctionContext,
  QueryObserver,
  experimental_streamedQuery as streamedQuery,
} from '@tanstack/query-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Deferred, deferred, failure, Outcome } from '../support/turns.js';
import { Backend, settle } from './support/backend.js';
import { clearClients, fencedClient } from './support/clients.js';

const KEY = ['todos'] as const;
const TODOS = { queryKey: KEY };

afterEach(() => {
  onlineManager.setOnline(true);
  clearClients();
});

describe('a load', () => {
  it('is given up as soon as it is overtaken, and begins again at once', async () => {
    const client = fencedClient();
    const backend = new Backend();
    const reading = new Outcome(client.fetchQuery({ ...TODOS, queryFn: backend.read }));
    backend.value = 2;
    void client.invalidateQueries(TODOS);
    await settle();
    expect([backend.reads, backend.open]).toEqual([2, 2]);
    await backend.answerAll();
    expect([reading.value, client.fence.stats.collisions]).toEqual([2, 1]);
  });

  it('loses none of its callers, however often it is overtaken, and delays no change', async () => {
    const client = fencedClient();
    const backend = new Backend();
    const options = { ...TODOS, queryFn: backend.read };
    const readers = [new Outcome(client.fetchQuery(options))];
    for (let i = 0; i < 10; i++) {
      backend.value++;
      const told = new Outcome(client.invalidateQueries(TODOS));
      await settle();
      expect(told.state).toBe('resolved');
      readers.push(new Outcome(client.fetchQuery(options)));
    }
    await backend.answerAll();
    expect(readers.map(({ value }) => value)).toEqual(readers.map(() => 11));
    expect(client.fence.stats.holds).toBe(0);
  });

  it('that is hit between the check and the storing is loaded again', async () => {
    for (let turns = 0; turns < 30; turns++) {
      const client = fencedClient();
      const answers: Deferred<number>[] = [];
      const read = () => {
        const answer = deferred<number>();
        answers.push(answer);
        return answer.promise;
      };
      const observer = new QueryObserver(client, { ...TODOS, queryFn: read });
      observer.subscribe(() => {});
      answers[0]!.resolve(1);
      for (let i = 0; i < turns; i++) await undefined;
      void client.invalidateQueries(TODOS);
      await settle();
      for (const answer of answers) answer.resolve(2);
      await settle();
      expect([turns, observer.getCurrentResult().data]).toEqual([turns, 2]);
    }
  });

  it('is not joined when it is known to bring something old', async () => {
    for (let turns = 0; turns < 20; turns++) {
      const client = fencedClient();
      const backend = new Backend();
      const options = { ...TODOS, queryFn: backend.read };
      void client.prefetchQuery(options);
      const answering = backend.answer();
      for (let i = 0; i < turns; i++) await undefined;
      backend.write(2);
      void client.invalidateQueries(TODOS);
      const reading = new Outcome(client.fetchQuery(options));
      await answering;
      await backend.answerAll();
      expect([turns, reading.value]).toEqual([turns, 2]);
    }
  });

  it('that fails because it was overtaken is no failure; otherwise TanStack retries it as ever', async () => {
    vi.useFakeTimers();
    try {
      const client = fencedClient();
      const backend = new Backend();
      const reading = new Outcome(client.fetchQuery({ ...TODOS, queryFn: backend.read, retry: 1, retryDelay: 1000 }));
      void client.invalidateQueries(TODOS);
      await backend.fail(new Error('of an old load'));
      await backend.fail(new Error('busy'));
      expect([reading.state, client.getQueryState(KEY)?.fetchFailureCount]).toEqual(['pending', 1]);
      backend.value = 2;
      void client.invalidateQueries(TODOS);
      await vi.advanceTimersByTimeAsync(1000);
      await backend.answerAll();
      expect([reading.value, backend.reads]).toEqual([2, 3]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('passes an error on as it is', async () => {
    const client = fencedClient();
    const error = new Error('not found');
    expect(await failure(client.fetchQuery({ ...TODOS, queryFn: () => Promise.reject(error) }))).toBe(error);
    const thrown = () => {
      throw error;
    };
    expect(await failure(client.fetchQuery({ ...TODOS, queryFn: thrown }))).toBe(error);
    expect(client.fence.size).toBe(0);
  });

  it('goes on when its last observer leaves, unless it has asked for its signal', async () => {
    for (const asks of [false, true]) {
      const client = fencedClient();
      const backend = new Backend();
      let signal: AbortSignal | undefined;
      const queryFn = (context: QueryFunctionContext) => {
        if (asks) signal = context.signal;
        return backend.read();
      };
      const leave = new QueryObserver(client, { ...TODOS, queryFn }).subscribe(() => {});
      leave();
      await backend.answerAll();
      expect([client.getQueryData(KEY), signal?.aborted]).toEqual(asks ? [undefined, true] : [1, undefined]);
      expect(client.fence.size).toBe(0);
    }
  });

  it('has a signal that fires when it is overtaken, and stays the same context otherwise', async () => {
    const client = fencedClient();
    const contexts: QueryFunctionContext[] = [];
    const signals: AbortSignal[] = [];
    const answer = deferred<string>();
    const queryFn = (context: QueryFunctionContext) => {
      contexts.push(context);
      signals.push({ ...context }.signal);
      return contexts.length === 1 ? new Promise(() => {}) : answer.promise;
    };
    const reading = new Outcome(client.fetchQuery({ ...TODOS, queryFn, meta: { a: 1 } }));
    void client.invalidateQueries(TODOS);
    await settle();
    answer.resolve('value');
    await settle();
    expect(reading.value).toBe('value');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect((signals[0]!.reason as Error).name).toBe('CollisionError');
    expect(contexts[1]).toMatchObject({ queryKey: KEY, meta: { a: 1 } });
    expect(contexts[1]!.client).toBe(client);
  });

  it('leaves nothing behind when it is cancelled, reset or removed', async () => {
    for (const end of ['cancelQueries', 'resetQueries', 'removeQueries', 'clear'] as const) {
      const client = fencedClient();
      const backend = new Backend();
      const reading = new Outcome(client.fetchQuery({ ...TODOS, queryFn: backend.read }));
      await settle();
      expect(client.fence.size).toBe(1);
      void (end === 'clear' ? client.clear() : client[end](TODOS));
      await settle();
      expect([end, reading.state, client.fence.size]).toEqual([end, 'rejected', 0]);
      void client.invalidateQueries();
      await backend.answerAll();
      expect(backend.reads).toBe(1);
    }
  });

  it('that is cancelled leaves its query marked, if it was invalidated since it began', async () => {
    const client = fencedClient();
    const backend = new Backend();
    client.setQueryData(KEY, 0);
    void client.fetchQuery({ ...TODOS, queryFn: backend.read });
    await client.invalidateQueries(TODOS);
    await client.cancelQueries(TODOS);
    expect(client.getQueryState(KEY)).toMatchObject({ data: 0, isInvalidated: true, fetchStatus: 'idle' });
    const untouched = fencedClient();
    untouched.setQueryData(KEY, 0);
    void untouched.fetchQuery({ ...TODOS, queryFn: backend.read });
    await untouched.cancelQueries(TODOS);
    expect(untouched.getQueryState(KEY)).toMatchObject({ data: 0, isInvalidated: false });
  });

  it('is waited for by nobody while a change is going on, and is given up if nobody wants it any more', async () => {
    const client = fencedClient();
    const section = await client.fence.begin(KEY);
    const backend = new Backend();
    const queryFn = ({ signal }: QueryFunctionContext) => (signal.aborted ? 0 : backend.read());
    const leave = new QueryObserver(client, { ...TODOS, queryFn }).subscribe(() => {});
    await settle();
    expect(client.fence.tracker.inspect().waiting).toBe(1);
    leave();
    void client.cancelQueries(TODOS);
    await settle();
    expect(client.fence.tracker.inspect().waiting).toBe(0);
    section.end();
    await settle();
    expect([backend.reads, client.fence.size]).toEqual([0, 0]);
  });

  it('that came as a promise with hydration is loaded again if it was overtaken', async () => {
    const server = fencedClient();
    const backend = new Backend();
    void server.prefetchQuery({ ...TODOS, queryFn: backend.read });
    const state = dehydrate(server, { shouldDehydrateQuery: () => true });
    const client = fencedClient();
    hydrate(client, state);
    const observer = new QueryObserver(client, { ...TODOS, queryFn: backend.read });
    observer.subscribe(() => {});
    backend.value = 2;
    void client.invalidateQueries(TODOS);
    await backend.answerAll();
    expect(observer.getCurrentResult().data).toBe(2);
  });

  it('reads through a persister of the user, which stays what it is to TanStack', async () => {
    const client = fencedClient();
    const backend = new Backend();
    const persister = vi.fn((queryFn: (context: QueryFunctionContext) => unknown, context: QueryFunctionContext) =>
      queryFn(context),
    );
    const options = { ...TODOS, queryFn: backend.read, persister: persister as never };
    const reading = new Outcome(client.fetchQuery(options));
    backend.value = 2;
    void client.invalidateQueries(TODOS);
    await backend.answerAll();
    expect([reading.value, persister.mock.calls.length]).toEqual([2, 2]);
    const defaulted = client.defaultQueryOptions(options);
    expect([defaulted.networkMode, client.defaultQueryOptions(TODOS).networkMode]).toEqual(['offlineFirst', undefined]);
    const { _defaulted, ...again } = client.defaultQueryOptions(TODOS);
    expect(client.defaultQueryOptions(again)).toEqual(client.defaultQueryOptions(TODOS));
    expect(client.defaultQueryOptions({ ...defaulted, _defaulted: undefined } as never)).toEqual(defaulted);
  });

  it('waits for the network as ever', async () => {
    const client = fencedClient();
    const backend = new Backend();
    onlineManager.setOnline(false);
    const reading = new Outcome(client.fetchQuery({ ...TODOS, queryFn: backend.read }));
    void client.invalidateQueries(TODOS);
    await settle();
    expect([client.getQueryState(KEY)?.fetchStatus, backend.reads]).toEqual(['paused', 0]);
    onlineManager.setOnline(true);
    await backend.answerAll();
    expect([reading.value, backend.reads]).toEqual([1, 1]);
  });
});

describe('setQueryData', () => {
  it('outside a mutation is no change: a function that writes to its own query is called once', async () => {
    const client = fencedClient();
    let calls = 0;
    const queryFn = async () => {
      calls++;
      for (const part of [1, 2, 3]) {
        client.setQueryData(KEY, part);
        await undefined;
      }
      return 'all';
    };
    const reading = new Outcome(client.fetchQuery({ ...TODOS, queryFn }));
    await settle();
    expect([reading.value, calls]).toEqual(['all', 1]);
  });
});

describe('a function that writes to its own query', () => {
  it('by the key of its context writes nothing any more once it is overtaken', async () => {
    const client = fencedClient();
    const parts: Deferred<string>[] = [];
    const queryFn = async ({ queryKey, client }: QueryFunctionContext) => {
      const part = deferred<string>();
      parts.push(part);
      client.setQueryData(queryKey, await part.promise);
      return await new Promise<string>(() => {});
    };
    void client.prefetchQuery({ ...TODOS, queryFn });
    await settle();
    void client.invalidateQueries(TODOS);
    await settle();
    parts[1]!.resolve('new');
    await settle();
    parts[0]!.resolve('late');
    await settle();
    expect(client.getQueryData(KEY)).toBe('new');
  });
});

/** Streams whose chunks come when the test says so. */
class Streams {
  readonly streams: Deferred<string | undefined>[][] = [];
  readonly asks: boolean;

  constructor(asks = false) {
    this.asks = asks;
  }

  streamFn = ({ signal }: { signal: AbortSignal } | QueryFunctionContext): AsyncIterable<string> => {
    void (this.asks && signal.aborted);
    const chunks = [deferred<string | undefined>()];
    this.streams.push(chunks);
    return {
      async *[Symbol.asyncIterator]() {
        for (let i = 0; ; i++) {
          const chunk = await chunks[i]!.promise;
          if (chunk === undefined) return;
          yield chunk;
        }
      },
    };
  };

  async push(stream: number, chunk: string | undefined): Promise<void> {
    const chunks = this.streams[stream]!;
    chunks.push(deferred());
    chunks.at(-2)!.resolve(chunk);
    await settle();
  }
}

describe('a streamed query', () => {
  it('is called once, and shows its chunks as they come', async () => {
    const client = fencedClient();
    const streams = new Streams();
    const queryFn = streamedQuery({ streamFn: (context: QueryFunctionContext) => streams.streamFn(context) });
    const reading = new Outcome(client.fetchQuery({ ...TODOS, queryFn }));
    await settle();
    await streams.push(0, 'a');
    await streams.push(0, 'b');
    expect(client.getQueryData(KEY)).toEqual(['a', 'b']);
    await streams.push(0, undefined);
    expect([reading.value, streams.streams.length, client.fence.size]).toEqual([['a', 'b'], 1, 0]);
  });

  for (const refetchMode of ['append', 'reset', 'replace'] as const) {
    for (const known of [[], ['known']]) {
      it(`with ${refetchMode} and ${known.length} chunks from before begins anew when it is overtaken`, async () => {
        const client = fencedClient();
        if (known.length > 0) client.setQueryData(KEY, known);
        const streams = new Streams();
        const streamFn = ({ queryKey, client }: QueryFunctionContext) => streams.streamFn({ queryKey, client } as never);
        const queryFn = streamedQuery({ streamFn, refetchMode });
        const reading = new Outcome(client.fetchQuery({ ...TODOS, queryFn }));
        await settle();
        await streams.push(0, 'old');
        void client.invalidateQueries(TODOS);
        await settle();
        expect(streams.streams).toHaveLength(2);
        await streams.push(0, 'late'); // the old one has not asked for its signal, and goes on
        await streams.push(1, 'new');
        await streams.push(0, undefined);
        await streams.push(1, undefined);
        const expected = refetchMode === 'append' ? [...known, 'new'] : ['new'];
        expect(client.getQueryData(KEY)).toEqual(expected);
        expect([reading.value, client.fence.size]).toEqual([expected, 0]);
      });
    }
  }

  it('is not disturbed by a mutation that affects its query, but by its section', async () => {
    const client = fencedClient();
    const streams = new Streams(true);
    const queryFn = streamedQuery({ streamFn: (context: QueryFunctionContext) => streams.streamFn(context) });
    new QueryObserver(client, { ...TODOS, queryFn }).subscribe(() => {});
    await settle();
    const done = new Outcome(client.mutate(TODOS, () => {}));
    await settle();
    expect([done.state, streams.streams.length]).toEqual(['resolved', 2]);
    await streams.push(1, 'new');
    await streams.push(1, undefined);
    expect(client.getQueryState(KEY)).toMatchObject({ data: ['new'], isInvalidated: false, fetchStatus: 'idle' });
  });
});

describe('an infinite query', () => {
  /** Pages of a list of numbers that has two of them, each read when the test says so. */
  function pagesOf(backend: Backend) {
    return {
      ...TODOS,
      queryFn: async ({ pageParam }: { pageParam: number }) => `${pageParam}:${await backend.read()}`,
      initialPageParam: 0,
      getNextPageParam: (_: unknown, pages: unknown[]) => (pages.length < 3 ? pages.length : undefined),
      pages: 2,
    };
  }

  async function firstPage() {
    const client = fencedClient();
    const backend = new Backend();
    const { pages: _, ...options } = pagesOf(backend);
    const observer = new InfiniteQueryObserver(client, options as never);
    observer.subscribe(() => {});
    await backend.answerAll();
    expect(client.getQueryData(KEY)).toMatchObject({ pages: ['0:1'] });
    return { client, backend, observer };
  }

  it('that is hit between two pages is read anew from the first, for whoever waits', async () => {
    const client = fencedClient();
    const backend = new Backend();
    const reading = new Outcome(client.fetchInfiniteQuery(pagesOf(backend)));
    await settle();
    await backend.answer();
    for (const value of [2, 3]) {
      backend.value = value;
      void client.invalidateQueries(TODOS);
      await settle();
    }
    await backend.answerAll();
    expect((reading.value as { pages: unknown }).pages).toEqual(['0:3', '1:3']);
    expect([client.getQueryState(KEY)?.isInvalidated, client.fence.size]).toEqual([false, 0]);
  });

  it('that is hit while TanStack waits to retry keeps no page from before', async () => {
    vi.useFakeTimers();
    try {
      const client = fencedClient();
      const backend = new Backend();
      const reading = new Outcome(client.fetchInfiniteQuery({ ...pagesOf(backend), retry: 1, retryDelay: 1000 }));
      await settle();
      await backend.answer();
      await backend.fail(new Error('busy'));
      backend.value = 2;
      void client.invalidateQueries(TODOS);
      await vi.advanceTimersByTimeAsync(1000);
      await backend.answerAll();
      expect((reading.value as { pages: unknown }).pages).toEqual(['0:2', '1:2']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('waits for a change that is going on before each page', async () => {
    const client = fencedClient();
    const backend = new Backend();
    const written = deferred<void>();
    const done = new Outcome(client.mutate(TODOS, () => written.promise.then(() => backend.write(2))));
    await settle();
    const reading = new Outcome(client.fetchInfiniteQuery(pagesOf(backend)));
    await settle();
    expect(backend.reads).toBe(0);
    written.resolve();
    await backend.answerAll();
    expect((reading.value as { pages: unknown }).pages).toEqual(['0:2', '1:2']);
    expect([done.state, backend.reads]).toEqual(['resolved', 2]);
  });

  it('that fetches its next page reads all of them again if it is overtaken', async () => {
    const { client, backend, observer } = await firstPage();
    const fetching = new Outcome(observer.fetchNextPage());
    await settle();
    backend.value = 2;
    void client.invalidateQueries(TODOS, { cancelRefetch: false });
    await backend.answerAll();
    expect(fetching.state).toBe('resolved');
    expect(client.getQueryState(KEY)).toMatchObject({ data: { pages: ['0:2', '1:2'] }, isInvalidated: false });
  });

  it('that fetches its next page keeps none of the others that was invalidated before', async () => {
    const { client, backend, observer } = await firstPage();
    backend.value = 2;
    void client.invalidateQueries({ ...TODOS, refetchType: 'none' });
    const fetching = new Outcome(observer.fetchNextPage());
    await settle();
    await backend.answerAll();
    expect(fetching.state).toBe('resolved');
    expect(client.getQueryState(KEY)).toMatchObject({ data: { pages: ['0:2', '1:2'] }, isInvalidated: false });
  });

  it('goes on when its last observer leaves, unless it has asked for its signal', async () => {
    const client = fencedClient();
    const backend = new Backend();
    const leave = new InfiniteQueryObserver(client, pagesOf(backend) as never).subscribe(() => {});
    await settle();
    leave();
    await backend.answerAll();
    expect((client.getQueryData(KEY) as { pages: unknown } | undefined)?.pages).toEqual(['0:1', '1:1']);
  });

  it('has a bounded wait for a function that reads what it changes', async () => {
    vi.useFakeTimers();
    try {
      const client = fencedClient({ fence: { maxWaitMs: 100 } });
      const backend = new Backend();
      const done = new Outcome(client.mutate(TODOS, () => client.fetchInfiniteQuery(pagesOf(backend))));
      await settle();
      await vi.advanceTimersByTimeAsync(100);
      await backend.answer();
      await vi.advanceTimersByTimeAsync(100);
      await backend.answer();
      expect([done.state, client.getQueryState(KEY)?.isInvalidated]).toEqual(['resolved', true]);
    } finally {
      vi.useRealTimers();
    }
  });
});
