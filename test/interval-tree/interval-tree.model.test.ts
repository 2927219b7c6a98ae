/**
 * The tree against brute force. After every step the invariants are walked and the whole content is compared; every
 * failure names its seed, and `only(seed)` in place of `seeds` repeats it.
 *
 * A public tree and a bare core take the same steps: the public one is compared, the core is walked as well.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Core } from '../../lib/interval-tree/core.js';
import { type Handle, IntervalTree } from '../../lib/interval-tree/index.js';
import { checkInvariants } from '../support/interval-tree-invariants.js';

interface Entry {
  start: number;
  end: number;
  value: number | undefined;
}

/** mulberry32: a whole number below `n`, the same sequence for the same seed on every machine. */
function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** Two trees and the truth. */
class Model {
  readonly tree: IntervalTree<number | undefined> = new IntervalTree();
  readonly core: Core<number | undefined> = new Core();
  readonly truth: Map<Handle, Entry> = new Map();
  readonly order: Handle[] = [];
  readonly stale: Handle[] = [];
  serial = 0;

  insert(start: number, end: number): void {
    // Every fifth has no value.
    const value = this.serial++ % 5 === 4 ? undefined : this.serial;
    const handle = this.tree.insert(start, end, value);
    same(this.core.insert(start, end, value), handle, 'handle of the core');
    if (this.truth.has(handle)) throw new Error(`handle ${handle} is in use already`);
    this.truth.set(handle, { start, end, value });
    this.order.push(handle);
  }

  /** Deletes the interval at `index` in order of insertion; the last one takes its place there. */
  delete(index: number): void {
    const handle = this.order[index]!;
    this.order[index] = this.order.at(-1)!;
    this.order.pop();
    same(this.tree.delete(handle), true, 'delete');
    same(this.core.delete(handle), true, 'delete of the core');
    this.truth.delete(handle);
    this.stale.push(handle);
  }

  deleteStale(index: number): void {
    if (this.stale.length === 0) return;
    const handle = this.stale[index % this.stale.length]!;
    same(this.tree.delete(handle), false, 'delete of a stale handle');
    same(this.tree.has(handle), false, 'has of a stale handle');
  }

  clear(): void {
    this.tree.clear();
    this.core.clear();
    this.stale.push(...this.order);
    this.order.length = 0;
    this.truth.clear();
  }

  /** Every query over [start, end) against brute force. */
  query(start: number, end: number): void {
    const expected: Handle[] = [];
    let lowest = Infinity;
    for (const [handle, entry] of this.truth) {
      if (entry.start < end && entry.end > start) {
        expected.push(handle);
        lowest = Math.min(lowest, entry.start);
      }
    }
    const any = expected.length > 0;
    same(this.tree.overlaps(start, end), any, `overlaps [${start}, ${end})`);
    const first = this.tree.first(start, end);
    same(first !== undefined, any, `first [${start}, ${end})`);
    if (first !== undefined) {
      same(this.tree.startOf(first), lowest, 'start of the first');
      if (!expected.includes(first)) throw new Error(`first ${first} does not overlap`);
    }
    const seen: Handle[] = [];
    this.tree.visit(start, end, (from, to, value, handle) => {
      const entry = this.truth.get(handle);
      same(from, entry?.start, 'visited start');
      same(to, entry?.end, 'visited end');
      same(value, entry?.value, 'visited value');
      seen.push(handle);
    });
    same(seen.sort(ascending).join(), expected.sort(ascending).join(), `visit [${start}, ${end})`);
    same(this.tree.search(start, end).length, expected.length, 'search');
  }

  check(): void {
    checkInvariants(this.core);
    same(this.tree.size, this.truth.size, 'size');
    same(this.core.size, this.truth.size, 'size of the core');
  }

  /** Every entry is where its handle says, with what it came with. */
  compare(): void {
    for (const [handle, entry] of this.truth) {
      same(this.tree.startOf(handle), entry.start, 'start');
      same(this.tree.endOf(handle), entry.end, 'end');
      same(this.tree.get(handle), entry.value, 'value');
    }
    same([...this.tree].length, this.truth.size, 'iteration');
  }
}

function same(got: unknown, expected: unknown, what: string): void {
  if (!Object.is(got, expected)) throw new Error(`${what}: got ${String(got)}, expected ${String(expected)}`);
}

const ascending = (a: number, b: number) => a - b;

