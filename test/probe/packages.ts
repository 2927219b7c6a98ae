/**
 * The packages of the probe that the library's own tests do not have: each as its users use it, and under a fence where it can
 * be used as a store (read, write and drop a key).
 *
 * They are installed beside this file, if at all, so nothing of their types is known here.
 */
import type { FenceableCache } from '../../lib/keyed/index.js';
import type { MakeSubject } from '../support/keyed/set-ups.js';
import { fencedSubject } from '../support/keyed/stores.js';

// biome-ignore lint/suspicious/noExplicitAny: the packages are there only while the probe runs
type Module = any;

export interface Probed {
  readonly package: string;
  /** Ways in which it is used. */
  readonly unfenced: Readonly<Record<string, MakeSubject>>;
  /** A new one, ready to be fenced, where it can be. */
  readonly store?: () => Promise<{ readonly cache: FenceableCache; close?(): unknown }>;
}

/** Installed beside this file. Not a literal: the compiler would look for it. */
async function use(name: string): Promise<Module> {
  const module: Module = await import(name);
  return module;
}

async function queryClient(): Promise<Module> {
  const { QueryClient } = await use('@tanstack/query-core');
  return new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Number.POSITIVE_INFINITY } } });
}

async function bento(): Promise<Module> {
  const { BentoCache, bentostore } = await use('bentocache');
  const { memoryDriver } = await use('bentocache/drivers/memory');
  const stores = { memory: bentostore().useL1Layer(memoryDriver({})) };
  return new BentoCache({ default: 'memory', stores, ttl: '10m', grace: false });
}

async function apollo(load: () => Promise<string>): Promise<{ read: Module; client: Module; query: Module }> {
  const { ApolloClient, ApolloLink, gql, InMemoryCache } = await use('@apollo/client');
  const { from, map } = await use('rxjs');
  const link = new ApolloLink(() => from(load()).pipe(map((value: string) => ({ data: { value } }))));
  const client = new ApolloClient({ cache: new InMemoryCache(), link });
  const query = gql('query { value }');
  const read = async () => (await client.query({ query, fetchPolicy: 'cache-first' })).data.value;
  return { read, client, query };
}

async function rtk(
  load: () => Promise<string>,
  invalidationBehavior: 'immediately' | 'delayed',
): Promise<{ read: Module; drop: Module }> {
  const { configureStore } = await use('@reduxjs/toolkit');
  const { createApi, fakeBaseQuery } = await use('@reduxjs/toolkit/query');
  const api = createApi({
    ...{ baseQuery: fakeBaseQuery(), tagTypes: ['value'], invalidationBehavior },
    endpoints: (build: Module) => ({
      value: build.query({
        providesTags: ['value'],
        queryFn: () =>
          load().then(
            (data) => ({ data }),
            (error) => ({ error }),
          ),
      }),
    }),
  });
  const store = configureStore({
    reducer: { [api.reducerPath]: api.reducer },
    middleware: (defaults: Module) => defaults({ serializableCheck: false }).concat(api.middleware),
  });
  return {
    read: async (key: string) => await store.dispatch(api.endpoints.value.initiate(key)).unwrap(),
    drop: () => void store.dispatch(api.util.invalidateTags(['value'])),
  };
}

