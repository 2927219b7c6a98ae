/**
 * Shard: one part of the soak, a world that runs for long. Its number decides what kind of world it is, its seed the rest.
 */
import { runWorld, type WorldCounts, type WorldOptions } from '../support/model/world.js';

/** Kinds of worlds, in turn: together they pass through every path of the tracker. */
const KINDS: readonly (Omit<WorldOptions, 'seed' | 'lookups'> & { readonly name: string })[] = [
  { name: 'quiet', pages: 4096, readers: 16, writers: 2, longest: 8 },
  { name: 'busy', pages: 64, readers: 16, writers: 6, longest: 4 },
  { name: 'hot spot', pages: 2, readers: 12, writers: 4 },
  { name: 'cancelled', pages: 12, readers: 12, writers: 5, cancels: true, tickChance: 0.2, holdMs: 4 },
  { name: 'forgetful', pages: 128, readers: 24, writers: 8, historyCapacity: 3 },
  { name: 'scattered', pages: 8192, readers: 12, writers: 4, subscribers: 2, scattered: 3000, historyCapacity: 64 },
  { name: 'subscribed', pages: 24, readers: 8, writers: 4, subscribers: 4, cancels: true },
];

/** What a shard is asked to do, and what it found. */
export interface ShardReport {
  readonly shard: number;
  readonly kind: string;
  readonly seed: number;
  readonly seconds: number;
  readonly counts: WorldCounts;
}

/** Runs one shard; throws at the first violation, with everything that is needed to run it again. */
export async function runShard(shard: number, lookups: number, seed: number): Promise<ShardReport> {
  const { name, ...kind } = KINDS[shard % KINDS.length]!;
  const started = performance.now();
  const counts = await runWorld({ ...kind, seed: seed + shard, lookups, walkEvery: 500 });
  return { shard, kind: name, seed: seed + shard, seconds: (performance.now() - started) / 1000, counts };
}
