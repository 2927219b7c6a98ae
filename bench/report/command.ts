/**
 * Command: what `npm run bench` does once its options are read. Everything it needs is handed in, so a test can hand in suites of
 * its own.
 */
import { join } from 'node:path';
import type { Library } from '../support/library.js';
import { table } from '../support/text.js';
import { compareResults, printComparison } from './compare.js';
import { LATEST, writeReport, writeResults } from './files.js';
import { describeMachine } from './machine.js';
import type { Suite } from './measure.js';
import type { BenchOptions } from './options.js';
import { type Results, readResults, recordOf, SCHEMA, type SuiteRecord } from './results.js';
import { printSheet, sheetsOf } from './tables.js';

/** Fine. */
export const EXIT_FINE = 0;
/** One of our measures is worse than in the file it was compared with. */
export const EXIT_WORSE = 1;

/** What a run stands on. */
export interface Surroundings {
  /** All suites there are. */
  readonly suites: readonly Suite[];
  /** Below which the committed files are. */
  readonly root: string;
  readonly loadLibrary: () => Promise<Library>;
  /** Takes what was asked for: tables. */
  readonly print: (text: string) => void;
  /** Takes what is of interest while it runs, a line at a time. */
  readonly progress: (line: string) => void;
}

/** Runs, reports, compares; returns the exit code. */
export async function perform(options: BenchOptions, surroundings: Surroundings): Promise<number> {
  const { root, print } = surroundings;
  const latest = join(root, LATEST);
  if (options.page) {
    await writeReport(root, await readResults(options.from ?? latest));
    return EXIT_FINE;
  }
  // Before a run of minutes, and before the run replaces the very file it is to be compared with.
  const before = options.compare === undefined ? undefined : await readResults(options.compare);
  const results = options.from === undefined ? await run(options, surroundings) : await readResults(options.from);
  if (before === undefined || options.from === undefined) print(printResults(results));
  if (options.from === undefined) await keep(results, options, surroundings);
  if (before === undefined) return EXIT_FINE;
  const comparison = compareResults(results, before, options.tolerance);
  print(printComparison(comparison, options.tolerance));
  return comparison.worse.length === 0 ? EXIT_FINE : EXIT_WORSE;
}

async function keep(
  results: Results,
  { out, quick, report, suites }: BenchOptions,
  { root, suites: all, progress }: Surroundings,
) {
  if (out !== undefined) await writeResults(out, results);
  else if (!quick && report && suites.length === all.length) {
    await writeResults(join(root, LATEST), results);
    await writeReport(root, results);
    progress(`written: ${LATEST}, docs/benchmarks.md and its charts`);
  }
}

async function run({ suites: names, quick }: BenchOptions, { suites, loadLibrary, progress }: Surroundings): Promise<Results> {
  const machine = describeMachine();
  const date = new Date().toISOString();
  const began = performance.now();
  const records: SuiteRecord[] = [];
  for (const suite of suites.filter(({ name }) => names.includes(name))) {
    const start = performance.now();
    // One each: what the compiler has learned from one suite's calls must not slow down, or speed up, the next.
    const library = await loadLibrary();
    const result = await suite.run({ library, quick, progress: (line) => progress(`${suite.name}: ${line}`) });
    records.push(recordOf(suite, result, secondsSince(start)));
    progress(`${suite.name}: ${secondsSince(start).toFixed(1)} s`);
  }
  return { schema: SCHEMA, date, seconds: Math.round(secondsSince(began)), quick, ...machine, suites: records };
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}

/** Every table, every goal, every note. */
export function printResults({ suites }: Results): string {
  return suites.map(printSuite).join('\n\n');
}

function printSuite({ title, suite, measures, goals, notes }: SuiteRecord): string {
  // The bare numbers of goals are in the file; as tables they would say the same again.
  const tables = goals === undefined ? sheetsOf({ measures }).map(printSheet) : [];
  const rows = goals?.map(({ figure, goal, measured, met }) => [figure, goal, measured, metText(met)]) ?? [];
  return [
    `== ${suite}: ${title}`,
    ...tables,
    ...(rows.length === 0 ? [] : [table(['figure', 'goal', 'measured', 'met'], rows)]),
    ...notes.map((note) => `note: ${note}`),
  ].join('\n\n');
}

/** In a column of a table. */
export function metText(met: boolean | undefined): string {
  return met === undefined ? '' : met ? 'yes' : 'NO';
}
