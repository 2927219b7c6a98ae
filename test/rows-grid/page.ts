/**
 * The page: an AG Grid over the backend, plain (every change has it ask for all of its blocks again) or over a window of rows. The test
 * drives it by what it leaves in `globalThis`.
 */
import { AllCommunityModule, createGrid, type GridApi, type IDatasource, ModuleRegistry } from 'ag-grid-community';
import { agGridDatasource } from '../../lib/rows/index.js';
import { type Events, fetchRows, type Item, windowOver } from './source.js';

/** What is used of a browser's globals. */
interface Host {
  readonly document: { getElementById(id: string): never };
  readonly location: { readonly search: string };
  readonly EventSource: new (url: string) => Events;
  shown: () => { readonly first: number; readonly rows: (Item | null)[] };
  loaded: () => number;
  show: (index: number) => void;
  ready: boolean;
}
const host = globalThis as unknown as Host;

ModuleRegistry.registerModules([AllCommunityModule]);

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
  return agGridDatasource(windowOver(events));
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
