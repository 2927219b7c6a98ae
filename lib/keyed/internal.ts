/**
 * The second door of the keyed wing: what drivers of this package need, without the caches that the first door leads to. A bundler
 * that follows the first one keeps them.
 */
import type { Invalidation } from '../tracker/index.js';
import type { Change, KeyedChange } from './section.js';

export { KeyedFence } from './keyed-fence.js';
export { FENCE_NAMES } from './options.js';
export { hits, KeyScope } from './scope.js';

/** The section of the tracker behind a change, as that shows it. */
export function sectionUnder<K>(change: KeyedChange<K>): Invalidation {
  return (change as Change<K>).section;
}
