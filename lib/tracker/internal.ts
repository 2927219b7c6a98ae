/**
 * The tracker's second door: what drivers of this package need, and the public must not see.
 */
export { UNKNOWN } from './space.js';
export { DEFAULT_HISTORY_CAPACITY, type RangeTracker, spaceOf } from './tracker.js';
