/**
 * What things cost, in counts that do not depend on the machine: nodes touched, callbacks made, promises made, readers woken,
 * entries looked at, filters asked. Each with its growth, so that a cost that has become linear fails at once, where a timed
 * test would have to be repeated on a quiet machine. What is counted is the library as it ships: see support/touches.ts.
 *
 * Exact where another number would be another algorithm; elsewhere a bound of 1.3 times what it was when it was written
 * down. A number that sinks for good reason is lowered in the tables; one that rises is a decision.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { type FilterOptions, type PlainLookupOptions, RangeTracker, type Seq, type TrackerStats } from '../../lib/index.js';
import { IntervalTree } from '../../lib/interval-tree/index.js';
import { activeElsewhere, Content, elsewhere, endedElsewhere, PAGE, ROOM, subscribedElsewhere } from '../support/crowds.js';
import { hit } from '../support/holding.js';
import { Random } from '../support/model/random.js';
import { promisesOf } from '../support/promises.js';
import { range } from '../support/reading.js';
import { RingWatch, type TreeTouches, treeTouches } from '../support/touches.js';
import { soon, turns } from '../support/turns.js';

const READY = Promise.resolve(1);
const DONE = Promise.resolve();
const SLACK = 1.3;

/**
 * By the number of intervals: the nodes of one way down, which is all that a query without results, an insert or a delete may
 * take, splits and merges apart; and how many numbers are read and written, on average by a query and mostly by a change.
 * Sixteen times as many intervals are one more node, or none.
 */
const TREE = [
  { n: 64, path: 2, steps: { overlaps: 35, first: 53, visit: 48, delete: 18, insert: 14 } },
  { n: 1_024, path: 3, steps: { overlaps: 47, first: 65, visit: 84, delete: 18, insert: 26 } },
  { n: 16_384, path: 4, steps: { overlaps: 58, first: 78, visit: 112, delete: 18, insert: 37 } },
  { n: 262_144, path: 4, steps: { overlaps: 75, first: 94, visit: 156, delete: 18, insert: 53 } },
];
/** Numbers read and written for each interval of a tree that grows from nothing to n, splits and copying included. */
const BUILDING = [
  { n: 64, steps: 20 },
  { n: 1_024, steps: 117 },
  { n: 2_048, steps: 130 },
];

/** Nodes that a tracker touches in all its trees while others are active, or subscribed, at n other places. */
const ELSEWHERE = [
  { n: 16, reading: 1, active: 1, subscribed: 2 },
  { n: 1_024, reading: 3, active: 3, subscribed: 4 },
  { n: 8_192, reading: 3, active: 3, subscribed: 4 },
];

/**
 * Numbers that one readRetry reads and writes in the history, k sections having ended elsewhere since its token: the first
 * time; at worst, when it sorts blocks of 64 and more; and once they are sorted.
 */
const HISTORY = [
  { k: 10, first: 16, worst: 16, later: 16 },
  { k: 100, first: 154, worst: 1_069, later: 46 },
  { k: 1_000, first: 1_537, worst: 17_000, later: 112 },
  { k: 10_000, first: 15_363, worst: 213_613, later: 118 },
];

/**
 * Promises made, those of the engine for each `await` included; a fetch or a change that takes time gives the same old promise
 * each time, so none of these is its own. One of them is made once a turn, to forget what time it was.
 */
const PROMISES: Record<
  string,
  [promises: number, work: (tracker: RangeTracker) => Promise<unknown>, stats: Partial<TrackerStats>]
