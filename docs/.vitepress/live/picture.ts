/**
 * Picture: a lane on a canvas. Above, a row for each lookup, as wide as its range; below, the places; across both, what is being changed.
 * No meaning hangs on a colour alone: who waits is hatched, what is stale is crossed out.
 */
import type { Range } from '../../../lib/index.js';
import { PLACES } from './content.js';
import type { Change, Lane, Reader } from './lane.js';

/** What a picture is made of besides the lane. */
export interface Sight {
  /** The time of the lane. */
  readonly now: number;
  /** What the keyboard has chosen; undefined if nobody is there. */
  readonly chosen: Range | undefined;
  /** Nothing fades. */
  readonly still: boolean;
}

const GAP = 5;
const CELL = 16;
/** How long one sees that something was kept: what is right is no news. */
const FRESH_MS = 350;
const STALE_MS = 1600;

type Colours = Readonly<Record<'reads' | 'waits' | 'fresh' | 'stale' | 'change' | 'line' | 'ink' | 'paper', string>>;
const NAMES = ['reads', 'waits', 'fresh', 'stale', 'change', 'line', 'ink', 'paper'] as const;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The place at an abscissa of the canvas. */
export function placeAt(x: number, width: number): number {
  return Math.max(0, Math.min(PLACES - 1, Math.floor((x / width) * PLACES)));
}

/** Draws a lane as it is. */
export class Picture {
  readonly #canvas: HTMLCanvasElement;
  readonly #pen: CanvasRenderingContext2D;
  readonly #lane: Lane;
  #hatch: CanvasPattern | string = '';
  #hatched = '';
  #cell = 0;

  constructor(canvas: HTMLCanvasElement, lane: Lane) {
    this.#canvas = canvas;
    this.#pen = canvas.getContext('2d')!;
    this.#lane = lane;
  }

  draw(sight: Sight): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const scale = window.devicePixelRatio || 1;
    const size = [Math.round(width * scale), Math.round(height * scale)] as const;
    if (this.#canvas.width !== size[0] || this.#canvas.height !== size[1]) [this.#canvas.width, this.#canvas.height] = size;
    const colours = this.#colours();
    const pen = this.#pen;
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    this.#cell = width / PLACES;
    const floor = height - CELL;
    const step = (floor - GAP) / this.#lane.readers.length;
    // Whole pixels: thin lines are sharp.
    const row = (i: number): Box => ({ x: 0, y: Math.round(i * step), width: 0, height: Math.max(3, Math.floor(step) - 1) });
    for (const change of this.#lane.changes) this.#change(change, { x: 0, y: 0, width: 0, height: floor - GAP / 2 }, colours);
    for (const [i, reader] of this.#lane.readers.entries()) {
      this.#kept(reader, row(i), { ...sight, colours });
      this.#reader(reader, row(i), colours);
    }
    this.#places(floor, colours);
    if (sight.chosen !== undefined) this.#chosen(sight.chosen, height, colours);
  }

  #over({ start, end }: Range, box: Box): Box {
    const x = Math.round(start * this.#cell) + 1;
    return { ...box, x, width: Math.round(end * this.#cell) - 1 - x };
  }

  #fill(colour: string | CanvasPattern, { x, y, width, height }: Box, alpha = 1): void {
    this.#pen.globalAlpha = alpha;
    this.#pen.fillStyle = colour;
    this.#pen.fillRect(x, y, width, height);
  }

  #outline(colour: string, { x, y, width, height }: Box, dash: number[] = [], line = 1): void {
    this.#pen.globalAlpha = 1;
    this.#pen.strokeStyle = colour;
    this.#pen.lineWidth = line;
    this.#pen.setLineDash(dash);
    this.#pen.strokeRect(x + line / 2, y + line / 2, Math.max(0, width - line), Math.max(0, height - line));
  }

  #change({ range, begun }: Change, shape: Box, { change }: Colours): void {
    const box = this.#over(range, shape);
    const whole = { ...box, x: box.x - 1, width: box.width + 2 };
    if (begun) this.#fill(change, whole, 0.3);
    else this.#outline(change, whole, [4, 4], 1.5);
  }

  #kept({ last }: Reader, shape: Box, { now, still, colours }: Sight & { readonly colours: Colours }): void {
    if (last === undefined) return;
    const lasts = last.fresh ? FRESH_MS : STALE_MS;
    const age = (now - last.at) / lasts;
    if (age >= 1) return;
    this.#fill(last.fresh ? colours.fresh : colours.stale, this.#over(last.range, shape), still || !last.fresh ? 1 : 1 - age);
  }

  #reader({ range, state, read }: Reader, shape: Box, colours: Colours): void {
    if (state === 'rests') return;
    const box = this.#over(range, shape);
    if (state === 'waits') {
      this.#fill(this.#pattern(colours.waits), box);
      return this.#outline(colours.waits, box);
    }
    this.#fill(colours.paper, box);
    this.#fill(colours.reads, { ...box, width: (box.width * read) / (range.end - range.start) }, 0.75);
    this.#outline(colours.reads, box);
  }

  #places(y: number, colours: Colours): void {
    for (let place = 0; place < PLACES; place++) {
      const box = { x: place * this.#cell + 0.5, y, width: this.#cell - 1, height: CELL };
      const stale = this.#lane.stale[place]!;
      const changes = this.#lane.changesAt(place);
      this.#fill(stale ? colours.stale : changes ? colours.change : colours.line, box);
      if (stale) this.#cross(box, colours.paper);
    }
  }

  #cross({ x, y, width, height }: Box, colour: string): void {
    const size = Math.min(width, height) - 4;
    const [left, top] = [x + (width - size) / 2, y + (height - size) / 2];
    this.#pen.strokeStyle = colour;
    this.#pen.lineWidth = 1.5;
    this.#pen.setLineDash([]);
    this.#pen.beginPath();
    this.#pen.moveTo(left, top);
    this.#pen.lineTo(left + size, top + size);
    this.#pen.moveTo(left + size, top);
    this.#pen.lineTo(left, top + size);
    this.#pen.stroke();
  }

  #chosen(range: Range, height: number, { ink }: Colours): void {
    const { x, width } = this.#over(range, { x: 0, y: 0, width: 0, height: 0 });
    this.#outline(ink, { x: x - 1, y: 0, width: width + 2, height }, [6, 3], 2);
  }

  /** Slanted lines. */
  #pattern(colour: string): CanvasPattern | string {
    if (this.#hatched === colour) return this.#hatch;
    const tile = document.createElement('canvas');
    tile.width = tile.height = 6;
    const pen = tile.getContext('2d')!;
    pen.strokeStyle = colour;
    pen.lineWidth = 1.2;
    for (const shift of [-6, 0, 6]) {
      pen.moveTo(shift, 6);
      pen.lineTo(shift + 6, 0);
    }
    pen.stroke();
    this.#hatched = colour;
    this.#hatch = this.#pen.createPattern(tile, 'repeat') ?? colour;
    return this.#hatch;
  }

  #colours(): Colours {
    const style = getComputedStyle(this.#canvas);
    return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--live-${name}`).trim()])) as Colours;
  }
}
