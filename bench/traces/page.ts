/**
 * Page: the comparison as tables, for the terminal and for the part of docs/comparison.md between its two marks.
 */
import { markdownSheet } from '../report/tables.js';
import { number, table } from '../support/text.js';
import { CONTENDERS, type Comparison } from './compare.js';
import type { Outcome } from './ledger.js';

const BEGIN = '<!-- figures: written by `npm run bench:traces -- --write`, do not edit -->';
const END = '<!-- end of figures -->';

const HEAD = [
  'rule',
  'waits',
  'false',
  'waited, ms',
  'in vain, ms',
  'retries',
  'false',
  'changes delayed, ms',
  'done in time',
] as const;

type Count = Pick<
  Outcome,
  'waits' | 'falseWaits' | 'waited' | 'inVain' | 'retries' | 'falseRetries' | 'delayed' | 'completions' | 'starved'
>;

/** For a terminal. */
export function printComparisons(comparisons: readonly Comparison[]): string {
  const tables = comparisons.map((comparison) => `${titleOf(comparison)}\n${table(HEAD, rowsOf(comparison))}`);
  return [...tables, `all of them together\n${table(HEAD, totalsOf(comparisons))}`].join('\n\n');
}

/** For the page, without the marks. */
export function markdownComparisons(comparisons: readonly Comparison[]): string {
  const parts = comparisons.map((comparison) => {
    const { name, text, seed } = comparison.source;
    const sheet = markdownSheet({ head: HEAD, rows: rowsOf(comparison) });
    return `### ${name}\n\n${text} ${sizeOf(comparison)}; seed ${seed}.\n\n${sheet}`;
  });
  const totals = markdownSheet({ head: HEAD, rows: totalsOf(comparisons) });
  return [`### All of them together\n\n${totals}`, ...parts].join('\n\n');
}

/** What stands between the marks of a page now. Throws if it has not exactly the two of them. */
export function figuresOf(page: string): string {
  const [before, after] = around(page);
  return page.slice(before.length, page.length - after.length).trim();
}

/** The page with other figures between its marks. */
export function withFigures(page: string, figures: string): string {
  const [before, after] = around(page);
  return `${before}\n\n${figures}\n\n${after}`;
}

function around(page: string): [before: string, after: string] {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the page has no figures; expected them between "${BEGIN}" and "${END}"`);
  return [page.slice(0, begin + BEGIN.length), page.slice(end)];
}

function titleOf(comparison: Comparison): string {
  const { name, seed } = comparison.source;
  return `${name}: ${sizeOf(comparison)}; seed ${seed}`;
}

function sizeOf({ work: { lookups, invalidations } }: Comparison): string {
  return `${number(lookups.length)} lookups, ${number(invalidations.length)} changes`;
}

function rowsOf({ outcomes }: Comparison): string[][] {
  return outcomes.map(({ contender, outcome }) => rowOf(contender.name, outcome));
}

function totalsOf(comparisons: readonly Comparison[]): string[][] {
  return CONTENDERS.map(({ name }) => {
    const all = comparisons.map(({ outcomes }) => outcomes.find(({ contender }) => contender.name === name)!.outcome);
    return rowOf(name, all.reduce<Count>(add, ZERO));
  });
}

function rowOf(name: string, outcome: Count): string[] {
  const { waits, falseWaits, waited, inVain, retries, falseRetries, delayed, completions, starved } = outcome;
  const counts = [waits, falseWaits, Math.round(waited), Math.round(inVain), retries, falseRetries, Math.round(delayed)];
  const inTime = completions.length - starved.length;
  return [name, ...counts.map(number), `${number(inTime)} of ${number(completions.length)}`];
}

const ZERO: Count = {
  ...{ waits: 0, falseWaits: 0, waited: 0, inVain: 0, retries: 0, falseRetries: 0, delayed: 0 },
  completions: [],
  starved: [],
};

function add(a: Count, b: Count): Count {
  return {
    waits: a.waits + b.waits,
    falseWaits: a.falseWaits + b.falseWaits,
    waited: a.waited + b.waited,
    inVain: a.inVain + b.inVain,
    retries: a.retries + b.retries,
    falseRetries: a.falseRetries + b.falseRetries,
    delayed: a.delayed + b.delayed,
    completions: [...a.completions, ...b.completions],
    starved: [...a.starved, ...b.starved],
  };
}
