/**
 * `npm run test:explore`: the long form of explorer.tracker.test.ts, on one core for as long as it takes.
 *
 *   --only TEXT    only parts whose name has this text in it
 *   --seconds N    begin no further scenario of a part after so many: its line then says how many are left
 *
 * Each part is a family of scenarios. Prints a line when a part is over, and fails with the scenario and the order, as `replay`
 * takes it, when something was wrong.
 */
import { parseArgs } from 'node:util';
import { type Exploration, explore } from '../../lib/testing/index.js';
import { type Family, nameOf, ONE_PAGE, RANGES, scenarios } from '../support/explorer/family.js';
import { LOOKUPS, type Party, SECTIONS, World } from '../support/explorer/tracker-world.js';

/** Explorations side by side: they share the turns of the host that they wait for. More gain nothing. */
const SIDE_BY_SIDE = 8;

interface Part extends Family {
  readonly name: string;
  /** True to follow every single order; otherwise equal states, equivalent orders and exchanged twins are followed once. */
  readonly plainly?: boolean;
}

const ALL = { reading: LOOKUPS, changing: SECTIONS };
const PLAIN = { reading: ['plain'], changing: ['change'] } as const;

const PARTS: readonly Part[] = [
  { name: 'two parties, every kind and place, nothing pruned', ...ALL, lookups: 1, sections: 1, ranges: RANGES, plainly: true },
  { name: 'a lookup and two sections, every kind and place', ...ALL, lookups: 1, sections: 2, ranges: RANGES },
  { name: 'two lookups and a section, every kind and place', ...ALL, lookups: 2, sections: 1, ranges: RANGES },
  { name: 'two lookups and two sections, plain, every place', ...PLAIN, lookups: 2, sections: 2, ranges: RANGES },
  { name: 'two lookups and three sections, plain, one page', ...PLAIN, lookups: 2, sections: 3, ranges: ONE_PAGE },
  { name: 'three lookups and two sections, plain, one page', ...PLAIN, lookups: 3, sections: 2, ranges: ONE_PAGE },
  { name: 'three lookups and three sections, plain, one page', ...PLAIN, lookups: 3, sections: 3, ranges: ONE_PAGE },
  { name: 'two lookups and two sections, every kind, one page', ...ALL, lookups: 2, sections: 2, ranges: ONE_PAGE },
];

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, seconds: { type: 'string', default: 'Infinity' } },
});
// An error that nobody looks at need not find out where it is, which would take a quarter of the time.
Error.stackTraceLimit = 0;
for (const part of PARTS) if (part.name.includes(values.only)) await runPart(part);

async function runPart(part: Part): Promise<void> {
  const deadline = performance.now() + Number(values.seconds) * 1000;
  const used = process.cpuUsage();
  const queue = [...scenarios(part)];
  const total = { scenarios: 0, orders: 0, schedules: 0, merged: 0, cut: 0, steps: 0 };
  const worker = async () => {
    while (queue.length > 0 && performance.now() < deadline) {
      const { orders, schedules, merged, cut, steps } = await exploreAll(queue.shift()!, part);
      total.scenarios++;
      total.orders += orders;
      total.schedules += schedules;
      total.merged += merged;
      total.cut += cut;
      total.steps += steps;
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
  const { user, system } = process.cpuUsage(used);
  const counts = Object.entries(total).map(([what, count]) => `${count} ${what}`);
  const left = queue.length === 0 ? 'complete' : `${queue.length} scenarios left`;
  console.log(`${part.name}: ${counts.join(', ')}; ${left}; ${((user + system) / 1e6).toFixed(0)} s of processor time`);
}

async function exploreAll(parties: readonly Party[], { plainly = false, ranges }: Part): Promise<Exploration> {
  // On one page nobody is independent of anybody, and without touches the orders are counted exactly.
  const options = { prunes: !plainly && ranges !== ONE_PAGE, merges: !plainly, twins: !plainly };
  return explore(() => new World(parties, options)).catch((error: unknown) => {
    throw new Error(`${nameOf(parties)}: ${error instanceof Error ? error.message : error}`, { cause: error });
  });
}
