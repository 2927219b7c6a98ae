/**
 * What helps to test a driver, or another implementation of the tracker.
 *
 * @packageDocumentation
 */

export * from './address-space/index.js';
export * from './contract/index.js';
export * from './explorer/explorer.js';
