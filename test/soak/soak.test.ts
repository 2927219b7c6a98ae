import { expect, test } from 'vitest';
import { runShard } from './shard.js';

test.each([0, 1, 2, 3, 4, 5, 6])(
  'a small shard of the soak finds nothing wrong (kind %i)',
  async (shard) => {
    const { counts } = await runShard(shard, 3500, 1805);
    expect(counts.lookups).toBeGreaterThanOrEqual(3500);
    expect(counts).toMatchObject({ stale: 0, torn: 0, falseRetries: 0, falseWaits: 0 });
  },
  30_000,
);
