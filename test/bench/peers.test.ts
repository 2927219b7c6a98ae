/**
 * What the benches compare with answers rightly, or is found out: a peer that is quick and wrong would make a fine table.
 */
import { describe, expect, test } from 'vitest';
import type { Fetch } from '../../bench/guards/guard.js';
import { COUNTERS, MapCounter, rangeSetsMicro } from '../../bench/peers/counters.js';
import { fence, subscribedTracker } from '../../bench/peers/fence.js';
import { LOCKS } from '../../bench/peers/locks.js';
import { SortedArray } from '../../bench/peers/sorted-array.js';
import { elsewhere, HERE, readSectionMicro, type Technique, writeSectionMicro } from '../../bench/peers/technique.js';
import { Rebuilt, type TreePeer } from '../../bench/peers/tree-peer.js';
import { Stretches, TreeWork } from '../../bench/peers/tree-work.js';
import { TREES, treeNamed } from '../../bench/peers/trees.js';
import * as library from '../../lib/index.js';

/** Looks at everything. */
class BruteForce implements TreePeer {
  readonly #entries = new Map<number, readonly [start: number, end: number]>();

  insert(index: number, start: number, end: number): void {
    if (this.#entries.has(index)) throw new Error(`${index} is in already`);
    this.#entries.set(index, [start, end]);
  }

  remove(index: number): void {
    if (!this.#entries.delete(index)) throw new Error(`${index} is not in`);
  }

  overlaps(start: number, end: number): boolean {
    return [...this.#entries.values()].some((entry) => entry[0] < end && entry[1] > start);
  }

  sumOfStarts(start: number, end: number): number {
    let sum = 0;
    for (const entry of this.#entries.values()) if (entry[0] < end && entry[1] > start) sum = (sum + entry[0]) | 0;
    return sum;
  }
}

function digestOf(peer: TreePeer, size: number) {
  const work = new TreeWork(peer, size);
  work.fill();
  return work.check();
}

const SIZES = [8, 64, 128];
const expected = new Map(SIZES.map((size) => [size, digestOf(new BruteForce(), size)]));

describe('tree peers', () => {
  /** Its removal loses intervals, which the suite finds out by itself. */
  const BROKEN = 'interval-tree-1d';
  const changing = TREES.filter(({ name, make }) => make !== undefined && name !== BROKEN);

  test.each(changing)('$name finds what brute force finds while intervals come and go', ({ make }) => {
    for (const size of SIZES) expect(digestOf(make!(), size)).toEqual(expected.get(size));
  });

  test('a sorted array that was filled one by one finds the same', () => {
    const peer = new SortedArray();
    const slowly: TreePeer = {
      insert: (index, start, end) => peer.insert(index, start, end),
      remove: (index) => peer.remove(index),
      overlaps: (start, end) => peer.overlaps(start, end),
      sumOfStarts: (start, end) => peer.sumOfStarts(start, end),
    };
    expect(digestOf(slowly, 64)).toEqual(expected.get(64));
  });

  test.each(TREES.filter(({ build }) => build !== undefined))('$name, made anew, finds what brute force finds', ({ build }) => {
    for (const size of SIZES) expect(digestOf(new Rebuilt(build!), size)).toEqual(expected.get(size));
  });

  test('the quick reference finds what brute force finds', () => {
    for (const size of SIZES) expect(digestOf(new Stretches(), size)).toEqual(expected.get(size));
  });

  test('the work has hits and misses, and visits something', () => {
    for (const { hits, sum } of expected.values()) {
      expect(hits).toBeGreaterThan(3000);
      expect(hits).toBeLessThan(9000);
      expect(sum).toBeGreaterThan(0);
    }
  });

  test('one that forgets a single interval is found out, by tests and by visits', () => {
    class Forgetful extends BruteForce {
      override insert(index: number, start: number, end: number): void {
        // It moves out of sight, so that it can still be removed.
        super.insert(index, index === 3 ? -2 : start, index === 3 ? -1 : end);
      }
    }
    const found = digestOf(new Forgetful(), 64);
    expect(found.hits).not.toBe(expected.get(64)!.hits);
    expect(found.sum).not.toBe(expected.get(64)!.sum);
  });

  test('a time limit ends the filling and the check', () => {
    const work = new TreeWork(new BruteForce(), 64);
    expect(() => work.fill(() => false)).toThrow('filling it took too long');
    expect(() => work.check(() => false)).toThrow('took too long');
  });

  test('an unknown name is refused', () => {
    expect(() => treeNamed('oak')).toThrow("no tree 'oak'; expected one of rangefence");
  });
});

const TECHNIQUES: readonly Technique[] = [fence(library), ...LOCKS, ...COUNTERS];
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('techniques', () => {
  test.each(TECHNIQUES)('$name does what its benches count', async (technique) => {
    for (const others of [0, 10]) {
      const bench = technique.write(others);
      if (bench !== undefined) expect(await bench.batch()).toBe(bench.expected);
    }
    const benches = [technique.read(), ...(technique.check === undefined ? [] : [technique.check(10)])];
    for (const bench of benches) expect(await bench.batch()).toBe(bench.expected);
  });

  const withSections = TECHNIQUES.filter(({ sections }) => sections !== undefined);

  test.each(withSections)('$name reads and changes as often as asked', async (technique) => {
    const benches = [
      readSectionMicro(technique, 'synchronous'),
      readSectionMicro(technique, 'asynchronous'),
      writeSectionMicro(technique),
    ];
    for (const bench of benches) expect(await bench.batch()).toBe(bench.expected);
  });

  test.each(withSections)('$name gives a read that a change comes into the new value', async ({ sections }) => {
    const own = sections!();
    let value = 'old';
    const fetch: Fetch<string> = async () => {
      const seen = value;
      await turn();
      return seen;
    };
    const before = own.read(HERE, fetch);
    const change = own.mutate(HERE, async () => {
      value = 'new';
    });
    // Under a lock the read that came first is done first; everybody else must look again.
    const firstCome = LOCKS.some((lock) => lock.sections === sections);
    expect(await before).toBe(firstCome ? 'old' : 'new');
    await change;
    expect(await own.read(HERE, fetch)).toBe('new');
  });

  test.each(LOCKS)('$name lets nobody read during a change', async ({ sections }) => {
    const own = sections!();
    let inside = false;
    const change = own.mutate(HERE, async () => {
      inside = true;
      await turn();
      await turn();
      inside = false;
    });
    await Promise.resolve();
    expect(await own.read(HERE, () => inside)).toBe(false);
    await change;
  });

  test.each(withSections)('$name lets go after an error', async ({ sections }) => {
    const own = sections!();
    const failing = () => Promise.reject(new Error('no such file'));
    await expect(own.read(HERE, failing)).rejects.toThrow('no such file');
    await expect(own.mutate(HERE, failing)).rejects.toThrow('no such file');
    expect(await own.read(HERE, () => 7)).toBe(7);
  });

  test('the Map of counters notices a change of any of its pages, and no other', () => {
    const counter = new MapCounter();
    const seen = counter.sum(HERE);
    counter.touch({ start: HERE.end, end: HERE.end + 4 });
    counter.touch({ start: HERE.start - 4, end: HERE.start });
    expect(counter.sum(HERE)).toBe(seen);
    counter.touch({ start: HERE.end - 1, end: HERE.end + 1 });
    expect(counter.sum(HERE)).not.toBe(seen);
  });

  test('of many subscribers and of many sets exactly one is concerned', () => {
    const { tracker, calls } = subscribedTracker(library, 50);
    tracker.tryBegin(HERE)?.end();
    expect(calls()).toBe(1);
    tracker.tryBegin(elsewhere(49))?.end();
    expect(calls()).toBe(2);
    expect(rangeSetsMicro(50).batch()).toBe(1);
  });
});
