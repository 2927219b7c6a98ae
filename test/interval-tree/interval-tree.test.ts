import { describe, expect, test } from 'vitest';
import { InvalidArgumentError, InvalidRangeError } from '../../lib/base/errors.js';
import { LAST_GENERATION } from '../../lib/interval-tree/columns.js';
import { Core } from '../../lib/interval-tree/core.js';
import { type Handle, IntervalTree } from '../../lib/interval-tree/index.js';
import { checkInvariants } from '../support/interval-tree-invariants.js';

/** Sizes on both sides of everything that changes with size: tiny leaf, leaf, one inner node, two levels, three. */
const sizes = [1, 7, 8, 9, 31, 32, 33, 200, 600, 8000];

/** `count` intervals [10 i, 10 i + 5), valued i, and their handles. */
function ladder(count: number): { tree: IntervalTree<number>; handles: Handle[] } {
  const tree = new IntervalTree<number>();
  const handles = Array.from({ length: count }, (_, i) => tree.insert(10 * i, 10 * i + 5, i));
  return { tree, handles };
}

const ascending = (a: number, b: number) => a - b;

describe('an empty tree', () => {
  const tree = new IntervalTree<string>();

  test('has no size, overlaps nothing and finds nothing', () => {
    expect(tree.size).toBe(0);
    expect(tree.overlaps(-Infinity, Infinity)).toBe(false);
    expect(tree.first(-Infinity, Infinity)).toBeUndefined();
    expect(tree.search(-Infinity, Infinity)).toEqual([]);
    expect([...tree]).toEqual([]);
  });

  test('calls no visitor', () => {
    expect(tree.visit(-Infinity, Infinity, () => true)).toBe(false);
  });

  test('knows no handle, and can be cleared', () => {
    expect(tree.delete(8 as Handle)).toBe(false);
    expect(tree.has(8 as Handle)).toBe(false);
    tree.clear();
    expect(tree.size).toBe(0);
  });

  test('is empty again after its last interval has gone', () => {
    const once = new IntervalTree<string>();
    once.delete(once.insert(1, 2, 'a'));
    expect(once.size).toBe(0);
    expect(once.overlaps(1, 2)).toBe(false);
    expect(once.first(1, 2)).toBeUndefined();
    expect(once.visit(1, 2, () => true)).toBe(false);
    expect([...once]).toEqual([]);
  });
});

describe('overlap', () => {
  const tree = new IntervalTree<string>();
  const handle = tree.insert(8, 16, 'x');

  test.each([
    [0, 8, false],
    [16, 24, false],
    [-Infinity, 8, false],
    [16, Infinity, false],
    [7, 8.0000001, true],
    [15.9999999, 17, true],
    [8, 16, true],
    [0, 24, true],
    [10, 11, true],
    [-Infinity, Infinity, true],
    [8, 8.5, true],
    [15, 16, true],
  ])('of [8, 16) with [%d, %d) is %s for every kind of query', (start, end, expected) => {
    expect(tree.overlaps(start, end)).toBe(expected);
    expect(tree.first(start, end)).toBe(expected ? handle : undefined);
    expect(tree.search(start, end)).toEqual(expected ? ['x'] : []);
    expect(tree.visit(start, end, () => true)).toBe(expected);
  });

  test.each(sizes)('is half-open at both ends of each of %d intervals', (count) => {
    const { tree, handles } = ladder(count);
    for (let i = 0; i < count; i++) {
      expect(tree.overlaps(10 * i - 5, 10 * i)).toBe(false);
      expect(tree.overlaps(10 * i + 5, 10 * i + 10)).toBe(false);
      expect(tree.overlaps(10 * i - 1, 10 * i + 1)).toBe(true);
      expect(tree.overlaps(10 * i + 4, 10 * i + 6)).toBe(true);
      expect(tree.first(10 * i + 4, 10 * i + 20)).toBe(handles[i]);
      expect(tree.search(10 * i, 10 * i + 5)).toEqual([i]);
    }
  });

  test('is found with infinite bounds', () => {
    const tree = new IntervalTree<string>();
    tree.insert(-Infinity, 0, 'left');
    tree.insert(0, Infinity, 'right');
    const all = tree.insert(-Infinity, Infinity, 'all');
    expect(tree.search(-5, -4).sort()).toEqual(['all', 'left']);
    expect(tree.search(0, 1e308).sort()).toEqual(['all', 'right']);
    expect(tree.search(-1, 1).sort()).toEqual(['all', 'left', 'right']);
    tree.delete(all);
    expect(tree.search(1e308, Infinity)).toEqual(['right']);
    expect(tree.search(-Infinity, -1e308)).toEqual(['left']);
  });

  test('treats -0 as 0 and gives it back as it came', () => {
    const tree = new IntervalTree();
    const handle = tree.insert(-0, 1);
    expect(tree.overlaps(-1, -0)).toBe(false);
    expect(tree.overlaps(-1, 0)).toBe(false);
    expect(tree.overlaps(0, 1)).toBe(true);
    expect(tree.startOf(handle)).toBe(-0);
  });

  test('sees through gaps narrower than any integer', () => {
    const tree = new IntervalTree();
    tree.insert(0.1, 0.2);
    expect(tree.overlaps(0.2, 0.30000000000000004)).toBe(false);
    expect(tree.overlaps(0.19999999999999998, 0.2)).toBe(true);
    expect(tree.overlaps(Number.MIN_VALUE, 0.1)).toBe(false);
  });
});