> = {
  'a quiet lookup with a synchronous fetch': [1, (tracker) => tracker.lookup(PAGE, () => 1), { commits: 1 }],
  'a quiet lookup with an asynchronous fetch': [1, (tracker) => tracker.lookup(PAGE, () => READY), { commits: 1 }],
  'a lookup that collides': [5, (tracker) => hitOnce(tracker), { collisions: 1, holds: 0 }],
  'a lookup that collides and then holds': [5, (tracker) => hitOnce(tracker, { maxAttempts: 1 }), { collisions: 1, holds: 1 }],
  'a lookup that waits': [
    5,
    (tracker) => duringSection(tracker, () => tracker.lookup(PAGE, () => READY)),
    { waits: 1, commits: 1 },
  ],
  'a readBegin': [3, (tracker) => tracker.readBegin(PAGE), { waits: 0 }],
  'a readBegin that waits': [4, (tracker) => duringSection(tracker, () => tracker.readBegin(PAGE)), { waits: 1 }],
  'a mutate with a synchronous change': [4, (tracker) => tracker.mutate(PAGE, () => {}), { ends: 1 }],
  'a mutate with an asynchronous change': [3, (tracker) => tracker.mutate(PAGE, () => READY), { ends: 1 }],
  'an invalidate': [2, (tracker) => tracker.begin(PAGE), { ends: 0 }],
};

function hitOnce(tracker: RangeTracker, options: PlainLookupOptions<number> = {}): Promise<number> {
  const reading = tracker.lookup(PAGE, () => READY, options);
  hit(tracker, PAGE);
  return reading;
}

function duringSection<T>(tracker: RangeTracker, start: () => Promise<T>): Promise<T> {
  const section = tracker.tryBegin(PAGE)!;
  const promise = start();
  section.end();
  return promise;
}

/** Sums up what operations have touched. Those that made the columns grow are only counted: the copying is a cost of its own. */
function summary(touches: readonly TreeTouches[]) {
  const plain = touches.filter(({ grown }) => !grown);
  const mean = (of: (one: TreeTouches) => number) => plain.reduce((sum, one) => sum + of(one), 0) / plain.length;
  const ordered = plain.map(({ steps }) => steps).sort((a, b) => a - b);
  return {
    grown: touches.length - plain.length,
    nodes: Math.max(...plain.map(({ nodes }) => nodes)),
    meanNodes: mean(({ nodes }) => nodes),
    meanSteps: mean(({ steps }) => steps),
    medianSteps: ordered[ordered.length >> 1]!,
  };
}

const SAMPLES = 100;

function sample(operation: (i: number) => void) {
  return summary(Array.from({ length: SAMPLES }, (_, i) => treeTouches(() => operation(i))));
}

describe.each(TREE)('a tree of $n', ({ n, path, steps }) => {
  let content: Content;
  beforeAll(() => {
    content = new Content(n);
  });

  it('answers overlaps and first on one way down', () => {
    const overlaps = sample(() => content.tree.overlaps(...content.query(40)));
    const first = sample(() => content.tree.first(...content.query(40)));
    expect([overlaps.nodes, first.nodes]).toEqual([path, path]);
    expect(overlaps.meanSteps).toBeLessThan(SLACK * steps.overlaps);
    expect(first.meanSteps).toBeLessThan(SLACK * steps.first);
    // The root sees that something starts inside.
    expect(treeTouches(() => content.tree.overlaps(0, ROOM * n)).nodes).toBe(1);
  });

  it('visits what overlaps and little else', () => {
    let found = 0;
    const count = () => void found++;
    const narrow = sample(() => content.tree.visit(...content.query(40), count));
    expect(found).toBeGreaterThan(SAMPLES);
    expect(narrow.nodes).toBeLessThanOrEqual(2 * path);
    expect(narrow.meanNodes).toBeLessThan(path + 0.5);
    expect(narrow.meanSteps).toBeLessThan(SLACK * steps.visit);
    found = 0;
    const wide = sample(() => content.tree.visit(...content.query(100 * ROOM), count));
    // A leaf is a quarter full at least.
    expect(wide.meanNodes).toBeLessThan(path + found / SAMPLES / 8);
  });

  it('takes out and enters by touching a leaf and what is above it', () => {
    const deletes: TreeTouches[] = [];
    const inserts: TreeTouches[] = [];
    for (let i = 0; i < SAMPLES; i++) {
      deletes.push(treeTouches(() => content.delete(i % n)));
      inserts.push(treeTouches(() => content.replace(i % n)));
    }
    const deleted = summary(deletes);
    expect(deleted.nodes).toBeLessThanOrEqual(path + 2);
    expect(deleted.meanNodes).toBeLessThan(2.3);
    expect(deleted.medianSteps).toBeLessThan(SLACK * steps.delete);
    const inserted = summary(inserts);
    expect(inserted.nodes).toBeLessThanOrEqual(path + 2);
    expect(inserted.meanNodes).toBeLessThan(path + 0.2);
    expect(inserted.medianSteps).toBeLessThan(SLACK * steps.insert);
    expect(inserted.grown).toBeLessThanOrEqual(1);
  });
});

