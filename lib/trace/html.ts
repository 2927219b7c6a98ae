/**
 * HTML: a trace as one file that needs nothing else: data, script and style are inside, and nothing is fetched.
 */
import { check } from '../base/errors.js';
import { checkNames, type Names, names } from '../base/options.js';
import { makeDensity } from './density.js';
import type { Trace } from './events.js';
import { makeInk } from './ink.js';
import { paintOverview } from './overview.js';
import { plotOf } from './paint.js';
import { paintRulers } from './rulers.js';
import { type Scene, sceneOf } from './scene.js';
import { paintShapes } from './shapes.js';
import { checkLast, escaped, HATCHES, SHAPE_STYLE, shapeOf, summaryOf } from './svg.js';
import { COLOUR_NAMES, LEGEND, themeOf } from './theme.js';
import { startViewer } from './viewer.js';

/** How a page is made. */
export interface HtmlOptions {
  /** The heading; default `rangefence trace`. */
  title?: string | undefined;
  /** What the numbers across are (`'bytes'`); default `'space'`, or `'slots of keys'` where ranges are keys. */
  space?: string | undefined;
  /** Opens with the last so many milliseconds in sight; default the first collision, or all of it if there is none. */
  lastMs?: number | undefined;
}

const HTML_OPTIONS: Names = /* @__PURE__ */ names('title space lastMs');

/**
 * A page that shows the run: the space across, time down. It can be zoomed, moved and pointed at, and says on its root element
 * what is in it (`data-sections`, `data-lookups`, …). Throws `InvalidArgumentError`. O(n log n); some 150 bytes an event.
 */