describe('handles', () => {
  test('begin with the least numbers that there are', () => {
    const tree = new IntervalTree();
    const handles = Array.from({ length: 8 }, (_, i) => tree.insert(i, i + 1));
    expect(handles.sort(ascending)).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
  });

  test('lead to start, end and value until the interval is deleted', () => {
    const tree = new IntervalTree<string>();
    const handle = tree.insert(1.5, 2.5, 'a');
    expect([tree.has(handle), tree.startOf(handle), tree.endOf(handle), tree.get(handle)]).toEqual([true, 1.5, 2.5, 'a']);
    expect(tree.delete(handle)).toBe(true);
    expect([tree.has(handle), tree.startOf(handle), tree.endOf(handle), tree.get(handle)]).toEqual([
      false,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test.each(sizes)('stay the same while %d intervals move around them', (count) => {
    const { tree, handles } = ladder(count);
    for (let i = 0; i < count; i += 2) expect(tree.delete(handles[i]!)).toBe(true);
    for (let i = 0; i < count; i++) {
      expect(tree.has(handles[i]!)).toBe(i % 2 === 1);
      expect(tree.get(handles[i]!)).toBe(i % 2 === 1 ? i : undefined);
      expect(tree.startOf(handles[i]!)).toBe(i % 2 === 1 ? 10 * i : undefined);
      expect(tree.endOf(handles[i]!)).toBe(i % 2 === 1 ? 10 * i + 5 : undefined);
    }
  });

  test('are positive safe integers, small ones for a while', () => {
    const tree = new IntervalTree();
    for (let i = 0; i < 1000; i++) {
      const handle = tree.insert(i, i + 1);
      expect(Number.isSafeInteger(handle) && handle > 0 && handle < 2 ** 30).toBe(true);
      if (i % 3 === 0) tree.delete(handle);
    }
  });

  test('are never issued twice, across growth, churn, emptiness and clear', () => {
    const tree = new IntervalTree();
    const issued = new Set<Handle>();
    const insert = () => {
      const handle = tree.insert(0, 1);
      expect(issued.has(handle)).toBe(false);
      issued.add(handle);
      return handle;
    };
    for (const count of [3, 8, 9, 40, 5, 700, 20, 300, 1]) {
      const live = Array.from({ length: count }, insert);
      for (let i = 0; i < count; i += 2) {
        expect(tree.delete(live[i]!)).toBe(true);
        live[i] = insert();
      }
      if (count % 2 === 0) tree.clear();
      else for (const handle of live) expect(tree.delete(handle)).toBe(true);
      expect(tree.size).toBe(0);
      tree.insert(0, 1);
      for (const handle of issued) expect(tree.delete(handle)).toBe(false);
      expect(tree.size).toBe(1);
      for (const { handle } of tree) {
        issued.add(handle);
        tree.delete(handle);
      }
    }
  });

  test('reach nothing once stale, though the slot is in use again', () => {
    const tree = new IntervalTree<string>();
    const old = tree.insert(0, 1, 'old');
    tree.delete(old);
    const young = tree.insert(0, 1, 'young');
    expect(tree.delete(old)).toBe(false);
    expect(tree.get(old)).toBeUndefined();
    expect(tree.get(young)).toBe('young');
    expect(tree.size).toBe(1);
  });

  test.each([Number.NaN, -1, 0, 0.5, 8.5, 2 ** 31, 2 ** 53, -Infinity, Infinity, undefined, null, '8', {}])(
    'that are none (%s) are refused',
    (wrong) => {
      const tree = new IntervalTree();
      tree.insert(0, 1);
      tree.delete(tree.insert(0, 1));
      expect(tree.delete(wrong as Handle)).toBe(false);
      expect(tree.has(wrong as Handle)).toBe(false);
      expect(tree.get(wrong as Handle)).toBeUndefined();
      expect(tree.startOf(wrong as Handle)).toBeUndefined();
      expect(tree.endOf(wrong as Handle)).toBeUndefined();
      expect(tree.size).toBe(1);
    },
  );

  test('that would be issued next are refused', () => {
    const { tree, handles } = ladder(3);
    const stale = handles[1]!;
    tree.delete(stale);
    const next = (stale + 8) as Handle;
    expect([tree.has(next), tree.delete(next)]).toEqual([false, false]);
    expect(tree.insert(0, 1)).toBe(next);
  });

  test('beyond 2^31 and 2^32 work', () => {
    const core = new Core<string>();
    const first = core.insert(0, 1, 'a');
    const slot = first % 8;
    core.delete(first);
    for (const generation of [2 ** 28, 2 ** 29, LAST_GENERATION - 1]) {
      core.table[2 * slot + 1] = generation;
      const handle = core.insert(0, 1, 'b');
      expect(handle).toBe(generation * 8 + slot);
      expect(core.valueAt(core.locate(handle))).toBe('b');
      expect(core.locate(handle % 2 ** 32)).toBe(handle < 2 ** 32 ? core.locate(handle) : -1);
      expect(core.delete(handle)).toBe(true);
      expect(core.delete(handle)).toBe(false);
    }
  });

  test('end with the last generation: the slot rests until the table grows', () => {
    const core = new Core<string>();
    const slot = core.insert(0, 1, 'a') % 8;
    core.table[2 * slot + 1] = LAST_GENERATION - 1;
    const last = core.handleAt(0);
    core.delete(last);
    checkInvariants(core);
    const handles = Array.from({ length: 7 }, () => core.insert(0, 1, 'a'));
    expect(handles.map((handle) => handle % 8)).not.toContain(slot);
    expect(core.capacity).toBe(8);
    // The table is full now: it grows, and the tired slot is two rested ones.
    for (let i = 0; i < 9; i++) handles.push(core.insert(0, 1, 'a'));
    expect(core.capacity).toBe(16);
    checkInvariants(core);
    expect(core.locate(last)).toBe(-1);
    expect(handles).not.toContain(last);
    expect(
      handles
        .filter((handle) => handle > last)
        .map((handle) => handle % 16)
        .sort(ascending),
    ).toEqual([slot, slot + 8]);
  });

  test('start above all earlier ones after clear, with a larger table if need be', () => {
    const core = new Core<string>();
    core.delete(core.insert(0, 1, 'a'));
    core.table[2 * core.slot + 1] = LAST_GENERATION - 1;
    const late = core.insert(0, 1, 'a');
    core.clear();
    const next = core.insert(0, 1, 'b');
    expect(next).toBeGreaterThan(late);
    expect(Number.isSafeInteger(next)).toBe(true);
    expect(core.capacity).toBe(32);
    expect(core.locate(late)).toBe(-1);
    checkInvariants(core);
  });
});

describe('first', () => {
  test.each(sizes)('returns the lowest of %d that overlap', (count) => {
    const tree = new IntervalTree<number>();
    // From the highest start to the lowest, all reaching to the same end.
    for (let i = count; i > 0; i--) tree.insert(i, count + 1, i);
    for (let i = count; i > 0; i = i - 1 - (i >> 4)) {
      expect(tree.get(tree.first(i - 0.5, Infinity)!)).toBe(1);
      expect(tree.get(tree.first(0.5, i + 0.5)!)).toBe(1);
    }
    expect(tree.first(-1, 1)).toBeUndefined();
    expect(tree.first(count + 1, count + 2)).toBeUndefined();
  });

  test('passes over lower ones that end too early', () => {
    const { tree, handles } = ladder(600);
    const long = tree.insert(-5, 4000, -1);
    expect(tree.first(3999, 4001)).toBe(long);
    expect(tree.first(4000, 4001)).toBe(handles[400]);
    expect(tree.first(4005, 4010)).toBeUndefined();
  });

  test('deletes its way through all that overlap', () => {
    const { tree } = ladder(500);
    let deleted = 0;
    for (let handle = tree.first(1000, 2000); handle !== undefined; handle = tree.first(1000, 2000)) {
      expect(tree.get(handle)).toBe(100 + deleted);
      tree.delete(handle);
      deleted++;
    }
    expect([deleted, tree.size]).toEqual([100, 400]);
  });
});

describe('visit', () => {
  test.each(sizes)('shows each of %d overlapping intervals once, with its own bounds, value and handle', (count) => {
    const { tree, handles } = ladder(count);
    const seen: number[] = [];
    const stopped = tree.visit(-Infinity, Infinity, (start, end, value, handle) => {
      expect([start, end, handle]).toEqual([10 * value, 10 * value + 5, handles[value]]);
      seen.push(value);
    });
    expect(stopped).toBe(false);
    expect(seen.sort(ascending)).toEqual(handles.map((_, i) => i));
  });

  test.each([1, 10, 500])('stops at the first true, with %d intervals', (count) => {
    let calls = 0;
    expect(ladder(count).tree.visit(0, Infinity, () => ++calls === Math.min(count, 5))).toBe(true);
    expect(calls).toBe(Math.min(count, 5));
  });

  test('goes on after anything but true', () => {
    const { tree } = ladder(8);
    let calls = 0;
    const odd = [undefined, false, null, 0, 1, 'true', {}, []];
    expect(tree.visit(0, Infinity, () => odd[calls++] as boolean)).toBe(false);
    expect(calls).toBe(8);
  });

  test('may be nested', () => {
    const { tree } = ladder(50);
    let pairs = 0;
    tree.visit(100, 200, () => {
      tree.visit(300, 350, () => {
        pairs++;
      });
    });
    expect(pairs).toBe(50);
  });

  test('passes on what the visitor throws, and the tree stays usable', () => {
    const { tree } = ladder(50);
    const error = new Error('mine');
    expect(() =>
      tree.visit(0, 100, () => {
        throw error;
      }),
    ).toThrow(error);
    expect(tree.search(0, 100)).toHaveLength(10);
    tree.insert(0, 1, -1);
    expect(tree.search(0, 100)).toHaveLength(11);
  });

  const changes: [string, (tree: IntervalTree<number>, handle: Handle) => unknown][] = [
    ['deletes the interval', (tree, handle) => tree.delete(handle)],
    ['inserts one', (tree) => tree.insert(1e6, 1e6 + 1, -1)],
    ['deletes and inserts, so that the size is the same', (tree, handle) => [tree.delete(handle), tree.insert(0, 1, -1)]],
    ['clears', (tree) => tree.clear()],
    ['clears and inserts one', (tree) => [tree.clear(), tree.insert(0, 1, -1)]],
    [
      'clears and inserts as many',
      (tree) => Array.from({ length: tree.size }, (_, i) => [i || tree.clear(), tree.insert(0, 1, i)]),
    ],
    ['deletes everything one by one', (tree) => [...tree].map(({ handle }) => tree.delete(handle))],
  ];

  test.each(changes)('throws when its visitor %s and goes on', (_, change) => {
    for (const count of [1, 20, 500]) {
      const { tree } = ladder(count);
      let calls = 0;
      const visiting = () =>
        tree.visit(0, Infinity, (_start, _end, _value, handle) => {
          calls++;
          change(tree, handle);
        });
      expect(visiting).toThrow(InvalidArgumentError);
      expect(calls).toBe(1);
      // The change itself stands.
      expect([...tree]).toHaveLength(tree.size);
    }
  });

  test.each(changes)('does not mind when its visitor %s and returns true', (_, change) => {
    const { tree } = ladder(100);
    expect(
      tree.visit(0, Infinity, (_start, _end, _value, handle) => {
        change(tree, handle);
        return true;
      }),
    ).toBe(true);
    expect([...tree]).toHaveLength(tree.size);
  });

  test('says what was got and expected when the tree changed under it', () => {
    const { tree } = ladder(2);
    expect(() => tree.visit(0, 1, () => tree.clear())).toThrow(
      'visitor changed the tree and went on; expected it to return true then',
    );
  });

  test('does not mind calls that change nothing', () => {
    const { tree, handles } = ladder(10);
    tree.delete(handles[0]!);
    let calls = 0;
    tree.visit(0, Infinity, () => {
      calls++;
      tree.delete(handles[0]!);
      expect(() => tree.insert(1, 0, 0)).toThrow(InvalidRangeError);
      tree.overlaps(0, 1);
    });
    expect(calls).toBe(9);
  });

  test('does not mind changes of another tree', () => {
    const { tree } = ladder(10);
    const other = new IntervalTree<number>();
    tree.visit(0, Infinity, (start, end, value) => {
      other.insert(start, end, value);
    });
    expect(other.search(0, Infinity).sort(ascending)).toEqual(tree.search(0, Infinity).sort(ascending));
  });
});

describe('search', () => {
  test('returns a new array each time, that does not follow the tree', () => {
    const { tree } = ladder(3);
    const found = tree.search(0, Infinity);
    tree.clear();
    expect(found.sort(ascending)).toEqual([0, 1, 2]);
    expect(tree.search(0, Infinity)).not.toBe(found);
  });

  test('returns equal intervals as often as they are there', () => {
    const tree = new IntervalTree<string>();
    const twins = ['a', 'b', 'a'].map((value) => tree.insert(3, 4, value));
    expect(tree.search(3, 4).sort()).toEqual(['a', 'a', 'b']);
    tree.delete(twins[0]!);
    expect(tree.search(3, 4).sort()).toEqual(['a', 'b']);
  });

  test('returns undefined for intervals without a value', () => {
    const tree = new IntervalTree();
    tree.insert(0, 1);
    expect(tree.search(0, 1)).toEqual([undefined]);
  });
});

describe('values', () => {
  test('may be of any kind, also falsy', () => {
    const values = [0, '', null, undefined, false, Number.NaN, {}, () => 1];
    const tree = new IntervalTree<unknown>();
    const handles = values.map((value, i) => tree.insert(i, i + 1, value));
    expect(handles.map((handle) => tree.get(handle))).toEqual(values);
    expect(values.map((_, i) => tree.search(i, i + 1)[0])).toEqual(values);
  });

  test('may be given late: earlier intervals have none', () => {
    for (const late of [3, 8, 20]) {
      const tree = new IntervalTree<string | undefined>();
      const handles = Array.from({ length: 40 }, (_, i) => tree.insert(i, i + 1, i < late ? undefined : `${i}`));
      expect(handles.map((handle) => tree.get(handle))).toEqual(handles.map((_, i) => (i < late ? undefined : `${i}`)));
    }
  });

  test('do not come back in the slot of a deleted interval', () => {
    const tree = new IntervalTree<string | undefined>();
    tree.delete(tree.insert(0, 1, 'old'));
    expect(tree.get(tree.insert(0, 1))).toBeUndefined();
    tree.clear();
    expect(tree.get(tree.insert(0, 1))).toBeUndefined();
  });
});

describe('iteration', () => {
  test.each([1, 20, 500])('yields all of %d intervals once, as copies', (count) => {
    const { tree, handles } = ladder(count);
    const entries = [...tree].sort((a, b) => a.start - b.start);
    expect(entries).toEqual(handles.map((handle, i) => ({ handle, start: 10 * i, end: 10 * i + 5, value: i })));
    tree.clear();
    expect(entries[0]!.end).toBe(5);
  });

  test('allows changes: what is deleted before its turn and what is inserted meanwhile is left out', () => {
    const { tree, handles } = ladder(100);
    const shown: number[] = [];
    for (const { value, handle } of tree) {
      shown.push(value);
      // Each takes its neighbour with it and leaves a new one.
      tree.delete(handle);
      tree.delete(handles[value ^ 1]!);
      tree.insert(value, value + 1, -1);
    }
    expect(shown).toHaveLength(50);
    expect(new Set(shown.map((value) => value >> 1)).size).toBe(50);
    expect(tree.search(-Infinity, Infinity)).toEqual(new Array(50).fill(-1));
  });
});

describe('clear', () => {
  test.each(sizes)('leaves nothing of %d intervals, and the tree can be used again', (count) => {
    const { tree, handles } = ladder(count);
    tree.clear();
    expect([tree.size, tree.overlaps(-Infinity, Infinity), [...tree].length]).toEqual([0, false, 0]);
    const again = handles.map((_, i) => tree.insert(10 * i, 10 * i + 5, i));
    expect(tree.size).toBe(count);
    for (const handle of handles) expect(tree.has(handle)).toBe(false);
    for (const [i, handle] of again.entries()) expect(tree.get(handle)).toBe(i);
    expect(tree.search(-Infinity, Infinity).sort(ascending)).toEqual(handles.map((_, i) => i));
  });
});

describe('a bad range', () => {
  const wrong: [unknown, unknown, string][] = [
    [7, 3, 'range [7, 3) is empty: end must be greater than start'],
    [3, 3, 'range [3, 3) is empty'],
    [-0, 0, 'is empty'],
    [0, -0, 'is empty'],
    [Infinity, Infinity, 'is empty'],
    [-Infinity, -Infinity, 'is empty'],
    [Infinity, -Infinity, 'is empty'],
    [Number.NaN, 1, 'must be numbers, not NaN'],
    [0, Number.NaN, 'must be numbers, not NaN'],
    [undefined, 1, 'must be numbers'],
    [0, undefined, 'must be numbers'],
    ['0', '1', 'must be numbers'],
    [0, '1', 'must be numbers'],
    ['0', 1, 'must be numbers'],
    [null, 1, 'must be numbers'],
    [0n, 1n, 'must be numbers'],
    [new Date(0), 5, 'must be numbers'],
    [{}, [], 'must be numbers'],
  ];

  test.each(wrong)('[%s, %s) is refused by everything, and nothing has changed', (start, end, message) => {
    for (const count of [0, 5, 100]) {
      const { tree } = ladder(count);
      const before = [...tree];
      const [a, b] = [start as number, end as number];
      const calls = [
        () => tree.insert(a, b, 1),
        () => tree.overlaps(a, b),
        () => tree.first(a, b),
        () => tree.search(a, b),
        () => tree.visit(a, b, () => true),
      ];
      for (const call of calls) {
        expect(call).toThrow(InvalidRangeError);
        expect(call).toThrow(message);
      }
      expect([...tree]).toEqual(before);
      expect(tree.size).toBe(count);
    }
  });
});