describe('trees', () => {
  it('get one node deeper, or none, with sixteen times as many intervals', () => {
    for (let i = 1; i < TREE.length; i++) expect(TREE[i]!.path - TREE[i - 1]!.path).toBeLessThanOrEqual(1);
  });

  it.each(TREE.slice(0, 3))(
    'of $n with long intervals among short ones go down once for each that they find, at most',
    ({ n, path }) => {
      const content = new Content(n, 64);
      for (let i = 0; i < SAMPLES; i++) {
        const bounds = content.query(40);
        let found = 0;
        const { nodes } = treeTouches(() => content.tree.visit(...bounds, () => void found++));
        expect(nodes).toBeLessThanOrEqual((found + 1) * path);
        expect(treeTouches(() => content.tree.overlaps(...bounds)).nodes).toBeLessThanOrEqual(path);
        expect(treeTouches(() => content.tree.first(...bounds)).nodes).toBeLessThanOrEqual(path);
      }
    },
  );

  it.each(BUILDING)('grow from nothing to $n at a price that hardly depends on it', ({ n, steps }) => {
    const tree = new IntervalTree();
    const random = new Random(1);
    let all = 0;
    for (let i = 0; i < n; i++) {
      const start = random.below(ROOM * n);
      all += treeTouches(() => tree.insert(start, start + 1 + random.below(ROOM))).steps;
    }
    expect(all / n).toBeLessThan(SLACK * steps);
  });
});

describe('a tracker', () => {
  it.each(ELSEWHERE)('looks at few nodes while others are active, or subscribed, at $n other places', ({ n, ...nodes }) => {
    const busy = activeElsewhere(n);
    const begun = treeTouches(() => busy.tryReadBegin(PAGE));
    const checked = treeTouches(() => busy.readRetry(PAGE, busy.seq));
    const read = treeTouches(() => busy.lookup(PAGE, () => 1));
    expect([begun.nodes, checked.nodes, read.nodes]).toEqual([nodes.reading, nodes.reading, nodes.reading]);
    // It asks when it begins, and when it commits.
    expect(read.steps).toBe(begun.steps + checked.steps);

    const watched = subscribedElsewhere(n);
    for (const [tracker, expected] of [
      [busy, nodes.active],
      [watched, nodes.subscribed],
    ] as const) {
      hit(tracker, PAGE); // makes room for one more
      expect(treeTouches(() => hit(tracker, PAGE)).nodes).toBe(expected);
    }
    expect(treeTouches(() => watched.lookup(PAGE, () => 1)).steps).toBe(0);
  });

  it.each([10, 1_000, 100_000])(
    'calls the subscribers that overlap, also if there are %i others, once for each begin and end',
    (n) => {
      const tracker = subscribedElsewhere(n);
      const calls = { begins: 0, ends: 0 };
      for (let i = 0; i < 7; i++) {
        tracker.subscribe([range(i, 9), elsewhere(n + 2)], {
          invalidate: () => void calls.begins++,
          end: () => void calls.ends++,
        });
      }
      const section = tracker.tryBegin([PAGE, elsewhere(n + 2)])!;
      expect([tracker.stats.notified, calls]).toEqual([7, { begins: 7, ends: 0 }]);
      section.end();
      expect([tracker.stats.notified, calls]).toEqual([7, { begins: 7, ends: 7 }]);
      // Seven of the others.
      tracker.tryBegin(range(elsewhere(1).start, elsewhere(7).end))!.end();
      expect([tracker.stats.notified, calls]).toEqual([14, { begins: 7, ends: 7 }]);
    },
  );
});

