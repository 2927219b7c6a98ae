/**
 * The contract suite, unchanged, where what reads and what changes are two processes. What does not hold there is named, with its
 * reason, and has to fail: so the list says what is different, and no more than that.
 */
import { describe, expect, it } from 'vitest';
import { describeContract } from '../../lib/testing/contract/index.js';
import { Pair } from '../support/redis/pair.js';

/** What is different in two processes: beginnings of the names of tests. */
const DIFFERENT: readonly [reason: string, names: readonly string[]][] = [
  [
    // docs/redis-protocol.md, "Holds": it would wait for itself. docs/redis.md says so among what is not promised.
    'a begin elsewhere queues behind no hold',
    [
      'a filter for its own invalidations > lets a begin pass a hold that would not notice it',
      'a filter for changes of protection > lets a begin pass a hold that would not notice it',
      'a filter for soft-dirty clearing > lets a begin pass a hold that would not notice it',
      'a filter for what has a certain label > lets a begin pass a hold that would not notice it',
      'a filter for a word of its own vocabulary > lets a begin pass a hold that would not notice it',
      'holds > a reader that always collides gets through one attempt after at most',
      'holds > a hold delays overlapping begins only',
      'holds > a hold reaches over what its fetch observes',
      'holds > a hold that the fetch of its attempt fails is given up like any other',
      'holds > a hold waits for sections that are active, and begins that come meanwhile queue behind it',
      'holds > all holders that waited for a section are admitted together when it ends',
      'holds > holders and begins take turns: begins of one phase go together, the next holder after them',
      'holds > a hold runs out after holdMs while its fetch is slow: the lookup fails, and the queue moves on',
      'holds > a begin nested in a section that a holder waits for is not delayed at all',
      'holds > a nested begin that does not say so is delayed by holdMs at most, and the hold is dissolved',
      'holds > a hold that waits for a long section has all its time left when that ends',
      'holds > an urgent begin queues behind no hold, and the lookup that holds gets in line again',
      'holds > a nested begin that hits a running hold makes it retry, and it holds again',
      'holds > a holder whose own fetch invalidates the held range ends within holdMs, and nothing hangs',
      'holds > two holders whose fetches invalidate what the other holds end within holdMs, too',
      'two holds and three begins,',
      'a begin that queues behind a hold > rejects with the reason',
      'a begin that queues behind a hold > does not mind a signal',
      'a begin that queues behind a hold > survives a signal',
      'a change that queues behind a hold > rejects with the reason',
      'a change that queues behind a hold > does not mind a signal',
      'a change that queues behind a hold > survives a signal',
      'cancellation > a held lookup that is aborted lets the begins go that queue behind it',
      'cancellation > a hold that waits behind a queued begin goes on when that begin is aborted',
      'closing the space > turns away everything that waits, and nothing hangs',
      'closing the space > a begin let go in the turn of the close does not begin',
    ],
  ],
  [
    // They wait a little longer than they need, which is safe. The tests look in the turn of the end.
    'an end is heard in a later turn',
    [
      'collisions > sections of one owner nest and cross, and each counts until its own end',
      'subscribers > one that overlaps is told before the begin is done, and after the end',
      'subscribers > one closed in the callback of the first to be told hears nothing afterwards',
      'subscribers > one closed in the callback of the second to be told hears nothing afterwards',
      'subscribers > one closed during a foreign invalidation hears neither its end nor anything later',
      'subscribers > n subscribers that each need time t cost a begin t, and every start precedes every finish',
      'subscribers > while one subscriber has not confirmed, the section counts for readers and the begin is not done',
      'subscribers > one that never settles is left behind by the caller signal; the section ends and the others hear it',
      'closing the space > leaves handles usable: a section can still be ended',
    ],
  ],
  [
    // Identity cannot travel: an owner that is a text does, as the name of a RemoteOwner.
    'an owner that is an object is nobody elsewhere',
    [
      'a filter for its own invalidations > spares a reader the wait for an active one',
      'a filter for its own invalidations > spares a reader the retry after an ended one, and its signal stays quiet',
      'a filter for its own invalidations > spares a subscriber both callbacks',
      'a filter for its own invalidations > changes nothing about all other invalidations',
    ],
  ],
  [
    // The error of the subscriber is another object here: its message travels.
    'the error of a subscriber travels as a text',
    [
      'subscribers > one that throws > makes the begin fail, and the others are told, awaited, and hear the end',
      'subscribers > one that rejects > makes the begin fail, and the others are told, awaited, and hear the end',
    ],
  ],
];

/** As many as a test makes trackers that live at the same time. */
const PAIRS = 2;

let pairs: readonly Pair[] = [];
let made = 0;
const groups: string[] = [];
const seen = new Map<string, number>();
const counts = { same: 0, different: 0 };

describeContract({
  name: 'two processes',
  make: (options) => pairs[made++ % PAIRS]!.make(options),
  describe: (name, body) => {
    groups.push(name);
    body();
    groups.pop();
  },
  it: (name, body, limitMs) => {
    const full = [...groups.slice(1), name].join(' > ');
    const [reason, names] = DIFFERENT.find(([, list]) => list.some((begin) => full.startsWith(begin))) ?? [];
    for (const begin of names ?? []) if (full.startsWith(begin)) seen.set(begin, (seen.get(begin) ?? 0) + 1);
    counts[reason === undefined ? 'same' : 'different']++;
    const run = async () => {
      pairs = await Promise.all(Array.from({ length: PAIRS }, () => Pair.start()));
      await body();
    };
    if (reason === undefined) it(full, run, limitMs);
    else it(`${full}: not here, as ${reason}`, () => expect(run()).rejects.toThrow(), limitMs);
  },
});

describe('the list of what is different', () => {
  it('names tests that there are, and less than a quarter of all', () => {
    const all = DIFFERENT.flatMap(([, names]) => names);
    expect(all.filter((name) => !seen.has(name))).toEqual([]);
    expect(counts.different / (counts.same + counts.different)).toBeLessThan(0.25);
  });
});
