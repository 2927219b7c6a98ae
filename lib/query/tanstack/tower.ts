/**
 * Tower: what fetches that are in flight need of their client.
 */
import type { Query } from '@tanstack/query-core';

import type { Loading } from './load.js';

/** See the top of the file. */
export interface Tower extends Loading {
  /** Marks it, without saying so to the fence. */
  invalidate(query: Query): void;
  /** Fetches it again if it is active. */
  refetch(query: Query): void;
}
