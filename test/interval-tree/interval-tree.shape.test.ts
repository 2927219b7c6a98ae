import { describe, expect, test, vi } from 'vitest';
import { LAST_GENERATION, TINY, WIDTH } from '../../lib/interval-tree/columns.js';
import { Core } from '../../lib/interval-tree/core.js';
import { counted } from '../support/counted.js';
import { checkInvariants, fillOf } from '../support/interval-tree-invariants.js';

/** A core of leaves filled as told, each with 8 to 32 intervals, and the handles by leaf. The last has 9 at least. */
function leaves(...fill: number[]): { core: Core<undefined>; handles: number[][] } {
  const core = new Core<undefined>();
  // In ascending order every leaf keeps 24.
  const handles = fill.map((_, leaf) =>
    Array.from({ length: leaf === fill.length - 1 ? 9 : 24 }, (_, i) => core.insert(24 * leaf + i, 1e6, undefined)),
  );
  for (const [leaf, count] of fill.entries()) {
    const own = handles[leaf]!;
    while (own.length < count) own.push(core.insert(24 * leaf + 0.5, 1e6, undefined));
    while (own.length > count) core.delete(own.pop()!);
  }
  expect(fillOf(core)).toEqual(fill);
  return { core, handles };
}

describe('a full leaf', () => {
  // Not in order: a leaf is sorted when it is cut, and not before.
  const shuffled = Array.from({ length: WIDTH }, (_, i) => (i * 13) % WIDTH);

  test.each([
    ['after all others', 40, [24, 9]],
    ['with the last', 31, [24, 9]],
    ['in the middle', 15.5, [17, 16]],
    ['with the first', 0, [17, 16]],
    ['before all others', -1, [9, 24]],
  ])('into which one comes that starts %s is cut so that there is room on that side', (_, start, expected) => {
    const core = new Core<undefined>();
    for (const other of shuffled) core.insert(other, 100, undefined);
    core.insert(start, 100, undefined);
    expect(fillOf(core)).toEqual(expected);
    checkInvariants(core);
  });

  test('of equal starts is cut as if they came in ascending order', () => {
    const core = new Core<undefined>();
    for (let i = 0; i < 100; i++) core.insert(7, 8 + i, undefined);
    expect(fillOf(core)).toEqual([24, 24, 24, 28]);
    // The equal starts are on both sides of a key, and what ends there overlaps none of them.
    expect([core.find(0, 7, true), core.find(0, 7, false)]).toEqual([-1, -1]);
  });

  test.each([
    ['ascending', 1, [24, 24, 24, 24, 9]],
    ['descending', -1, [9, 24, 24, 24, 24]],
  ])('is left three quarters full by %s inserts', (_, step, expected) => {
    const core = new Core<undefined>();
    for (let i = 0; i < 4 * 24 + 9; i++) core.insert(step * i, 1000, undefined);
    expect(fillOf(core)).toEqual(expected);
  });
});

describe('a leaf of fewer than 8', () => {
  test.each([
    ['goes into the one after it', [8, 16], 0, [23]],
    ['goes into the one before it if the one after it has no room', [10, 8, 30], 1, [17, 30]],
    ['goes into the one after it, up to 24 in all', [8, 17], 0, [24]],
    ['stays where the one after it has no room', [8, 18], 0, [7, 18]],
    ['goes into the one after it if the one before it has no room', [30, 8, 10], 1, [30, 17]],
    ['goes into the one after it if both have room', [10, 8, 10], 1, [10, 17]],
    ['stays where neither has room', [30, 8, 30], 1, [30, 7, 30]],
  ])('%s', (_, fill, leaf, expected) => {
    const { core, handles } = leaves(...fill);
    core.delete(handles[leaf]![0]!);
    expect(fillOf(core)).toEqual(expected);
    checkInvariants(core);
  });

  test('is dropped when it is empty, though its neighbours are full', () => {
    const { core, handles } = leaves(24, 32);
    for (const handle of handles[0]!) core.delete(handle);
    expect([core.height, fillOf(core)]).toEqual([0, [32]]);
    checkInvariants(core);
  });
});

describe('an inner node', () => {
  test('keeps 8 children; with fewer it goes into a neighbour, and a root of one child gives way to it', () => {
    const { core, handles } = leaves(...new Array(31).fill(24), 9);
    expect(fillOf(core, 1)).toEqual([24, 8]);
    for (let leaf = 0; leaf < 17; leaf++) {
      expect(fillOf(core, 1)).toEqual([24 - leaf, 8]);
      for (const handle of handles[leaf]!) {
        core.delete(handle);
        checkInvariants(core);
      }
    }
    expect([core.height, fillOf(core)]).toEqual([1, [...new Array(14).fill(24), 9]]);
  });
});