/** All of them. */
export const PACKAGES: readonly Probed[] = [
  {
    package: '@tanstack/query-core',
    unfenced: {
      'fetchQuery, invalidateQueries': async (load) => {
        const client = await queryClient();
        return {
          read: (key) => client.fetchQuery({ queryKey: [key], queryFn: () => load() }),
          drop: (key) => client.invalidateQueries({ queryKey: [key] }),
          close: () => client.clear(),
        };
      },
    },
    store: async () => {
      const client = await queryClient();
      const cache = {
        get: (key: string) => client.getQueryData([key]),
        set: (key: string, value: unknown) => client.setQueryData([key], value),
        delete: (key: string) => client.removeQueries({ queryKey: [key] }),
      };
      return { cache, close: () => client.clear() };
    },
  },
  {
    package: 'async-cache-dedupe',
    unfenced: {
      'get, clear': async (load) => {
        const { createCache } = await use('async-cache-dedupe');
        const cache = createCache({ ttl: 600, storage: { type: 'memory' } }).define('value', () => load());
        return { read: (key) => cache.value(key), drop: (key) => cache.clear('value', key) };
      },
    },
    store: async () => {
      const { createStorage } = await use('async-cache-dedupe');
      const storage = createStorage('memory', {});
      const cache = {
        get: (key: string) => storage.get(key),
        set: (key: string, value: unknown) => storage.set(key, value, 600),
        delete: (key: string) => storage.remove(key),
      };
      return { cache };
    },
  },
  {
    package: 'p-memoize',
    unfenced: {
      'cache.delete': async (load) => {
        const { default: memoize } = await use('p-memoize');
        const cache = new Map();
        const read = memoize(() => load(), { cache, cacheKey: ([key]: [string]) => key });
        return { read: (key) => read(key), drop: (key) => cache.delete(key) };
      },
    },
  },
  {
    package: 'bentocache',
    unfenced: {
      'getOrSet, delete': async (load) => {
        const cache = await bento();
        return {
          read: (key) => cache.getOrSet({ key, factory: () => load() }),
          drop: (key) => cache.delete({ key }),
          close: () => cache.disconnectAll(),
        };
      },
    },
    store: async () => {
      const bentoCache = await bento();
      const cache = {
        get: (key: string) => bentoCache.get({ key }),
        set: (key: string, value: unknown) => bentoCache.set({ key, value }),
        delete: (key: string) => bentoCache.delete({ key }),
      };
      return { cache, close: () => bentoCache.disconnectAll() };
    },
  },
  {
    package: 'layered-loader',
    unfenced: {
      'get, invalidateCacheFor': async (load) => {
        const { Loader } = await use('layered-loader');
        const loader = new Loader({
          inMemoryCache: { ttlInMsecs: 600_000, maxItems: 100 },
          dataSources: [{ name: 'source', get: () => load() }],
          throwIfLoadError: true,
        });
        return { read: (key) => loader.get(key), drop: (key) => loader.invalidateCacheFor(key) };
      },
    },
  },
  {
    package: '@apollo/client',
    unfenced: {
      'query, cache.evict': async (load) => {
        const { read, client } = await apollo(load);
        return {
          read,
          drop: () => void client.cache.evict({ id: 'ROOT_QUERY', fieldName: 'value' }),
          close: () => client.stop(),
        };
      },
    },
    store: async () => {
      const { client, query } = await apollo(async () => '');
      const cache = {
        get: () => client.cache.readQuery({ query })?.value,
        set: (_key: string, value: unknown) => void client.cache.writeQuery({ query, data: { value } }),
        delete: () => void client.cache.evict({ id: 'ROOT_QUERY', fieldName: 'value' }),
      };
      return { cache, close: () => client.stop() };
    },
  },
  {
    package: '@reduxjs/toolkit',
    unfenced: {
      'RTK Query, invalidateTags, immediately': (load) => rtk(load, 'immediately'),
      'RTK Query, invalidateTags, delayed': (load) => rtk(load, 'delayed'),
    },
  },
  {
    package: 'dataloader',
    unfenced: {
      'load, clear': async (load) => {
        const { default: DataLoader } = await use('dataloader');
        const loader = new DataLoader((keys: string[]) => Promise.all(keys.map(() => load())));
        return { read: (key) => loader.load(key), drop: (key) => void loader.clear(key) };
      },
    },
  },
  {
    package: 'memoizee',
    unfenced: {
      'promise, delete': async (load) => {
        const { default: memoizee } = await use('memoizee');
        const read = memoizee((_key: string) => load(), { promise: true, primitive: true });
        return { read: (key) => read(key), drop: (key) => read.delete(key) };
      },
    },
  },
  {
    package: 'moize',
    unfenced: {
      'promise, remove': async (load) => {
        const { default: moize } = await use('moize');
        const memoize = moize.default ?? moize;
        const read = memoize.promise((_key: string) => load(), { maxSize: 100 });
        return { read: (key) => read(key), drop: (key) => read.remove([key]) };
      },
    },
    store: async () => {
      const { default: moize } = await use('moize');
      const memoized = (moize.default ?? moize)(() => undefined, { maxSize: 100 });
      const cache = {
        get: (key: string) => memoized.get([key]),
        set: (key: string, value: unknown) => memoized.set([key], value),
        delete: (key: string) => memoized.remove([key]),
      };
      return { cache };
    },
  },
  {
    package: 'ocache',
    unfenced: {
      'defineCachedFunction, invalidate': async (load) => {
        const { createMemoryStorage, defineCachedFunction } = await use('ocache');
        const options = {
          maxAge: 600,
          name: 'value',
          swr: false,
          getKey: (key: string) => key,
          storage: createMemoryStorage({}),
        };
        const read = defineCachedFunction((_key: string) => load(), options);
        return { read: (key) => read(key), drop: (key) => read.invalidate(key) };
      },
    },
  },
];

/** A package's own store under a fence. */
export function fencedPackage(store: NonNullable<Probed['store']>): MakeSubject {
  return async (load) => {
    const { cache, close } = await store();
    const subject = fencedSubject(cache, { load });
    return {
      ...subject,
      async close() {
        await subject.close?.();
        await close?.();
      },
    };
  };
}
