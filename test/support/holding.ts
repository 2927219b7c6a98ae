/** How lookups are made to hold: as the contract suite does it, and by making a range hot. */
import type { Ranges, RangeTracker } from '../../lib/index.js';
import { hold } from '../../lib/testing/contract/support/holding.js';
import { Outcome, turns } from './turns.js';

export { type Holder, hit, hold } from '../../lib/testing/contract/support/holding.js';

/** So many lookups lose on these ranges, or are in the way of a begin, that the next ones hold them from the start. */
export async function heat(tracker: RangeTracker, ranges: Ranges): Promise<void> {
  for (let round = 0; round < 64; round++) {
    const held = await hold(tracker, ranges);
    const begun = new Outcome(tracker.begin(ranges));
    await held.commit();
    begun.value!.end();
    await turns();
  }
}
