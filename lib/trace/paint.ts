/**
 * Paint: puts what can be seen of a scene where it belongs. What it is painted with is a {@link Pen}: a canvas in a page, the
 * text of an SVG file, or a pointer that wants to know what it points at.
 *
 * The function is also sent to the page as its own source text, so it uses nothing but its parameters. However many shapes
 * there are, it makes few strokes: those out of sight are passed over in blocks, and one that would be hidden by an earlier
 * one of the same layer, less than two pixels high and no wider, is left out.
 */
import type { Scene, Style } from './scene.js';

/** Which part of the scene is shown where. */
export interface View {
  /** In pixels, axes included. */
  readonly width: number;
  readonly height: number;
  /** Room for the two axes. */
  readonly left: number;
  readonly top: number;
  /** Part of the space, 0 to 1. */
  readonly x0: number;
  readonly x1: number;
  /** Part of the run: positions if `order`, otherwise milliseconds since the first event. */
  readonly y0: number;
  readonly y1: number;
  /** One line for each event, instead of proportion to time. */
  readonly order: boolean;
}

/** Where a shape is, in pixels. The pen must not keep it: the next shape uses the same one. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
  /** Its text in the scene. */
  text: number;
}

/** A straight line, in pixels. */
export interface Line {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** A word, in pixels: where its baseline begins, has its middle, or ends. */
export interface Word {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly align: 'start' | 'middle' | 'end';
}

/** See the top of the file. */
export interface Pen {
  shape(style: Style, box: Box): void;
  cross(box: Box): void;
  line(kind: 'grid' | 'gap' | 'link', line: Line): void;
  word(kind: 'axis' | 'name', word: Word): void;
}

/** Paints; see the top of the file. */
export function paint(scene: Scene, view: View, pen: Pen): void {
  const { width, height, left, top, order } = view;
  const { times, length } = scene;
  const across = (width - left) / (view.x1 - view.x0);
  const down = (height - top) / (view.y1 - view.y0);
  const toX = (x: number) => left + (x - view.x0) * across;
  const toY = (at: number) => top + ((order ? at : times[at]!) - view.y0) * down;
  const box: Box = { x: 0, y: 0, width: 0, height: 0, text: 0 };

  /** The last position at or above `y`. */
  const positionAt = (y: number): number => {
    if (order) return Math.max(0, Math.min(length, Math.floor(y)));
    let low = 0;
    let high = length;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle]! < y) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  const first = positionAt(view.y0 - 4 / down);
  let last = positionAt(view.y1 + 4 / down) + 1;
  while (last < length && !order && times[last] === times[last - 1]) last++;

  /** 1, 2 or 5 times a power of ten, at least `least`. */
  const niceStep = (least: number): number => {
    const power = 10 ** Math.floor(Math.log10(least));
    for (const factor of [1, 2, 5]) if (power * factor >= least * 0.999999) return power * factor;
    return power * 10;
  };
  const short = (value: number) => `${Number(value.toPrecision(9))}`;

  const paintTime = (): void => {
    const rows = order && down >= 14 && scene.kinds.length > 0;
    const step = rows ? 1 : Math.max(order ? 1 : 0, niceStep(44 / down));
    for (let y = Math.ceil(view.y0 / step) * step; y <= view.y1; y += step) {
      const at = top + (y - view.y0) * down;
      if (at < top - 0.5 || (rows && y >= length)) continue;
      pen.line('grid', { x1: left, y1: at, x2: width, y2: at });
      const text = rows ? scene.kindNames[scene.kinds[y]!]! : order ? `#${y}` : `${short(y)} ms`;
      pen.word('axis', { x: left - 6, y: at + (rows ? 11 : 4), text, align: 'end' });
    }
  };

  const paintSpace = (): void => {
    let free = left;
    const label = (x: number, value: number) => {
      const text = short(value);
      const room = text.length * 6.4;
      const from = Math.min(Math.max(x - room / 2, left), width - room);
      if (from < free) return;
      pen.line('grid', { x1: x, y1: top - 5, x2: x, y2: height });
      free = from + room + 10;
      pen.word('axis', { x: from + room / 2, y: top - 9, text, align: 'middle' });
    };
    scene.pieces.forEach(({ start, end, x0, x1 }, i) => {
      const before = i === 0 ? undefined : scene.pieces[i - 1]!.x1;
      if (before !== undefined && (x0 - before) * across > 2) {
        const x = toX((before + x0) / 2);
        if (x > left && x < width) pen.line('gap', { x1: x, y1: top, x2: x, y2: height });
      }
      const from = Math.max(left, toX(x0));
      const to = Math.min(width, toX(x1));
      if (to < from) return;
      const perUnit = ((x1 - x0) * across) / (end - start || 1);
      const step = niceStep(Math.max(72 / perUnit, Math.abs(end) * 1e-9, Number.MIN_VALUE));
      if (to - from < 40) {
        if (from >= free) label(from, start);
        return;
      }
      const least = start + (from - toX(x0)) / perUnit;
      const most = start + (to - toX(x0)) / perUnit;
      for (let value = Math.ceil(least / step) * step; value <= most; value += step)
        label(toX(x0) + (value - start) * perUnit, value);
    });
  };

