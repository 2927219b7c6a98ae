/**
 * `npm run bench`: every suite, side by side with what one would use otherwise; tables, a file of results, a page with charts, and
 * a comparison with an earlier run.
 *
 *     tsx bench/main.ts [--quick] [--out FILE] [--no-report] [--compare FILE] [--from FILE] [--page] [--list] [suite ...]
 */
import { UsageError } from './demo/options.js';
import type { Suite } from './report/measure.js';
import { helpOf, parseBench } from './report/options.js';
import { ResultsError } from './report/results.js';

/** By name, in the order of the page. Loaded when they are needed: help should not wait for a bundler and ten packages. */
const SUITES: Readonly<Record<string, () => Promise<Suite>>> = {
  contention: async () => (await import('./contention.bench.js')).contentionSuite,
  primitives: async () => (await import('./primitives.bench.js')).primitivesSuite,
  tree: async () => (await import('./tree.bench.js')).treeSuite,
  goals: async () => (await import('./goals.bench.js')).goalsSuite,
};
const NAMES = Object.keys(SUITES);

const EXIT_USAGE = 2;

async function main(args: readonly string[]): Promise<number> {
  const options = parseBench(args, NAMES);
  if (options === 'help') {
    console.log(helpOf(NAMES));
    return 0;
  }
  const suites = await Promise.all(Object.values(SUITES).map((load) => load()));
  if (options === 'list') {
    for (const { name, title } of suites) console.log(`${name.padEnd(12)} ${title}`);
    return 0;
  }
  const [{ perform }, { ROOT }, { loadLibrary }] = await Promise.all([
    import('./report/command.js'),
    import('./report/files.js'),
    import('./support/library.js'),
  ]);
  const print = (text: string) => console.log(text);
  return perform(options, { suites, root: ROOT, loadLibrary, print, progress: (line) => console.error(line) });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError || error instanceof ResultsError)) throw error;
  console.error(error instanceof UsageError ? `${error.message}\n\n${helpOf(NAMES)}` : error.message);
  process.exitCode = EXIT_USAGE;
}
