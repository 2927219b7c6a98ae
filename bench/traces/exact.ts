/**
 * Exact: this package over the same work. No model: the real tracker, by a clock that stands still while anything can still
 * react. What it does is taken from its observer and judged by the same ledger as everybody.
 */
import { type LookupOptions, RangeTracker, type TrackerObserver, type TrackerStats } from '../../lib/index.js';
import { settled } from '../../test/support/model/clock.js';
import { Agenda, RANK } from './agenda.js';
import { Ledger, type Outcome } from './ledger.js';
import type { Work } from './work.js';

/** What became of the work, and what the tracker itself has counted. */
export interface ExactOutcome extends Outcome {
  readonly stats: Readonly<TrackerStats>;
}

/** Runs the tracker over the work. The options are those of every lookup. Throws what any lookup or begin rejects with. */
export async function playExact(work: Work, options: Pick<LookupOptions<void>, 'maxAttempts'> = {}): Promise<ExactOutcome> {
  const agenda = new Agenda();
  const ledger = new Ledger(work, () => agenda.now());
  const tracker = new RangeTracker({ clock: agenda, observer: reporter(ledger) });
  const failures: unknown[] = [];
  const fail = (error: unknown) => void failures.push(error);

  work.invalidations.forEach(({ begin, end, ranges }, invalidation) => {
    agenda.at(begin, RANK.begin, () => {
      ledger.asked(invalidation);
      tracker.begin(ranges, { label: String(invalidation) }).then((section) => {
        agenda.at(agenda.now() + end - begin, RANK.end, () => section.end());
      }, fail);
    });
  });
  work.lookups.forEach(({ at, takes, ranges }, lookup) => {
    const read = () =>
      new Promise<void>((resolve) => {
        agenda.at(agenda.now() + takes, RANK.check, resolve);
      });
    agenda.at(at, RANK.arrival, () => {
      tracker.lookup(ranges, read, { label: String(lookup), ...options }).catch(fail);
    });
  });
  while (agenda.step()) await settled();
  if (failures.length > 0) throw failures[0];
  return { ...ledger.outcome(), stats: tracker.stats };
}

/** Tells the ledger, by the indexes that labels are here. */
function reporter(ledger: Ledger): TrackerObserver {
  const index = ({ label }: { readonly label: string | undefined }) => Number(label);
  return {
    begin: ({ invalidation }) => ledger.began(index(invalidation)),
    ended: ({ invalidation }) => ledger.ended(index(invalidation)),
    // The tracker says whom somebody waits for, each time that is somebody else; here it is one wait until it is over.
    wait: ({ waiter }) => {
      if ('operation' in waiter && !ledger.isWaiting(index(waiter))) ledger.waits(index(waiter));
    },
    attempt: ({ reader }) => ledger.attempts(index(reader)),
    collided: ({ reader }) => ledger.retries(index(reader)),
    committed: ({ reader }) => ledger.commits(index(reader)),
  };
}
