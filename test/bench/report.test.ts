import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Figure } from '../../bench/figures/figure.js';
import { advantageOf } from '../../bench/report/advantage.js';
import { type Chart, chartsOf } from '../../bench/report/charts.js';
import { pageSheets } from '../../bench/report/compact.js';
import { measuresOf } from '../../bench/report/figures.js';
import { LATEST, quotingFiles, ROOT, reportFiles } from '../../bench/report/files.js';
import { findingsOf, lossesOf } from '../../bench/report/findings.js';
import { type Measure, OWN, type Suite } from '../../bench/report/measure.js';
import { pageOf } from '../../bench/report/page.js';
import { QUOTING, withQuotes } from '../../bench/report/quotes.js';
import { formatResults, type Results, ResultsError, readResults, recordOf } from '../../bench/report/results.js';
import { sheetsOf } from '../../bench/report/tables.js';
import { everything, measure, record, results } from './fabricated.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rangefence-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a file of results', () => {
  test('is read as it was written, one measure a line', async () => {
    const path = join(folder, 'results.json');
    const written = everything();
    await writeFile(path, formatResults(written));
    expect(await readResults(path)).toEqual(JSON.parse(JSON.stringify(written)));
    const lines = readFileSync(path, 'utf8').split('\n');
    expect(lines.filter((line) => line.includes('"samples"'))).toHaveLength(
      written.suites.flatMap((suite) => suite.measures).length,
    );
  });

  test('is refused if it is missing, not JSON, or of another schema', async () => {
    const path = join(folder, 'other.json');
    await expect(readResults(path)).rejects.toThrow(/cannot be read/);
    await writeFile(path, '{');
    await expect(readResults(path)).rejects.toThrow(ResultsError);
    await writeFile(path, formatResults(results([], { schema: 99 })));
    await expect(readResults(path)).rejects.toThrow(/of schema 99; expected 1/);
  });

  test('keeps six digits of a sample, and leaves out, with a note, what is not a number', () => {
    const suite: Suite = { name: 'x', title: 'X', seeds: [3], run: async () => ({ suite: 'x', measures: [], notes: [] }) };
    const bad = measure('slow', 'someone', [1, Number.NaN], { at: { n: 1024 } });
    const kept = recordOf(suite, { suite: 'x', measures: [measure('quick', OWN, [1 / 3]), bad], notes: ['first'] }, 1.6);
    expect(kept.measures.map(({ samples }) => samples)).toEqual([[0.333333]]);
    expect(kept.notes).toEqual(['first', 'slow (n 1,024) of someone was left out: its samples are 1, NaN.']);
    expect(kept).toMatchObject({ title: 'X', seeds: [3], seconds: 2 });
  });
});

describe('an advantage', () => {
  const rate = { unit: 'ops/s', better: 'more' } as const;

  test('is above 1 where ours is better, whichever way better is', () => {
    expect(advantageOf(measure('t', OWN, [10]), measure('t', 'x', [40]))).toMatchObject({ times: 4, standing: 'ahead' });
    expect(advantageOf(measure('t', OWN, [40], rate), measure('t', 'x', [10], rate))).toMatchObject({
      times: 4,
      standing: 'ahead',
    });
    expect(advantageOf(measure('t', OWN, [10], rate), measure('t', 'x', [40], rate))).toMatchObject({ standing: 'behind' });
  });

  test('is none where one round says otherwise', () => {
    expect(advantageOf(measure('t', OWN, [1, 1, 3]), measure('t', 'x', [2, 2, 2]))).toMatchObject({ times: 2, standing: 'even' });
  });

  test('does not exist for counts, nor beside zero', () => {
    const count = { unit: 'count', better: undefined } as const;
    expect(advantageOf(measure('t', OWN, [1], count), measure('t', 'x', [2], count))).toBeUndefined();
    expect(advantageOf(measure('t', OWN, [0]), measure('t', 'x', [2]))).toBeUndefined();
  });
});

