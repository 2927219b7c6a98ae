/** A crowd of shapes against brute force: what is in sight is counted, whatever the view, and nothing is lost. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Density, makeDensity, type Shade } from '../../lib/trace/density.js';
import type { Box, Plot, ShapePen } from '../../lib/trace/paint.js';
import { plotOf } from '../../lib/trace/paint.js';
import { type Scene, sceneOf } from '../../lib/trace/scene.js';
import { paintShapes } from '../../lib/trace/shapes.js';
import { fabricate } from '../support/traced.js';

const WIDTH = 60;
const HEIGHT = 40;
const CELL = 2;
/** Heights are kept in 64 parts of a cell. */
const PART = 1 / 64;

const boxes = fc.array(
  fc.record({
    style: fc.integer({ min: 0, max: 3 }),
    x: fc.double({ min: -10, max: WIDTH + 5, noNaN: true }),
    y: fc.double({ min: -2, max: HEIGHT, noNaN: true }),
    width: fc.double({ min: 0, max: WIDTH, noNaN: true }),
    height: fc.double({ min: 0.1, max: HEIGHT, noNaN: true }),
  }),
  { maxLength: 40 },
);

function filled(shapes: readonly (Omit<Box, 'text'> & { style: number })[], density: Density = makeDensity(1e6)): Density {
  density.reset({ width: WIDTH, height: HEIGHT });
  for (const { style, ...box } of shapes) density.speck(style, { ...box, text: 0 });
  return density;
}

const SHADES: readonly Shade[] = [
  { colour: [200, 100, 0], weight: 1, above: false },
  { colour: [0, 100, 0], weight: 1, above: true },
  { colour: [0, 0, 200], weight: 1, above: true },
  { colour: [100, 100, 100], weight: 8, above: true },
];

describe('a density', () => {
  it('has in each cell how much of it shapes cover', () => {
    fc.assert(
      fc.property(boxes, (shapes) => {
        const density = filled(shapes);
        for (let style = 0; style < 4; style++) {
          const mine = shapes.filter((shape) => shape.style === style);
          density.coverage(style).forEach((covered, i) => {
            const column = i % density.columns;
            const top = Math.floor(i / density.columns) * CELL;
            let expected = 0;
            for (const { x, y, width, height } of mine) {
              const left = Math.min(Math.max(Math.floor(x / CELL), 0), density.columns - 1);
              const right = Math.max(left + 1, Math.min(Math.round((x + width) / CELL), density.columns));
              const from = Math.min(Math.max(y, 0), HEIGHT - CELL * PART);
              const to = Math.max(from, Math.min(y + height, HEIGHT));
              if (column >= left && column < right)
                expected += Math.max(0, Math.min(to, top + CELL) - Math.max(from, top)) / CELL;
            }
            if (Math.abs(covered - expected) > (mine.length + 1) * 2 * PART)
              expect.fail(`${covered} instead of ${expected} in ${i}`);
          });
        }
      }),
    );
  });

  it('shows each collision, however many shapes there are, and nothing where nothing is', () => {
    const dots = fc.array(fc.record({ x: fc.integer({ min: 0, max: WIDTH - 1 }), y: fc.integer({ min: 0, max: HEIGHT - 1 }) }));
    fc.assert(
      fc.property(boxes, dots, (shapes, hits) => {
        const density = filled(shapes);
        for (const { x, y } of hits) density.dot({ x: x - 1, y: y - 1, width: 2, height: 2, text: 0 });
        const data = new Uint8ClampedArray(density.columns * density.rows * 4);
        density.render(SHADES, [255, 0, 0], data);
        const coverages = [0, 1, 2, 3].map((style) => density.coverage(style));
        let dotsSeen = 0;
        for (let cell = 0; cell < data.length / 4; cell++) {
          const [red, green, blue, alpha] = data.slice(cell * 4, cell * 4 + 4) as unknown as [number, number, number, number];
          const count = density.dotsAt(cell % density.columns, Math.floor(cell / density.columns));
          dotsSeen += count;
          const isPainted = count > 0 || coverages.some((coverage) => coverage[cell]! > 0);
          if (alpha > 0 !== isPainted) expect.fail(`cell ${cell} is ${alpha > 0 ? '' : 'not '}painted`);
          if (count > 0 && !(red > 150 && green < 60 && blue < 60 && alpha > 200)) expect.fail(`cell ${cell} is not red`);
        }
        expect(dotsSeen).toBe(hits.length);
        expect(density.count).toBe(hits.length + shapes.length);
      }),
      { numRuns: 20 },
    );
  });

  it('is empty again after a reset, of the same size and of another', () => {
    const box = { x: 0, y: 0, width: 60, height: 40 };
    const density = filled([{ style: 1, ...box }]);
    density.dot({ ...box, text: 0 });
    filled([{ style: 2, ...box }], density);
    expect(density.coverage(1).every((covered) => covered === 0)).toBe(true);
    expect(density.coverage(2).every((covered) => covered === 1)).toBe(true);
    expect(density.dotsAt(15, 10)).toBe(0);
    density.reset({ width: 20, height: 20 });
    expect([density.columns, density.rows, density.count]).toEqual([10, 10, 0]);
  });

  it('is darker where there is more, paints what is above over what is below, and lets what is rare be seen', () => {
    const at = (...styles: number[]) => {
      const density = filled(styles.map((style) => ({ style, x: 0, y: 0, width: 2, height: 2 })));
      const data = new Uint8ClampedArray(density.columns * density.rows * 4);
      density.render(SHADES, [255, 0, 0], data);
      return [...data.slice(0, 4)] as [number, number, number, number];
    };
    const strengths = [1, 2, 4, 8].map((many) => at(...Array<number>(many).fill(0))[3]);
    expect(strengths).toEqual([...strengths].sort((a, b) => a - b));
    expect(new Set(strengths).size).toBe(4);
    expect(at(0).slice(0, 3)).toEqual([200, 100, 0]);
    expect(at(0, 1)[0]).toBeLessThan(100);
    expect(at(2, 2, 2, 2, 3)[0]).toBeGreaterThan(60); // with its share by number it were 20
  });

  it('has no more cells than it was given', () => {
    const density = makeDensity(1000);
    density.reset({ width: 4000, height: 2000 });
    expect(density.columns * density.rows).toBeLessThanOrEqual(1100);
    expect(density.cell * density.columns).toBeGreaterThanOrEqual(4000);
  });
});

