/** Compiled against the installed tarball beside the query clients. It is never run; see consumer.ts. */
import { ApolloLink } from '@apollo/client/link';
import { createApi, fetchBaseQuery } from '@reduxjs/toolkit/query';
import { QueryClient, QueryObserver } from '@tanstack/query-core';
import { type KeyedChange, KeyedFence } from 'rangefence/keyed';
import { fenceLink } from 'rangefence/query/apollo';
import { fencedBaseQuery } from 'rangefence/query/rtk';
import { fenceMiddleware } from 'rangefence/query/swr';
import { type Affects, FencedQueryClient, type FencedQueryClientConfig } from 'rangefence/query/tanstack';
import type { SWRConfiguration } from 'swr';

const config: FencedQueryClientConfig = {
  defaultOptions: { queries: { retry: false } },
  fence: { maxWaitMs: 100, label: 'app' },
};
const client = new FencedQueryClient(config);
const theirs: QueryClient = client;
export const isTheirs: boolean = client instanceof QueryClient && client instanceof FencedQueryClient && theirs === client;

export async function query(): Promise<number> {
  const written: string = await client.mutate({ queryKey: ['todos'] }, async (section) => (section.active ? 'a' : 'b'));
  const value: number = await client.fetchQuery({ queryKey: ['todos'], queryFn: ({ signal }) => (signal.aborted ? 0 : 1) });
  client.setQueryData<number>(['todos'], (old) => (old ?? 0) + written.length);
  new QueryObserver<number>(client, { queryKey: ['todos'], queryFn: () => 1 }).subscribe(() => {});
  client.fence.subscribe({ invalidate: (change: KeyedChange<readonly unknown[]>) => void change.has(['todos']), end: () => {} });
  const affects: Affects = (id: number) => ({ queryKey: ['todos', id] });
  // @ts-expect-error: filters are objects
  await client.mutate('todos', () => affects);
  return value;
}

const fence = new KeyedFence<string>();

export const api = createApi({
  baseQuery: fencedBaseQuery(fetchBaseQuery({ baseUrl: '/' }), { fence }),
  endpoints: (build) => ({
    todo: build.query<{ readonly id: number }, number>({ query: (id) => `todo/${id}`, extraOptions: { fence: 'todo' } }),
    write: build.mutation<void, number>({
      query: (id) => ({ url: `todo/${id}`, method: 'PUT' }),
      extraOptions: { fence: 'todo' },
    }),
  }),
});
export const tagged = fencedBaseQuery(fetchBaseQuery(), {
  fence,
  tags: (arg, { endpoint, type }) => (type === 'query' && typeof arg === 'string' ? endpoint : fence.keys([endpoint])),
});
export const link: ApolloLink = ApolloLink.from([fenceLink({ fence, scope: (operation) => operation.getContext().fence })]);
export const swr: SWRConfiguration = { use: [fenceMiddleware(fence)] };
