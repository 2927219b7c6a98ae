import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UsageError } from '../../bench/demo/options.js';
import { EXIT_FINE, EXIT_WORSE, perform } from '../../bench/report/command.js';
import { LATEST, ROOT, writeResults } from '../../bench/report/files.js';
import { OWN, type Suite } from '../../bench/report/measure.js';
import { helpOf, parseBench } from '../../bench/report/options.js';
import { ResultsError, readResults } from '../../bench/report/results.js';
import * as library from '../../lib/index.js';
import { everything, measure, record, results } from './fabricated.js';

const NAMES = ['one', 'two'];

let root = '';
let printed = '';
const lines: string[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'rangefence-test-'));
  printed = '';
  lines.length = 0;
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A suite that is over at once, and says what it was handed. */
function suite(name: string): Suite {
  return {
    name,
    title: `All about ${name}`,
    seeds: [name.length],
    async run({ quick, progress, library: handed }) {
      progress('begins');
      if (typeof handed.RangeTracker !== 'function') throw new Error('no library');
      const samples = quick ? [1] : [10, 11, 12];
      return { suite: name, measures: [measure('work', OWN, samples)], notes: [`a note of ${name}`] };
    },
  };
}

/** As the command line does it, with suites of ours below a root of ours. */
async function bench(...args: string[]): Promise<number> {
  const options = parseBench(args, NAMES);
  if (typeof options !== 'object') throw new Error(options);
  return perform(options, {
    root,
    suites: NAMES.map(suite),
    loadLibrary: async () => library,
    print: (text) => {
      printed += `${text}\n`;
    },
    progress: (line) => lines.push(line),
  });
}

describe('the options', () => {
  test('run everything by default, and only what is named otherwise, in the usual order', () => {
    expect(parseBench([], NAMES)).toMatchObject({ suites: NAMES, quick: false, report: true, tolerance: 0.1 });
    expect(parseBench(['two', 'one', '--quick'], NAMES)).toMatchObject({ suites: NAMES, quick: true });
    expect(parseBench(['two', '--no-report'], NAMES)).toMatchObject({ suites: ['two'], report: false });
    expect(parseBench(['--compare', 'f', '--tolerance', '2.5'], NAMES)).toMatchObject({ compare: 'f', tolerance: 0.025 });
    expect([parseBench(['--help'], NAMES), parseBench(['--list'], NAMES)]).toEqual(['help', 'list']);
  });

  test.each([
    [['three'], /suite 'three'; expected one of one, two/],
    [['--fast'], /--fast/],
    [['--tolerance', '5'], /--compare FILE/],
    [['--compare', 'f', '--tolerance', ''], /--tolerance is ''/],
    [['--compare', 'f', '--tolerance', '1e9'], /from 0 to 1000/],
    [['--from', 'f', 'one'], /--from runs nothing/],
    [['--page', '--quick'], /--page runs nothing/],
  ])('refuse %j', (args, message) => {
    expect(() => parseBench(args, NAMES)).toThrow(UsageError);
    expect(() => parseBench(args, NAMES)).toThrow(message);
  });

  test('are all explained', () => {
    for (const name of ['quick', 'out', 'no-report', 'compare', 'tolerance', 'from', 'page', 'list', 'help']) {
      expect(helpOf(NAMES)).toContain(`--${name}`);
    }
  });
});

describe('a run', () => {
  test('of everything prints tables, and writes the results and the page', async () => {
    expect(await bench()).toBe(EXIT_FINE);
    expect(printed).toContain('== one: All about one');
    expect(printed).toContain('note: a note of two');
    expect(lines[0]).toBe('one: begins');
    const written = await readResults(join(root, LATEST));
    expect(written.suites.map(({ suite: name, seeds }) => [name, seeds])).toEqual([
      ['one', [3]],
      ['two', [3]],
    ]);
    expect(written).toMatchObject({ quick: false, node: process.version });
    expect(written.suites[0]!.measures[0]!.samples).toEqual([10, 11, 12]);
    expect(readFileSync(join(root, 'docs/benchmarks.md'), 'utf8')).toContain('## All about two');
  });

  test.each([['one'], ['--quick'], ['--no-report']])('with %s writes nothing by itself', async (arg) => {
    expect(await bench(arg)).toBe(EXIT_FINE);
    expect(printed).toContain('All about one');
    expect(existsSync(join(root, 'bench')) || existsSync(join(root, 'docs'))).toBe(false);
  });

  test('with --out writes there, and there only', async () => {
    const out = join(root, 'deep/out.json');
    await bench('two', '--quick', '--out', out);
    expect(await readResults(out)).toMatchObject({ quick: true, suites: [{ suite: 'two' }] });
    expect(existsSync(join(root, 'docs'))).toBe(false);
  });
});

describe('a comparison', () => {
  const file = async (name: string, samples: readonly number[], schema?: number) => {
    const path = join(root, name);
    await writeResults(path, results([record('one', [measure('work', OWN, samples)])], schema === undefined ? {} : { schema }));
    return path;
  };

  test('with what was just run, or with a file, ends with 1 only if ours is worse', async () => {
    const slower = await file('slower.json', [20, 21, 22]);
    const quicker = await file('quicker.json', [5, 5.1, 5.2]);
    expect(await bench('one', '--compare', slower)).toBe(EXIT_FINE);
    expect(await bench('one', '--compare', quicker)).toBe(EXIT_WORSE);
    expect(await bench('--from', slower, '--compare', quicker)).toBe(EXIT_WORSE);
    expect(await bench('--from', slower, '--compare', quicker, '--tolerance', '400')).toBe(EXIT_FINE);
    expect(await bench('--from', quicker, '--compare', slower)).toBe(EXIT_FINE);
  });

  test('with a file that cannot be compared is refused before anything runs', async () => {
    const other = await file('other.json', [1], 99);
    await expect(bench('one', '--compare', other)).rejects.toThrow(ResultsError);
    expect(lines).toEqual([]);
  });

  test('with the last full run sees that run, not the one that replaces it', async () => {
    await writeResults(join(root, LATEST), results([record('one', [measure('work', OWN, [5, 5.1, 5.2])])]));
    expect(await bench('--compare', join(root, LATEST))).toBe(EXIT_WORSE);
  });
});

test('the page is made from a file without running, and charts that are no longer made go', async () => {
  const from = join(root, 'results.json');
  await writeResults(from, everything());
  expect(await bench('--page', '--from', from)).toBe(EXIT_FINE);
  const chart = join(root, 'docs/benchmarks/tree.svg');
  expect(existsSync(chart)).toBe(true);
  const tree = everything().suites.filter(({ suite: name }) => name !== 'tree');
  await writeResults(from, { ...everything(), suites: tree });
  await bench('--page', '--from', from);
  expect(existsSync(chart)).toBe(false);
  expect(existsSync(join(root, 'docs/benchmarks/overlap.svg'))).toBe(true);
  expect(lines).toEqual([]);
});

test('the program refuses an unknown suite with exit code 2 and its usage', () => {
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', join(ROOT, 'bench/main.ts'), 'nonsense'], {
    encoding: 'utf8',
  });
  expect(status).toBe(2);
  expect(stderr).toMatch(/suite 'nonsense'; expected one of .*\n\nusage: npm run bench/);
});
