/**
 * Density: a crowd of shapes as shades: how many of each style are there at once, on average, in each cell of a grid; and every
 * collision as a dot of its own cell.
 *
 * A shape of any size costs the same. It is entered at its corners only, as a difference to the cell above and the cell at the
 * left; two running sums, over rows and along each, bring the counts back. Heights are kept in parts of a cell, whole numbers,
 * so that sums are exact and nothing is left where nothing is (Crow, "Summed-area tables for texture mapping", 1984, the other
 * way round).
 *
 * The function is also sent to the page as its own source text, so it uses nothing but its parameters.
 */
import type { Box } from './paint.js';

/** The size of a grid, in pixels. */
export interface DensitySize {
  readonly width: number;
  readonly height: number;
}

/** What a style looks like: reds, greens and blues to 255; `weight` is its share in a mixture. */
export interface Shade {
  readonly colour: readonly [red: number, green: number, blue: number];
  readonly weight: number;
  /** Above all others? In a cell, what is below shines through. */
  readonly above: boolean;
}

/** See the top of the file. */
export interface Density {
  /** Empties it, for a picture of this size. */
  reset(size: DensitySize): void;
  /** Enters a shape; `style` is a number from 0. In pixels from the corner of the grid; what is beyond its edges is cut off. */
  speck(style: number, box: Box): void;
  /** Enters a collision in the middle of a box. */
  dot(box: Box): void;
  /** The side of a cell, in pixels. */
  readonly cell: number;
  readonly columns: number;
  readonly rows: number;
  /** Things entered since the last {@link Density.reset}. */
  readonly count: number;
  /** Collisions in a cell. */
  dotsAt(column: number, row: number): number;
  /** How many of a style are in a cell, on average over its height, in each cell of the grid. O(cells). */
  coverage(style: number): Float64Array;
  /** Paints it: four bytes for each cell, as of a canvas. O(cells for each style that occurs). */
  render(shades: readonly Shade[], dots: Shade['colour'], data: Uint8ClampedArray): void;
}

