/**
 * The tracker's second door: what drivers of this package need, and the public must not see.
 */

export { BEGIN_NAMES, DEFAULT_KIND } from './invalidation.js';
export type { Away, Linked, SpaceLink } from './link.js';
export { FILTER_NAMES, WAIT_NAMES } from './options.js';
export { Member, Section, type SectionHome, sectionOf } from './parties.js';
export { type Space, UNKNOWN } from './space.js';
export { spaceOf } from './tracker.js';
export { DEFAULT_HISTORY_CAPACITY } from './tracker-options.js';
