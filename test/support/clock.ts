/** The clock of the contract suite, for the other tests, too. */
export { ManualClock } from '../../lib/testing/contract/support/clock.js';