export function toHtml(trace: Trace, options: HtmlOptions = {}): string {
  checkNames(options, HTML_OPTIONS, 'toHtml');
  const { title = 'rangefence trace', space, lastMs } = options;
  check(typeof title === 'string', 'title', title, 'a string');
  check(space === undefined || typeof space === 'string', 'space', space, 'a string');
  checkLast(lastMs);
  const scene = sceneOf(trace, space);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${escaped(title)}</title>
<style>
${themeOf(':root')}
${STYLE}
${SHAPE_STYLE}
</style>
</head>
<body>
<header>
<h1>${escaped(title)}</h1>
<p id="summary">${escaped(summaryOf(scene))}</p>
<div class="buttons">
<span>collision <button id="previous" type="button" title="the previous one: p">‹</button><span id="which">${scene.marks.length}</span><button id="next" type="button" title="the next one: n">›</button></span>
<span>time <button id="time-out" type="button" title="less of it: -">−</button><button id="time-in" type="button" title="more of it: +">+</button></span>
<span>space <button id="space-out" type="button" title="less of it: &lt;">−</button><button id="space-in" type="button" title="more of it: &gt;">+</button></span>
<label>last <input id="last" type="number" min="1" step="any" inputmode="decimal" value="${lastMs ?? ''}"> ms</label>
<button id="fit" type="button" title="0, or a double click">all</button>
<button id="measure" type="button" title="t">in proportion to time</button>
</div>
${legend()}
<p class="help">Wheel: go through time. Ctrl + wheel: zoom time. Shift + wheel: zoom space. Drag: move. n, p: next and previous collision. Point at anything.</p>
</header>
<main><canvas id="scene" tabindex="0" role="img" aria-label="${escaped(summaryOf(scene))}"></canvas><canvas id="overview" role="img" aria-label="The whole run: how much happened when, and where somebody was hit"></canvas><div id="seen"></div><div id="ring" hidden></div></main>
<div id="tip" role="tooltip" hidden></div>
<script type="application/json" id="data">${dataOf(scene)}</script>
<script>
${scriptOf(lastMs)}
</script>
</body>
</html>
`;
}

/** No `</script>` can be in it, nor a comment that would open one. */
function dataOf(scene: Scene): string {
  return JSON.stringify(scene).replaceAll('<', '\\u003c');
}

/** What the page is made of; each uses nothing but its parameters. */
const FUNCTIONS = { plotOf, paintRulers, paintShapes, makeDensity, makeInk, paintOverview };

/** Loaders that keep the names of functions put calls of a helper into their source text. */
function scriptOf(lastMs: number | undefined): string {
  const functions = Object.entries(FUNCTIONS).map(([name, text]) => `${name}: ${text.toString()}`);
  return `'use strict';
const __name = (value) => value;
const startViewer = ${startViewer.toString()};
const functions = { ${functions.join(',\n')} };
const scene = JSON.parse(document.getElementById('data').textContent);
const legend = ${JSON.stringify(LEGEND)};
startViewer({ window: globalThis, scene, legend, lastMs: ${lastMs}, colourNames: ${JSON.stringify(COLOUR_NAMES)}, ...functions });`;
}

function legend(): string {
  const items = LEGEND.map(([style, text]) => {
    const box = { collision: { x: 4, y: 2, width: 10, height: 10 }, notice: { x: 0, y: 6, width: 18, height: 2 } };
    const place = style === 'collision' || style === 'notice' ? box[style] : { x: 1, y: 1, width: 16, height: 12 };
    return `<li><svg width="18" height="14" aria-hidden="true">${shapeOf(style, place)}</svg>${escaped(text)}</li>`;
  });
  return `<svg width="0" height="0" style="position:absolute" aria-hidden="true">${HATCHES}</svg><ul class="legend">${items.join('')}</ul>`;
}

const STYLE = `html, body { height: 100%; margin: 0; }
body { display: flex; flex-direction: column; background: var(--paper); color: var(--ink); font: 13px system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 18px; padding: 10px 16px 8px; background: var(--panel); border-bottom: 1px solid var(--grid); }
h1 { font-size: 15px; margin: 0; }
p { margin: 0; }
#summary, .help { color: var(--muted); }
.help { font-size: 12px; }
.buttons { display: flex; flex-wrap: wrap; gap: 4px 12px; margin-left: auto; align-items: center; color: var(--muted); white-space: nowrap; }
button { font: inherit; min-width: 26px; color: var(--ink); background: var(--paper); border: 1px solid var(--muted); border-radius: 5px; padding: 1px 8px; margin-left: 2px; cursor: pointer; }
.legend { flex-basis: 100%; display: flex; flex-wrap: wrap; gap: 2px 16px; list-style: none; margin: 2px 0 0; padding: 0; font-size: 12px; }
.legend svg { vertical-align: -2px; margin-right: 6px; }
main { flex: 1; min-height: 0; position: relative; }
canvas { position: absolute; top: 0; height: 100%; touch-action: none; }
#scene { left: 0; width: calc(100% - 48px); cursor: crosshair; }
#overview { right: 0; width: 48px; cursor: pointer; }
#seen { position: absolute; right: 0; width: 46px; border: 1px solid var(--ink); border-radius: 2px; background: color-mix(in srgb, var(--ink) 12%, transparent); pointer-events: none; }
#ring { position: absolute; width: 20px; height: 20px; margin: -11px 0 0 -11px; border: 2px solid var(--collision); border-radius: 50%; pointer-events: none; }
#ring[hidden] { display: none; }
#which { display: inline-block; min-width: 5ch; padding: 0 4px; text-align: center; }
input { font: inherit; width: 7ch; color: var(--ink); background: var(--paper); border: 1px solid var(--muted); border-radius: 5px; padding: 1px 4px; }
:focus-visible { outline: 2px solid var(--hold); outline-offset: -2px; }
#tip { position: fixed; max-width: 520px; padding: 6px 9px; white-space: pre-wrap; font: 12px ui-monospace, Menlo, Consolas, monospace; color: var(--ink); background: var(--panel); border: 1px solid var(--muted); border-radius: 5px; pointer-events: none; }
#tip[hidden] { display: none; }`;
