/**
 * Four readers over the same work: one semaphore, one hull, one epoch, and this package, judged by the exact definition.
 *
 *     npm run bench:traces [-- --write]
 *
 * In virtual time, so the figures are the same on every machine.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compareAll } from './compare.js';
import { markdownComparisons, printComparisons, withFigures } from './page.js';

const PAGE = fileURLToPath(new URL('../../docs/comparison.md', import.meta.url));

const USAGE = `usage: npm run bench:traces [-- options]

  --write  put the tables into docs/comparison.md, too
  --help   print this`;

const EXIT_USAGE = 2;

function parse(args: string[]): { write: boolean; help: boolean } {
  const { values } = parseArgs({ args, options: { write: { type: 'boolean' }, help: { type: 'boolean' } } });
  return { write: values.write === true, help: values.help === true };
}

async function run(write: boolean): Promise<void> {
  const comparisons = await compareAll();
  console.log(printComparisons(comparisons));
  if (!write) return;
  await writeFile(PAGE, withFigures(await readFile(PAGE, 'utf8'), markdownComparisons(comparisons)));
  console.log('\nwritten: docs/comparison.md');
}

function options(): { write: boolean; help: boolean } | undefined {
  try {
    return parse(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = EXIT_USAGE;
    return undefined;
  }
}

const given = options();
if (given?.help) console.log(USAGE);
else if (given !== undefined) await run(given.write);
