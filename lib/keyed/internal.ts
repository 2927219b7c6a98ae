/**
 * The second door of the keyed wing: what drivers of this package need, and the public must not see.
 */

export { KeyScope } from './scope.js';