/** How the next interval is chosen; `i` counts inserts. */
type Shape = (draw: (n: number) => number, i: number) => [number, number];

const shapes: Record<string, Shape> = {
  random: (draw) => span(draw(2000), 1 + draw(60)),
  'in ascending order': (_, i) => span(i, 3),
  'in descending order': (_, i) => span(-i, 3),
  'all identical': () => [3, 7],
  'with few starts': (draw) => span(draw(3), 1 + draw(1000)),
  'with few ends': (draw) => [draw(1000), 1000 + draw(3)],
  nested: (_, i) => [i, 1e6 - i],
  'all touching': (_, i) => span(8 * i, 8),
  'from both ends to the middle': (_, i) => span(i % 2 === 0 ? i : 1e5 - i, 1),
  'huge, with infinite bounds': (draw) => [[-Infinity, -1e300, 0][draw(3)]!, [1e-300, 1e300, Infinity][draw(3)]!],
  'short under a few long ones': (draw) => span(draw(1000), draw(50) === 0 ? 5000 : 1),
  fractional: (draw) => span(draw(1000) / 7, (1 + draw(10)) / 13),
};

function span(start: number, length: number): [number, number] {
  return [start, start + length];
}

/** Runs `body` for each seed and says which one failed. */
function seeds(count: number, body: (draw: (n: number) => number) => void): void {
  for (let seed = 1; seed <= count; seed++) only(seed, body);
}

function only(seed: number, body: (draw: (n: number) => number) => void): void {
  try {
    body(random(seed));
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
  }
}

/** Grows to `high`, shrinks to `low`, and so on: `turns` times, with as many other steps between. */
function breathe(model: Model, draw: (n: number) => number, shape: Shape, sizes: readonly number[], pick: Pick): void {
  let i = 0;
  for (const target of sizes) {
    while (model.truth.size !== target) {
      // One step back for every three forward, so that splits and merges mix.
      const grow = model.truth.size < target ? draw(4) > 0 : draw(4) === 0;
      if (grow || model.truth.size === 0) model.insert(...shape(draw, i++));
      else model.delete(pick(model, draw));
      if (draw(4) === 0) model.deleteStale(draw(1e9));
      model.check();
      if (draw(8) === 0) model.query(...shape(draw, draw(i + 1)));
    }
    model.compare();
    model.query(-Infinity, Infinity);
  }
}

type Pick = (model: Model, draw: (n: number) => number) => number;
const picks: Record<string, Pick> = {
  anywhere: (model, draw) => draw(model.order.length),
  'the oldest first': () => 0,
  'the newest first': (model) => model.order.length - 1,
};

