/**
 * The two cases that are about schedules. A failure names its seed; `RANGEFENCE_SEED=<seed> RANGEFENCE_RUNS=0.001` runs that one
 * alone.
 */
import { expect, test } from 'vitest';
import { careless, forker, innocents, newCounts, Race, type RaceCounts, reader, teardown, user } from '../support/hmm/race.js';
import { seeds } from '../support/model/random.js';

const SEEDS = seeds(1000);
const TIMEOUT_MS = 120_000;

async function each(run: (race: Race) => Promise<void>): Promise<RaceCounts> {
  const counts = newCounts();
  for (const seed of SEEDS) {
    try {
      await run(new Race(seed, counts));
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  }
  return counts;
}

test('anon_teardown: a device sees the content or nothing, whenever the buffer goes', { timeout: TIMEOUT_MS }, async () => {
  const counts = await each((race) => race.run(reader(0), reader(1), teardown));
  expect(counts.gone).toBeGreaterThan(SEEDS.length);
  expect(counts.limits).toBe(0);
  if (SEEDS.length < 100) return; // one run need not show everything
  expect(counts.seen).toBeGreaterThan(SEEDS.length);
  expect(counts.retries).toBeGreaterThan(SEEDS.length);
  expect(counts.waits).toBeGreaterThan(100);
});

test('double_map: two devices see and store the same, whatever is done behind them', { timeout: TIMEOUT_MS }, async () => {
  const counts = await each((race) => race.run(user(0), user(1), innocents, forker));
  if (SEEDS.length < 100) return;
  expect(counts.seen).toBeGreaterThan(4 * SEEDS.length);
  expect(counts.retries).toBeGreaterThan(SEEDS.length);
  expect(counts.waits).toBeGreaterThan(100);
  expect(counts.limits).toBeLessThan(counts.seen / 50);
});

test('a device that asks nobody is caught in these races', { timeout: TIMEOUT_MS }, async () => {
  let caught = 0;
  await each((race) =>
    race.run(teardown, async () => {
      if (await careless(race)) caught++;
    }),
  );
  if (SEEDS.length >= 100) expect(caught).toBeGreaterThan(SEEDS.length / 4);
});
