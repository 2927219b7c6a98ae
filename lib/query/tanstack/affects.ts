/**
 * Affects: which queries a change is about, as its author says it.
 */
import type { InvalidateQueryFilters } from '@tanstack/query-core';

import { check } from '../../base/errors.js';

/** Filters of TanStack's, as for `invalidateQueries`: one, or several as one. `refetchType` says what is refetched at the end. */
export type Affected = InvalidateQueryFilters | readonly InvalidateQueryFilters[];

/** What `meta.affects` of a mutation may be: the queries that it changes, or a function that says it of the variables. */
export type Affects = Affected | ((variables: never) => Affected);

/** What a section that this client has begun is about; its `owner`. */
export class Announced {
  readonly filters: readonly InvalidateQueryFilters[];
  /** True for a mutation's: what it affects is refetched when the callbacks of the mutation are through. */
  readonly isMutation: boolean;

  constructor(filters: readonly InvalidateQueryFilters[], isMutation: boolean) {
    this.filters = filters;
    this.isMutation = isMutation;
  }
}

/** The owner of a section that says something *has* changed, and of which its author takes care himself. */
export const AFTERWARDS: object = Object.freeze({});

/** Throws `InvalidArgumentError`. */
export function filtersOf(affects: unknown, variables?: unknown): readonly InvalidateQueryFilters[] {
  const said: unknown = typeof affects === 'function' ? affects(variables) : affects;
  const filters: unknown[] = Array.isArray(said) ? said : [said];
  for (const filter of filters) {
    const isFilter = typeof filter === 'object' && filter !== null && !Array.isArray(filter) && !('then' in filter);
    check(isFilter, 'affects', filter, "filters of queries, such as { queryKey: ['todos'] }, or a list of them");
  }
  return filters as InvalidateQueryFilters[];
}
