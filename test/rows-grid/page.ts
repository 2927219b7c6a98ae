/**
 * The page: an AG Grid over the backend, plain (every change has it ask for all of its blocks again) or over a window of rows. The test
 * drives it by what it leaves in `globalThis`.
 */
import { AllCommunityModule, createGrid, type GridApi, type IDatasource, ModuleRegistry } from 'ag-grid-community';
import { agGridDatasource, RowWindow } from '../../lib/rows/index.js';

interface Item {
  readonly id: number;
  readonly text: string;
}

/** What is used of a browser's globals. */
interface Host {
  readonly document: { getElementById(id: string): never };
  readonly location: { readonly search: string };
  readonly EventSource: new (
    url: string,
  ) => {
    addEventListener(name: string, listener: (event: { readonly data: string }) => void): void;
  };
  shown: () => { readonly first: number; readonly rows: (Item | null)[] };
  loaded: () => number;
  show: (index: number) => void;
  ready: boolean;
}
const host = globalThis as unknown as Host;

ModuleRegistry.registerModules([AllCommunityModule]);

async function fetchRows(path: string, parameters: Record<string, number | undefined>, signal?: AbortSignal): Promise<Item[]> {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  const response = await fetch(`${path}?${given.map(([name, value]) => `${name}=${value}`).join('&')}`, {
    signal: signal ?? null,
  });
  return (await response.json()) as Item[];
}

const events = new host.EventSource('/events');
const grid: GridApi<Item> = createGrid<Item>(host.document.getElementById('grid'), {
  ...{ rowModelType: 'infinite', cacheBlockSize: 100, rowHeight: 20, columnDefs: [{ field: 'id' }, { field: 'text' }] },
});

function plain(): IDatasource {
  events.addEventListener('changed', () => grid.refreshInfiniteCache());
  events.addEventListener('restored', () => grid.refreshInfiniteCache());
  return {
    getRows({ startRow, endRow, successCallback, failCallback }) {
      fetchRows('/by-offset', { start: startRow, end: endRow }).then(
        (rows) => successCallback(rows, rows.length < endRow - startRow ? startRow + rows.length : undefined),
        failCallback,
      );
    },
  };
}

function fenced(): IDatasource {
  const rows = new RowWindow<Item, number>({
    load: ({ from, to, limit, signal }) => fetchRows('/by-key', { from, to, limit }, signal),
    keyOf: ({ id }) => id,
    compare: (a, b) => a - b,
  });
  events.addEventListener('changed', ({ data }) => rows.changed({ key: Number(data) }));
  events.addEventListener('restored', () => rows.reset());
  Object.assign(globalThis, { rows });
  return agGridDatasource(rows);
}

host.shown = () => {
  const first = grid.getFirstDisplayedRowIndex();
  const count = grid.getLastDisplayedRowIndex() - first + 1;
  const rows = Array.from({ length: count }, (_, i) => grid.getDisplayedRowAtIndex(first + i)?.data ?? null);
  return { first, rows };
};
host.loaded = () => {
  const blocks = Object.values(grid.getCacheBlockState() ?? {}) as { readonly pageStatus: string }[];
  return blocks.every(({ pageStatus }) => pageStatus === 'loaded') ? blocks.length : -1;
};
host.show = (index) => grid.ensureIndexVisible(index, 'bottom');
events.addEventListener('open', () => {
  grid.setGridOption('datasource', host.location.search === '?plain' ? plain() : fenced());
  host.ready = true;
});
