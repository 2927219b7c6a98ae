/** How the contract suite makes a lookup hold, for the other tests, too. */
export { type Holder, hit, hold } from '../../lib/testing/contract/support/holding.js';