describe('promises', () => {
  describe.each([0, 1_000])('with %i sections and as many subscribers elsewhere', (n) => {
    it.each(Object.entries(PROMISES))('%s makes as few as ever', async (_name, [promises, work, stats]) => {
      const tracker = subscribedElsewhere(n);
      activeElsewhere(n, tracker);
      await turns(); // the clock that was read for them is forgotten
      const before = { ...tracker.stats };
      expect(await promisesOf(() => work(tracker))).toBe(promises);
      for (const name of Object.keys(stats) as (keyof TrackerStats)[]) {
        expect([name, tracker.stats[name] - before[name]]).toEqual([name, stats[name]]);
      }
    });
  });

  it.each([1, 10, 100])(
    'are not made for each of %i subscribers that comply at once, and one for each that takes time',
    async (n) => {
      const [prompt, slow] = [new RangeTracker(), new RangeTracker()];
      for (let i = 0; i < n; i++) {
        prompt.subscribe(PAGE, { invalidate() {} });
        slow.subscribe(PAGE, { invalidate: () => DONE });
      }
      expect(await promisesOf(() => prompt.mutate(PAGE, () => {}))).toBe(8);
      expect(await promisesOf(() => slow.mutate(PAGE, () => {}))).toBe(8 + n);
    },
  );
});

describe('wake-ups', () => {
  const READERS = 100;
  const SECTIONS = 16;

  async function parked(order: 'begin' | 'reverse') {
    const tracker = new RangeTracker();
    const sections = Array.from({ length: SECTIONS }, () => tracker.tryBegin(PAGE)!);
    const reading = Array.from({ length: READERS }, () => tracker.lookup(PAGE, () => READY));
    const other = tracker.tryBegin(elsewhere(1))!;
    const others = Array.from({ length: READERS }, () => tracker.lookup(elsewhere(1), () => READY));
    if (order === 'reverse') sections.reverse();
    const last = sections.pop()!;
    for (const section of sections) section.end();
    expect(tracker.stats.wakes).toBe(0);
    last.end();
    expect(tracker.stats.wakes).toBe(READERS);
    await soon(Promise.all(reading));
    other.end();
    await soon(Promise.all(others));
    const { waits, wakes, attempts } = tracker.stats;
    return { waits: waits - READERS, wakes: wakes - READERS, attempts: attempts - READERS };
  }

  it('are one for each reader at a section, at its end, and none for readers elsewhere', async () => {
    const tracker = activeElsewhere(READERS);
    const section = tracker.tryBegin(PAGE)!;
    const all = Array.from({ length: READERS }, () => tracker.lookup(PAGE, () => READY));
    const others = Array.from({ length: READERS }, (_, i) =>
      tracker.readBegin(elsewhere(i + 1), { timeoutMs: 1 }).catch(() => 'late'),
    );
    expect(tracker.stats).toMatchObject({ waits: 2 * READERS, wakes: 0 });
    section.end();
    expect(tracker.stats.wakes).toBe(READERS);
    await soon(Promise.all(all));
    expect(await Promise.all(others)).toEqual(others.map(() => 'late'));
    expect(tracker.stats).toMatchObject({ waits: 2 * READERS, wakes: READERS, attempts: READERS });
  });

  it('are one for each reader, and it has waited once, when 16 sections over its page end one by one in order', async () => {
    expect(await parked('begin')).toEqual({ waits: READERS, wakes: READERS, attempts: READERS });
  });

  it('are one for each reader also when the youngest section ends first, though it then waits for each of them', async () => {
    expect(await parked('reverse')).toEqual({ waits: SECTIONS * READERS, wakes: READERS, attempts: READERS });
  });
});

