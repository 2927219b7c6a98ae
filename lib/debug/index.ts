/**
 * What finds deadlocks before they hang: an observer that checks who waits for whom, in which order.
 *
 * @packageDocumentation
 */
export { type LockOrderDetails, LockOrderError, type LockOrderKind, type LockOrderStep } from './errors.js';
export type { LeaksOptions, OpenSection } from './ledger.js';
export { type LockOrder, lockOrder } from './lock-order.js';
export type { LockOrderOptions, RunOptions } from './options.js';
export type { LockContext } from './parties.js';
