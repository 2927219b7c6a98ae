/**
 * SWR, fenced: what a fetcher has read is not used if a change has overtaken it, and what is shown is read again after each change.
 *
 * The way of a load: the middleware puts a lookup of the key around the fetcher; callers whom SWR has join it get what is read last.
 * The way of a change: `fence.mutate` (or `invalidate`) of the key; at its end the middleware has SWR revalidate the keys that are
 * mounted, unless they are being loaded, in which case the lookup has begun again by itself.
 *
 * @packageDocumentation
 */
import { useEffect } from 'react';
import { type BareFetcher, type Middleware, type SWRHook, unstable_serialize } from 'swr';

import { checkNames, names } from '../../base/options.js';
import type { KeyedChange, KeyedFence } from '../../keyed/index.js';
import { checkFence, checkFunction, RETRIES, unlessHit } from '../requests.js';

/** How SWR's hooks are fenced. */
export interface FenceMiddlewareOptions<K> {
  /** The fence's key of a key of SWR, or `undefined` if the fence has no business with it. Default: as SWR serialises it. */
  keyOf?: ((key: unknown, serialised: string) => K | undefined) | undefined;
}

const OPTIONS = /* @__PURE__ */ names('keyOf');

/** A key that is mounted somewhere. */
interface Mounted<K> {
  readonly key: K;
  /** SWR's, of each hook. */
  readonly revalidate: Set<() => Promise<unknown>>;
}

/**
 * A middleware for `<SWRConfig value={{ use: [fenceMiddleware(fence)] }}>`, or for one hook. One middleware serves any number of
 * hooks, which share the fence's subscription. Throws `InvalidArgumentError`.
 */
export function fenceMiddleware<K = string>(fence: KeyedFence<K>, options?: FenceMiddlewareOptions<K>): Middleware {
  checkFence(fence);
  checkNames(options, OPTIONS, 'fenceMiddleware');
  checkFunction('keyOf', options?.keyOf);
  const keyOf = options?.keyOf ?? ((_: unknown, serialised: string) => serialised as K);
  const mounted = new Map<string, Mounted<K>>();
  const loads = new Map<string, number>();
  const count = (serialised: string, by: 1 | -1) => loads.set(serialised, (loads.get(serialised) ?? 0) + by);
  fence.subscribe({
    invalidate: () => {},
    end: (change: KeyedChange<K>) => {
      for (const [serialised, { key, revalidate }] of mounted) {
        if (!change.has(key) || (loads.get(serialised) ?? 0) > 0) continue;
        for (const each of revalidate) {
          each().catch(() => {}); // its hook tells of it
          break; // SWR shares it with the other hooks
        }
      }
    },
  });

  const read = async (key: K, serialised: string, fetch: () => unknown): Promise<unknown> => {
    let isOver = false;
    const over = () => {
      if (!isOver) count(serialised, -1);
      isOver = true;
      if (loads.get(serialised) === 0) loads.delete(serialised);
    };
    count(serialised, 1);
    const commit = (value: unknown) => {
      over(); // in the turn of the check: what is hit from now on is read again by SWR
      return value;
    };
    try {
      return await fence.lookup(key, (attempt) => unlessHit(attempt, fetch), { ...RETRIES, commit });
    } finally {
      over();
    }
  };

  const mount = (serialised: string, key: K, revalidate: () => Promise<unknown>) => {
    const entry = mounted.get(serialised) ?? { key, revalidate: new Set() };
    mounted.set(serialised, entry);
    entry.revalidate.add(revalidate);
    return () => {
      entry.revalidate.delete(revalidate);
      if (entry.revalidate.size === 0) mounted.delete(serialised);
    };
  };

  return (useSWRNext: SWRHook): SWRHook => {
    const useFenced = (key: never, fetcher: BareFetcher | null, config: never) => {
      const serialised = unstable_serialize(key);
      const fenceKey = serialised === '' ? undefined : keyOf(key, serialised);
      const isFenced = fenceKey !== undefined && typeof fetcher === 'function';
      const fenced = isFenced ? (...args: unknown[]) => read(fenceKey, serialised, () => fetcher(...args)) : fetcher;
      const swr = useSWRNext(key, fenced as never, config);
      const { mutate } = swr;
      useEffect(() => {
        if (fenceKey === undefined) return undefined;
        return mount(serialised, fenceKey, () => (mutate as () => Promise<unknown>)());
      }, [serialised, fenceKey, mutate]);
      return swr;
    };
    return useFenced as SWRHook;
  };
}
