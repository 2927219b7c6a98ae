/**
 * Page: docs/benchmarks.md, made from a file of results and nothing else.
 */
import type { Chart } from './charts.js';
import { pageSheets } from './compact.js';
import { findingsOf, lossesOf, meetingsOf } from './findings.js';
import { type Goal, OWN } from './measure.js';
import type { Results, SuiteRecord } from './results.js';
import { markdownSheet, type Sheet } from './tables.js';

/** Of the charts, beside the page. */
export const CHART_FOLDER = 'benchmarks';

/** As everywhere in the docs. */
const WIDTH = 125;
/** Beyond that a list is no longer read; the tables have the rest. */
const MOST_LOSSES = 6;

/** The whole page. Equal results give equal text. */
export function pageOf(results: Results, charts: readonly Pick<Chart, 'suite' | 'file' | 'caption'>[]): string {
  const blocks = [
    ...introduction(results),
    ...losses(results),
    ...results.suites.flatMap((suite) =>
      section(
        suite,
        charts.filter((chart) => chart.suite === suite.suite),
      ),
    ),
    ...reproduction(results),
    ...COMPARING,
  ];
  return `${blocks.join('\n\n')}\n`;
}

function introduction(results: Results): string[] {
  const { quick, suites } = results;
  const findings = findingsOf(results);
  return [
    '# Benchmarks',
    paragraph(
      'Somebody looks something up in a range (of a file, of rows, of keys), asynchronously, while others change it. The usual ' +
        'guard is a reader/writer lock around everything: nobody reads while anybody writes. `rangefence` lets both go on, and ' +
        'repeats a lookup exactly if a change overlapped it. Here both run side by side under the same load; single operations ' +
        'are compared with those of locks and counters, and the interval tree that it stands on with other trees.',
    ),
    paragraph(
      'This page is made by `npm run bench`; every number is from one run, on the machine named at the end. Numbers are medians ' +
        `of rounds in which all sides took turns. **× 2.0** says that ${OWN} is twice as good as the other at the same point ` +
        '(half the time, or twice as many a second); below × 1 the other is better. "Ahead" and "behind" are said only if every ' +
        'round says so. Another machine gives other numbers; the multiples change less.',
    ),
    ...(quick ? ['**This was a quick run: for a look, not for quoting.**'] : []),
    ...(findings.length === 0 ? [] : ['## The main results', list(findings)]),
    ...(suites.length === 0 ? ['No suite was run.'] : []),
  ];
}

function losses({ suites }: Results): string[] {
  const parts = suites.flatMap((suite) => {
    const meetings = meetingsOf(suite.measures);
    return meetings.length === 0 ? [] : [{ suite, meetings, lines: lossesOf(suite.measures) }];
  });
  if (parts.length === 0) return [];
  const rows = parts.map(({ suite, meetings }) => {
    const count = (standing: string) => `${meetings.filter(({ advantage }) => advantage.standing === standing).length}`;
    return [`[${suite.suite}](#${anchorOf(suite.title)})`, `${meetings.length}`, ...['ahead', 'even', 'behind'].map(count)];
  });
  const lines = parts.flatMap(({ lines }) => lines.slice(0, MOST_LOSSES));
  const more = parts.flatMap(({ lines }) => lines.slice(MOST_LOSSES)).length;
  return [
    '## Where it does not win',
    markdownSheet({ head: ['', 'comparisons', 'ahead', 'no difference beyond the spread', 'behind'], rows }),
    ...(lines.length === 0 ? [`In this run ${OWN} was behind nowhere.`] : [`In this run ${OWN} was behind here:`, list(lines)]),
    ...(more === 0 ? [] : [`and in ${more} more, which the tables show.`]),
    paragraph(
      'Speed aside: a counter or a lock is enough, and simpler, where everything overlaps everything all the time, where nobody ' +
        'changes anything while others read, or where reads are synchronous. Writers that must exclude each other need a mutex in ' +
        'any case. [choosing.md](choosing.md) and the README say when not to use it.',
    ),
  ];
}

