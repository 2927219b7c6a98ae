/**
 * The second door of the keyed wing: what drivers of this package need, without the caches that the first door leads to. A bundler
 * that follows the first one keeps them.
 */

export { KeyedFence } from './keyed-fence.js';
export { hits, KeyScope } from './scope.js';
