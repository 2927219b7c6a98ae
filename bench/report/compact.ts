/**
 * Compact: the tables of the page, several titles in one. A page has room for what decides; every number is in the file of results.
 */
import { median } from '../support/statistics.js';
import { number } from '../support/text.js';
import { advantageOf, timesText } from './advantage.js';
import { type Measure, OWN } from './measure.js';
import { cellOf, type Grid, gridsOf, ownFirst, rowHeads, type Sheet, sheetsOf, titleOf } from './tables.js';

/** Beside the column that says where. */
const MOST_TITLES = 6;
/** Of what has a better and a worse: what a suite hands in first is what it is about. */
const MOST_COMPARED = 4;

/** The tables for the page: of pairs if the suite compares two, otherwise all, those of single points in one. */
export function pageSheets(measures: readonly Measure[]): Sheet[] {
  // A chart shows distributions better than a table, and a multiple of another subject is beside that subject's number already.
  const drawn = measures.filter(({ at, unit }) => !('quantile' in at) && unit !== 'ratio');
  const subjects = ownFirst(drawn.map(({ subject }) => subject));
  if (subjects.length === 2 && subjects[0] === OWN) return pairSheets(gridsOf(drawn), subjects[1]!);
  const pointless = drawn.filter(({ at }) => Object.keys(at).length === 0);
  return [...singleSheets(gridsOf(pointless)), ...sheetsOf({ measures: drawn.filter((item) => !pointless.includes(item)) })];
}

/** One table for each group of titles that end alike (`…, by overlap`), a column a title, both numbers in each cell. */
function pairSheets(grids: readonly Grid[], other: string): Sheet[] {
  const groupOf = ({ title }: Grid) => (title.includes(', ') ? title.slice(title.indexOf(', ') + 2) : '');
  return [...new Set(grids.map(groupOf))].map((group): Sheet => {
    const list = grids.filter((grid) => groupOf(grid) === group);
    const shown = chosen(list);
    const points = [...new Set(list.flatMap((grid) => grid.points))];
    const columns = shown.map((grid) => titleOf(grid).replace(`, ${group}`, ''));
    const axis = list.every((grid) => grid.axis === list[0]!.axis) ? list[0]!.axis : '';
    const heads = rowHeads(points, axis);
    const rows = points.map((point, i) => [heads[i]!, ...shown.map((grid) => pairCell(grid, point, other))]);
    return { title: `${group === '' ? OWN : sentence(group)}: ${OWN} / ${other}`, head: [axis, ...columns], rows };
  });
}

function chosen(grids: readonly Grid[]): Grid[] {
  const compared = grids.filter(isCompared).slice(0, MOST_COMPARED);
  const counted = grids.filter((grid) => !isCompared(grid)).slice(0, MOST_TITLES - compared.length);
  return grids.filter((grid) => compared.includes(grid) || counted.includes(grid));
}

function isCompared({ points, subjects, cell }: Grid): boolean {
  return points.some((point) => subjects.some((subject) => cell(point, subject)?.better !== undefined));
}

function pairCell(grid: Grid, point: string, other: string): string {
  const pair = [grid.cell(point, OWN), grid.cell(point, other)] as const;
  if (pair.every((measure) => measure === undefined)) return '-';
  const advantage = advantageOf(...pair);
  const numbers = pair.map((measure) => (measure === undefined ? '-' : number(median(measure.samples)))).join(' / ');
  return advantage === undefined ? numbers : `${numbers} (${timesText(advantage.times)})`;
}

function singleSheets(grids: readonly Grid[]): Sheet[] {
  const sheets: Sheet[] = [];
  for (let i = 0; i < grids.length; i += MOST_TITLES) {
    const shown = grids.slice(i, i + MOST_TITLES);
    const subjects = ownFirst(shown.flatMap((grid) => grid.subjects));
    const rows = subjects.map((subject) => [subject, ...shown.map((grid) => cellOf(grid, '', subject))]);
    sheets.push({ title: 'One at a time', head: ['', ...shown.map(titleOf)], rows });
  }
  return sheets;
}

function sentence(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