/** A grid of so many cells at most, however large the picture is. */
export function makeDensity(mostCells: number): Density {
  /** Parts of a cell in which heights are kept. */
  const PARTS = 64;
  let cell = 2;
  let columns = 0;
  let rows = 0;
  let count = 0;
  /** A row and a column more than the grid has, for what ends at its edge. */
  let differences: (Int32Array | undefined)[] = [];
  let used: number[] = [];
  let isUsed: boolean[] = [];
  let dots = new Uint16Array(0);

  const reset = ({ width, height }: DensitySize): void => {
    const side = Math.max(2, Math.ceil(Math.sqrt((width * height) / mostCells)));
    const [across, down] = [Math.max(1, Math.ceil(width / side)), Math.max(1, Math.ceil(height / side))];
    if (across !== columns || down !== rows) {
      [columns, rows] = [across, down];
      differences = [];
      dots = new Uint16Array(columns * rows);
    } else {
      for (const style of used) differences[style]!.fill(0);
      dots.fill(0);
    }
    [cell, used, isUsed, count] = [side, [], [], 0];
  };

  const gridOf = (style: number): Int32Array => {
    const known = differences[style];
    if (known !== undefined && isUsed[style]) return known;
    const grid = known ?? new Int32Array((columns + 1) * (rows + 2));
    differences[style] = grid;
    isUsed[style] = true;
    used.push(style);
    return grid;
  };

  const clamped = (value: number, most: number) => (value < 0 ? 0 : value > most ? most : value);

  /** Its upper edge begins it, in part in the row of the edge and in full from the next one on; its lower edge ends it. */
  const speck = (style: number, { x, y, width, height }: Box): void => {
    const grid = gridOf(style);
    const stride = columns + 1;
    const left = clamped(Math.floor(x / cell), columns - 1);
    const wide = Math.max(1, clamped(Math.round((x + width) / cell), columns) - left);
    const scale = PARTS / cell;
    const from = clamped(Math.round(y * scale), rows * PARTS - 1);
    const to = Math.max(from + 1, clamped(Math.round((y + height) * scale), rows * PARTS));
    const top = Math.floor(from / PARTS);
    const bottom = Math.floor(to / PARTS);
    const belowTop = from - top * PARTS;
    const belowBottom = to - bottom * PARTS;
    let at = top * stride + left;
    grid[at]! += PARTS - belowTop;
    grid[at + wide]! -= PARTS - belowTop;
    grid[at + stride]! += belowTop;
    grid[at + stride + wide]! -= belowTop;
    at = bottom * stride + left;
    grid[at]! -= PARTS - belowBottom;
    grid[at + wide]! += PARTS - belowBottom;
    grid[at + stride]! -= belowBottom;
    grid[at + stride + wide]! += belowBottom;
    count++;
  };

  const dot = ({ x, y, width, height }: Box): void => {
    const column = clamped(Math.floor((x + width / 2) / cell), columns - 1);
    const row = clamped(Math.floor((y + height / 2) / cell), rows - 1);
    const at = row * columns + column;
    dots[at] = Math.min(dots[at]! + 1, 65_535);
    count++;
  };

  /** The sums of a row, from those of the row above. True if there is anything in it. */
  const addRow = (grid: Int32Array, sum: Int32Array, row: number): boolean => {
    const place = row * (sum.length + 1);
    let run = 0;
    let any = 0;
    for (let column = 0; column < sum.length; column++) {
      run += grid[place + column]!;
      const here = sum[column]! + run;
      sum[column] = here;
      any |= here;
    }
    return any !== 0;
  };

  const coverage = (style: number): Float64Array => {
    const all = new Float64Array(columns * rows);
    const grid = differences[style];
    if (grid === undefined || !isUsed[style]) return all;
    const sum = new Int32Array(columns);
    for (let row = 0; row < rows; row++) {
      addRow(grid, sum, row);
      for (let column = 0; column < columns; column++) all[row * columns + column] = sum[column]! / PARTS;
    }
    return all;
  };

  /**
   * How strong so many parts of a cell are: a third for one thing that fills it, then as much more with each doubling, so that
   * 2 and 4 look as different as 200 and 400; a little at least, and never so strong that the colours below cannot be seen.
   */
  const strengths = Float32Array.from({ length: 8192 }, (_, parts) =>
    parts === 0 ? 0 : Math.min(0.9, Math.max(0.2, 0.34 + 0.08 * Math.log2(parts / PARTS))),
  );

  /** A row of colours by their shares: what they add up to, and the parts of a cell that are filled. */
  const makeMixture = () => ({
    ...{ red: new Float32Array(columns), green: new Float32Array(columns), blue: new Float32Array(columns) },
    ...{ shares: new Float32Array(columns), parts: new Int32Array(columns), any: false },
  });
  type Mixture = ReturnType<typeof makeMixture>;

  const clear = (mixture: Mixture): void => {
    if (!mixture.any) return;
    const { red, green, blue, shares, parts } = mixture;
    for (const column of [red, green, blue, shares, parts]) column.fill(0);
    mixture.any = false;
  };

  const mix = ({ red, green, blue, shares, parts }: Mixture, sum: Int32Array, { colour: [r, g, b], weight }: Shade): void => {
    for (let column = 0; column < sum.length; column++) {
      const here = sum[column]!;
      if (here === 0) continue;
      const share = here * weight;
      red[column]! += r * share;
      green[column]! += g * share;
      blue[column]! += b * share;
      shares[column]! += share;
      parts[column]! += here;
    }
  };

  /** One row of cells: the mixture below, over it the one above, over both the dots. */
  const paintRow = (row: number, [low, high]: readonly Mixture[], [r, g, b]: Shade['colour'], pixels: Uint32Array): void => {
    const hitsOf = dots;
    const strengthOf = strengths;
    const { red: red0, green: green0, blue: blue0, shares: shares0, parts: parts0 } = low!;
    const { red: red1, green: green1, blue: blue1, shares: shares1, parts: parts1 } = high!;
    for (let column = 0, cell = row * red0.length; column < red0.length; column++, cell++) {
      const below = parts0[column]!;
      const above = parts1[column]!;
      const hits = hitsOf[cell]!;
      if (below + above + hits === 0) continue;
      const dot = hits === 0 ? 0 : Math.min(1, 0.8 + 0.05 * hits);
      // Of each of the three, how much is seen of it: the upper hide the lower.
      const second = strengthOf[above < 8191 ? above : 8191]! * (1 - dot);
      const first = strengthOf[below < 8191 ? below : 8191]! * (1 - dot - second);
      const shown = first + second + dot;
      const scale0 = below === 0 ? 0 : first / (shares0[column]! * shown);
      const scale1 = above === 0 ? 0 : second / (shares1[column]! * shown);
      const scale2 = dot / shown;
      const red = (red0[column]! * scale0 + red1[column]! * scale1 + r * scale2) & 255;
      const green = (green0[column]! * scale0 + green1[column]! * scale1 + g * scale2) & 255;
      const blue = (blue0[column]! * scale0 + blue1[column]! * scale1 + b * scale2) & 255;
      pixels[cell] = ((shown * 255) << 24) | (blue << 16) | (green << 8) | red;
    }
  };

  const render = (shades: readonly Shade[], dotColour: Shade['colour'], data: Uint8ClampedArray): void => {
    const mixtures = [makeMixture(), makeMixture()] as const;
    const sums = used.map(() => new Int32Array(columns));
    const pixels = new Uint32Array(data.buffer);
    pixels.fill(0);
    for (let row = 0; row < rows; row++) {
      for (const mixture of mixtures) clear(mixture);
      used.forEach((style, i) => {
        if (!addRow(differences[style]!, sums[i]!, row)) return;
        const mixture = mixtures[shades[style]!.above ? 1 : 0];
        mix(mixture, sums[i]!, shades[style]!);
        mixture.any = true;
      });
      paintRow(row, mixtures, dotColour, pixels);
    }
  };

  return {
    ...{ reset, speck, dot, coverage, render },
    dotsAt: (column, row) => dots[row * columns + column]!,
    get cell() {
      return cell;
    },
    get columns() {
      return columns;
    },
    get rows() {
      return rows;
    },
    get count() {
      return count;
    },
  };
}