  /** Whether there is no word yet where this one would be; if so, there is one now. In cells of 12 by 12 pixels. */
  const written = new Set<number>();
  const isFree = (x: number, y: number, room: number): boolean => {
    const row = Math.round(y / 12);
    const cells: number[] = [];
    for (let column = Math.floor(x / 12); column <= (x + room) / 12; column++) cells.push(column * 8192 + row);
    if (cells.some((cell) => written.has(cell) || written.has(cell - 1) || written.has(cell + 1))) return false;
    for (const cell of cells) written.add(cell);
    return true;
  };

  const paintLayer = (number: number): void => {
    const layer = scene.layers[number]!;
    const { style, from, to, x0, x1, lane, text, name } = layer;
    // In a crowd, one shape for each 4 pixels is all that can be told apart.
    const size = Math.min(last - first, from.length) > 20_000 ? 4 : 2;
    const cells = Math.ceil(height / size) + 1;
    const covered = new Uint16Array((Math.ceil(width / size) + 1) * cells);
    const reaches = scene.reaches[number]!;
    const thin = number === 0 ? 1 : 2;
    for (let i = 0; i < from.length; i++) {
      if (i % 256 === 0 && reaches[i / 256]! < first) {
        i += 255;
        continue;
      }
      if (from[i]! > last) break;
      if (to[i]! < first) continue;
      let x = toX(x0[i]!);
      let w = toX(x1[i]!) - x;
      if (x > width || x + w < left) continue;
      const inset = Math.min(1 + 3 * lane[i]!, w / 2 - 2);
      if (number === 1 && inset > 0) {
        x += inset;
        w -= 2 * inset;
      }
      const y = Math.max(top - 2, toY(from[i]!));
      const h = Math.min(height + 2, toY(to[i]!)) - y;
      if (y > height || y + h < top) continue;
      if (x < left) {
        w -= left - x;
        x = left;
      }
      box.x = x;
      box.y = y;
      box.width = Math.min(Math.max(w, thin), width - x + 2);
      box.height = Math.max(h, thin);
      box.text = text[i]!;
      if (h < size && y >= 0) {
        const cell = Math.floor(x / size) * cells + Math.floor(y / size);
        if (covered[cell]! > box.width - (size - 2)) continue;
        covered[cell] = Math.min(65_535, Math.ceil(box.width) + 1);
      }
      pen.shape(scene.styles[style[i]!]!, box);
      if (name[i]! < 0 || h < 15) continue;
      const word = scene.names[name[i]!]!;
      const room = word.length * 6.6;
      const line = Math.max(y, top) + 12;
      // Sections at their right edge, lookups at their left one.
      const begin = number === 0 ? x + box.width - 6 - room : x + 6;
      if (room + 10 > box.width || !isFree(begin, line, room)) continue;
      pen.word('name', { x: begin, y: line, text: word, align: 'start' });
    }
  };

  const paintMarks = (): void => {
    // A cross would only cover another one on the same spot. In a crowd crosses would cover everything: they become dots.
    const crowd = scene.marks.length * Math.min(1, (last - first) / length) > 2000;
    const size = crowd ? 3 : 10;
    const crowded = new Set<number>();
    for (const { at, since, x, text } of scene.marks) {
      if (at < first || since > last) continue;
      const px = toX(x);
      const py = toY(at);
      if (px < left || px > width || py > height + 8) continue;
      const cell = Math.round(px / size) * 65_536 + Math.round(py / size);
      if (crowded.has(cell)) continue;
      crowded.add(cell);
      if (since >= 0 && !crowd && py - toY(since) > 8)
        pen.line('link', { x1: px, y1: Math.max(top, toY(since)), x2: px, y2: py });
      if (py < top - 4) continue;
      box.x = px - size / 2;
      box.y = py - size / 2;
      box.width = size;
      box.height = size;
      box.text = text;
      pen.cross(box);
    }
  };

  paintTime();
  paintSpace();
  paintLayer(0);
  paintLayer(1);
  paintLayer(2);
  paintMarks();
}
