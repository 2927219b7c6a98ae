/**
 * A page table kept correct: pages of a source are loaded on demand, shared, and dropped before they change.
 *
 * The way of a read (`mirror.read(range)`): mirror.ts checks it (options.ts) and is done if all pages are present (table.ts);
 * otherwise pager.ts, the state of the mirror, has a page-read.ts, which takes what is there, joins what is being loaded, and
 * starts a run.ts (one call of `load`) for the rest; each run checks its token and installs its pages in one turn; the read
 * resolves when all of its pages are valid together, or begins again for those that were hit. It goes on in the asynchronous
 * context of its caller (home.ts). What a load reads besides its pages is in observed.ts.
 *
 * The way of a change: the tracker tells pager.ts, as a subscriber; the pages leave the table, runs are told (`hit`), and
 * drops.ts calls `onDrop`, for which the begin waits.
 *
 * parts.ts says what these know of each other; snapshot.ts, stats.ts and errors.ts are what one looks at. internal.ts is for other wings.
 *
 * Not to be touched: the turn of check and installation in run.ts, in which nobody's code may run; and a step of page-read.ts,
 * which must have a turn of its own, as it calls `load`.
 *
 * @packageDocumentation
 */
export { CycleError } from '../base/errors.js';
export { BannedError, LoadError } from './errors.js';
export { RangeMirror } from './mirror.js';
export type { LoadContext, MirrorReadOptions, RangeMirrorOptions } from './options.js';
export type { MirrorLoadSnapshot, MirrorSnapshot } from './snapshot.js';
export type { MirrorStats } from './stats.js';