describe('the first node of all', () => {
  test('may become the root, and keeps the greatest end below its first child exact', () => {
    const { core, handles } = leaves(...new Array(31).fill(24), 9);
    // Two inner nodes fall into one, so three kinds of node are free; what fell free last is taken first.
    for (const leaf of [1, 2, 0, ...Array.from({ length: 14 }, (_, i) => i + 3)]) {
      for (const handle of handles[leaf]!) core.delete(handle);
    }
    expect(core.height).toBe(1);
    for (let i = 0; core.height === 1; i++) core.insert(1000 + i, 1e6, undefined);
    expect(core.root).toBe(0);
    checkInvariants(core);
    const longest = core.insert(0, 1e7, undefined);
    checkInvariants(core);
    core.delete(longest);
    checkInvariants(core);
  });
});

describe('no more is looked at than needed', () => {
  /** How often the bounds of a search are compared. */
  function looks(core: Core<undefined>, start: number, end: number, expected: boolean): number {
    const [low, high] = [counted(start), counted(end)];
    expect(core.find(low.number, high.number, true) >= 0).toBe(expected);
    return low.looks() + high.looks();
  }

  test('when the first interval of a leaf overlaps', () => {
    const core = new Core<undefined>();
    for (let i = 0; i < 32; i++) core.insert(i, 100, undefined);
    expect(looks(core, 40, 50, true)).toBe(2);
  });

  test('when the keys of a node decide', () => {
    const core = new Core<undefined>();
    for (let i = 0; i < 33; i++) core.insert(10 * i, 10 * i + 5, undefined);
    expect(fillOf(core)).toEqual([24, 9]);
    // Yes: the first child reaches beyond 200, and the key of the second one lies below 300.
    expect(looks(core, 200, 300, true)).toBe(3);
    // No: only the second child reaches beyond 235, and its key is 240.
    expect(looks(core, 235, 240, false)).toBe(3);
  });

  /** How many nodes are scanned for their greatest end when an interval is deleted. */
  function scans(core: Core<undefined>, handle: number): number {
    const max = vi.spyOn(core, 'max');
    core.delete(handle);
    const calls = max.mock.calls.length;
    max.mockRestore();
    checkInvariants(core);
    return calls;
  }

  test('when an interval is deleted: nodes above only as far as its end was the greatest', () => {
    const { core } = leaves(...new Array(31).fill(24), 9);
    expect(core.height).toBe(2);
    const [short, long, twin] = [10, 2e6, 2e6].map((end) => core.insert(0.5, end, undefined));
    // Greater than both, in another leaf under the same root.
    core.insert(700, 3e6, undefined);
    expect(scans(core, short!)).toBe(0);
    expect(scans(core, twin!)).toBe(1);
    expect(scans(core, long!)).toBe(3);
    const inside = core.insert(0.5, 4e6, undefined);
    core.insert(30, 5e6, undefined);
    // The leaf, and the inner node above it, where a greater end is seen.
    expect(scans(core, inside)).toBe(2);
  });
});

describe('columns', () => {
  test('are of 8 places at first, then of a leaf', () => {
    const core = new Core<undefined>();
    const lengths = [0];
    for (let i = 0; i < WIDTH; i++) {
      core.insert(i, i + 1, undefined);
      if (core.lows.length !== lengths.at(-1)) lengths.push(core.lows.length);
      checkInvariants(core);
    }
    expect(lengths).toEqual([0, TINY, WIDTH]);
  });

  test('grow only where the next split might not find room, by about an eighth', () => {
    const core = new Core<undefined>();
    for (let i = 0; i < 20_000; i++) {
      const { top, height, lows } = core;
      core.insert((i * 7919) % 20_000, 1e6, undefined);
      if (core.lows === lows || lows.length < WIDTH) continue;
      const needed = top + height + 2;
      expect(needed).toBeGreaterThan(lows.length / WIDTH);
      expect(core.lows.length / WIDTH).toBe(needed + Math.floor(lows.length / WIDTH / 8));
    }
    checkInvariants(core);
  });

  test('give out the nodes that have fallen free before new ones', () => {
    const { core, handles } = leaves(24, 32);
    for (const handle of handles[0]!) core.delete(handle);
    const { top } = core;
    core.insert(1e5, 1e6, undefined);
    expect([core.height, core.top, core.free]).toEqual([1, top, -1]);
    checkInvariants(core);
  });

  test('of up to 16 leaves are kept when the last interval leaves, larger ones are given back', () => {
    for (const [places, kept] of [
      [16 * WIDTH, 16 * WIDTH],
      [16 * WIDTH + 1, 0],
    ] as const) {
      const core = new Core<undefined>();
      const handles: number[] = [];
      while (core.lows.length < places) handles.push(core.insert(handles.length, 1e6, undefined));
      for (const handle of handles) core.delete(handle);
      expect(core.lows.length).toBe(kept);
    }
  });

  test('of values are not there before there is a value', () => {
    const core = new Core<string>();
    for (let i = 0; i < 100; i++) core.insert(i, i + 1, undefined);
    expect(core.values).toBeUndefined();
    core.insert(0, 1, 'a');
    expect(core.values).toBeDefined();
  });

  test('of slots are more after a clear only if more than half of the generations are used up', () => {
    const half = (LAST_GENERATION / 2) * (TINY / 2);
    expect([half - 1, half, half + 1].map((next) => new Core(next).capacity)).toEqual([TINY / 2, TINY / 2, TINY]);
  });
});
