/**
 * The caches that can be fenced, as their users use them today, and the same under a fence.
 */
import { createCache } from 'cache-manager';
import { Cacheable } from 'cacheable';
import { Keyv } from 'keyv';
import { LRUCache } from 'lru-cache';
import { createStorage } from 'unstorage';
import { type FenceableCache, fence } from '../../../lib/keyed/index.js';
import { type MakeSubject, SlowSet } from './set-ups.js';

/** A Map whose sets can be stopped, as a store of keyv. */
class SlowMap {
  readonly slowSet: SlowSet = new SlowSet();
  readonly #map = new Map<string, unknown>();

  async get(key: string): Promise<unknown> {
    return this.#map.get(key);
  }

  async set(key: string, value: unknown): Promise<boolean> {
    await this.slowSet.wait();
    this.#map.set(key, value);
    return true;
  }

  async delete(key: string): Promise<boolean> {
    return this.#map.delete(key);
  }

  async clear(): Promise<void> {
    this.#map.clear();
  }
}

function slowKeyv(): { readonly keyv: Keyv; readonly slowSet: SlowSet } {
  const store = new SlowMap();
  return { keyv: new Keyv({ store: store as never, throwOnErrors: true }), slowSet: store.slowSet };
}

function slowStorage() {
  const slowSet = new SlowSet();
  const items = new Map<string, string>();
  const storage = createStorage<string>({
    driver: {
      name: 'slow',
      hasItem: (key) => items.has(key),
      getItem: (key) => items.get(key) ?? null,
      setItem: async (key, value) => {
        await slowSet.wait();
        items.set(key, value);
      },
      removeItem: (key) => void items.delete(key),
      getKeys: () => [...items.keys()],
    },
  });
  return { storage, slowSet };
}

/** A new one of each, ready to be fenced. */
export const STORES: Readonly<Record<string, () => { readonly cache: FenceableCache; readonly slowSet?: SlowSet }>> = {
  Map: () => ({ cache: new Map<string, string>() }),
  'lru-cache': () => ({ cache: new LRUCache<string, string>({ max: 100 }) }),
  keyv: () => {
    const { keyv, slowSet } = slowKeyv();
    return { cache: keyv, slowSet };
  },
  cacheable: () => {
    const { keyv, slowSet } = slowKeyv();
    return { cache: new Cacheable({ primary: keyv }), slowSet };
  },
  'cache-manager': () => {
    const { keyv, slowSet } = slowKeyv();
    return { cache: createCache({ stores: [keyv] }), slowSet };
  },
  unstorage: () => {
    const { storage, slowSet } = slowStorage();
    return { cache: storage, slowSet };
  },
};

/** Under a fence. */
export function fenced(name: string): MakeSubject {
  return (load) => {
    const { cache, slowSet } = STORES[name]!();
    return fencedSubject(cache, { load, slowSet });
  };
}

/** Any cache under a fence. */
export function fencedSubject(
  cache: FenceableCache,
  { load, slowSet }: { readonly load: Parameters<MakeSubject>[0]; readonly slowSet?: SlowSet | undefined },
): Awaited<ReturnType<MakeSubject>> {
  const subject = fence(cache as Map<string, unknown>);
  return {
    read: (key, signal) => subject.getOrLoad(key, (_, context) => load(context.signal), { signal }),
    drop: (key) => subject.invalidate(key),
    change: (key, change) => subject.mutate(key, change),
    left: () => subject.pending + subject.keyed.size,
    ...{ slowSet, abortable: true },
    close: () => subject.close(),
  };
}

/** As their users use them today, by package and way. */
export const UNFENCED: Readonly<Record<string, Readonly<Record<string, MakeSubject>>>> = {
  Map: {
    'cache-aside': (load) => {
      const map = new Map<string, string>();
      const read = async (key: string) => {
        if (!map.has(key)) map.set(key, await load());
        return map.get(key);
      };
      return { read, drop: (key) => map.delete(key) };
    },
  },
  'lru-cache': {
    fetch: (load) => {
      const cache = new LRUCache<string, string>({ max: 100, fetchMethod: (_key, _stale, { signal }) => load(signal) });
      return { read: (key) => cache.fetch(key), drop: (key) => cache.delete(key) };
    },
    'fetch, aborts ignored': (load) => {
      const cache = new LRUCache<string, string>({
        ...{ max: 100, ignoreFetchAbort: true, allowStaleOnFetchAbort: true },
        fetchMethod: (_key, _stale, { signal }) => load(signal),
      });
      return { read: (key) => cache.fetch(key), drop: (key) => cache.delete(key) };
    },
  },
  keyv: {
    'cache-aside': (load) => {
      const { keyv, slowSet } = slowKeyv();
      const read = async (key: string) => {
        const cached = await keyv.get<string>(key);
        if (cached !== undefined) return cached;
        const value = await load();
        await keyv.set(key, value);
        return value;
      };
      return { read, drop: (key) => keyv.delete(key), slowSet };
    },
  },
  cacheable: {
    getOrSet: (load) => {
      const { keyv, slowSet } = slowKeyv();
      const cache = new Cacheable({ primary: keyv });
      return {
        read: (key) => cache.getOrSet(key, () => load(), { throwErrors: true }),
        drop: (key) => cache.delete(key),
        slowSet,
      };
    },
  },
  'cache-manager': {
    wrap: (load) => {
      const { keyv, slowSet } = slowKeyv();
      const cache = createCache({ stores: [keyv] });
      return { read: (key) => cache.wrap(key, () => load()), drop: (key) => cache.del(key), slowSet };
    },
  },
  unstorage: {
    'cache-aside': (load) => {
      const { storage, slowSet } = slowStorage();
      const read = async (key: string) => {
        const cached = await storage.getItem(key);
        if (cached !== null) return cached;
        const value = await load();
        await storage.setItem(key, value);
        return value;
      };
      return { read, drop: (key) => storage.removeItem(key), slowSet };
    },
  },
};
