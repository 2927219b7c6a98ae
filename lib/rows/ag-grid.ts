/**
 * AG Grid: a datasource for its infinite row model. Nothing of it is imported: the types are structural.
 */
import { check } from '../base/errors.js';
import type { RowStatus } from './options.js';
import { RowWindow } from './row-window.js';

/** What is used of the grid. */
export interface AgGridApi {
  /** Asks for its blocks again, and shows what it had until they are there. */
  refreshInfiniteCache(): void;
}

/** What is used of what the grid asks. */
export interface AgGridRowsParams {
  readonly startRow: number;
  readonly endRow: number;
  successCallback(rows: unknown[], lastRow?: number): void;
  failCallback(): void;
  readonly api: AgGridApi;
}

/** What the grid takes as its `datasource`. */
export interface AgGridDatasource {
  /** Answers from the window. The first call also has the grid told of changes. */
  getRows(params: AgGridRowsParams): void;
  /** The grid calls it when it has got another datasource, or is destroyed: reads that wait are ended. The window stays. */
  destroy(): void;
}

/**
 * A datasource for a grid with `rowModelType: 'infinite'`: `grid.setGridOption('datasource', agGridDatasource(rows))`. The grid asks again after each
 * change, and the window answers what has not changed without a request. One datasource for each grid. Throws `InvalidArgumentError`.
 */
export function agGridDatasource<Row, Key>(rows: RowWindow<Row, Key>): AgGridDatasource {
  check(rows instanceof RowWindow, 'rows', rows, 'a RowWindow');
  const leaving = new AbortController();
  const { signal } = leaving;
  let grid: AgGridApi | undefined;
  let stop: (() => void) | undefined;
  const answer = async ({ startRow, endRow, successCallback, failCallback }: AgGridRowsParams): Promise<void> => {
    const status: RowStatus = {};
    try {
      const read = await rows.read(startRow, endRow, { signal, allowStale: true, status });
      if (signal.aborted) return;
      successCallback([...read], lastRow(read.length, startRow, endRow, rows.rowCount));
    } catch {
      if (!signal.aborted) failCallback(); // the grid marks the block as failed; the next change asks again
    }
  };
  return {
    getRows(params) {
      if (grid === undefined && !rows.closed) stop = rows.onChange(() => grid?.refreshInfiniteCache());
      grid = params.api;
      answer(params);
    },
    destroy() {
      stop?.();
      leaving.abort();
    },
  };
}

/** The grid's word for how many rows there are; `undefined` while there may be more. */
function lastRow(read: number, start: number, end: number, rowCount: number | undefined): number | undefined {
  return read < end - start && read > 0 ? start + read : rowCount;
}
