/**
 * Shapes: puts what can be seen of a scene where it belongs on a plot. Those out of sight are passed over in blocks.
 *
 * In a crowd only the highest shapes are drawn one by one, as many as the pen can tell apart; the others become specks, which
 * a pen may count instead of drawing them. Nothing is left out: who counts them, counts all.
 *
 * The function is also sent to the page as its own source text, so it uses nothing but its parameters.
 */
import type { Box, Plot, ShapePen, Word } from './paint.js';
import type { Scene } from './scene.js';

/** See the top of the file. O(n) for n shapes in sight, whatever they look like. */
export function paintShapes(scene: Scene, plot: Plot, pen: ShapePen): void {
  const { width, height, left, top, first, last, toX, toY } = plot;
  const BLOCK = 256;
  /** Of so many shapes, a quarter of the blocks tells well enough how high they are. */
  const MANY = 20_000;
  const box: Box = { x: 0, y: 0, width: 0, height: 0, text: 0 };

  /** For a layer: puts a shape into the box, as high as it is; false if it is out of sight. */
  const placing = (number: number) => {
    const { from, to, x0, x1, lane, text } = scene.layers[number]!;
    return (i: number): boolean => {
      let x = toX(x0[i]!);
      let w = toX(x1[i]!) - x;
      if (x > width || x + w < left) return false;
      const inset = number === 1 ? Math.min(1 + 3 * lane[i]!, w / 2 - 2) : 0;
      if (inset > 0) {
        x += inset;
        w -= 2 * inset;
      }
      const y = Math.max(top - 2, toY(from[i]!));
      const h = Math.min(height + 2, toY(to[i]!)) - y;
      if (y > height || y + h < top) return false;
      if (x < left) {
        w -= left - x;
        x = left;
      }
      box.x = x;
      box.y = y;
      box.width = Math.min(Math.max(w, number === 0 ? 1 : 2), width - x + 2);
      box.height = h;
      box.text = text[i]!;
      return true;
    };
  };

  /** All shapes of a layer that are in sight, each in the box; or those of one block in `sample`. */
  const each = (number: number, sample: number, visit: (i: number) => void): void => {
    const { from, to } = scene.layers[number]!;
    const reaches = scene.reaches[number]!;
    const place = placing(number);
    for (let i = 0; i < from.length && from[i]! <= last; i++) {
      if (i % BLOCK === 0 && ((i / BLOCK) % sample !== 0 || reaches[i / BLOCK]! < first)) i += BLOCK - 1;
      else if (to[i]! >= first && place(i)) visit(i);
    }
  };

  /** How high a shape has to be to be drawn by itself: 0, or the least power of two at which they are few enough. */
  const leastHeight = (): number => {
    if (pen.mostShapes === Number.POSITIVE_INFINITY) return 0;
    const counts = new Uint32Array(32);
    let low = 0;
    for (const [number, { from }] of scene.layers.entries()) {
      const sample = from.length > MANY ? 4 : 1;
      each(number, sample, () => {
        if (box.height < 2) low += sample;
        else counts[31 - Math.clz32(box.height)]! += sample;
      });
    }
    let many = 0;
    for (let i = 31; i >= 1; i--) {
      many += counts[i]!;
      if (many > pen.mostShapes) return 2 ** (i + 1);
    }
    return many + low > pen.mostShapes ? 2 : 0;
  };
  const least = leastHeight();

  /** Written last, so that no shape strikes them through. */
  const words: Word[] = [];
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

  const paintName = (number: number, text: string): void => {
    const room = text.length * 6.6;
    const line = Math.max(box.y, top) + 12;
    // Sections at their right edge, lookups at their left one, subscribers below the line at which they are told.
    const begin = number === 0 ? box.x + box.width - 6 - room : box.x + 6;
    if (room + 10 <= box.width && isFree(begin, line, room)) words.push({ x: begin, y: line, text, align: 'start' });
  };

  const paintLayer = (number: number): void => {
    const { style, name } = scene.layers[number]!;
    const thin = number === 0 ? 1 : 2;
    each(number, 1, (i) => {
      const kind = scene.styles[style[i]!]!;
      const h = box.height;
      box.height = Math.max(h, thin);
      if (h < least) return pen.speck(style[i]!, box);
      pen.shape(kind, box);
      if (name[i]! >= 0 && (h >= 15 || number === 2)) paintName(number, scene.names[name[i]!]!);
    });
  };

  /** The first mark at or after a position. */
  const markFrom = (at: number): number => {
    let low = 0;
    let high = scene.marks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (scene.marks[middle]!.at < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const paintMarks = (): void => {
    const from = markFrom(first);
    const crowd = markFrom(last + 1) - from > pen.mostCrosses;
    const size = crowd ? 3 : 10;
    if (!crowd) pen.crowded();
    for (let i = from; i < scene.marks.length; i++) {
      const { at, since, x, text } = scene.marks[i]!;
      if (at > last && (crowd || since > last || since < 0)) continue;
      const px = toX(x);
      const py = toY(at);
      if (px < left || px > width) continue;
      if (!crowd && since >= 0 && py - toY(since) > 8 && toY(since) < height)
        pen.link({ x1: px, y1: Math.max(top, toY(since)), x2: px, y2: Math.min(py, height) });
      if (py < top - 4 || py > height + 8) continue;
      box.x = px - size / 2;
      box.y = py - size / 2;
      box.width = size;
      box.height = size;
      box.text = text;
      if (crowd) pen.dot(box);
      else pen.cross(box);
    }
    if (crowd) pen.crowded();
  };

  for (const number of scene.layers.keys()) paintLayer(number);
  for (const word of words) pen.name(word);
  paintMarks();
}
