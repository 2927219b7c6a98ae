/**
 * Clients that are cleared after each test: a query that nobody observes has a timer of five minutes.
 */
import type { QueryClient } from '@tanstack/query-core';
import { FencedQueryClient, type FencedQueryClientConfig } from '../../../lib/query/tanstack/index.js';

const clients: QueryClient[] = [];

export const DEFAULTS = { defaultOptions: { queries: { retry: false } } };

export function kept<T extends QueryClient>(client: T): T {
  client.mount();
  clients.push(client);
  return client;
}

export function fencedClient(config: FencedQueryClientConfig = {}): FencedQueryClient {
  return kept(new FencedQueryClient({ ...DEFAULTS, ...config }));
}

export function clearClients(): void {
  for (const client of clients.splice(0)) {
    client.unmount();
    client.clear();
  }
}
