/**
 * Overview: a narrow picture of the whole run, beside what is in sight: how much happened when, and where somebody was hit. It is drawn
 * when the page opens or changes its size or measure, not with every frame: what moves is a frame around the part in sight.
 *
 * The function is sent to the page as its own source text, so it uses nothing but its parameters.
 */
import type { PageCanvas } from './page.js';
import type { Scene } from './scene.js';

/* v8 ignore start -- @preserve: runs in a browser only, and is tested there: test/browser */

/** What it is drawn with. */
export interface OverviewParts {
  readonly canvas: PageCanvas;
  readonly scene: Scene;
  /** Real pixels for each of the page. */
  readonly scale: number;
  /** One line for each event, instead of proportion to time. */
  readonly order: boolean;
  readonly colours: (name: string) => string;
}

/** See the top of the file. O(n) for n events. */
export function paintOverview({ canvas, scene, scale, order, colours }: OverviewParts): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext('2d')!;
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  const { times, length, marks } = scene;
  const all = Math.max(order ? length : times[length]!, 1e-6);
  const rowOf = (at: number) => Math.min(height - 1, Math.floor(((order ? at : times[at]!) / all) * height));

  /** Per row of pixels, how many sections and lookups are there, the longest ones counted all the way. */
  const busy = new Float64Array(height + 1);
  for (const { from, to } of scene.layers) {
    for (let i = 0; i < from.length; i++) {
      busy[rowOf(from[i]!)]! += 1;
      busy[rowOf(to[i]!) + 1]! -= 1;
    }
  }
  let most = 1;
  for (let row = 1; row <= height; row++) busy[row]! += busy[row - 1]!;
  for (const many of busy) most = Math.max(most, many);
  const hits = new Uint32Array(height);
  for (const { at } of marks) hits[rowOf(at)]! += 1;

  pen.globalAlpha = 1;
  pen.fillStyle = colours('panel');
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = colours('muted');
  pen.globalAlpha = 0.55;
  for (let row = 0; row < height; row++) {
    const long = (Math.log2(1 + busy[row]!) / Math.log2(1 + most)) * (width - 14);
    pen.fillRect(2, row, long, 1);
  }
  pen.globalAlpha = 1;
  pen.fillStyle = colours('collision');
  for (let row = 0; row < height; row++) if (hits[row]! > 0) pen.fillRect(width - 10, row - 1, 8, 2);
}
/* v8 ignore stop -- @preserve */
