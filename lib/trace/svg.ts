/**
 * SVG: a trace as a still picture for a document. Only what is asked for goes in; every shape says its text when it is pointed at.
 */
import { check } from '../base/errors.js';
import { checkNames, type Names, names } from '../base/options.js';
import type { Trace } from './events.js';
import { type Box, type Line, plotOf, type RulerPen, type ShapePen, type Word } from './paint.js';
import { paintRulers } from './rulers.js';
import { type Scene, type Style, sceneOf } from './scene.js';
import { paintShapes } from './shapes.js';
import { LEGEND, themeOf } from './theme.js';

/** How a picture is made. */
export interface SvgOptions {
  /** In pixels; default 760. */
  width?: number | undefined;
  /** In pixels; default 18 for each event, between 160 and 4,000, and room for axis and legend. */
  height?: number | undefined;
  /**
   * `order` (the default) gives every event a line of its own, which shows an interleaving; `clock` is in proportion to time,
   * which shows a load.
   */
  time?: 'order' | 'clock' | undefined;
  /** Shows no more than the last so many milliseconds of the trace; default all of it. */
  lastMs?: number | undefined;
  /** What the numbers across are (`'bytes'`); default `'space'`, or `'slots of keys'` where ranges are keys. */
  space?: string | undefined;
  /** Said by a reader that cannot show pictures; default how many sections and lookups there are. */
  title?: string | undefined;
}

const LEFT = 108;
const TOP = 40;
const EVENT_HEIGHT = 18;
const LEGEND_LINE = 20;

const SVG_OPTIONS: Names = /* @__PURE__ */ names('width height time lastMs space title');

/**
 * The picture as the text of an SVG file, readable in light and dark, without any reference to something outside.
 * Throws `InvalidArgumentError`. O(n log n); the file has some 300 bytes for each event, so it is for short runs.
 */
export function toSvg(trace: Trace, options: SvgOptions = {}): string {
  checkNames(options, SVG_OPTIONS, 'toSvg');
  check(options.space === undefined || typeof options.space === 'string', 'space', options.space, 'a string');
  const scene = sceneOf(trace, options.space);
  const { width = 760, time = 'order', lastMs, title = summaryOf(scene) } = options;
  checkLast(lastMs);
  const from = lastMs === undefined ? 0 : firstOfLast(scene, lastMs);
  const { height: wanted = TOP + Math.min(4000, Math.max(160, (scene.length - from) * EVENT_HEIGHT)) } = options;
  check(width >= 200 && Number.isFinite(width), 'width', width, 'a number of at least 200');
  check(wanted >= 100 && Number.isFinite(wanted), 'height', wanted, 'a number of at least 100');
  check(time === 'order' || time === 'clock', 'time', time, "'order' or 'clock'");
  const order = time === 'order';
  const pen = new SvgPen(scene);
  const end = scene.times.at(-1)!;
  const y1 = Math.max(order ? scene.length : end, 1e-6);
  const y0 = order ? Math.min(from, y1 - 1e-6) : Math.max(0, end - (lastMs ?? end));
  const plot = plotOf(scene, { ...{ width: width - 8, height: wanted, left: LEFT, top: TOP, x0: 0, x1: 1, y0, y1 }, order });
  paintRulers(scene, plot, pen);
  paintShapes(scene, plot, pen);
  const legend = legendOf(scene, width);
  const height = wanted + 14 + legend.lines * LEGEND_LINE;
  return `<svg xmlns="http://www.w3.org/2000/svg" class="rangefence" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>
${themeOf('.rangefence')}
${STYLE}
${SHAPE_STYLE}
</style>
${HATCHES}
<rect class="paper" width="${width}" height="${height}"/>
${pen.text()}
<g transform="translate(0 ${wanted + 14})">
${legend.text}
</g>
</svg>
`;
}

/** Throws `InvalidArgumentError` unless it is a length of time, or nothing. */
export function checkLast(lastMs: number | undefined): void {
  check(lastMs === undefined || lastMs > 0, 'lastMs', lastMs, 'a number above 0');
}

