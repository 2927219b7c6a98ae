/**
 * Tables: the measures of a suite side by side, one table a title. The same tables are printed and put on the page.
 */
import { median, spread } from '../support/statistics.js';
import { number, table } from '../support/text.js';
import { advantageOf, timesText } from './advantage.js';
import { type Measure, OWN, type SuiteResult } from './measure.js';
import { pointOf } from './results.js';

/** What a page of usual width has room for. */
const MOST_COLUMNS = 8;

/** One table. */
export interface Sheet {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** All measures of one title, by where and who. */
export interface Grid {
  readonly title: string;
  readonly subjects: readonly string[];
  /** As {@link pointOf} says them; the empty one of a title without axes. */
  readonly points: readonly string[];
  /** The name of the only axis; empty if there are none or several. */
  readonly axis: string;
  readonly cell: (point: string, subject: string) => Measure | undefined;
}

/** The tables of a suite, in the order in which the titles were handed in. */
export function sheetsOf({ measures }: Pick<SuiteResult, 'measures'>): Sheet[] {
  return gridsOf(measures).map(sheetOf);
}

/** The measures, title by title. */
export function gridsOf(measures: readonly Measure[]): Grid[] {
  const titles = [...new Set(measures.map(({ title }) => title))];
  return titles.map((title) => {
    const list = measures.filter((measure) => measure.title === title);
    const keys = [...new Set(list.flatMap(({ at }) => Object.keys(at)))];
    const cells = new Map(list.map((measure) => [JSON.stringify([pointOf(measure.at), measure.subject]), measure]));
    return {
      title,
      subjects: ownFirst(list.map(({ subject }) => subject)),
      points: [...new Set(list.map(({ at }) => pointOf(at)))],
      axis: keys.length === 1 ? keys[0]! : '',
      cell: (point, subject) => cells.get(JSON.stringify([point, subject])),
    };
  });
}

/** Each once, ours before the others. */
export function ownFirst(subjects: readonly string[]): string[] {
  const others = new Set(subjects);
  return others.delete(OWN) ? [OWN, ...others] : [...others];
}

function sheetOf(grid: Grid): Sheet {
  const { points, subjects, axis } = grid;
  if (points.length === 1) return single(grid);
  const title = titleOf(grid);
  if (subjects.length < MOST_COLUMNS) {
    const heads = rowHeads(points, axis);
    const rows = points.map((point, i) => [heads[i]!, ...subjects.map((subject) => cellOf(grid, point, subject))]);
    return { title, head: [axis, ...subjects], rows };
  }
  if (points.length < MOST_COLUMNS) {
    const rows = subjects.map((subject) => [subject, ...points.map((point) => cellOf(grid, point, subject))]);
    return { title, head: ['', ...points], rows };
  }
  const rows = points.flatMap((point) => subjects.map((subject) => [point, subject, cellOf(grid, point, subject)]));
  return { title, head: ['', '', 'median'], rows };
}

/** With one point there is room for the spread. */
function single(grid: Grid): Sheet {
  const point = grid.points[0]!;
  const rows = grid.subjects.map((subject) => {
    const { samples } = grid.cell(point, subject)!;
    return [subject, number(median(samples)), spreadOf(samples), timesOf(grid, point, subject)];
  });
  return {
    title: `${titleOf(grid)}${point === '' ? '' : `, ${point}`}`,
    head: ['', 'median', 'least … greatest', 'ours is better'],
    rows,
  };
}

/** With the unit of its numbers. */
export function titleOf({ title, points, subjects, cell }: Grid): string {
  const unit = points
    .flatMap((point) => subjects.map((subject) => cell(point, subject)?.unit))
    .find((found) => found !== undefined);
  return unit === 'count' || unit === undefined ? title : `${title} (${unit === 'ratio' ? 'times' : unit})`;
}

/** Below the name of an only axis, `n 8` and `n 64` need not say `n` again. */
export function rowHeads(points: readonly string[], axis: string): string[] {
  return points.map((point) => (axis !== '' && point.startsWith(`${axis} `) ? point.slice(axis.length + 1) : point));
}

/** A number, and how many times better ours is. */
export function cellOf(grid: Grid, point: string, subject: string): string {
  const measure = grid.cell(point, subject);
  if (measure === undefined) return '-';
  const times = timesOf(grid, point, subject);
  return `${number(median(measure.samples))}${times === '' ? '' : ` (${times})`}`;
}

/** How many times better ours is at the same point; nothing for ours, and where there is no better. */
function timesOf(grid: Grid, point: string, subject: string): string {
  const advantage = subject === OWN ? undefined : advantageOf(grid.cell(point, OWN), grid.cell(point, subject));
  return advantage === undefined ? '' : timesText(advantage.times);
}

function spreadOf(samples: readonly number[]): string {
  return spread(samples, Math.max(...samples) < 100 ? 2 : 0);
}

/** For a terminal. */
export function printSheet({ title, head, rows }: Sheet): string {
  return `${title}\n${table(head, rows)}`;
}

/** For the page. */
export function markdownSheet({ head, rows }: Pick<Sheet, 'head' | 'rows'>): string {
  const cellText = (cell: string) => cell.replaceAll('|', '\\|');
  const line = (cells: readonly string[]) => `| ${cells.map(cellText).join(' | ')} |`;
  return [line(head), `|${head.map((_, i) => (i === 0 ? '---' : '---:')).join('|')}|`, ...rows.map(line)].join('\n');
}
