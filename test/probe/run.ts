/**
 * `npm run test:probe`: sixteen packages that cache what they load, in the set-ups of test/support/keyed/set-ups.ts.
 *
 * As their users use them today, for the record: the table of docs/keyed.md. The same stores under a fence: there every set-up
 * must be clean, or the run exits with 1. `--markdown` prints the table for the docs.
 *
 * The packages are installed by `npm ci` beside this file when they are not there yet.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { table } from '../../bench/support/text.js';
import { play, SET_UPS, type Verdict } from '../support/keyed/set-ups.js';
import { fenced, STORES, UNFENCED } from '../support/keyed/stores.js';
import { fencedPackage, PACKAGES } from './packages.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Row {
  readonly package: string;
  readonly way: string;
  readonly fenced: boolean;
  readonly verdicts: Verdict[];
}

/** Real time: some of the packages answer by timers. Twice the longest of them. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 25));

const { values } = parseArgs({ options: { markdown: { type: 'boolean', default: false } } });

function install(): boolean {
  const locked: object = JSON.parse(readFileSync(`${HERE}package.json`, 'utf8')).dependencies;
  if (Object.keys(locked).every((name) => existsSync(`${HERE}node_modules/${name}/package.json`))) return true;
  console.log('probe: installing the packages in test/probe');
  const { status, stderr, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], {
    ...{ cwd: HERE, encoding: 'utf8', timeout: 300_000 },
  });
  if (status === 0) return true;
  console.error(`probe: npm ci in test/probe has failed; is there a network?\n${error?.message ?? stderr}`);
  return false;
}

function version(name: string): string {
  for (const folder of [`${HERE}node_modules`, `${ROOT}node_modules`]) {
    const path = `${folder}/${name}/package.json`;
    if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')).version;
  }
  return '';
}

async function probe(): Promise<Row[]> {
  const rows: Row[] = [];
  const add = async (name: string, way: string, make: Parameters<typeof play>[1], isFenced: boolean) => {
    const verdicts: Verdict[] = [];
    for (const setUp of Object.keys(SET_UPS)) verdicts.push(await play(setUp, make, settle));
    rows.push({ package: `${name} ${version(name)}`.trim(), way, fenced: isFenced, verdicts });
  };
  for (const [name, ways] of Object.entries(UNFENCED)) {
    for (const [way, make] of Object.entries(ways)) await add(name, way, make, false);
  }
  for (const { package: name, unfenced } of PACKAGES) {
    for (const [way, make] of Object.entries(unfenced)) await add(name, way, make, false);
  }
  for (const name of Object.keys(STORES)) await add(name, 'fenced', fenced(name), true);
  for (const { package: name, store } of PACKAGES) if (store !== undefined) await add(name, 'fenced', fencedPackage(store), true);
  return rows;
}

function print(rows: readonly Row[]): void {
  const head = ['package', 'way', ...Object.keys(SET_UPS)];
  const cells = rows.map(({ package: name, way, verdicts }) => [name, way, ...verdicts]);
  if (!values.markdown) {
    console.log(table(head, cells));
    return;
  }
  for (const line of [head, head.map(() => '---'), ...cells]) console.log(`| ${line.join(' | ')} |`);
}

async function main(): Promise<number> {
  if (!install()) return 1;
  const rows = await probe();
  print(rows);
  const packages = (isMeant: (verdict: Verdict) => boolean) =>
    new Set(rows.filter((row) => !row.fenced && row.verdicts.some(isMeant)).map((row) => row.package)).size;
  const all = packages(() => true);
  console.log(`unfenced, a plain Map among them: ${packages((verdict) => verdict === 'kept old')} of ${all} kept what was old`);
  const broken = rows.filter(
    (row) => row.fenced && row.verdicts.some((verdict) => verdict !== 'clean' && verdict !== 'not possible'),
  );
  for (const { package: name } of broken) console.error(`probe: ${name} is not clean under a fence`);
  return broken.length > 0 ? 1 : 0;
}

// Some of the packages keep timers, and nothing is to be waited for when the table is there.
process.exit(await main());
