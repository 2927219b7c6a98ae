/**
 * What the tree costs in memory: nothing for queries, at most 64 bytes an interval, nothing after it has been emptied.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { Core } from '../../lib/interval-tree/core.js';
import { type Handle, IntervalTree } from '../../lib/interval-tree/index.js';
import { columnBytes } from '../support/interval-tree-invariants.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** xorshift32: whole numbers below `n`, the same each time. */
function random(): (n: number) => number {
  let state = 2463534242 | 0;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

/** Bytes on the heap that `work` leaves as garbage or keeps, a call, after it has been compiled. The smallest of some tries. */
function allocated(calls: number, work: (i: number) => void): number {
  let least = Infinity;
  for (let round = 0; round < 12; round++) {
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < calls; i++) work(i);
    least = Math.min(least, process.memoryUsage().heapUsed - before);
  }
  return least / calls;
}

/** Below this nothing is allocated in each call: the smallest object has 16 bytes. The rest is the measurement's own. */
const NOTHING = 1;
const CALLS = 50_000;

describe('a query', () => {
  for (const count of [6, 2000]) {
    const draw = random();
    const tree = new IntervalTree<number>();
    for (let i = 0; i < count; i++) {
      const start = draw(64 * count);
      tree.insert(start, start + 1 + draw(64), i);
    }
    const start = (i: number) => (i * 61) % (64 * count);
    // Small at all times: a number beyond 2^31 would be boxed, and that would be the test's own garbage.
    let sink = 0;
    let hits = 0;

    test(`allocates nothing in overlaps, with ${count} intervals`, () => {
      expect(
        allocated(CALLS, (i) => {
          if (tree.overlaps(start(i), start(i) + 40)) hits = (hits + 1) & 0xffff;
        }),
      ).toBeLessThan(NOTHING);
    });

    test(`allocates nothing in first and in what it leads to, with ${count} intervals`, () => {
      expect(
        allocated(CALLS, (i) => {
          const handle = tree.first(start(i), start(i) + 40);
          if (handle !== undefined && tree.has(handle)) sink ^= tree.startOf(handle)! + tree.endOf(handle)! + tree.get(handle)!;
        }),
      ).toBeLessThan(NOTHING);
    });

    test(`allocates nothing in visit, with ${count} intervals`, () => {
      const visitor = (from: number, to: number, value: number, handle: Handle) => {
        sink ^= from + to + value + handle;
      };
      expect(allocated(CALLS, (i) => void tree.visit(start(i), start(i) + 200, visitor))).toBeLessThan(NOTHING);
    });

    test(`has been answered at all, with ${count} intervals`, () => {
      expect(hits).toBeGreaterThan(0);
      expect(Number.isSafeInteger(sink)).toBe(true);
    });
  }

  test('is noticed when it does allocate', () => {
    const kept: unknown[] = [undefined];
    expect(
      allocated(CALLS, (i) => {
        kept[0] = { i };
      }),
    ).toBeGreaterThan(NOTHING);
  });
});

describe('insert and delete', () => {
  test('allocate nothing while the tree neither grows nor is new', () => {
    const draw = random();
    const tree = new IntervalTree();
    const handles: Handle[] = [];
    const insert = () => {
      const start = draw(1 << 20);
      return tree.insert(start, start + 1 + draw(64));
    };
    for (let i = 0; i < 3000; i++) handles.push(insert());
    expect(
      allocated(CALLS, () => {
        const index = draw(3000);
        tree.delete(handles[index]!);
        handles[index] = insert();
      }),
    ).toBeLessThan(NOTHING);
  });
});

