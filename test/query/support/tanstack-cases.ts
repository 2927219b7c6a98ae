/**
 * What happens to a value that changes while it is read, with TanStack's client and with the fenced one: the same steps, on a
 * server that has 1 and then 2. Each case returns what somebody has seen at the end.
 */
import { InfiniteQueryObserver, MutationObserver, type QueryClient, QueryObserver } from '@tanstack/query-core';
import { deferred } from '../../support/turns.js';
import { type Backend, settle } from './backend.js';

export interface Case {
  readonly name: string;
  readonly fenced: unknown;
  run(client: QueryClient, backend: Backend): Promise<unknown>;
}

const KEY = ['todos'] as const;
const AFFECTS = { affects: [{ queryKey: KEY }] };

/** A mutation that writes when `write` resolves, then invalidates as most people write it. */
export function mutation(client: QueryClient, write: () => Promise<unknown>, options: object = {}): Promise<unknown> {
  const observer = new MutationObserver(client, {
    mutationFn: write,
    meta: AFFECTS,
    onSuccess: () => client.invalidateQueries({ queryKey: KEY }),
    ...options,
  });
  return observer.mutate();
}

function observe(client: QueryClient, { read }: Backend, queryKey: readonly unknown[] = KEY): () => unknown {
  const observer = new QueryObserver(client, { queryKey, queryFn: read });
  observer.subscribe(() => {});
  return () => observer.getCurrentResult().data;
}

export const CASES: readonly Case[] = [
  {
    name: 'first load in flight, invalidateQueries',
    fenced: 2,
    async run(client, backend) {
      const data = observe(client, backend);
      backend.value = 2;
      void client.invalidateQueries({ queryKey: KEY });
      await backend.answerAll();
      return data();
    },
  },
  {
    name: 'first load in flight, a mutation that invalidates in onSuccess',
    fenced: 2,
    async run(client, backend) {
      const data = observe(client, backend);
      const done = mutation(client, async () => backend.write(2), { meta: undefined });
      await backend.answerAll();
      await done;
      return data();
    },
  },
  {
    name: 'prefetch without observer, invalidateQueries',
    fenced: 2,
    async run(client, backend) {
      void client.prefetchQuery({ queryKey: KEY, queryFn: backend.read });
      backend.value = 2;
      void client.invalidateQueries({ queryKey: KEY });
      await backend.answerAll();
      return client.getQueryData(KEY);
    },
  },
  {
    name: 'first load in flight, a parent key is invalidated',
    fenced: 2,
    async run(client, backend) {
      const data = observe(client, backend, ['todos', 'list', 1]);
      backend.value = 2;
      void client.invalidateQueries({ queryKey: ['todos', 'list'] });
      await backend.answerAll();
      return data();
    },
  },
  {
    name: 'unobserved refetch in flight, invalidateQueries',
    fenced: [2, false],
    async run(client, backend) {
      client.setQueryData(KEY, 0);
      void client.fetchQuery({ queryKey: KEY, queryFn: backend.read });
      backend.value = 2;
      void client.invalidateQueries({ queryKey: KEY });
      await backend.answerAll();
      return [client.getQueryData(KEY), client.getQueryState(KEY)?.isInvalidated];
    },
  },
  {
    name: 'refetch in flight, invalidateQueries with cancelRefetch: false',
    fenced: 2,
    async run(client, backend) {
      client.setQueryData(KEY, 0);
      const data = observe(client, backend);
      await settle();
      backend.value = 2;
      void client.invalidateQueries({ queryKey: KEY }, { cancelRefetch: false });
      await backend.answerAll();
      return data();
    },
  },
  {
    name: 'first load in flight, refetch() after a write that nobody announced',
    fenced: 1,
    async run(client, backend) {
      const observer = new QueryObserver(client, { queryKey: KEY, queryFn: backend.read });
      observer.subscribe(() => {});
      backend.value = 2;
      void observer.refetch();
      await backend.answerAll();
      return observer.getCurrentResult().data;
    },
  },
  {
    name: 'first load in flight, refetch() after a mutation with meta.affects',
    fenced: 2,
    async run(client, backend) {
      const observer = new QueryObserver(client, { queryKey: KEY, queryFn: backend.read });
      observer.subscribe(() => {});
      void mutation(client, async () => backend.write(2), { onSuccess: () => void observer.refetch() });
      await backend.answerAll();
      return observer.getCurrentResult().data;
    },
  },
  {
    name: 'two readers start inside a slow mutation: what they get, and by how many calls',
    fenced: [2, 2, 1],
    async run(client, backend) {
      const written = deferred<void>();
      void mutation(client, () => written.promise.then(() => backend.write(2)), { onSuccess: undefined });
      await settle();
      const options = { queryKey: KEY, queryFn: backend.read };
      const readers = [client.fetchQuery(options), client.fetchQuery(options)];
      if (backend.open > 0) await backend.answer();
      written.resolve();
      await backend.answerAll();
      return [...(await Promise.all(readers)), backend.reads];
    },
  },
  {
    name: 'optimistic setQueryData during a refetch, nothing is cancelled: what is shown',
    fenced: [1, 2],
    async run(client, backend) {
      client.setQueryData(KEY, 1);
      const shown: unknown[] = [1];
      client.getQueryCache().subscribe(({ query }) => {
        if (query.state.data !== shown.at(-1)) shown.push(query.state.data);
      });
      observe(client, backend);
      const written = deferred<void>();
      void mutation(client, () => written.promise.then(() => backend.write(2)), {
        onMutate: () => void client.setQueryData(KEY, 2),
      });
      await settle();
      await backend.answer();
      written.resolve();
      await backend.answerAll();
      return shown;
    },
  },
  {
    name: 'infinite query, first page in flight, invalidateQueries',
    fenced: [2],
    async run(client, backend) {
      const observer = new InfiniteQueryObserver(client, {
        ...{ queryKey: KEY, queryFn: backend.read, initialPageParam: 0, getNextPageParam: () => undefined },
      });
      observer.subscribe(() => {});
      backend.value = 2;
      void client.invalidateQueries({ queryKey: KEY });
      await backend.answerAll();
      return observer.getCurrentResult().data?.pages;
    },
  },
  {
    name: 'a disjoint key is changed: value and calls',
    fenced: [1, 1],
    async run(client, backend) {
      const data = observe(client, backend, ['users']);
      const written = deferred<void>();
      void mutation(client, () => written.promise);
      await settle();
      written.resolve();
      await settle();
      void client.invalidateQueries({ queryKey: KEY });
      await backend.answerAll();
      return [data(), backend.reads];
    },
  },
];
