/**
 * The cases and the races of the HMM suite under the lock-order checker: correct programs, of which it must say nothing. Each
 * case is sequential, so it runs in a context of its own, and so does each party of a race.
 */
import { describe, expect, test, vi } from 'vitest';

vi.mock('../../lib/index.js', async (original) => (await import('../support/debug/checked.js')).withChecker(original));

const { CASES, FAILURES, run } = await import('../support/hmm/variants.js');
const { forker, innocents, newCounts, Race, reader, teardown, user } = await import('../support/hmm/race.js');
const { checker, expectNoReports } = await import('../support/debug/checked.js');

type Body = (race: InstanceType<typeof Race>) => Promise<void>;

const SEEDS = Array.from({ length: 150 }, (_, i) => i + 1);
const TIMEOUT = { timeout: 60_000 };

expectNoReports({
  trackers: 300,
  events: ['begin', 'notifying', 'begun', 'changing', 'wait', 'wake', 'held', 'attempt', 'ended'],
});

describe('the cases of the HMM suite, each in a context of its own', () => {
  const names = Object.keys(CASES) as (keyof typeof CASES)[];
  describe.each(['retry', 'ban', 'lock'] as const)('with devices of the kind "%s"', (variant) => {
    test.each(names)('%s', TIMEOUT, async (name) => {
      expect(await checker.run(name, () => run(name, variant))).toBe(FAILURES[variant][name] ?? 'passes');
    });
  });
});

describe('the races of the HMM suite, each party in a context of its own', () => {
  const party =
    (name: string, body: Body): Body =>
    (race) =>
      checker.run(name, () => body(race));

  test('anon_teardown', TIMEOUT, async () => {
    const counts = newCounts();
    for (const seed of SEEDS) {
      const parties = [party('first', reader(0)), party('second', reader(1)), party('host', teardown)];
      await new Race(seed, counts).run(...parties);
    }
    expect(counts.waits).toBeGreaterThan(10);
  });

  test('double_map', TIMEOUT, async () => {
    const counts = newCounts();
    for (const seed of SEEDS) {
      const parties = [party('first', user(0)), party('second', user(1)), party('host', innocents), party('forker', forker)];
      await new Race(seed, counts).run(...parties);
    }
    expect(counts.waits).toBeGreaterThan(10);
  });
});
