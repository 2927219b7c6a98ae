/**
 * Virtual rows over an ordered source: known by key, read by index.
 *
 * The way of a read (row-window.ts, `read`): reader.ts asks plan.ts which blocks (blocks.ts) before the end of what was asked for are
 * dirty, unknown or without rows, and waits for their loads (load.ts), begun in stretches of neighbours; a load takes a token of the
 * tracker, asks for keys, checks the answer (answer.ts), and installs block by block what no change has hit. Then it hands out slices.
 * The way of a change (`changed`, `mutate`, `reset`): it is a section of the tracker whose owner (spans.ts) says which keys it is about;
 * the blocks that it touches are dirty from then on, and pace.ts tells the listeners, who read again.
 *
 * On top: ag-grid.ts.
 *
 * Not to be touched: the turn of check and install in load.ts; and blocks that are being read, which only their load replaces.
 *
 * @packageDocumentation
 */
export { type AgGridApi, type AgGridDatasource, type AgGridNode, type AgGridRowsParams, agGridDatasource } from './ag-grid.js';
export type { RowReadOptions, RowRequest, RowStatus, RowWindowOptions } from './options.js';
export { type RowMutateOptions, type RowStats, type RowsChanged, RowWindow } from './row-window.js';
export type { Compare, RowChange, RowKeyChange, RowStretchChange } from './spans.js';