describe('the history', () => {
  /** A tracker whose history is counted, k having ended elsewhere, and a range among them that none overlaps. */
  function ended(k: number) {
    const tracker = new RangeTracker({ historyCapacity: 16_384 });
    const watch = new RingWatch();
    watch.run(() => endedElsewhere(k, tracker));
    const { end } = elsewhere(k >> 1);
    const steps = (token: number) => {
      let collides = true;
      const count = watch.steps(() => {
        collides = tracker.readRetry(range(end, end + 2), token as Seq);
      });
      expect(collides).toBe(false);
      return count;
    };
    return { tracker, steps };
  }

  it('reads little more than each entry once, and once it has been asked often, hardly more in 10,000 entries than in 1,000', () => {
    const last = HISTORY.map(({ k, first, worst, later }) => {
      const { steps } = ended(k);
      const counts = Array.from({ length: 40 }, () => steps(0));
      expect(counts[0]).toBeLessThan(SLACK * first);
      expect(Math.max(...counts)).toBeLessThan(SLACK * worst);
      expect(counts.at(-1)).toBeLessThan(SLACK * later);
      return counts.at(-1)!;
    });
    expect(last[3]! / last[2]!).toBeLessThan(SLACK);
  });

  it('reads what has ended since the token, however much it remembers', () => {
    const { tracker, steps } = ended(10_000);
    expect(steps(tracker.seq)).toBe(0);
    // One of their bounds or both, and a search for the first of them in the newest 64, or in twice as many as there are.
    for (const since of [1, 8, 64, 512]) expect(steps(tracker.seq - 2 * since)).toBeLessThanOrEqual(2 * since + 8);
  });
});

describe('a filter', () => {
  /** Calls of a filter that ignores everything, while `work` runs. */
  async function asked(work: (options: Required<FilterOptions>) => unknown): Promise<number> {
    let calls = 0;
    const ignore = () => ++calls > 0;
    await work({ ignore });
    return calls;
  }

  it.each([0, 1, 16, 256])(
    'is asked twice about each of %i sections over the page, and never about those elsewhere',
    async (k) => {
      const tracker = activeElsewhere(1_000);
      for (let i = 0; i < k; i++) tracker.tryBegin(PAGE);
      // One is asked about first, by itself: the youngest, which mostly decides.
      const youngest = Math.min(k, 1);
      expect(await asked((options) => tracker.lookup(PAGE, () => 1, options))).toBe(2 * k + youngest);
      expect(await asked((options) => tracker.lookup(PAGE, () => READY, options))).toBe(2 * k + youngest);
      expect(await asked((options) => tracker.tryReadBegin(PAGE, options))).toBe(k);
    },
  );

  it.each([0, 1, 16, 256])('is asked once about each of %i sections that have ended over the page since the token', async (k) => {
    const tracker = endedElsewhere(1_000);
    const seq = tracker.seq;
    for (let i = 0; i < k; i++) hit(tracker, PAGE);
    endedElsewhere(1_000, tracker);
    expect(await asked((options) => tracker.readRetry(PAGE, seq, options))).toBe(k);
  });

  it('is asked once where the youngest section is not ignored', async () => {
    const tracker = new RangeTracker();
    for (let i = 0; i < 16; i++) tracker.tryBegin(PAGE);
    const section = tracker.tryBegin(PAGE, { kind: 'migrate' })!;
    let calls = 0;
    const waiting = tracker.lookup(PAGE, () => 1, { ignore: ({ kind }) => ++calls > 0 && kind !== 'migrate' });
    expect(calls).toBe(1);
    section.end();
    await soon(waiting);
  });
});
