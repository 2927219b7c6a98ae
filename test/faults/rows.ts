/**
 * Faults of `rangefence/rows`; see faults.ts.
 */
import type { Fault } from './faults.js';

const ROWS = 'test/rows/rows.test.ts';
const RACE = 'test/rows/rows.race.test.ts';
const GRID = 'test/rows/ag-grid.test.ts';

/** Wrong behaviour of windows of rows, one at a time. */
export const ROWS_FAULTS: readonly Fault[] = [
  {
    name: 'a block that was hit while it was read is taken for fresh',
    file: 'rows/load.ts',
    find: 'new Block<Row, Key>(from).fill(piece, isPieceHit)',
    replace: 'new Block<Row, Key>(from).fill(piece, false)',
    first: [RACE],
  },
  {
    name: 'a load is hit by changes of keys that it has not read',
    file: 'rows/load.ts',
    find: 'owner instanceof Span && !owner.touches(from, to)',
    replace: 'owner === from && to === owner',
    first: [ROWS],
  },
  {
    name: 'a change is said to loads, and not to blocks',
    file: 'rows/row-window.ts',
    find: 'list[place]!.isDirty = true;',
    replace: '',
    first: [ROWS],
  },
  {
    name: 'a change is said to blocks, and not to loads',
    file: 'rows/row-window.ts',
    find: 'if (section !== undefined) section.end();',
    replace: 'if (section === undefined) return;',
    first: [ROWS],
  },
  {
    name: 'changes are told one by one',
    file: 'rows/pace.ts',
    find: 'if (waitMs > 0) this.#wait(waitMs);',
    replace: 'if (waitMs > 1e9) this.#wait(waitMs);',
    first: [ROWS],
  },
  {
    name: 'of changes that are told together only the last one counts',
    file: 'rows/pace.ts',
    find: 'this.#first = Math.min(this.#first, start);',
    replace: 'this.#first = start;',
    first: [RACE, ROWS],
  },
  {
    name: 'an inserted row between two blocks belongs to none',
    file: 'rows/load.ts',
    find: 'keyOf(pieces[at + 1]![0]!) : bound, token',
    replace: 'keyOf(pieces[at + 1]![0]!) : piece.length === 0 ? bound : keyOf(piece.at(-1)!), token',
    first: [ROWS],
  },
  {
    name: 'nobody hears that what was handed out was hit',
    file: 'rows/row-window.ts',
    find: 'reader.outdated?.then(() => this.closed || this.#pace.announce(start));',
    replace: '',
    first: [ROWS, RACE],
  },
  {
    name: 'whoever was told of a change that is going on is told again at once',
    file: 'rows/reader.ts',
    find: 'return this.#take({ stale: true }, this.#loads);',
    replace: 'return this.#take({ stale: true }, []);',
    first: [ROWS],
  },
  {
    name: 'stale rows are not marked',
    file: 'rows/reader.ts',
    find: 'if (mayBeStale && this.#retried > 0) return this.#take({ stale: true }, []);',
    replace: 'if (mayBeStale && this.#retried > 0) return this.#take({}, []);',
    first: [ROWS],
  },
  {
    name: 'stale rows are handed out to everybody',
    file: 'rows/reader.ts',
    find: 'const mayBeStale = allowStale === true && plan.isAtHand;',
    replace: 'const mayBeStale = allowStale !== false && plan.isAtHand;',
    first: [RACE],
  },
  {
    name: 'a reader that leaves ends the loads of others',
    file: 'rows/load.ts',
    find: 'if (this.#readers.size === 0) this.end(undefined);',
    replace: 'this.end(undefined);',
    first: [ROWS],
  },
  {
    name: 'a load that nobody waits for goes on',
    file: 'rows/load.ts',
    find: 'this.#controller.abort(reason);',
    replace: '',
    first: [ROWS],
  },
  {
    name: 'neighbours are read one by one',
    file: 'rows/plan.ts',
    find: 'if (more === 0 || rows + added > maxLoadRows) break;',
    replace: 'break;',
    first: [ROWS],
  },
  {
    name: 'a read goes on above the limit of one request',
    file: 'rows/plan.ts',
    find: 'if (more === 0 || rows + added > maxLoadRows) break;',
    replace: 'if (more === 0) break;',
    first: [ROWS],
  },
  {
    name: 'rows that were given up are handed out as if there were none',
    file: 'rows/plan.ts',
    find: 'if (isMissing || block.isDirty) blocks.push(block);',
    replace: 'if (block.isDirty) blocks.push(block);',
    first: [ROWS],
  },
  {
    name: 'a change of everything leaves the rows that are there',
    file: 'rows/row-window.ts',
    find: 'for (const block of this.#blocks.list) block.rows = undefined;',
    replace: '',
    first: [ROWS],
  },
  {
    name: 'rows that are out of order are taken',
    file: 'rows/answer.ts',
    find: 'if (place > 0 && !(compare(last as Key, key) < 0))',
    replace: 'if (place > 1e9 && !(compare(last as Key, key) < 0))',
    first: [ROWS],
  },
  {
    name: 'blocks that deletes have emptied stay for ever',
    file: 'rows/blocks.ts',
    find: 'list.splice(at - 1, 2,',
    replace: 'if (at < 0) list.splice(at - 1, 2,',
    first: [ROWS],
  },
  {
    name: 'a block that is being read is merged with another one',
    file: 'rows/blocks.ts',
    find: 'const isIdle = before.load === undefined && after.load === undefined;',
    replace: 'const isIdle = true;',
    first: [ROWS],
  },
  {
    name: 'the grid is sent through its blocks after each change',
    file: 'rows/ag-grid.ts',
    find: 'isDirect ? this.#changed() : grid.refreshInfiniteCache()',
    replace: 'isDirect ? grid.refreshInfiniteCache() : grid.refreshInfiniteCache()',
    first: [GRID],
  },
  {
    name: 'the grid is never sent through its blocks in a stream of changes',
    file: 'rows/ag-grid.ts',
    find: 'Math.max(0, Math.min(QUIET_MS, this.#sinceMs + MOST_MS - clock.now()))',
    replace: 'QUIET_MS',
    first: [GRID],
  },
  {
    name: 'what comes into view stays as the grid had it',
    file: 'rows/ag-grid.ts',
    find: 'if (this.#sinceMs !== undefined) this.#show();',
    replace: '',
    first: [GRID],
  },
  {
    name: 'a grid that is gone is still told of changes',
    file: 'rows/ag-grid.ts',
    find: '    this.#stop();\n',
    replace: '',
    first: [GRID],
  },
];