function section({ title, measures, goals, notes }: SuiteRecord, charts: readonly Pick<Chart, 'file' | 'caption'>[]): string[] {
  return [
    `## ${title}`,
    ...charts.flatMap(({ file, caption }) => [`![${caption}](${CHART_FOLDER}/${file})`, `*${caption}*`]),
    ...(goals === undefined ? pageSheets(measures).map(tableOf) : [goalTable(goals)]),
    ...(notes.length === 0 ? [] : [list(notes)]),
  ];
}

/** The title is the first cell of the head: a line above each table would make the page a tenth longer. */
function tableOf({ title, head: [axis = '', ...columns], rows }: Sheet): string {
  const first = axis === '' || title.toLowerCase().includes(axis) ? title : `${title}, by ${axis}`;
  return markdownSheet({ head: [`**${first}**`, ...columns], rows });
}

/** Lines without a goal are there for comparison: the terminal shows them. */
function goalTable(goals: readonly Goal[]): string {
  let above = '';
  const rows = goals.flatMap(({ figure, goal, measured, met }) => {
    const below = figure.startsWith(' ');
    if (!below) above = figure;
    if (met === undefined) return [];
    return [[below ? `${above}: ${figure.trim()}` : figure, goal, measured, met ? 'yes' : '**no**']];
  });
  return markdownSheet({ head: ['figure', 'goal', 'measured', 'met'], rows });
}

function reproduction({ machine, node, v8, version, commit, date, seconds, suites, quick }: Results): string[] {
  const seeds = suites.map((suite) => `${suite.suite} ${suite.seeds.join(', ')} (${duration(suite.seconds)})`);
  const rows = [
    ['machine', `${machine.cpu}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB`],
    ['system', machine.os],
    ['Node', `${node} (V8 ${v8})`],
    [
      'package',
      `${version}${commit === undefined ? '' : `, commit ${commit.hash.slice(0, 12)}${commit.dirty ? ' and changes on top' : ''}`}`,
    ],
    ['date', `${date.slice(0, 10)}, ${quick ? 'quick' : 'full'} run, ${duration(seconds)}`],
    ['seeds', seeds.join('; ')],
  ];
  return [
    '## How to reproduce',
    '```\nnpm ci\nnpm run bench              # all of it; writes bench/results/latest.json, this page and its charts\n' +
      'npm run bench -- --quick   # a look; writes nothing\nnpm run bench -- tree      # one suite alone; writes nothing\nnpm run bench -- --help\n```',
    markdownSheet({ head: ['', ''], rows }),
    paragraph(
      'All random choices are seeded, so a run repeats the load, though not the times. `bench/results/latest.json` has every ' +
        'sample; `npm run bench -- --page` makes this page from it again.',
    ),
  ];
}

const COMPARING: readonly string[] = [
  '## How to compare two runs',
  '```\nnpm run bench -- --out before.json\n# change something\nnpm run bench -- --compare before.json --out after.json\n' +
    'npm run bench -- --from after.json --compare before.json   # the same again, without running\n```',
  paragraph(
    'Each measure gets the ratio of the medians with a 95 % interval (bootstrap over the rounds). Packages that are compared with ' +
      'have not changed between the runs, so the median of their ratios is what the machine did, and is taken out of ours. A ' +
      'measure of ours is worse only if, after that, the interval excludes 1, the ratio is beyond the noise of both runs, and ' +
      'beyond the tolerance (`--tolerance`, 10 % by default); the exit code is then 1. With three to five rounds the interval is ' +
      'narrower than its name says: before believing a verdict, run both sides again.',
  ),
];

function duration(seconds: number): string {
  return seconds < 90 ? `${seconds} s` : `${(seconds / 60).toFixed(1)} min`;
}

/** As renderers name the heading. */
function anchorOf(title: string): string {
  return title
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** A line each: suites write notes, and a page of wrapped ones would be twice as long. */
function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

/** Lines as long as those of the other pages. */
function paragraph(text: string): string {
  const lines: string[] = [];
  let line = '';
  // `× 2.0` stays together.
  for (const word of text.split(/(?<!×) /)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length > WIDTH && line !== '') {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].join('\n');
}
