/**
 * TanStack Query, fenced: a load that a change has overtaken is never stored.
 *
 * The way of a load: TanStack calls the persister that client.ts has put into its options; flights.ts, which knows what TanStack
 * is fetching, makes a load (load.ts), a lookup of the query's key whose attempts call the query's function.
 * Pages of infinite queries go through flights.ts alone.
 * The way of a change: `mutate`, or a mutation's function with `meta.affects` (affects.ts), begins a section of the fence in
 * client.ts; the client is told as a subscriber, has flights.ts give up what is in flight, marks queries as invalidated, and at the
 * end fetches them again. `invalidateQueries` is a section that ends at once.
 *
 * @packageDocumentation
 */
export type { Affected, Affects } from './affects.js';
export { type FencedMutateOptions, FencedQueryClient, type FencedQueryClientConfig, type FencedQueryOptions } from './client.js';
