/**
 * Paint: what is painted where. A scene is painted onto a {@link Plot}, which says which part of it is in sight, with a
 * {@link Pen}: a canvas in a page, the text of an SVG file, or a pointer that wants to know what it points at.
 *
 * `plotOf`, and the functions of rulers.ts, shapes.ts, density.ts, ink.ts and viewer.ts, are also sent to the page as their own
 * source texts, so each of them uses nothing but its parameters.
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

/** A view, and how to get from the scene to its pixels. */
export interface Plot extends View {
  /** Pixels for all of the space, and for a millisecond or a position. */
  readonly across: number;
  readonly down: number;
  /** The positions between which everything lies that can be seen. */
  readonly first: number;
  readonly last: number;
  /** From a place on the axis, 0 to 1. */
  toX(x: number): number;
  /** From a position. */
  toY(at: number): number;
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

/** Draws the two axes. */
export interface RulerPen {
  line(kind: 'grid' | 'gap', line: Line): void;
  word(kind: 'axis', word: Word): void;
}

/** Draws what there is. */
export interface ShapePen {
  /** How many shapes, and how many crosses, can be told apart: of a larger crowd the lowest become specks, and crosses dots. */
  readonly mostShapes: number;
  readonly mostCrosses: number;
  shape(style: Style, box: Box): void;
  /** One of a crowd; its style by number, for a pen that counts. */
  speck(style: number, box: Box): void;
  /** A collision, in the middle of the box. */
  cross(box: Box): void;
  /** A collision of a crowd. */
  dot(box: Box): void;
  /** From where its offender began to a collision. */
  link(line: Line): void;
  /** Written into a shape. */
  name(word: Word): void;
  /** There are no more shapes, specks and dots; crosses may follow. */
  crowded(): void;
}

/** The plot of a view of a scene. */
export function plotOf({ times, length }: Pick<Scene, 'times' | 'length'>, view: View): Plot {
  const { width, height, left, top, order, x0, x1, y0, y1 } = view;
  const across = (width - left) / (x1 - x0);
  const down = (height - top) / (y1 - y0);

  /** The last position above `y`. */
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
  const first = positionAt(y0 - 4 / down);
  let last = positionAt(y1 + 4 / down) + 1;
  while (last < length && !order && times[last] === times[last - 1]) last++;
  return {
    ...view,
    ...{ across, down, first, last },
    toX: (x) => left + (x - x0) * across,
    toY: order ? (at) => top + (at - y0) * down : (at) => top + (times[at]! - y0) * down,
  };
}
