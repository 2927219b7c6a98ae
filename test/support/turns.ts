/** How the contract suite lets promises settle, for the other tests, too. */
export { type Deferred, deferred, failure, Outcome, soon, turns } from '../../lib/testing/contract/support/turns.js';