describe('memory', () => {
  /** Content of `count` intervals after `steps` times one delete and one insert. */
  const histories: [string, (core: Core<undefined>, count: number) => void][] = [
    [
      'random churn',
      (core, count) => {
        const draw = random();
        const insert = () => {
          const start = draw(64 * count);
          return core.insert(start, start + 1 + draw(64), undefined);
        };
        const handles = Array.from({ length: count }, insert);
        for (let i = 0; i < 6 * count; i++) {
          const index = draw(count);
          core.delete(handles[index]!);
          handles[index] = insert();
        }
      },
    ],
    [
      'a window that slides upwards',
      (core, count) => {
        const handles = Array.from({ length: count }, (_, i) => core.insert(i, i + 9, undefined));
        for (let i = 0; i < 3 * count; i++) {
          core.delete(handles[i % count]!);
          handles[i % count] = core.insert(count + i, count + i + 9, undefined);
        }
      },
    ],
    [
      'ascending inserts',
      (core, count) => {
        for (let i = 0; i < count; i++) core.insert(i, i + 9, undefined);
      },
    ],
    [
      'descending inserts',
      (core, count) => {
        for (let i = 0; i < count; i++) core.insert(-i, 9 - i, undefined);
      },
    ],
  ];

  test.each(histories)('is at most 64 bytes an interval after %s', (_, live) => {
    for (const count of [1025, 2049, 5000, 8193, 16_384, 16_385, 30_000]) {
      const core = new Core<undefined>();
      live(core, count);
      expect(core.size).toBe(count);
      expect(columnBytes(core) / count).toBeLessThanOrEqual(64);
    }
  });

  test('is next to nothing in a new tree, and little in a small one', () => {
    const core = new Core<undefined>();
    // The shared record of the leaf that every empty tree has.
    expect(columnBytes(core)).toBe(8);
    for (let i = 0; i < 8; i++) core.insert(i, i + 1, undefined);
    // Three columns of 8 places, a record for the leaf, a table of 8 slots.
    expect(columnBytes(core)).toBe(8 * (8 + 8 + 4) + 8 + 8 * 8);
    core.insert(9, 10, undefined);
    expect(columnBytes(core)).toBe(32 * (8 + 8 + 4) + 8 + 16 * 8);
  });

  test('is given back by clear', () => {
    const core = new Core<number>();
    for (let i = 0; i < 5000; i++) core.insert(i, i + 1, i);
    expect(columnBytes(core)).toBeGreaterThan(100_000);
    core.clear();
    expect(columnBytes(core)).toBe(8);
    expect(core.values).toBeUndefined();
  });

  test.each([
    [200, true],
    [600, false],
    [5000, false],
  ])('of %d intervals is kept when the last one leaves: %s', (count, kept) => {
    const core = new Core<number>();
    const handles = Array.from({ length: count }, (_, i) => core.insert(i, i + 1, i));
    const before = columnBytes(core);
    for (const handle of handles) core.delete(handle);
    expect(core.size).toBe(0);
    expect(columnBytes(core)).toBe(kept ? before : 8);
    expect(columnBytes(core)).toBeLessThanOrEqual(15_000);
  });

  test('does not grow when a tree fills and empties over and over', () => {
    const core = new Core<undefined>();
    const sizes: number[] = [];
    for (let round = 0; round < 50; round++) {
      const handles = Array.from({ length: 100 }, (_, i) => core.insert((i * 37) % 100, 200, undefined));
      sizes.push(columnBytes(core));
      for (const handle of handles) core.delete(handle);
    }
    expect(Math.max(...sizes.slice(10))).toBe(Math.max(...sizes.slice(0, 10)));
  });

  test('of a value is let go of by delete and by clear, though the tree lives on', () => {
    const tree = new IntervalTree<object>();
    const collected: WeakRef<object>[] = [];
    const insert = (i: number): Handle => {
      const value = { i };
      collected.push(new WeakRef(value));
      return tree.insert(i, i + 1, value);
    };
    const first = insert(0);
    insert(1);
    insert(2);
    tree.delete(first);
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      gc();
      expect(collected.map((ref) => ref.deref() !== undefined)).toEqual([false, true, true]);
      tree.clear();
      gc();
      return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        gc();
        expect(collected.map((ref) => ref.deref() !== undefined)).toEqual([false, false, false]);
        expect(tree.size).toBe(0);
      });
    });
  });
});
