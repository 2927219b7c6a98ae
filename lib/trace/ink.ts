/**
 * Ink: paints with a canvas. What is one by one is drawn at once, a crowd is entered into a {@link Density} and put on top of
 * it, crosses come last. The function is sent to the page as its own source text, so it uses nothing but its parameters.
 */
import type { Density, Shade } from './density.js';
import type { PageCanvas, PageDocument, PageStyle } from './page.js';
import type { Box, Line, Plot, RulerPen, ShapePen } from './paint.js';
import type { Style } from './scene.js';

/* v8 ignore start -- @preserve: runs in a browser only, and is tested there: test/browser */

/** What it paints with. */
export interface InkParts {
  readonly document: PageDocument;
  readonly canvas: PageCanvas;
  readonly density: Density;
  readonly styles: readonly Style[];
  readonly colourNames: readonly string[];
}

/** A pen for a canvas. */
export interface Ink extends RulerPen, ShapePen {
  /** Takes the colours of the page, now and whenever they have changed. */
  readColours(style: PageStyle): void;
  /** Begins a picture: an empty paper. */
  begin(plot: Plot, scale: number): void;
}

/** See the top of the file. */
export function makeInk({ document, canvas, density, styles, colourNames }: InkParts): Ink {
  const context = canvas.getContext('2d')!;
  const screen = document.createElement('canvas');
  const screenContext = screen.getContext('2d')!;
  const colours: Record<string, string> = {};
  const hatches: Record<string, unknown> = {};
  let shades: Shade[] = [];
  let dots: Shade['colour'] = [0, 0, 0];
  let image: { readonly data: Uint8ClampedArray } | undefined;
  let plot: Plot;
  let filled: unknown;
  const moved: Box = { x: 0, y: 0, width: 0, height: 0, text: 0 };

  /** A tile of slanted lines, for real pixels. */
  const hatch = (colour: string): unknown => {
    const tile = document.createElement('canvas');
    tile.width = 6;
    tile.height = 6;
    const pen = tile.getContext('2d')!;
    pen.strokeStyle = colour;
    pen.lineWidth = 1;
    pen.beginPath();
    for (const shift of [-6, 0, 6]) {
      pen.moveTo(shift, 6);
      pen.lineTo(shift + 6, 0);
    }
    pen.stroke();
    return context.createPattern(tile, 'repeat');
  };

  /** Colours are written as `#rrggbb`. */
  const numbersOf = (colour: string): Shade['colour'] => {
    const part = (at: number) => Number.parseInt(colour.slice(at, at + 2), 16);
    return [part(1), part(3), part(5)];
  };

  const readColours = (style: PageStyle): void => {
    for (const name of colourNames) colours[name] = style.getPropertyValue(`--${name}`).trim();
    for (const name of ['section', 'wait', 'failed', 'notice']) hatches[name] = hatch(colours[name]!);
    const named: Partial<Record<Style, string>> = { queue: 'section', gaveUp: 'failed', telling: 'notice' };
    // What is rare has to be seen among what is not.
    const weights: Partial<Record<Style, number>> = { lost: 2, failed: 8, gaveUp: 8, refused: 4 };
    const below: readonly Style[] = ['section', 'queue', 'telling', 'refused', 'notice'];
    shades = styles.map((name) => ({
      ...{ colour: numbersOf(colours[named[name] ?? name]!), weight: weights[name] ?? 1, above: !below.includes(name) },
    }));
    dots = numbersOf(colours.collision!);
  };

  /** The colour is set where it changes only: it is a text, which the canvas would read again. */
  const fill = (colour: unknown, alpha: number, { x, y, width, height }: Omit<Box, 'text'>): void => {
    context.globalAlpha = alpha;
    if (filled !== colour) context.fillStyle = filled = colour;
    context.fillRect(x, y, width, height);
  };

  const outline = (colour: string, dash: readonly number[], { x, y, width, height }: Box): void => {
    context.globalAlpha = 1;
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.setLineDash(dash);
    context.strokeRect(x + 0.75, y + 0.75, Math.max(width - 1.5, 0.5), Math.max(height - 1.5, 0.5));
  };

  /** Slanted lines inside an outline; where there is no room for that, a shade. */
  const hatched = (name: string, dash: readonly number[], box: Box): void => {
    const small = box.width < 5 || box.height < 4;
    fill(small ? colours[name] : hatches[name], small ? 0.4 : 0.9, box);
    if (!small) outline(colours[name]!, dash, box);
  };

  const attempt = (style: Style, box: Box): void => {
    if (box.width < 5 || box.height < 4) return fill(colours[style], 0.85, box);
    if (style === 'committed') fill(colours.committed, 0.1, box);
    outline(colours[style]!, style === 'lost' ? [5, 3] : style === 'failed' ? [2, 2] : [], box);
  };

  const shape = (style: Style, box: Box): void => {
    const { x, y, width, height } = box;
    switch (style) {
      case 'section':
        fill(colours.section, 0.26, box);
        if (height < 6) return;
        fill(colours.section, 1, { ...box, height: 1 });
        return fill(colours.section, 1, { ...box, y: y + height - 1, height: 1 });
      case 'telling':
        return fill(height < 4 ? colours.notice : hatches.notice, height < 4 ? 0.4 : 0.7, box);
      case 'queue':
        return hatched('section', [], box);
      case 'wait':
        return hatched('wait', [], box);
      case 'gaveUp':
        return hatched('failed', [2, 2], box);
      case 'refused':
        return outline(colours.refused!, [3, 2], { ...box, height: Math.max(height, 5) });
      case 'hold':
        fill(colours.hold, 1, { ...box, width: Math.min(3, width) });
        return fill(colours.hold, 1, { ...box, x: x + width - 3, width: width < 6 ? 0 : 3 });
      case 'notice':
        return fill(colours.notice, 1, { ...box, height: 2 });
      default:
        return attempt(style, box);
    }
  };

  const stroke = (colour: string, dash: readonly number[], { x1, y1, x2, y2 }: Line): void => {
    context.globalAlpha = 1;
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
    context.lineTo(Math.round(x2) + 0.5, Math.round(y2) + 0.5);
    context.stroke();
  };

  /** In the grid, numbers are from its corner on. */
  const inGrid = ({ x, y, width, height }: Box): Box => {
    moved.x = x - plot.left;
    moved.y = y - plot.top;
    moved.width = width;
    moved.height = height;
    return moved;
  };

  const putCrowd = (): void => {
    if (density.count === 0) return;
    const { columns, rows, cell } = density;
    if (screen.width !== columns || screen.height !== rows || image === undefined) {
      screen.width = columns;
      screen.height = rows;
      image = screenContext.createImageData(columns, rows);
    }
    density.render(shades, dots, image.data);
    screenContext.putImageData(image, 0, 0);
    context.globalAlpha = 1;
    context.imageSmoothingEnabled = false;
    context.drawImage(screen, plot.left, plot.top, columns * cell, rows * cell);
  };

  return {
    mostShapes: 1500,
    mostCrosses: 500,
    readColours,
    begin(next, scale) {
      plot = next;
      density.reset({ width: plot.width - plot.left, height: plot.height - plot.top });
      filled = undefined; // a canvas of a new size has forgotten it
      context.setTransform(scale, 0, 0, scale, 0, 0);
      context.font = '11px ui-monospace, Menlo, Consolas, monospace';
      fill(colours.paper, 1, { x: 0, y: 0, width: plot.width, height: plot.height });
    },
    shape,
    speck: (style, box) => density.speck(style, inGrid(box)),
    dot: (box) => density.dot(inGrid(box)),
    crowded: putCrowd,
    cross(box) {
      const { x, y, width, height } = box;
      context.globalAlpha = 1;
      context.strokeStyle = colours.collision;
      context.lineWidth = 2.5;
      context.setLineDash([]);
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x + width, y + height);
      context.moveTo(x + width, y);
      context.lineTo(x, y + height);
      context.stroke();
    },
    link: (line) => stroke(colours.collision!, [2, 3], line),
    line: (kind, line) => stroke(colours[kind === 'gap' ? 'muted' : 'grid']!, kind === 'gap' ? [1, 5] : [], line),
    name({ x, y, text }) {
      fill(colours.paper, 1, { x: x - 2, y: y - 10, width: text.length * 6.6 + 4, height: 13 });
      context.fillStyle = filled = colours.ink;
      context.textAlign = 'start';
      context.fillText(text, x, y);
    },
    word(_kind, { x, y, text, align }) {
      context.globalAlpha = 1;
      context.fillStyle = filled = colours.muted;
      context.textAlign = align === 'middle' ? 'center' : align;
      context.fillText(text, x, y);
    },
  };
}
/* v8 ignore stop -- @preserve */