describe('a tree of intervals', () => {
  for (const [name, shape] of Object.entries(shapes)) {
    test(`${name} agrees with brute force while it grows and shrinks`, () => {
      seeds(3, (draw) => breathe(new Model(), draw, shape, [9, 0, 34, 5, 180, 60, 0, 40, 0], picks.anywhere!));
    });
  }

  for (const [name, pick] of Object.entries(picks)) {
    test(`agrees with brute force over three levels when intervals leave, ${name}`, () => {
      only(7, (draw) => breathe(new Model(), draw, shapes.random!, [700, 300, 600, 0, 20], pick));
    });
  }

  test.each(['in ascending order', 'in descending order', 'all identical'])(
    'inserted %s agrees with brute force when it is deleted in either order',
    (name) => {
      for (const newest of [false, true]) {
        const model = new Model();
        const shape = shapes[name]!;
        for (let i = 0; i < 450; i++) model.insert(...shape(random(i), i));
        model.check();
        while (model.order.length > 0) {
          // Order of insertion: `delete` would put the last in the place of the first.
          const index = newest ? model.order.length - 1 : 0;
          if (!newest) model.order.push(model.order.shift()!);
          model.delete(newest ? index : model.order.length - 1);
          model.check();
          if (model.order.length % 10 === 0) model.query(...shape(random(1), model.order.length));
        }
      }
    },
  );

  test.each([
    ['upwards', 1],
    ['downwards', -1],
  ])('agrees with brute force while a window slides %s, so that whole leaves fall empty and come back', (_, direction) => {
    const model = new Model();
    for (let i = 0; i < 1200; i++) {
      model.insert(...span(3 * i * direction, 5));
      // The newest was put last; the oldest is brought there, so that it is the one to go.
      if (i >= 150) {
        model.order.push(model.order.shift()!);
        model.delete(model.order.length - 1);
      }
      model.check();
      if (i % 20 === 0) model.query(...span(3 * (i - 100) * direction, 40));
    }
    model.compare();
  });

  test('agrees with brute force in the long run, checked now and then', () => {
    only(99, (draw) => {
      const model = new Model();
      const shape = shapes.random!;
      for (let i = 0; i < 5000; i++) model.insert(draw(100_000), 100_001 + draw(1000));
      for (let i = 0; i < 40_000; i++) {
        model.delete(draw(model.order.length));
        model.insert(...shape(draw, i));
        if (i % 500 === 0) {
          model.check();
          model.query(...shape(draw, i));
        }
      }
      model.compare();
      while (model.order.length > 0) {
        model.delete(draw(model.order.length));
        if (model.order.length % 250 === 0) model.check();
      }
    });
  });

  test('lets go of long intervals at once: nothing overlaps where only they did', () => {
    only(5, (draw) => {
      const model = new Model();
      for (let i = 0; i < 600; i++) model.insert(...span(draw(1000), 1));
      for (let round = 0; round < 60; round++) {
        model.insert(...span(draw(1000), 5000));
        model.query(3000, 3001);
        model.delete(model.order.length - 1);
        model.check();
        model.query(3000, 3001);
      }
    });
  });

  test('agrees with brute force under any sequence of steps', () => {
    const bound = fc.oneof(fc.integer({ min: -20, max: 20 }), fc.double({ noNaN: true }), fc.constantFrom(-Infinity, Infinity));
    const range = fc
      .tuple(bound, bound)
      .filter(([a, b]) => a !== b)
      .map(([a, b]): [number, number] => (a < b ? [a, b] : [b, a]));
    const step = fc.oneof(
      { weight: 6, arbitrary: range.map((r) => (model: Model) => model.insert(...r)) },
      {
        weight: 3,
        arbitrary: fc.nat().map((n) => (model: Model) => {
          if (model.order.length > 0) model.delete(n % model.order.length);
        }),
      },
      { weight: 1, arbitrary: fc.nat().map((n) => (model: Model) => model.deleteStale(n)) },
      { weight: 3, arbitrary: range.map((r) => (model: Model) => model.query(...r)) },
      { weight: 1, arbitrary: fc.constant((model: Model) => (model.truth.size > 30 ? model.clear() : undefined)) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const model = new Model();
        for (const run of steps) {
          run(model);
          model.check();
        }
        model.compare();
      }),
      { numRuns: 150 },
    );
  });
});

function set(column: Float64Array | Int32Array, index: number, to: number): void {
  column[index] = to;
}

function rootOf(core: Core<number>): number {
  return core.root * 32;
}

describe('the invariant walker', () => {
  const broken: [string, (core: Core<number>) => void, RegExp][] = [
    ['a greatest end that is too high', (core) => set(core.highs, rootOf(core) + 1, 1e6), /greatest end/],
    ['a greatest end that is too low', (core) => set(core.highs, rootOf(core), 1), /greatest end/],
    [
      'a key above its starts',
      (core) => set(core.lows, rootOf(core) + 1, core.lows[rootOf(core) + 1]! + 0.5),
      /out of its range/,
    ],
    ['a first key that is one', (core) => set(core.lows, rootOf(core), 0), /first key/],
    ['a missing fence', (core) => set(core.lows, rootOf(core) + 31, 0), /fence/],
    ['a slot that leads elsewhere', (core) => set(core.table, 2 * core.links[0]!, 1), /slot/],
    ['a wrong parent', (core) => set(core.meta, 0, 7), /record/],
    ['a wrong size', (core) => Object.assign(core, { size: 71 }), /size/],
    ['a lost node', (core) => Object.assign(core, { top: core.top + 1 }), /lost/],
    ['a lost slot', (core) => Object.assign(core, { slot: -1 }), /slot is lost/],
    ['a kept value', (core) => core.values!.fill(1), /value is kept/],
  ];

  test.each(broken)('notices %s', (_, damage, message) => {
    const core = new Core<number>();
    for (let i = 0; i < 70; i++) core.insert(i, i + 1, i);
    checkInvariants(core);
    damage(core);
    expect(() => checkInvariants(core)).toThrow(message);
  });
});
