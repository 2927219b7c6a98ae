/**
 * Contention: one coarse reader/writer lock around everything, and the tracker, under lookups and invalidators in closed loops.
 *
 * One centre point, and from there one axis at a time: lookups in flight, invalidators, overlap, latency of the fetch,
 * subscribers. Then the cases in which the lock is at its best, and the distributions of the latencies.
 */
import { distributionOf, measuresOf } from './contention/measures.js';
import { failuresOf, GENERAL_NOTES, noteOf } from './contention/notes.js';
import { compareSides, type Effort, type Sides } from './contention/rounds.js';
import { DISTRIBUTIONS, describe, type Group, groups, type Scenario } from './contention/scenarios.js';
import type { Measure, Suite, SuiteContext, SuiteResult } from './report/measure.js';

/** 27 points of two sides: within 5 minutes, and long enough for a p99 of the slower side. */
const FULL: Effort = { rounds: 5, sliceMs: 700, warmMs: 300 };
/** 15 points: within 45 seconds. */
const QUICK: Effort = { rounds: 3, sliceMs: 250, warmMs: 200 };

/** Of the warm-up; the rounds draw with the numbers after it, both sides of a round with the same. */
const SEED = 20_181_017;

/** See the top of the file. */
export const contentionSuite: Suite = {
  name: 'contention',
  title: 'Contention: lookups and invalidations under a coarse lock and under the tracker',
  seeds: [SEED],
  run: (context) => runContention(context, { groups: groups(context.quick), effort: context.quick ? QUICK : FULL }),
};

/** What is measured, and how long. */
export interface Plan {
  readonly groups: readonly Group[];
  readonly effort: Effort;
}

/** Measures every scenario once, however many tables it is in. */
export async function runContention(context: SuiteContext, { groups, effort }: Plan): Promise<SuiteResult> {
  const measured = new Map<string, Sides>();
  const notes: string[] = [...GENERAL_NOTES];
  const scenarios = distinct(groups);
  for (const [i, scenario] of scenarios.entries()) {
    const name = describe(scenario);
    context.progress(`contention ${i + 1}/${scenarios.length}: ${name}`);
    const sides = await compareSides(scenario, context.library, effort, SEED);
    measured.set(name, sides);
    for (const note of [noteOf(scenario, sides), failuresOf(scenario, sides)]) if (note !== undefined) notes.push(note);
  }
  return { suite: contentionSuite.name, measures: collect(groups, measured), notes };
}

function distinct(groups: readonly Group[]): Scenario[] {
  return [...new Map(groups.flatMap(({ rows }) => rows.map(({ scenario }) => [describe(scenario), scenario]))).values()];
}

/** In the order of the titles: all rows of one table, then the next. */
function collect(groups: readonly Group[], measured: ReadonlyMap<string, Sides>): Measure[] {
  const measures = groups.flatMap(({ name, rows }) =>
    rows.flatMap((row) => measuresOf(name, row, measured.get(describe(row.scenario))!)),
  );
  for (const [name, scenario] of Object.entries(DISTRIBUTIONS)) {
    const sides = measured.get(describe(scenario));
    if (sides !== undefined) measures.push(...distributionOf(name, sides));
  }
  const titles = [...new Set(measures.map(({ title }) => title))];
  return titles.flatMap((title) => measures.filter((measure) => measure.title === title));
}