describe('a table', () => {
  const grid = (sizes: number, subjects: number): Measure[] =>
    Array.from({ length: sizes * subjects }, (_, i) =>
      measure('t', i % subjects === 0 ? OWN : `peer ${i % subjects}`, [i + 1], { at: { n: Math.floor(i / subjects) } }),
    );

  test('has a row for each point, ours first, and says how many times better ours is', () => {
    const measures = [
      measure('t', 'lock', [50], { at: { n: 1024 } }),
      measure('t', OWN, [20], { at: { n: 1024 } }),
      measure('t', OWN, [30], { at: { n: 8 } }),
    ];
    expect(sheetsOf({ measures })).toEqual([
      {
        title: 't (ns)',
        head: ['n', OWN, 'lock'],
        rows: [
          ['1,024', '20', '50 (× 2.5)'],
          ['8', '30', '-'],
        ],
      },
    ]);
  });

  test('has the spread where there is one point', () => {
    const [sheet] = sheetsOf({ measures: [measure('t', OWN, [1, 2, 4]), measure('t', 'lock', [8, 8, 9])] });
    expect(sheet?.rows).toEqual([
      [OWN, '2', '1.00 … 4.00', ''],
      ['lock', '8', '8.00 … 9.00', '× 4.0'],
    ]);
  });

  test.each([
    [9, 3],
    [3, 9],
    [9, 9],
  ])('of %i points and %i subjects has at most 8 columns and every number', (sizes, subjects) => {
    const [sheet] = sheetsOf({ measures: grid(sizes, subjects) });
    expect(sheet!.head.length).toBeLessThanOrEqual(8);
    expect(new Set(sheet!.rows.map((row) => row.length))).toEqual(new Set([sheet!.head.length]));
    const numbers = sheet!.rows
      .flat()
      .filter((cell) => /^\d+( \(|$)/.test(cell))
      .map((cell) => Number.parseInt(cell, 10));
    for (let i = 1; i <= sizes * subjects; i++) expect(numbers).toContain(i);
  });

  test('of the page has both of a pair in one cell, and no distributions', () => {
    const [contention] = everything().suites;
    expect(pageSheets(contention!.measures)).toEqual([
      {
        title: 'By overlap: rangefence / rwlock',
        head: ['overlap', 'lookups per second (ops/s)'],
        rows: [
          ['0', '401 / 101 (× 4.0)'],
          ['0.1', '201 / 101 (× 2.0)'],
          ['1', '51 / 101 (× 0.50)'],
        ],
      },
    ]);
  });
});

describe('the words', () => {
  test('say ahead and behind as the measures do', () => {
    const findings = findingsOf(everything()).join('\n');
    expect(findings).toContain(
      'at best 401/s against 101/s at overlap 0 (× 4.0), and at the least 51/s against 101/s at overlap 1 (× 0.50)',
    );
    expect(findings).toContain('**quiet read**: 11 ns; ahead of a lock (× 10); behind a counter (× 0.10).');
    expect(findings).toContain('**Goals**: 1 of 2 were met in this run.');
  });

  test('turn when the measures turn', () => {
    const turned = (own: readonly number[], other: readonly number[]) =>
      findingsOf(results([record('primitives', [measure('quiet read', OWN, own), measure('quiet read', 'x', other)])]))[0];
    expect(turned([1, 1], [2, 2])).toBe('**quiet read**: 1 ns; ahead of x (× 2.0).');
    expect(turned([2, 2], [1, 1])).toBe('**quiet read**: 2 ns; behind x (× 0.50).');
    expect(turned([1, 3], [2, 2])).toBe('**quiet read**: 2 ns; no different, beyond the spread, from x (× 1.0).');
  });

  test('list every place where another is ahead, the farthest first', () => {
    const losses = everything().suites.flatMap(({ measures }) => lossesOf(measures));
    expect(losses).toEqual([
      'lookups per second, by overlap, behind rwlock: × 0.50 at overlap 1',
      'quiet read, behind a counter: × 0.10',
    ]);
  });
});

describe('the charts', () => {
  let charts: Chart[];
  beforeAll(async () => {
    charts = await chartsOf(everything());
  });

  test('are all there, white behind, and say the units and the subjects', () => {
    expect(charts.map(({ file }) => file)).toEqual(['overlap.svg', 'latency.svg', 'read-retry.svg', 'tree.svg']);
    for (const { svg } of charts) {
      expect(svg).toMatch(/^<svg /);
      expect(svg).toContain('fill="white"');
      expect(svg).toContain('rangefence');
    }
    expect(charts[0]!.svg).toContain('probability of an overlap');
    expect(charts[1]!.svg).toContain('milliseconds');
    expect(charts[3]!.svg).toContain('nanoseconds');
  });

  test('are the same for the same results, and others for others', async () => {
    expect(await chartsOf(everything())).toEqual(charts);
    const retries = (exponent: number) =>
      chartsOf(
        results([
          record(
            'primitives',
            [10, 100].map((ended) => measure('readRetry', OWN, [ended ** exponent], { at: { ended } })),
          ),
        ]),
      );
    const [[one], [same], [other]] = [await retries(1), await retries(1), await retries(2)];
    expect(one!.svg).toBe(same!.svg);
    expect(one!.svg).not.toBe(other!.svg);
  });

  test('are left out where there is nothing to draw', async () => {
    expect(await chartsOf(results([record('tree', [measure('remove + insert', OWN, [1], { at: { n: 8 } })])]))).toEqual([]);
  });
});

describe('the page', () => {
  const page = (made: Results) => pageOf(made, [{ suite: 'tree', file: 'tree.svg', caption: 'Trees.' }]);

  test('has every suite with its chart, notes, missed goals, and where it was made', () => {
    const text = page(everything());
    for (const suite of everything().suites) expect(text).toContain(`## ${suite.title}`);
    expect(text).toContain('![Trees.](benchmarks/tree.svg)');
    expect(text).toContain('- A | note.');
    expect(text).toContain('| quiet read: beside a lock | >= 20 x | 10 x | **no** |');
    expect(text).not.toContain('for comparison');
    for (const fact of ['A processor, 2 cores, 16 GiB', 'v20.1.0', 'commit 0123456789ab |', '2.2 min', 'goals 7 (3 s)']) {
      expect(text).toContain(fact);
    }
  });

  test('says that a run was quick, or of a changed tree', () => {
    expect(page(everything())).not.toMatch(/quick run:|changes on top/);
    const text = page({ ...everything(), quick: true, commit: { hash: 'abc', dirty: true } });
    expect(text).toContain('This was a quick run');
    expect(text).toContain('commit abc and changes on top');
  });

  test('says that it was behind nowhere only if it was', () => {
    expect(page(everything())).not.toContain('behind nowhere');
    const tree = everything().suites.filter(({ suite }) => suite === 'tree');
    expect(page({ ...everything(), suites: tree })).toContain('behind nowhere');
  });

  const latest = join(ROOT, LATEST);
  test.skipIf(!existsSync(latest))(
    'that is committed is the one made from the committed results, and so are its charts',
    async () => {
      const made = await reportFiles(await readResults(latest));
      for (const [path, text] of made) expect(readFileSync(join(ROOT, path), 'utf8'), path).toBe(text);
      const charts = readdirSync(join(ROOT, 'docs/benchmarks')).map((name) => join('docs/benchmarks', name));
      expect(charts.sort()).toEqual([...made.keys()].filter((path) => path.endsWith('.svg')).sort());
      const page = made.get('docs/benchmarks.md')!;
      expect(page.split('\n').length).toBeLessThanOrEqual(400);
      for (const line of page.split('\n').filter((row) => row.startsWith('|'))) {
        expect(line.split(/(?<!\\)\|/).length - 2, line).toBeLessThanOrEqual(8);
      }
    },
  );
});

describe('a page that quotes', () => {
  const goals: Suite = {
    name: 'goals',
    title: 'Goals',
    seeds: [],
    run: async () => ({ suite: 'goals', measures: [], notes: [] }),
  };
  const figures: Figure[] = [
    { figure: 'quiet', goal: '>= 1.25 x', measured: '1.30 x', met: true, values: { ratio: 1.3, ceiling: 1.5 } },
    { figure: 'hot', goal: '>= 1 x', measured: '1.02 x', met: true, values: { ratio: 1.02, ceiling: 2 } },
    { figure: '  invalidations', goal: '>= 0.8 x', measured: '0.7 x', met: false, values: { ratio: 0.7, ceiling: 3 } },
    { figure: '  lookup latency p99', goal: "<= the lock's", measured: '2 x', met: false, values: { ratio: 2, ceiling: 0.5 } },
    { figure: '  least of any loop', goal: 'nobody starves', measured: '90 %', met: true, values: { share: 0.9 } },
  ];
  const run = results([
    recordOf(goals, { suite: 'goals', goals: figures, measures: measuresOf('quiet-turn', figures), notes: [] }, 1),
  ]);

  test('gets what stands between its marks from the results, and keeps the rest', () => {
    const page = withQuotes('before\n<!-- quote: turns -->\nold\n<!-- end of quote -->\nafter\n', run);
    expect(page.split('\n').map((line) => line.replace(/ +/g, ' '))).toEqual([
      ...['before', '<!-- quote: turns -->', '', '| | no guard | rangefence | goal |', '|---|---:|---:|---:|'],
      ...['| quiet | 1.50 | 1.30 | 1.25 |', '| hot | 2.00 / 3.00; 0.50 | 1.02 / 0.70; 2.00 | 1 / 0.8; 1 |'],
      ...['', '<!-- end of quote -->', 'after', ''],
    ]);
    expect(withQuotes(page, run)).toBe(page);
  });

  test('is refused if nobody makes what it asks for, or the goals were not run', () => {
    const page = (name: string) => `<!-- quote: ${name} -->\n\n<!-- end of quote -->`;
    expect(() => withQuotes(page('prices'), run)).toThrow("quote 'prices'; expected one of costs, turns, timers");
    expect(() => withQuotes(page('costs'), results([]))).toThrow('results without the suite "goals"');
  });

  test.skipIf(!existsSync(join(ROOT, LATEST)))('tells the committed results', async () => {
    const made = await quotingFiles(ROOT, await readResults(join(ROOT, LATEST)));
    expect([...made.keys()]).toEqual([...QUOTING]);
    for (const [path, text] of made) {
      expect(text, path).toContain('<!-- quote: ');
      expect(readFileSync(join(ROOT, path), 'utf8'), path).toBe(text);
    }
  });
});

describe('the goals', () => {
  test('give measures named after their row and the line above', () => {
    const figure = { goal: '-', measured: '', met: undefined };
    const measures = measuresOf('quiet', [
      { ...figure, figure: 'read', values: { ns: 12 } },
      { ...figure, figure: '  beside a lock', values: { ratio: 10, odd: 1 } },
    ]);
    expect(measures.map(({ title, at, unit, samples }) => [title, at.value, unit, samples])).toEqual([
      ['quiet: read', 'ns', 'ns', [12]],
      ['quiet: read, beside a lock', 'ratio', 'ratio', [10]],
      ['quiet: read, beside a lock', 'odd', 'count', [1]],
    ]);
  });
});
