/**
 * The tracker under every order of steps: up to three lookups and three sections of every kind, over three pages, judged by
 * the witness and by the content itself.
 *
 * Two parties: all orders, each on its own. Three, on one page: all orders, equal states (explorer/memory.ts) followed once.
 * Four to six: of one scenario in eight an order, chosen by priorities (`RANGEFENCE_RUNS` multiplies them, `RANGEFENCE_SEED`
 * chooses others). The long form is explorer/run.ts. A failure prints the scenario, and the order as `replay` takes it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Exploration, explore, sample } from '../../lib/testing/index.js';
import { type Family, nameOf, ONE_PAGE, RANGES, scenarios } from '../support/explorer/family.js';
import { LOOKUPS, PAGES, type Party, SECTIONS, World } from '../support/explorer/tracker-world.js';
import { runs, SEED } from '../support/model/random.js';

const KINDS = { reading: LOOKUPS, changing: SECTIONS };
/** Orders that must be seen, by running them or from a known state on. */
const ENOUGH = 100_000;
/** Side by side they share the turns of the host that they wait for. */
const SIDE_BY_SIDE = 8;
/** Of the scenarios of four to six parties one in so many is sampled. */
const SHARE = 8;

const total = { complete: 0, sampled: 0, orders: 0, schedules: 0, merged: 0, steps: 0 };

/** Runs `look` for each scenario of the family, some at once; a failure names its scenario. */
async function forEach(family: Family, look: (parties: readonly Party[], index: number) => Promise<void>): Promise<void> {
  let index = 0;
  const queue = scenarios(family);
  const worker = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      const parties = next.value;
      await look(parties, index++).catch((error: unknown) => {
        throw new Error(`${nameOf(parties)}: ${error instanceof Error ? error.message : error}`, { cause: error });
      });
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
}

function add({ schedules, merged, orders, steps, complete }: Exploration): void {
  expect(complete).toBe(true);
  total.orders += orders;
  total.schedules += schedules;
  total.merged += merged;
  total.steps += steps;
  total.complete++;
}

describe('every order of up to three parties, and some of up to six', () => {
  // An error that nobody looks at need not find out where it is, which would take a quarter of the time.
  const { stackTraceLimit } = Error;
  beforeAll(() => {
    Error.stackTraceLimit = 0;
  });
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  test('all orders of a lookup and a section at any places', { timeout: 300_000 }, async () => {
    await forEach({ ...KINDS, lookups: 1, sections: 1, ranges: RANGES }, async (parties) => {
      add(await explore(() => new World(parties)));
    });
  });

  test('all orders of a lookup and a section on one page, with a check point behind each await', {
    timeout: 300_000,
  }, async () => {
    let orders = 0;
    await forEach({ ...KINDS, lookups: 1, sections: 1, ranges: ONE_PAGE }, async (parties) => {
      const seen = await explore(() => new World(parties, { checkPoints: true }));
      expect(seen).toMatchObject({ complete: true, checkPoints: true });
      orders += seen.orders;
    });
    console.log(`explorer: ${orders} orders with check points`);
  });

  test.each([
    [1, 2, 1],
    [2, 1, 2],
  ])(
    'all orders of %d lookups and %d sections on one page, one scenario in %d',
    { timeout: 300_000 },
    async (lookups, sections, share) => {
      await forEach({ ...KINDS, lookups, sections, ranges: ONE_PAGE }, async (parties, index) => {
        if (runs(1) === 1 && index % share !== 0) return;
        add(await explore(() => new World(parties, { twins: true, merges: true })));
      });
    },
  );

  test.each([
    [1, 3],
    [2, 2],
    [2, 3],
    [3, 1],
    [3, 2],
    [3, 3],
  ])('some orders of %d lookups and %d sections', { timeout: 300_000 }, async (lookups, sections) => {
    await forEach({ ...KINDS, lookups, sections, ranges: ONE_PAGE }, async (parties, index) => {
      if (runs(1) === 1 && index % SHARE !== 0) return;
      const seen = await sample(() => new World(placed(parties, index)), { runs: runs(1), seed: SEED + index });
      total.sampled++;
      total.schedules += seen.schedules;
      total.orders += seen.schedules;
      total.steps += seen.steps;
    });
  });

  test('are 100,000 and more', () => {
    console.log(
      `explorer: ${Object.entries(total)
        .map(([what, count]) => `${count} ${what}`)
        .join(', ')}`,
    );
    expect(total.complete).toBeGreaterThan(500);
    if (runs(100) >= 100) expect(total.orders).toBeGreaterThanOrEqual(ENOUGH);
  });
});

/** Turn by turn: all on one page, each on its own and the next one, each on its own. */
function placed(parties: readonly Party[], index: number): Party[] {
  const kind = Math.floor(index / SHARE) % 3;
  return parties.map((party, i) => {
    const start = kind === 0 ? 0 : kind === 1 ? i % 2 : i % PAGES;
    return { ...party, range: { start, end: start + (kind === 1 ? 2 : 1) } };
  });
}
