/**
 * Rulers: the two axes of a plot, each with its title, and lines across: numbers of the space above, times or events at the left.
 * The function is also sent to the page as its own source text, so it uses nothing but its parameters.
 */
import type { Plot, RulerPen } from './paint.js';
import type { Scene } from './scene.js';

/** See the top of the file. */
export function paintRulers(scene: Scene, plot: Plot, pen: RulerPen): void {
  const { width, height, left, top, order, across, down, toX } = plot;

  /** 1, 2 or 5 times a power of ten, at least `least`. */
  const niceStep = (least: number): number => {
    const power = 10 ** Math.floor(Math.log10(least));
    for (const factor of [1, 2, 5]) if (power * factor >= least * 0.999999) return power * factor;
    return power * 10;
  };
  const short = (value: number) => `${Number(value.toPrecision(9))}`;

  /** Long stretches in seconds. */
  const seconds = plot.y1 - plot.y0 >= 5000;

  const paintTitles = (): void => {
    const down = order ? '↓ events' : seconds ? '↓ time, s' : '↓ time, ms';
    pen.word('axis', { x: left - 6, y: 13, text: `${scene.space} →`, align: 'end' });
    pen.word('axis', { x: left - 6, y: 28, text: down, align: 'end' });
  };

  const paintTime = (): void => {
    const rows = order && down >= 14 && scene.kinds.length > 0;
    const step = rows ? 1 : Math.max(order ? 1 : 0, niceStep(44 / down));
    for (let y = Math.ceil(plot.y0 / step) * step; y <= plot.y1; y += step) {
      const at = top + (y - plot.y0) * down;
      if (at < top - 0.5 || (rows && y >= scene.length)) continue;
      pen.line('grid', { x1: left, y1: at, x2: width, y2: at });
      const text = rows ? scene.kindNames[scene.kinds[y]!]! : order ? `#${y}` : short(seconds ? y / 1000 : y);
      pen.word('axis', { x: left - 6, y: at + (rows ? 11 : 4), text, align: 'end' });
    }
  };

  let free = left;
  const label = (x: number, value: number): void => {
    const text = short(value);
    const room = text.length * 6.4;
    const from = Math.min(Math.max(x - room / 2, left), width - room);
    if (from < free) return;
    pen.line('grid', { x1: x, y1: top - 5, x2: x, y2: height });
    free = from + room + 10;
    pen.word('axis', { x: from + room / 2, y: top - 9, text, align: 'middle' });
  };

  const paintPiece = ({ start, end, x0, x1 }: Scene['pieces'][number]): void => {
    const from = Math.max(left, toX(x0));
    const to = Math.min(width, toX(x1));
    if (to < from) return;
    if (to - from < 40) {
      if (from >= free) label(from, start);
      return;
    }
    const perUnit = ((x1 - x0) * across) / (end - start || 1);
    const step = niceStep(Math.max(72 / perUnit, Math.abs(end) * 1e-9, Number.MIN_VALUE));
    const least = start + (from - toX(x0)) / perUnit;
    const most = start + (to - toX(x0)) / perUnit;
    for (let value = Math.ceil(least / step) * step; value <= most; value += step)
      label(toX(x0) + (value - start) * perUnit, value);
  };

  const paintGap = (before: number, after: number): void => {
    if ((after - before) * across <= 2) return;
    const x = toX((before + after) / 2);
    if (x > left && x < width) pen.line('gap', { x1: x, y1: top, x2: x, y2: height });
  };

  paintTitles();
  paintTime();
  scene.pieces.forEach((piece, i) => {
    if (i > 0) paintGap(scene.pieces[i - 1]!.x1, piece.x0);
    paintPiece(piece);
  });
}