describe('shapes in a crowd', () => {
  const scene = sceneOf(fabricate(6000));
  const ALL = { width: 1000, height: 700, left: 80, top: 30 };

  function view(place: { from: number; part: number; left: number; across: number; order: boolean }): Plot {
    const { from, part, left, across, order } = place;
    const whole = order ? scene.length : scene.times.at(-1)!;
    const y0 = from * (1 - part) * whole;
    const x0 = left * (1 - across);
    return plotOf(scene, { ...ALL, order, x0, x1: x0 + across, y0, y1: y0 + part * whole });
  }

  /** Every shape and mark that is in sight, one after the other, without any blocks. */
  function inSight({ layers, marks }: Scene, { toX, toY, left, top, width, height }: Plot): { shapes: number; marks: number } {
    let shapes = 0;
    for (const { from, to, x0, x1 } of layers) {
      from.forEach((at, i) => {
        const across = toX(x1[i]!) >= left && toX(x0[i]!) <= width;
        if (across && toY(at) <= height && toY(to[i]!) >= top) shapes++;
      });
    }
    const seen = marks.filter(({ at, x }) => {
      const [px, py] = [toX(x), toY(at)];
      return px >= left && px <= width && py >= top && py <= height;
    });
    return { shapes, marks: seen.length };
  }

  const places = fc.record({
    ...{ from: fc.double({ min: 0, max: 1, noNaN: true }), left: fc.double({ min: 0, max: 1, noNaN: true }) },
    ...{ part: fc.constantFrom(1, 0.5, 0.1, 0.01), across: fc.constantFrom(1, 0.3, 0.02), order: fc.boolean() },
  });

  it('are all there, one by one or as specks, and so is every collision', () => {
    fc.assert(
      fc.property(places, (place) => {
        const plot = view(place);
        const counts = { shape: 0, speck: 0, cross: 0, dot: 0, crowded: 0 };
        const pen: ShapePen = {
          ...{ mostShapes: 200, mostCrosses: 50, link: () => {}, name: () => {} },
          shape: () => counts.shape++,
          speck: () => counts.speck++,
          cross: () => counts.cross++,
          dot: () => counts.dot++,
          crowded: () => counts.crowded++,
        };
        paintShapes(scene, plot, pen);
        const expected = inSight(scene, plot);
        // A shape that only just touches the edge may be there for one and not for the other.
        expect(counts.shape + counts.speck).toBeGreaterThanOrEqual(expected.shapes);
        expect(counts.shape + counts.speck).toBeLessThanOrEqual(expected.shapes + 12);
        expect(counts.cross + counts.dot).toBeGreaterThanOrEqual(expected.marks);
        expect(counts.shape).toBeLessThanOrEqual(200);
        expect(counts.cross).toBeLessThanOrEqual(60);
        expect(counts.cross === 0 || counts.dot === 0).toBe(true);
        expect(counts.crowded).toBe(1);
      }),
      { numRuns: 30 },
    );
  });

  it('are drawn one by one where there are few, the highest first to be so', () => {
    const heights: Record<'shape' | 'speck', number[]> = { shape: [], speck: [] };
    const paint = (mostShapes: number) => {
      heights.shape = [];
      heights.speck = [];
      paintShapes(scene, view({ from: 0.5, part: 0.02, left: 0, across: 1, order: false }), {
        ...{ mostShapes, mostCrosses: 50, link: () => {}, name: () => {}, cross: () => {}, dot: () => {}, crowded: () => {} },
        shape: (_style, { height }) => heights.shape.push(height),
        speck: (_style, { height }) => heights.speck.push(height),
      });
    };
    paint(1_000);
    const all = heights.shape.length;
    expect([all > 50, heights.speck.length]).toEqual([true, 0]);
    paint(Math.floor(all / 2));
    expect(heights.shape.length + heights.speck.length).toBe(all);
    expect(heights.shape.length).toBeGreaterThan(0);
    expect(Math.min(...heights.shape)).toBeGreaterThanOrEqual(Math.max(...heights.speck));
  });
});
