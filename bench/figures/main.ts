/**
 * The figures of the package, measured side by side with what one would use otherwise, against their goals.
 *
 *     tsx bench/figures/main.ts [--quick] [--json FILE] [row …]
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { loadLibrary } from '../support/library.js';
import { table } from '../support/text.js';
import { attempts } from './attempts.js';
import { CONTENTION_ROWS } from './contention.js';
import { type Figure, FULL, QUICK, type Row } from './figure.js';
import { bundle, demo, tree } from './others.js';
import { QUIET_ROWS } from './quiet.js';

const ROWS: readonly Row[] = [...QUIET_ROWS, ...CONTENTION_ROWS, attempts, bundle, demo, tree];

const USAGE = `usage: tsx bench/figures/main.ts [--quick] [--json FILE] [row ...]

  --quick      a look, within a minute
  --json FILE  write the numbers there, too
  --help       print this

rows: ${ROWS.map(({ name }) => name).join(' ')} (default: all)
exit code 1 if a goal is missed: figures of a busy machine are for reading, not for gates`;

interface Options {
  readonly rows: readonly Row[];
  readonly quick: boolean;
  readonly json: string | undefined;
}

function parse(args: string[]): Options | 'help' {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { quick: { type: 'boolean' }, json: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) return 'help';
  const unknown = positionals.find((name) => !ROWS.some((row) => row.name === name));
  if (unknown !== undefined) throw new TypeError(`row '${unknown}'; expected one of ${ROWS.map(({ name }) => name).join(', ')}`);
  const rows = positionals.length === 0 ? ROWS : ROWS.filter(({ name }) => positionals.includes(name));
  return { rows, quick: values.quick === true, json: values.json };
}

async function run({ rows, quick, json }: Options): Promise<boolean> {
  const library = await loadLibrary();
  const figures: (Figure & { row: string })[] = [];
  for (const row of rows) {
    const began = performance.now();
    const found = await row.run(library, quick ? QUICK : FULL);
    figures.push(...found.map((figure) => ({ row: row.name, ...figure })));
    // As it goes: the whole takes minutes.
    console.error(`${row.name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
  const shown = figures.map(({ figure, goal, measured, met }) => [
    figure,
    goal,
    measured,
    met === undefined ? '' : met ? 'yes' : 'NO',
  ]);
  console.log(table(['figure', 'goal', 'measured', 'met'], shown));
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ quick, figures }, undefined, 2)}\n`);
  return figures.every(({ met }) => met !== false);
}

const EXIT_MISSED = 1;
const EXIT_USAGE = 2;

try {
  const options = parse(process.argv.slice(2));
  if (options === 'help') console.log(USAGE);
  else if (!(await run(options))) process.exitCode = EXIT_MISSED;
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = EXIT_USAGE;
}
