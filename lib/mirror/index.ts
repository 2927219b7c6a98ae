/**
 * A page table kept correct: pages of a source are loaded on demand, shared, and dropped before they change.
 *
 * @packageDocumentation
 */
export { CycleError } from '../base/errors.js';
export { BannedError, LoadError } from './errors.js';
export { RangeMirror } from './mirror.js';
export type { LoadContext, MirrorReadOptions, RangeMirrorOptions } from './options.js';
export type { MirrorStats } from './stats.js';
