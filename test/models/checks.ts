/**
 * What is checked of each model: the right order within some bounds, which must be free of errors, and each wrong order, which
 * must be found out. The numbers of wrong orders are those of `FAULT` in the models.
 */

/** One exhaustive search. */
export interface Check {
  /** `commit` for `commit.pml`. */
  readonly model: string;
  /** Definitions that set the bounds, without `-D`. */
  readonly bounds: readonly string[];
  /** The wrong order that is seeded; the right one without. */
  readonly fault?: { readonly number: number; readonly what: string };
  /** Also searches for cycles in which somebody waits for ever although nobody stands still (weak fairness). */
  readonly isLive?: boolean;
  /** With `--long` only. */
  readonly isLong?: boolean;
  /** log2 of the entries of the hash table, where the model is larger than usual. */
  readonly table?: number;
}

interface Model {
  /** Bounds of the right order; the short run has the first list, `--long` both. */
  readonly short: readonly string[];
  readonly long?: readonly string[];
  readonly live?: readonly string[];
  readonly liveLong?: readonly string[];
  /** By number, what it is and, after a `|`, the bounds that it needs. */
  readonly wrong: readonly string[];
}

const GIVEN_UP = 'KILLS=0 GIVEUPS=1 LATE=1';

const MODELS: Readonly<Record<string, Model>> = {
  commit: {
    short: ['NW=2 NR=1 ROUNDS=2', 'NW=1 NR=2 ROUNDS=2'],
    long: ['NW=2 NR=2'],
    wrong: [
      'the check comes before the commit slot is set',
      'the begin looks at the slots before it publishes',
      'VERSION moves before the event is published',
      'the reader is in step with what VERSION says after the replay',
      'the reader replays between its first read and its token',
      'the begin does not wait for commits in progress',
      'the check looks at what is active only',
    ],
  },
  ack: {
    short: ['KILLS=1', 'KILLS=0 GIVEUPS=1 LATE=1 FILLS=1'],
    long: ['KILLS=2', 'KILLS=0 GIVEUPS=2 LATE=1 FILLS=1', 'KILLS=1 GIVEUPS=1 LATE=1 FILLS=1', `${GIVEN_UP} FILLS=1 ROUNDS=3`],
    wrong: [
      'the begin goes on waiting for who has withdrawn|KILLS=0',
      'the bell is read after the look|KILLS=0',
      'the interest in an end is published after the last look|KILLS=0',
      'the hub clears the slot of the dead and does not ring|KILLS=1',
      'the hub does not end what the dead had begun|KILLS=1',
      'the acknowledgement comes before the mirror is dropped|KILLS=0',
      'the begin asks who is interested before it publishes|KILLS=0',
      'the hub forgets the commit slot of the dead|KILLS=1',
      'who withdraws does not ring|KILLS=0',
      `a late answer is taken for that of a later begin|${GIVEN_UP}`,
      `an acknowledgement word goes back|${GIVEN_UP}`,
      `who gives up does not publish the end|${GIVEN_UP}`,
      `who gives up does not ring those who wait for the end|${GIVEN_UP}`,
      `a begin that was given up is treated as begun|${GIVEN_UP}`,
    ],
  },
  resync: {
    short: ['ROUNDS=3 LIMIT=1', 'ROUNDS=5 LIMIT=2'],
    wrong: [
      'the end is published before the entry is free',
      'the table is read before the count',
      'a reader that has fallen behind keeps its history',
      'the begin is published before the entry is taken',
    ],
  },
  ranges: {
    short: ['ROUNDS=3', 'ROUNDS=3 LIMIT=2'],
    long: ['ROUNDS=4'],
    wrong: [
      'what is known from the table is entered again when its begin comes',
      'the entries of a section are free after its end is published',
      'the entry of a further range is taken after the one that names the section',
      'a reader that is behind reads the entries of further ranges first',
    ],
  },
  several: {
    short: ['E=2 ROUNDS1=1', 'E=2 GIVEUPS=0', 'E=2 PAIRS=1 ROUNDS1=1'],
    long: ['ROUNDS1=1', 'GIVEUPS=0', 'E=2'],
    wrong: [
      'an acknowledgement has no generation|E=2',
      'one acknowledgement word a thread|E=3',
      'an acknowledgement word goes back|E=3',
      'acknowledged when the first of two ranges has been dropped|ROUNDS1=1',
      'the entries of a section are taken one by one|E=2 PAIRS=1 ROUNDS1=1 GIVEUPS=0',
      'an end frees one of two entries|E=2 ROUNDS0=2 ROUNDS1=1 GIVEUPS=0',
      'the listener wakes one begin only|ROUNDS1=1',
      'the listener sleeps before it looks|ROUNDS1=1',
      'the generations of an entry start anew|E=2',
    ],
  },
  members: {
    short: ['LIVES0=1', 'LIVES0=1 LIVES1=1 CLOSE=1'],
    long: ['LIVES0=2', 'LIVES1=1 CLOSE=1', 'LIVES0=1 CLOSE=1', 'CLOSE=1'],
    wrong: [
      'COUNT starts anew with the next thread of a slot',
      'the begin looks at MEMBERS before it publishes',
      'the end does not look at MEMBERS again',
      'the hub adds to MEMBERS after the thread has started',
      'the hub gives a slot out before it has recovered it',
      'who subscribes does not acknowledge what is open',
      'close does not ring|CLOSE=1',
      'closed is taken for an answer|CLOSE=1',
      'an answer of a thread that has left is still written',
    ],
  },
  holds: {
    short: ['T=2'],
    long: ['W=3', 'W=3 ONCE=1', 'W=3 PLACES=3', 'T=2 PLACES=2', 'T=3 ONCE=1', 'DEATHS=1'],
    liveLong: ['T=2'],
    wrong: [
      'a replayed begin queues behind the holds of the thread that replays it',
      'a begin publishes first, then waits for holds',
      'holds and queued begins wait for each other, whichever came first',
      'a queued begin also waits for holds that come later',
      'a lookup that is hit announces its hold anew',
      'a release does not ring',
      'the hub keeps the hold of the dead|DEATHS=1',
      "a queued begin does not look again at its own thread's hold|W=3",
    ],
  },
};

/** Everything that is checked, in order. */
export const CHECKS: readonly Check[] = Object.entries(MODELS).flatMap(([model, { short, long, live, liveLong, wrong }]) => [
  ...short.map((bounds): Check => ({ model, bounds: words(bounds) })),
  ...(live ?? []).map((bounds): Check => ({ model, bounds: words(bounds), isLive: true })),
  ...(long ?? []).map((bounds): Check => ({ model, bounds: words(bounds), isLong: true, table: 27 })),
  ...(liveLong ?? []).map((bounds): Check => ({ model, bounds: words(bounds), isLong: true, isLive: true, table: 26 })),
  ...wrong.map((text, index): Check => {
    const [what, bounds = ''] = text.split('|');
    return { model, bounds: words(bounds), fault: { number: index + 1, what: what! } };
  }),
]);

function words(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}
