/**
 * Faults of the fenced query clients; see faults.ts.
 */
import type { Fault } from './faults.js';

const TABLE = 'test/query/tanstack.test.ts';
const CHANGES = 'test/query/tanstack-changes.test.ts';
const LOADS = 'test/query/tanstack-loads.test.ts';
const RTK = 'test/query/rtk.test.ts';
const APOLLO = 'test/query/apollo.test.ts';
const SWR = 'test/query/swr.test.ts';

/** Wrong behaviour of `rangefence/query`, one at a time. */
export const QUERY_FAULTS: readonly Fault[] = [
  {
    name: 'invalidateQueries does not tell the fence',
    file: 'query/tanstack/client.ts',
    find: 'const told = this.#hasChanged(this.#scope([filters]));',
    replace: 'const told = undefined as Promise<void> | undefined;',
    first: [TABLE],
  },
  {
    name: 'what is hit between the check and the storing is believed',
    file: 'query/tanstack/flights.ts',
    find: 'if (!isHit && !isMixed && !wasUnfenced) return;',
    replace: 'if (!isMixed && !wasUnfenced) return;',
    first: [LOADS],
  },
  {
    name: 'an infinite query that was hit goes on where it was',
    file: 'query/tanstack/flights.ts',
    find: 'if (isInfinite(query) && !isMore) queueMicrotask(() => this.#renew(promise, query));',
    replace: '',
    first: [LOADS],
  },
  {
    name: 'the pages before the next one are taken for fresh',
    file: 'query/tanstack/flights.ts',
    find: 'if (flight?.isMore === true) flight.isHit = true;',
    replace: 'void flight;',
    first: [LOADS],
  },
  {
    name: 'a query that is cancelled loses its mark',
    file: 'query/tanstack/flights.ts',
    find: "if (isTouched && fetchStatus === 'idle' && !isInvalidated) this.#tower.invalidate(query);",
    replace: '',
    first: [LOADS],
  },
  {
    name: 'a load that is cancelled goes on waiting',
    file: 'query/tanstack/flights.ts',
    find: '    load?.stop();\n    const { fetchStatus',
    replace: '    const { fetchStatus',
    first: [LOADS],
  },
  {
    name: 'loads hold their keys',
    file: 'query/tanstack/load.ts',
    find: 'maxAttempts: Number.POSITIVE_INFINITY,',
    replace: '',
    first: [LOADS],
  },
  {
    name: 'a load that is overtaken is waited for',
    file: 'query/tanstack/load.ts',
    find: 'this.reject(reason);',
    replace: '',
    first: [LOADS],
  },
  {
    name: 'the signal of a context is read for everybody',
    file: 'query/tanstack/load.ts',
    find: '    const attempt = this;',
    replace: '    const attempt = this;\n    void context.signal;',
    first: [LOADS],
  },
  {
    name: 'chunks of an attempt that was overtaken stay',
    file: 'query/tanstack/load.ts',
    find: 'if (last?.wrote === true) {',
    replace: 'if (false as boolean && last !== undefined) {',
    first: [LOADS],
  },
  {
    name: 'chunks that come late are written',
    file: 'query/tanstack/client.ts',
    find: 'if (attempt?.overtaken === true) return this.getQueryData(queryKey);',
    replace: '',
    first: [LOADS],
  },
  {
    name: 'a load waits for a change for ever',
    file: 'query/tanstack/load.ts',
    find: 'if (this.attempt === undefined) this.wait();',
    replace: '',
    first: [CHANGES],
  },
  {
    name: 'what was read without the fence is not marked',
    file: 'query/tanstack/load.ts',
    find: 'this.isUnfenced = true;',
    replace: '',
    first: [CHANGES],
  },
  {
    name: 'nothing is fetched again at the end of a change',
    file: 'query/tanstack/client.ts',
    find: 'else this.#refetchAfter(change);',
    replace: '',
    first: [CHANGES],
  },
  {
    name: 'what a mutation affects is fetched before its callbacks',
    file: 'query/tanstack/client.ts',
    find: 'if (owner instanceof Announced && owner.isMutation) this.#due.push(change);',
    replace: 'if (owner instanceof Announced && owner.isMutation) this.#refetchAfter(change);',
    first: [CHANGES],
  },
  {
    name: 'what was set by hand inside a change is the end of it',
    file: 'query/tanstack/client.ts',
    find: 'this.#mark(change); // again',
    replace: '// again',
    first: [CHANGES],
  },
  {
    name: 'every setQueryData is a change',
    file: 'query/tanstack/client.ts',
    find: 'if (pending.some(isAffected)) this.#hasChanged',
    replace: 'if (pending.some(isAffected) || true) this.#hasChanged',
    first: [LOADS],
  },
  {
    name: 'a persister changes the default of networkMode',
    file: 'query/tanstack/client.ts',
    find: 'if (persister === this.#persister) return others;',
    replace: 'if (persister === this.#persister) return options;',
    first: [LOADS],
  },
  {
    name: 'a caller joins what is known to be old',
    file: 'query/tanstack/client.ts',
    find: 'if (!this.#isJoiningOld(options)) return fetch();\n    // A turn later',
    replace: 'if (options !== undefined) return fetch();\n    // A turn later',
    first: [LOADS],
  },
  {
    name: 'a mutation of RTK announces nothing',
    file: 'query/rtk/index.ts',
    find: "if (type === 'mutation') return await fence.mutate(scope, () => baseQuery(arg, api, extra), { signal });",
    replace: "if (type === 'mutation') return await baseQuery(arg, api, extra);",
    first: [RTK],
  },
  {
    name: 'nobody is told of what hits RTK between check and store',
    file: 'query/rtk/index.ts',
    find: 'if (landing.isHit) onLate(arg, api as never);',
    replace: '',
    first: [RTK],
  },
  {
    name: 'an answer reaches Apollo after the turn of the check',
    file: 'query/apollo/index.ts',
    find: 'commit: answer',
    replace: 'commit: (results: readonly ApolloLink.Result[]) => void setTimeout(() => answer(results))',
    first: [APOLLO],
  },
  {
    name: 'the old request of Apollo is not given up',
    file: 'query/apollo/index.ts',
    find: 'subscription.unsubscribe();',
    replace: '',
    first: [APOLLO],
  },
  {
    name: 'what SWR shows is not read again after a change',
    file: 'query/swr/index.ts',
    find: 'each().catch(() => {}); // its hook tells of it',
    replace: '',
    first: [SWR],
  },
  {
    name: 'SWR revalidates beside a load that begins again by itself',
    file: 'query/swr/index.ts',
    find: ' || (loads.get(serialised) ?? 0) > 0',
    replace: '',
    first: [SWR],
  },
  {
    name: 'a load counts as running until SWR has its value',
    file: 'query/swr/index.ts',
    find: '      over(); // in the turn of the check',
    replace: '      // in the turn of the check',
    first: [SWR],
  },
];