/** The position of the first event of the last so many milliseconds. */
export function firstOfLast({ times, length }: Scene, lastMs: number): number {
  const since = times[length]! - lastMs;
  const first = times.findIndex((time) => time >= since);
  return first < 0 ? 0 : first;
}

/** `2 sections, 3 lookups, 4 attempts, 1 collision`, and what is missing. */
export function summaryOf({ counts }: Scene): string {
  const { sections, lookups, attempts, collisions, dropped, incomplete } = counts;
  const many = (count: number, one: string) => `${count.toLocaleString('en-US')} ${one}${count === 1 ? '' : 's'}`;
  return [
    ...[many(sections, 'section'), many(lookups, 'lookup'), many(attempts, 'attempt'), many(collisions, 'collision')],
    ...(dropped > 0 ? [`${many(dropped, 'earlier event')} forgotten`] : []),
    ...(incomplete > 0 ? [`${many(incomplete, 'thing')} not shown, as only their ends are known`] : []),
  ].join(', ');
}

const STYLE = `.rangefence text { font: 11px ui-monospace, 'SF Mono', Menlo, Consolas, monospace; fill: var(--muted); }
.rangefence text.name { fill: var(--ink); }
.paper { fill: var(--paper); }
.grid { stroke: var(--grid); }
.gap { stroke: var(--muted); stroke-dasharray: 1 5; }
.link { stroke: var(--collision); stroke-dasharray: 2 3; }`;

/** How shapes look, in a file of their own as well as in the legend of a page. */
export const SHAPE_STYLE = `.shape { fill: none; stroke-width: 1.5; }
.section { fill: var(--section); fill-opacity: .26; stroke: var(--section); stroke-width: 1; }
.queue { fill: url(#hatch-section); stroke: var(--section); stroke-width: 1; }
.refused { fill: var(--paper); stroke: var(--refused); stroke-dasharray: 3 2; }
.committed { stroke: var(--committed); fill: var(--committed); fill-opacity: .1; }
.lost { stroke: var(--lost); stroke-dasharray: 5 3; }
.failed { stroke: var(--failed); stroke-dasharray: 2 2; }
.open { stroke: var(--open); }
.gaveUp { fill: url(#hatch-failed); stroke: var(--failed); stroke-dasharray: 2 2; }
.telling { fill: url(#hatch-notice); }
.wait { fill: url(#hatch-wait); stroke: var(--wait); stroke-width: 1; }
.hold { fill: var(--hold); }
.notice { fill: var(--notice); }
.collision { stroke: var(--collision); stroke-width: 2.5; }`;

/** Lines from corner to corner, and what is missing at the two others, so that tiles join. */
export const HATCHES: string = `<defs>${['section', 'wait', 'failed', 'notice']
  .map(
    (name) =>
      `<pattern id="hatch-${name}" width="6" height="6" patternUnits="userSpaceOnUse"><path d="M-1 1l2-2M0 6l6-6M5 7l2-2" stroke="var(--${name})" fill="none"/></pattern>`,
  )
  .join('')}</defs>`;

const EDGE = 3;

/** The parts of a shape, in pixels. A hold is two bars beside what it holds. */
export function shapeOf(style: Style | 'collision', { x, y, width, height }: Omit<Box, 'text'>): string {
  const at = `y="${round(y)}" height="${round(height)}"`;
  if (style === 'hold') {
    return `<g class="hold"><rect x="${round(x)}" width="${EDGE}" ${at}/><rect x="${round(x + width - EDGE)}" width="${EDGE}" ${at}/></g>`;
  }
  if (style === 'collision') {
    return `<path class="collision" d="M${round(x)} ${round(y)}l${width} ${height}m0 ${-height}l${-width} ${height}"/>`;
  }
  return `<rect class="shape ${style}" x="${round(x)}" width="${round(width)}" ${at}/>`;
}

