/**
 * RTK Query, fenced: a request of a query that a mutation, or a push of the server, has overtaken is made again before it is stored.
 *
 * The way of a query: RTK calls the base query, which is a lookup of the keys that `tags` says, around the base query that was given.
 * The way of a mutation: the same function begins a section of these keys, and ends it before RTK invalidates its tags. In between,
 * RTK stores some microtasks after the check; what is hit there is told to `onLate`.
 *
 * Nothing of RTK's is imported: the types are structural.
 *
 * @packageDocumentation
 */
import { check } from '../../base/errors.js';
import { checkNames, names } from '../../base/options.js';
import type { KeyedAttempt, KeyedFence, KeyScope } from '../../keyed/index.js';
import { hits } from '../../keyed/internal.js';
import { checkFence, checkFunction, RETRIES, type RequestScope, unlessHit } from '../requests.js';

/** What is used of the api object of RTK's base queries. */
export interface FencedRequestApi {
  /** Fires when RTK gives the request up. */
  readonly signal: AbortSignal;
  /** A query reads, a mutation writes. */
  readonly type: 'query' | 'mutation';
}

/** What endpoints may say in their `extraOptions`. */
export interface FencedExtraOptions<K> {
  /** What the request reads, or writes, unless `tags` says it. */
  fence?: RequestScope<K>;
}

// biome-ignore lint/suspicious/noExplicitAny: what a base query takes is the user's business
type AnyBaseQuery = (arg: any, api: any, extra: any) => unknown;

/** The parameter at this place; `Otherwise` of a base query that takes fewer. */
type ParameterAt<Q extends AnyBaseQuery, Place extends '1' | '2', Otherwise> = Place extends keyof Parameters<Q>
  ? Parameters<Q>[Place]
  : Otherwise;

/** The same base query, whose endpoints may have `extraOptions: { fence }`. */
export type FencedBaseQuery<Q extends AnyBaseQuery, K> = (
  arg: Parameters<Q>[0],
  api: ParameterAt<Q, '1', FencedRequestApi>,
  extra: ParameterAt<Q, '2', object> & FencedExtraOptions<K>,
) => Promise<Awaited<ReturnType<Q>>>;

/** How a base query is fenced. */
export interface FencedBaseQueryOptions<Q extends AnyBaseQuery, K> {
  /** The fence, on which pushes of the server are announced, too. */
  fence: KeyedFence<K>;
  /** What a request reads, or writes. Default: `extraOptions.fence` of its endpoint. Must not return a promise. */
  tags?:
    | ((
        arg: Parameters<Q>[0],
        api: ParameterAt<Q, '1', FencedRequestApi>,
        extra: ParameterAt<Q, '2', object> & FencedExtraOptions<K>,
      ) => RequestScope<K>)
    | undefined;
  /**
   * Told when a change has hit a query after it was checked and before RTK had stored it, once it has: dispatch `invalidateTags`
   * for it. A mutation that invalidates tags needs none, for its tags are invalidated later than that.
   */
  onLate?: ((arg: Parameters<Q>[0], api: ParameterAt<Q, '1', FencedRequestApi>) => void) | undefined;
}

const OPTIONS = /* @__PURE__ */ names('fence tags onLate');

/** A request on its way from the check into the store. */
interface Landing<K> {
  readonly scope: K | KeyScope<K>;
  isHit: boolean;
}

/**
 * A base query like the given one, whose queries are repeated when a change of their keys has overtaken them, and wait for those that
 * are going on; and whose mutations announce what they write. Throws `InvalidArgumentError`.
 */
export function fencedBaseQuery<Q extends AnyBaseQuery, K>(
  baseQuery: Q,
  options: FencedBaseQueryOptions<Q, K>,
): FencedBaseQuery<Q, K> {
  check(typeof baseQuery === 'function', 'baseQuery', baseQuery, 'a function');
  checkNames(options, OPTIONS, 'fencedBaseQuery');
  const { fence, tags, onLate } = options;
  checkFence(fence);
  checkFunction('tags', tags);
  checkFunction('onLate', onLate);
  const landings = new Set<Landing<K>>();
  if (onLate !== undefined) {
    fence.subscribe({
      invalidate: (change) => {
        for (const landing of landings) landing.isHit ||= hits(change, landing.scope);
      },
    });
  }
  const land = (scope: K | KeyScope<K>, arg: unknown, api: FencedRequestApi) => {
    if (onLate === undefined) return;
    const landing = { scope, isHit: false };
    landings.add(landing);
    // RTK stores within this turn of the host's loop.
    fence.clock.setTimeout(() => {
      landings.delete(landing);
      if (landing.isHit) onLate(arg, api as never);
    }, 0);
  };
  const request = async (arg: unknown, api: FencedRequestApi, extra: unknown): Promise<unknown> => {
    const scope =
      tags === undefined ? (extra as FencedExtraOptions<K> | undefined)?.fence : tags(arg, api as never, extra as never);
    const { signal, type } = api;
    if (scope === undefined) return await baseQuery(arg, api, extra);
    if (type === 'mutation') return await fence.mutate(scope, () => baseQuery(arg, api, extra), { signal });
    const commit = (result: unknown) => {
      land(scope, arg, api);
      return result;
    };
    const read = (attempt: KeyedAttempt<K>) => baseQuery(arg, { ...api, signal: attempt.signal }, extra);
    return await fence.lookup(scope, (attempt) => unlessHit(attempt, () => read(attempt)), { ...RETRIES, signal, commit });
  };
  const fenced = async (arg: unknown, api: FencedRequestApi, extra: unknown): Promise<unknown> => {
    try {
      return await request(arg, api, extra);
    } catch (error) {
      if (!api.signal.aborted) throw error;
      return { error }; // RTK has given it up; what is thrown now it would report
    }
  };
  return fenced as FencedBaseQuery<Q, K>;
}

export type { RequestScope } from '../requests.js';
