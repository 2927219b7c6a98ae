/**
 * What finds deadlocks before they hang: an observer that checks who waits for whom, in which order.
 *
 * The way of an event: lock-order.ts is the observer; it finds the records of the tracker, section and reader that the event
 * names (records.ts, and parties.ts for what they are), the context in which it happens (context.ts), and where (stack.ts, fresh.ts).
 * Loads that several share go through loads.ts.
 *
 * The way of a report: a wait that began is looked at by judge.ts at the end of the turn, which follows it through graph.ts; an
 * order in which sections were nested is compared with earlier ones in order.ts; what was begun and not ended is in
 * ledger.ts. All of it becomes a `LockOrderError` (errors.ts), told from a microtask.
 *
 * Not to be touched: nothing here may keep a tracker, section or handle alive beyond the turn (records.ts, fresh.ts), hold up
 * what it observes, or throw into it; and stack.ts counts frames: a function between the tracker and lock-order.ts moves them.
 *
 * @packageDocumentation
 */
export { type LockOrderDetails, LockOrderError, type LockOrderKind, type LockOrderStep } from './errors.js';
export type { LeaksOptions, OpenSection } from './ledger.js';
export { type LockOrder, lockOrder } from './lock-order.js';
export type { LockOrderOptions, RunOptions } from './options.js';
export type { LockContext } from './parties.js';
