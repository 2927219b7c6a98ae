/**
 * Charts: which pictures are made of a run. A picture whose measures are missing is not made.
 */
import { median } from '../support/statistics.js';
import { type Axis, type Drawing, draw, type Row } from './draw.js';
import type { Measure } from './measure.js';
import type { Results } from './results.js';

/** A picture, and the words for those who do not see it. */
export interface Chart {
  readonly suite: string;
  readonly file: string;
  /** One sentence: what is shown, and against what. */
  readonly caption: string;
  readonly svg: string;
}

interface Plan {
  readonly suite: string;
  readonly file: string;
  readonly caption: string;
  readonly apart?: boolean;
  /** The panel that a measure belongs to; undefined if it is not in the picture. */
  readonly panel: (measure: Measure) => string | undefined;
  readonly value: (measure: Measure) => number | string;
  readonly axes: (rows: readonly Row[]) => { readonly x: Axis; readonly y: Axis };
}

/** Is this the only axis of the measure? */
function alone({ at }: Measure, axis: string): boolean {
  return axis in at && Object.keys(at).length === 1;
}

/** Nines: 0.9 is 1, 0.99 is 2. Puts the rare and slow, which matters, as far apart as the usual. */
function nines(quantile: number): number {
  return -Math.log10(1 - quantile);
}

/** Text is measured without a font, generously: a heading that seems wider than its panel pushes the panels apart. */
const DISTRIBUTION = /^latency of (.*), distribution$/;
const PERCENT = "format(datum.value * 100, '~g') + ' %'";

const PLANS: readonly Plan[] = [
  {
    suite: 'contention',
    file: 'overlap.svg',
    caption: 'How many lookups and invalidations get through in a second, by how probably the two overlap. More is better.',
    apart: true,
    panel: (measure) => (measure.unit === 'ops/s' && alone(measure, 'overlap') ? titleWithoutAxis(measure.title) : undefined),
    value: ({ at }) => at.overlap!,
    axes: (rows) => ({
      x: { title: 'probability of an overlap', scale: 'ordinal', values: distinct(rows), labels: PERCENT },
      y: { title: 'per second', scale: 'linear' },
    }),
  },
  {
    suite: 'contention',
    file: 'latency.svg',
    caption: 'How long operations take, from the quickest tenth to the slowest thousandth of them. Lower is better.',
    panel: ({ at, title }) => ('quantile' in at ? `${title.replace(DISTRIBUTION, '$1')}, ${at.scenario}` : undefined),
    value: ({ at }) => nines(Number(at.quantile)),
    axes: () => ({
      x: {
        title: 'share that took no longer',
        scale: 'linear',
        values: [0.5, 0.9, 0.99, 0.999].map(nines),
        labels: "format(100 - 100 * pow(10, -datum.value), '.3~g') + ' %'",
      },
      y: { title: 'milliseconds', scale: 'log' },
    }),
  },
  {
    suite: 'primitives',
    file: 'read-retry.svg',
    caption: 'What the check costs, by how many invalidations have ended since the lookup began. Lower is better.',
    panel: (measure) => (measure.unit === 'ns' && alone(measure, 'ended') ? '' : undefined),
    value: ({ at }) => at.ended!,
    axes: (rows) => ({
      x: { title: 'invalidations that ended since', scale: 'log', values: distinct(rows) },
      y: { title: 'nanoseconds', scale: 'log' },
    }),
  },
  {
    suite: 'tree',
    file: 'tree.svg',
    caption: 'What operations on the interval tree cost, by the number of intervals in it. Lower is better.',
    apart: true,
    panel: (measure) => (measure.unit === 'ns' && alone(measure, 'n') ? measure.title : undefined),
    value: ({ at }) => at.n!,
    axes: (rows) => ({
      x: { title: 'intervals', scale: 'log', values: distinct(rows) },
      y: { title: 'nanoseconds', scale: 'log' },
    }),
  },
];

function titleWithoutAxis(title: string): string {
  return title.replace(/,? by .*$/, '');
}

function distinct(rows: readonly Row[]): (number | string)[] {
  return [...new Set(rows.map(({ x }) => x))].sort((a, b) => Number(a) - Number(b));
}

/** All pictures that the run has measures for. */
export async function chartsOf(results: Results): Promise<Chart[]> {
  const charts: Chart[] = [];
  for (const plan of PLANS) {
    const drawing = drawingOf(plan, results);
    // A line needs two points.
    if (drawing === undefined || distinct(drawing.rows).length < 2) continue;
    charts.push({ suite: plan.suite, file: plan.file, caption: plan.caption, svg: await draw(drawing) });
  }
  return charts;
}

function drawingOf({ suite, panel, value, axes, apart = false }: Plan, results: Results): Drawing | undefined {
  const measures = results.suites.find((record) => record.suite === suite)?.measures ?? [];
  const rows = measures.flatMap((measure): Row[] => {
    const name = panel(measure);
    const y = median(measure.samples);
    return name === undefined ? [] : [{ panel: name, subject: measure.subject, x: value(measure), y }];
  });
  if (rows.length === 0) return undefined;
  const { x, y } = axes(rows);
  // What is not above zero has no place on a logarithmic scale.
  const shown = y.scale === 'log' ? rows.filter((row) => row.y > 0) : rows;
  return { rows: shown, x, y, apart };
}
