/** How the contract suite reads, for the other tests, too. */
export { type Call, deferredFetch, ManualFetch, permutations, range } from '../../lib/testing/contract/support/reading.js';
