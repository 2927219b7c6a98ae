/**
 * AG Grid: a datasource for its infinite row model. Nothing of it is imported: the types are structural.
 *
 * The grid's own way to read again, `refreshInfiniteCache`, goes through all blocks that it has, in order, two at a time and each by a
 * timer, and begins anew when it is called again: in a stream of changes, what is on the screen comes late, or never. So the rows that are
 * on the screen are read and put there at once, and the grid is sent through its blocks when no change has come for a while.
 */
import { check } from '../base/errors.js';
import type { RowStatus } from './options.js';
import { RowWindow } from './row-window.js';

/** What is used of a row of the grid. */
export interface AgGridNode {
  /** What it shows; `undefined` while its block is being loaded. */
  readonly data?: unknown;
  /** Has it show something else. */
  updateData(data: unknown): void;
}

/** What is used of the grid. */
export interface AgGridApi {
  /** Asks for all blocks again that it has, and shows what it had until they are there. */
  refreshInfiniteCache(): void;
  /** Without the module `RowApiModule` (`AllCommunityModule` has it) the grid goes through all of its blocks after each change. */
  isModuleRegistered(name: 'RowApiModule'): boolean;
  /** The first row that is on the screen, or nearly. */
  getFirstDisplayedRowIndex(): number;
  /** The last one. */
  getLastDisplayedRowIndex(): number;
  /** The row at this index, if it is there. */
  getDisplayedRowAtIndex(index: number): AgGridNode | undefined;
  /** Other rows are on the screen. */
  addEventListener(event: 'viewportChanged', listener: () => void): void;
  /** Takes the listener away. */
  removeEventListener(event: 'viewportChanged', listener: () => void): void;
}

/** What is used of what the grid asks. */
export interface AgGridRowsParams {
  /** The index of the first row. */
  readonly startRow: number;
  /** The index behind the last row. */
  readonly endRow: number;
  /** Takes the rows, and how many there are of all, if that is known. */
  successCallback(rows: unknown[], lastRow?: number): void;
  /** There are none. */
  failCallback(): void;
  /** The grid. */
  readonly api: AgGridApi;
}

/** What the grid takes as its `datasource`. */
export interface AgGridDatasource {
  /** Answers from the window. The first call also has the grid told of changes. */
  getRows(params: AgGridRowsParams): void;
  /** The grid calls it when it has got another datasource, or is destroyed: reads that wait are ended. The window stays. */
  destroy(): void;
}

/** The grid is sent through its blocks when no change has come for so long: a stream of changes is denser. */
const QUIET_MS = 250;
/** And after this time at the latest, for scrolling is faster with blocks that are right. */
const MOST_MS = 1000;

/**
 * A datasource for a grid with `rowModelType: 'infinite'`: `grid.setGridOption('datasource', agGridDatasource(rows))`. After each change the rows on
 * the screen are right as soon as they are read, those that the grid has elsewhere a quarter of a second after the last one, or when they come
 * into view. One datasource for each grid. Throws `InvalidArgumentError`.
 */
export function agGridDatasource<Row, Key>(rows: RowWindow<Row, Key>): AgGridDatasource {
  check(rows instanceof RowWindow, 'rows', rows, 'a RowWindow');
  return new Datasource(rows as RowWindow<unknown, unknown>);
}

class Datasource implements AgGridDatasource {
  readonly #rows: RowWindow<unknown, unknown>;
  readonly #leaving = new AbortController();
  #grid: AgGridApi | undefined = undefined;
  #stop: () => void = () => {};
  #timer: unknown = undefined;
  /** When the first change came since the grid was sent through its blocks. */
  #sinceMs: number | undefined = undefined;
  #isShowing = false;
  #isAgain = false;
  readonly #scrolled = () => {
    if (this.#sinceMs !== undefined) this.#show();
  };

  constructor(rows: RowWindow<unknown, unknown>) {
    this.#rows = rows;
  }

  getRows({ startRow, endRow, successCallback, failCallback, api }: AgGridRowsParams): void {
    if (this.#grid === undefined) this.#attach(api);
    this.#read(startRow, endRow).then(
      (read) => read !== undefined && successCallback([...read], lastRow(read.length, startRow, endRow, this.#rows.rowCount)),
      // The grid marks the block as failed; the next change has it ask again.
      () => this.#leaving.signal.aborted || failCallback(),
    );
  }

  destroy(): void {
    this.#stop();
    this.#rows.clock.clearTimeout(this.#timer);
    this.#leaving.abort();
  }

  #attach(grid: AgGridApi): void {
    this.#grid = grid;
    if (this.#rows.closed || this.#leaving.signal.aborted) return;
    const isDirect = grid.isModuleRegistered('RowApiModule');
    const stop = this.#rows.onChange(() => (isDirect ? this.#changed() : grid.refreshInfiniteCache()));
    grid.addEventListener('viewportChanged', this.#scrolled);
    this.#stop = () => {
      stop();
      grid.removeEventListener('viewportChanged', this.#scrolled);
    };
  }

  /** `undefined` if the grid does not want it any more. */
  async #read(start: number, end: number): Promise<readonly unknown[] | undefined> {
    const { signal } = this.#leaving;
    const status: RowStatus = {};
    const read = await this.#rows.read(start, end, { signal, allowStale: true, status });
    return signal.aborted ? undefined : read;
  }

  #changed(): void {
    this.#show();
    const { clock } = this.#rows;
    this.#sinceMs ??= clock.now();
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(
      () => {
        this.#sinceMs = undefined;
        this.#grid!.refreshInfiniteCache();
      },
      Math.max(0, Math.min(QUIET_MS, this.#sinceMs + MOST_MS - clock.now())),
    );
  }

  /** Puts the rows that are on the screen there, if they are others; once more if something has changed meanwhile. */
  async #show(): Promise<void> {
    this.#isAgain = true;
    if (this.#isShowing) return;
    this.#isShowing = true;
    try {
      while (this.#isAgain) {
        this.#isAgain = false;
        await this.#put();
      }
    } catch {
      // The grid asks for its blocks in a moment, and shows what fails.
    } finally {
      this.#isShowing = false;
    }
  }

  async #put(): Promise<void> {
    const grid = this.#grid!;
    const [first, last] = [grid.getFirstDisplayedRowIndex(), grid.getLastDisplayedRowIndex()];
    if (!(first >= 0 && last >= first)) return;
    const read = (await this.#read(first, last + 1)) ?? [];
    read.forEach((row, i) => {
      const node = grid.getDisplayedRowAtIndex(first + i);
      // One without data is in a block that is being loaded.
      if (node?.data !== undefined && !isSame(node.data as object, row as object)) node.updateData(row);
    });
  }
}

/** The grid's word for how many rows there are; `undefined` while there may be more. */
function lastRow(read: number, start: number, end: number, rowCount: number | undefined): number | undefined {
  return read < end - start && read > 0 ? start + read : rowCount;
}

/** A block that was read again has new objects for old rows: to draw them again would cost more than to look. */
function isSame(a: object, b: object): boolean {
  const names = Object.keys(b);
  if (names.length !== Object.keys(a).length) return false;
  return names.every((name) => Object.is(a[name as keyof object], b[name as keyof object]));
}