/** Less than so many pixels high, something hides what is no wider, of the same style, at the same place. */
const LOW = 2;
/** In a crowd, one shape for each so many pixels is all that can be told apart, and the file does not grow with the run. */
const LOW_IN_A_CROWD = 4;
const CROWD = 20_000;

class SvgPen implements RulerPen, ShapePen {
  readonly mostShapes = Number.POSITIVE_INFINITY;
  readonly mostCrosses = 2000;
  readonly #texts: readonly string[];
  readonly #low: number;
  /** How wide what hides others is, by style and place. */
  readonly #hidden = new Map<string, number>();
  readonly #parts: string[] = [];

  constructor({ texts }: Scene) {
    this.#texts = texts;
    this.#low = texts.length > CROWD ? LOW_IN_A_CROWD : LOW;
  }

  shape(style: Style, box: Box): void {
    if (box.height <= this.#low && this.#isHidden(style, box, this.#low)) return;
    // A point in time has no height, but should be seen.
    this.#titled(shapeOf(style, { ...box, height: Math.max(box.height, style === 'refused' ? 5 : 2) }), box);
  }

  /** Never called: as many shapes are drawn as there are. */
  speck(): void {}

  cross(box: Box): void {
    if (!this.#isHidden('collision', box, 3)) this.#titled(shapeOf('collision', box), box);
  }

  dot(box: Box): void {
    this.cross(box);
  }

  line(kind: 'grid' | 'gap' | 'link', { x1, y1, x2, y2 }: Line): void {
    this.#parts.push(`<path class="${kind}" d="M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}"/>`);
  }

  link(line: Line): void {
    this.line('link', line);
  }

  word(kind: 'axis' | 'name', { x, y, text, align }: Word): void {
    this.#parts.push(`<text class="${kind}" x="${round(x)}" y="${round(y)}" text-anchor="${align}">${escaped(text)}</text>`);
  }

  name(word: Word): void {
    const { x, y, text } = word;
    this.#parts.push(
      `<rect class="paper" x="${round(x - 2)}" y="${round(y - 10)}" width="${round(text.length * 6.6 + 4)}" height="13"/>`,
    );
    this.word('name', word);
  }

  crowded(): void {}

  text(): string {
    return this.#parts.join('\n');
  }

  #isHidden(style: string, { x, y, width }: Box, size: number): boolean {
    const place = `${style} ${Math.floor(x / size)} ${Math.floor(y / size)}`;
    const widest = this.#hidden.get(place);
    if (widest !== undefined && widest > width - size + 1) return true;
    this.#hidden.set(place, width);
    return false;
  }

  #titled(shape: string, { text }: Box): void {
    this.#parts.push(`<g>${shape}<title>${escaped(this.#texts[text]!)}</title></g>`);
  }
}

/** Only what occurs, in as many lines as it takes. */
function legendOf(scene: Scene, width: number): { readonly text: string; readonly lines: number } {
  const used = new Set<string>(scene.layers.flatMap(({ style }) => style.map((number) => scene.styles[number]!)));
  if (scene.marks.length > 0) used.add('collision');
  let x = LEFT;
  let line = 0;
  const parts: string[] = [];
  for (const [style, text] of LEGEND) {
    if (!used.has(style)) continue;
    const room = 34 + text.length * 6.8;
    if (x + room > width && x > LEFT) {
      x = LEFT;
      line++;
    }
    const y = line * LEGEND_LINE;
    const size = style === 'collision' ? { x: x + 4, y: y + 1, width: 10, height: 10 } : { x, y, width: 18, height: 12 };
    parts.push(shapeOf(style, style === 'notice' ? { ...size, y: y + 5, height: 2 } : size));
    parts.push(`<text x="${round(x + 24)}" y="${y + 10}">${escaped(text)}</text>`);
    x += room;
  }
  return { text: parts.join('\n'), lines: line + 1 };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Text for markup: between tags, and in attributes. No control characters, which XML does not know how to write. */
export function escaped(text: string): string {
  return text
    .replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)
    .replace(/\p{Cc}/gu, (char) => (char === '\n' ? char : ' '));
}
