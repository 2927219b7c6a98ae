/**
 * What a fence costs a query client: `fetchQuery` of a query that has to be loaded, with TanStack's client and with the fenced one,
 * in rounds that alternate. Run by `tsx bench/query.ts`; prints the medians. The function answers in the same turn, so nothing but the clients is measured.
 */
import { QueryClient } from '@tanstack/query-core';
import { FencedQueryClient } from '../lib/query/tanstack/index.js';

const ROUNDS = 40;
const CALLS = 2000;
const KEYS = Array.from({ length: 50 }, (_, i) => ['todos', i]);

let sink = 0;

async function round(client: QueryClient): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < CALLS; i++) {
    const queryKey = KEYS[i % KEYS.length]!;
    sink += await client.fetchQuery({ queryKey, queryFn: async () => i });
  }
  return ((performance.now() - start) * 1000) / CALLS;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

const clients = [new QueryClient(), new FencedQueryClient()] as const;
const times: [number[], number[]] = [[], []];
for (const client of clients) for (let i = 0; i < 5; i++) await round(client);
for (let i = 0; i < ROUNDS; i++) {
  for (const at of [0, 1] as const) times[at].push(await round(clients[at]));
}
const [plain, fenced] = [median(times[0]), median(times[1])];
if (sink <= 0) throw new Error('nothing was read');
console.log(`fetchQuery: plain ${plain.toFixed(1)} us, fenced ${fenced.toFixed(1)} us: ${(fenced - plain).toFixed(1)} us more`);
for (const client of clients) client.clear();
