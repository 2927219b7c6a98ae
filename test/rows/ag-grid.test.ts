/** The datasource for AG Grid, over a grid that is played: the real one is in test/rows-grid. */
import { expect, it } from 'vitest';
import { type AgGridApi, type AgGridNode, agGridDatasource, RowWindow } from '../../lib/rows/index.js';
import { ManualClock, settled } from '../support/model/clock.js';
import { compare, keyOf, type Row, Table } from './support/table.js';

/** What a grid shows of [first, last], and what it was told. */
class Grid implements AgGridApi {
  readonly nodes = new Map<number, AgGridNode & { data?: unknown; updated: number }>();
  readonly answers: (readonly [rows: number, lastRow: number | undefined] | 'failed')[] = [];
  refreshed = 0;
  hasRowApi = true;
  shown: readonly [first: number, last: number] = [0, 9];
  #scrolled: (() => void)[] = [];

  refreshInfiniteCache(): void {
    this.refreshed++;
  }

  isModuleRegistered(): boolean {
    return this.hasRowApi;
  }

  getFirstDisplayedRowIndex(): number {
    return this.shown[0];
  }

  getLastDisplayedRowIndex(): number {
    return this.shown[1];
  }

  getDisplayedRowAtIndex(index: number): AgGridNode | undefined {
    return this.nodes.get(index);
  }

  addEventListener(_: string, listener: () => void): void {
    this.#scrolled.push(listener);
  }

  removeEventListener(_: string, listener: () => void): void {
    this.#scrolled = this.#scrolled.filter((each) => each !== listener);
  }

  scroll(first: number, last: number): void {
    this.shown = [first, last];
    for (const scrolled of this.#scrolled) scrolled();
  }

  get listeners(): number {
    return this.#scrolled.length;
  }

  /** What it hands to a datasource. */
  params(startRow: number, endRow: number) {
    return {
      ...{ startRow, endRow, api: this },
      failCallback: () => void this.answers.push('failed'),
      successCallback: (rows: unknown[], lastRow?: number) => {
        this.answers.push([rows.length, lastRow]);
        rows.forEach((data, i) => {
          const node = {
            data,
            updated: 0,
            updateData: (next: unknown) => void Object.assign(node, { data: next, updated: node.updated + 1 }),
          };
          this.nodes.set(startRow + i, node);
        });
      },
    };
  }
}

function stage(count = 35) {
  const table = Table.of(count);
  const clock = new ManualClock();
  let loads = 0;
  const broken = { isBroken: false };
  const load = async (request: never) => {
    loads++;
    if (broken.isBroken) throw new Error('broken');
    return table.page(request);
  };
  const rows = new RowWindow<Row, number>({ load: load as never, keyOf, compare, blockRows: 10, clock });
  return { table, clock, rows, grid: new Grid(), datasource: agGridDatasource(rows), broken, loads: () => loads };
}

it('answers blocks, and says how many rows there are as soon as it is known', async () => {
  const { grid, datasource } = stage();
  for (const start of [0, 10, 20, 30, 40]) {
    datasource.getRows(grid.params(start, start + 10));
    await settled();
  }
  expect(grid.answers).toEqual([
    [10, undefined],
    [10, undefined],
    [10, undefined],
    [5, 35],
    [0, 35],
  ]);
});

it('puts what has changed on the screen at once, and nothing else, and has the grid ask again when it is quiet', async () => {
  const { table, clock, rows, grid, datasource, loads } = stage();
  datasource.getRows(grid.params(0, 10));
  await settled();
  table.put(30, 'new');
  rows.changed({ key: 30 });
  await settled();
  expect([...grid.nodes.values()].map(({ updated }) => updated)).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
  expect([grid.nodes.get(2)?.data, loads(), grid.refreshed]).toEqual([{ key: 30, text: 'new' }, 2, 0]);
  clock.advance(249);
  expect(grid.refreshed).toBe(0);
  clock.advance(1);
  expect([grid.refreshed, clock.pending]).toEqual([1, 0]);
});

it('has the grid ask again once a second in a stream of changes', async () => {
  const { clock, rows, grid, datasource } = stage();
  datasource.getRows(grid.params(0, 10));
  await settled();
  for (let i = 0; i < 40; i++) {
    rows.changed({ key: 30 });
    await settled();
    clock.advance(50);
  }
  expect(grid.refreshed).toBe(2);
});

it('puts right what comes into view before the grid has asked again', async () => {
  const { table, clock, rows, grid, datasource } = stage();
  for (const start of [0, 10]) datasource.getRows(grid.params(start, start + 10));
  await settled();
  table.put(150, 'new');
  rows.changed({ key: 150 });
  await settled();
  expect(grid.nodes.get(14)?.updated).toBe(0);
  grid.scroll(10, 19);
  await settled();
  expect(grid.nodes.get(14)?.data).toEqual({ key: 150, text: 'new' });
  clock.advance(1000);
  grid.scroll(0, 9);
  await settled();
  expect(grid.refreshed).toBe(1);
});

it('has a grid without the module for rows ask again after each change', async () => {
  const { rows, grid, datasource } = stage();
  grid.hasRowApi = false;
  datasource.getRows(grid.params(0, 10));
  await settled();
  rows.changed({ key: 30 });
  await settled();
  expect(grid.refreshed).toBe(1);
});

it('tells the grid of what fails, and asks again with the next change', async () => {
  const { rows, grid, datasource, broken } = stage();
  broken.isBroken = true;
  datasource.getRows(grid.params(0, 10));
  await settled();
  expect(grid.answers).toEqual(['failed']);
  broken.isBroken = false;
  datasource.getRows(grid.params(0, 10));
  await settled();
  broken.isBroken = true;
  rows.changed({ key: 30 });
  await settled();
  broken.isBroken = false;
  rows.changed({ key: 30 });
  await settled();
  expect(grid.answers).toEqual(['failed', [10, undefined]]);
});

it('ends with the grid: nothing is left, and nothing is told any more', async () => {
  const { clock, rows, grid, datasource } = stage();
  datasource.getRows(grid.params(0, 10));
  await settled();
  datasource.getRows(grid.params(10, 20));
  rows.changed({ key: 30 });
  datasource.destroy();
  await settled();
  rows.changed({ key: 30 });
  await settled();
  clock.advance(1000);
  expect([grid.answers.length, grid.refreshed, grid.listeners, clock.pending]).toEqual([1, 0, 0, 0]);
  expect((await rows.read(0, 10)).length).toBe(10);
  expect(() => agGridDatasource({} as never)).toThrow('rows is an object; expected a RowWindow');
});
