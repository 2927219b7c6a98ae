/**
 * What helps to test a driver, or another implementation of the tracker. Three rooms, each with a note of its own:
 *
 * - contract/: the tracker's contract as tests for any runner. index.ts declares them, a file for each chapter; suite.ts is how a
 *   chapter declares tests and makes trackers, support/ its clock and assertions.
 * - explorer/: every order of the steps of a few parties. The way of one exploration: explorer.ts, search.ts (or sample.ts),
 *   which chooses the order, run.ts, which takes its steps, settler.ts, which waits until nothing goes on, check-points.ts and
 *   watch.ts; report.ts is what a failure looks like, scenario.ts what a user hands over.
 * - address-space/: pages of a simulated process, for drivers that mirror them. The way of one change: address-space.ts,
 *   access.ts / mapping.ts / moving.ts, fault.ts, change.ts, core.ts, frame.ts.
 *
 * Not to be touched: the contract uses nothing but the public surface, as it examines others, too; the explorer replaces methods
 * while it runs (lib/base/outlets.ts) and must put them back on every way out; nothing in the address space changes outside of a
 * section that covers it.
 *
 * @packageDocumentation
 */

export * from './address-space/index.js';
export * from './contract/index.js';
export * from './explorer/explorer.js';
