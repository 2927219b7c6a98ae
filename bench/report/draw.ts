/**
 * Draw: a chart from rows of data, as SVG, without a browser. All charts share one look: white behind, since they are shown on
 * dark pages, too; ours as a thick line before thin ones; colours that the colour-blind can tell apart, and a mark of its own for
 * every subject in case they cannot.
 */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { OWN } from './measure.js';
import { ownFirst } from './tables.js';

/** One point of a line. */
export interface Row {
  readonly panel: string;
  readonly subject: string;
  readonly x: number | string;
  readonly y: number;
}

/** An axis: its title says the unit. `labels` is an expression of vega that turns `datum.value` into text. */
export interface Axis {
  readonly title: string;
  readonly scale: 'log' | 'linear' | 'ordinal';
  readonly values?: readonly (number | string)[];
  readonly labels?: string;
}

/** What is drawn. */
export interface Drawing {
  readonly rows: readonly Row[];
  readonly x: Axis;
  readonly y: Axis;
  /** True if panels show different things and cannot share one vertical scale. */
  readonly apart: boolean;
}

/** Of Okabe and Ito, without the yellow that is lost on white; ours is the strongest. */
const OWN_COLOUR = '#d55e00';
const COLOURS = ['#0072b2', '#009e73', '#000000', '#cc79a7', '#56b4e9', '#e69f00', '#888888', '#6a3d9a', '#4d4d00'] as const;
const SHAPES = [
  'circle',
  'square',
  'triangle-up',
  'diamond',
  'cross',
  'triangle-down',
  'triangle-left',
  'triangle-right',
] as const;

/** Of all panels of a row together, axes and gaps included: what a page of documentation shows without scaling down. */
const WIDTH = 700;
const AXIS_WIDTH = 100;
const PANEL_HEIGHT = 230;
/** So that no mark is cut in half by the frame. */
const PADDING = 8;
const TICKS = 6;
const LEGEND_COLUMNS = 4;
/** Characters, beyond which four names of 13 pixels a letter do not fit side by side. */
const LONG_NAME = 18;

/** The chart. Equal rows give equal text. */
export async function draw(drawing: Drawing): Promise<string> {
  const spec = compile(specOf(drawing)).spec;
  const view = new View(parse(spec), { renderer: 'none' });
  try {
    return uniform(await view.toSVG());
  } finally {
    view.finalize();
  }
}

/** Names of clipping paths count up for as long as the process lives; in a file they start at zero. */
function uniform(svg: string): string {
  const names = new Map<string, string>();
  const renamed = svg.replace(/\b(clip|gradient)(\d+)\b/g, (name, kind: string) => {
    const known = names.get(name) ?? `${kind}${names.size}`;
    names.set(name, known);
    return known;
  });
  return `${renamed}\n`;
}

function specOf({ rows, x, y, apart }: Drawing): TopLevelSpec {
  const panels = [...new Set(rows.map(({ panel }) => panel))];
  const columns = Math.min(2, panels.length);
  // What comes last is drawn on top.
  const data = [...rows.filter(({ subject }) => subject !== OWN), ...rows.filter(({ subject }) => subject === OWN)];
  const spec = {
    width: Math.floor(WIDTH / columns) - AXIS_WIDTH,
    height: PANEL_HEIGHT,
    layer: layersOf(rows, x, y),
  };
  return {
    background: 'white',
    padding: 8,
    config: configOf(rows),
    data: { values: [...data] },
    ...(panels.length === 1
      ? spec
      : {
          facet: { field: 'panel', type: 'nominal', sort: panels, title: null },
          columns,
          spec,
          // Every panel has its own numbers below it: the last row may be shorter than the others.
          resolve: { scale: { y: apart ? 'independent' : 'shared' }, axis: { x: 'independent', y: 'independent' } },
        }),
  } as TopLevelSpec;
}

function configOf(rows: readonly Row[]): object {
  const text = { labelColor: '#222', titleColor: '#222' };
  const longest = Math.max(...rows.map(({ subject }) => subject.length));
  return {
    font: 'Helvetica, Arial, sans-serif',
    axis: { labelFontSize: 12, titleFontSize: 13, titleFontWeight: 'normal', gridColor: '#e4e4e4', ...text },
    header: { labelFontSize: 14, labelFontWeight: 'bold', labelColor: '#222' },
    legend: {
      ...{ labelFontSize: 13, labelLimit: 0, symbolSize: 90, symbolStrokeWidth: 2, labelColor: '#222' },
      ...{ orient: 'bottom', title: null, columns: longest > LONG_NAME ? LEGEND_COLUMNS - 1 : LEGEND_COLUMNS },
    },
    view: { stroke: '#bbb' },
  };
}

function layersOf(rows: readonly Row[], x: Axis, y: Axis): object[] {
  const subjects = ownFirst(rows.map(({ subject }) => subject));
  const colours = subjects.map((subject, i) => (subject === OWN ? OWN_COLOUR : COLOURS[i % COLOURS.length]!));
  const shapes = subjects.map((_, i) => SHAPES[i % SHAPES.length]!);
  const own = `datum.subject === '${OWN}'`;
  const common = {
    x: { field: 'x', ...axisOf(x) },
    y: { field: 'y', ...axisOf(y) },
    color: { field: 'subject', type: 'nominal', scale: { domain: subjects, range: colours } },
  };
  return [
    {
      mark: { type: 'line', clip: true },
      encoding: { ...common, strokeWidth: { condition: { test: own, value: 3.5 }, value: 1.5 } },
    },
    {
      mark: { type: 'point', filled: true, opacity: 1 },
      encoding: {
        ...common,
        shape: { field: 'subject', type: 'nominal', scale: { domain: subjects, range: shapes } },
        size: { condition: { test: own, value: 60 }, value: 32 },
      },
    },
  ];
}

function axisOf({ title, scale, values, labels }: Axis): object {
  const axis = { ...(values === undefined ? {} : { values }), ...(labels === undefined ? {} : { labelExpr: labels }) };
  if (scale === 'ordinal') return { type: 'ordinal', sort: values ?? null, title, axis: { ...axis, labelAngle: 0 } };
  // Thousands are written out: `10,000` says more than `10k` next to `10`.
  const format = labels === undefined ? { format: ',~r' } : {};
  const kind =
    scale === 'log'
      ? { type: 'log', nice: false, padding: PADDING }
      : values === undefined
        ? { zero: true }
        : { zero: false, padding: PADDING };
  // Where the ticks are given, each is wanted.
  const overlap = values === undefined ? {} : { labelOverlap: false, labelFlush: false };
  const ticks = scale === 'log' && values === undefined ? { tickCount: TICKS } : {};
  return { type: 'quantitative', title, scale: kind, axis: { ...format, ...axis, ...overlap, ...ticks } };
}
