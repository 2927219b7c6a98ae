/**
 * The tracker's second door: what drivers of this package need, and the public must not see.
 */

export { DEFAULT_HISTORY_CAPACITY } from './options.js';
export { type Section, sectionOf } from './parties.js';
export { UNKNOWN } from './space.js';
export { spaceOf } from './tracker.js';
