/**
 * The second door of the keyed fence: what drivers of this package need, and the public must not see.
 */
import type { Invalidation } from '../tracker/index.js';
import type { Change, KeyedChange } from './section.js';

/** The section of the tracker behind a change, as that shows it. */
export function sectionUnder<K>(change: KeyedChange<K>): Invalidation {
  return (change as Change<K>).section;
}
