import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Ignore, InvalidationInfo } from '../../lib/index.js';
import { History, LOST, NONE } from '../../lib/tracker/history.js';
import { property, Random, SEED } from '../support/model/random.js';

interface Entry {
  readonly start: number;
  readonly end: number;
  readonly seq: number;
  readonly info: InvalidationInfo;
}

/** The same by a plain list that is walked from its end. */
class List {
  readonly #entries: Entry[] = [];
  readonly #capacity: number;
  #forgotten = 0;
  #sections = 0;
  #floor: number;

  constructor(capacity: number, seq: number) {
    this.#capacity = capacity;
    this.#floor = seq;
  }

  get size(): number {
    return this.#entries.length - this.#forgotten;
  }

  get oldest(): Entry {
    return this.#entries[this.#forgotten]!;
  }

  /** All of one section. */
  append(entries: readonly Entry[]): void {
    this.#entries.push(...entries);
    if (++this.#sections <= this.#capacity) return;
    this.#sections--;
    this.#floor = this.oldest.seq;
    while (this.oldest.seq === this.#floor) this.#forgotten++;
  }

  find(start: number, end: number, token: number, ignore?: Ignore): Entry | typeof LOST | typeof NONE {
    for (let i = this.#entries.length - 1; i >= this.#forgotten && this.#entries[i]!.seq > token; i--) {
      const entry = this.#entries[i]!;
      if (entry.start < end && start < entry.end && !ignore?.(entry.info)) return entry;
    }
    return token < this.#floor ? LOST : NONE;
  }
}

const INFOS: readonly InvalidationInfo[] = ['clear', 'unmap', 'migrate'].map((kind) => ({ kind, owner: kind, label: undefined }));
const FILTERS: readonly (Ignore | undefined)[] = [
  undefined,
  ({ kind }) => kind === 'clear',
  ({ owner }) => owner !== 'migrate',
  () => true,
];

/** A history and a list side by side. */
class Pair {
  readonly history: History;
  readonly list: List;
  readonly first: number;
  seq: number;

  constructor(capacity: number, seq: number) {
    this.history = new History(capacity, seq);
    this.list = new List(capacity, seq);
    this.first = seq;
    this.seq = seq;
  }

  /** A section of some ranges ends: all of them under one number. */
  end(ranges: readonly (readonly [number, number])[], info: InvalidationInfo): void {
    this.seq += 2;
    this.history.append(ranges.flat(), this.seq, info);
    this.list.append(ranges.map(([start, end]) => ({ start, end, seq: this.seq, info })));
  }

  isSame(): boolean {
    return this.history.size === this.list.size && this.history.last === this.seq;
  }

  ask(start: number, end: number, token: number, ignore: Ignore | undefined): void {
    const expected = this.list.find(start, end, token, ignore);
    const found = this.history.find(start, end, token, ignore);
    if (typeof expected !== 'number') expect(found < 0 ? found : this.history.entry(found)).toEqual(expected);
    else if (found !== expected) expect(found).toBe(expected); // thousands of questions: the matcher costs more than the answer
  }
}

test('a history answers as a list does, whatever ends and whoever asks', () => {
  const range = fc
    .tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 1, max: 6 }))
    .map(([start, length]) => [start, start + length] as const);
  const step = fc.oneof(
    fc.record({ what: fc.constant('end' as const), ranges: fc.array(range, { minLength: 1, maxLength: 3 }), info: fc.nat(2) }),
    fc.record({ what: fc.constant('ask' as const), range, age: fc.nat(60), filter: fc.nat(3) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.array(step, { maxLength: 60 }), (capacity, steps) => {
      const pair = new Pair(capacity, 0);
      for (const one of steps) {
        if (one.what === 'end') pair.end(one.ranges, INFOS[one.info]!);
        else pair.ask(one.range[0], one.range[1], Math.max(0, pair.seq - one.age), FILTERS[one.filter]);
        expect(pair.isSame()).toBe(true);
      }
    }),
    property(400),
  );
});

// Powers of two, their neighbours, and what is far from any: the ring is longer than the capacity wherever they differ.
test.each([1, 2, 3, 63, 64, 65, 100, 127, 500, 512, 513, 1000, 4096, 4097, 5000, 9000])(
  'a capacity of %i is kept exactly, through growth and several turns of the ring',
  (capacity) => {
    const random = new Random(SEED + capacity);
    const pair = new Pair(capacity, 0);
    const ends = Math.max(200, Math.ceil(capacity * 2.3));
    for (let i = 0; i < ends; i++) {
      const start = random.below(4000);
      pair.end([[start, start + 1 + random.below(8)]], INFOS[random.below(3)]!);
      if (!pair.isSame()) throw new Error(`after ${i} ends the size is ${pair.history.size}, not ${pair.list.size}`);
      if (i % Math.ceil(ends / 60) !== 0) continue;
      for (let question = 0; question < 4; question++) {
        const from = random.below(4000);
        pair.ask(from, from + 1 + random.below(40), Math.floor(random.next() * (pair.seq + 2)), FILTERS[random.below(4)]);
      }
      // Right at the edge of the memory.
      const oldest = pair.list.oldest;
      for (const token of [oldest.seq - 3, oldest.seq - 2, oldest.seq - 1, oldest.seq, oldest.seq + 1])
        pair.ask(5000, 5001, token, undefined);
    }
  },
);

// A block is sorted after some walks over it, so the same old questions are asked often, at every size of block.
test.each([64, 512, 4096])(
  'sorted blocks of %i answer as the entries themselves, also once the ring has gone over them',
  (length) => {
    const random = new Random(SEED + length);
    const pair = new Pair(length * 2 + 37, 0);
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < length + 50; i++) {
        const start = random.below(1000) * 8;
        pair.end([[start, start + 4]], INFOS[random.below(3)]!);
      }
      for (let question = 0; question < 150; question++) {
        const cell = random.below(1000) * 8;
        const oldest = pair.list.oldest.seq;
        const token = question % 3 === 0 ? oldest - 1 : oldest + random.below(100);
        // Between two cells, touching both; over one; over a few; over the line's outer ends.
        pair.ask(cell + 4, cell + 8, token, undefined);
        pair.ask(cell, cell + 1, token, FILTERS[question % 4]);
        pair.ask(cell + 3, cell + 9, token, undefined);
        pair.ask(8000, Number.POSITIVE_INFINITY, token, undefined);
        pair.ask(Number.NEGATIVE_INFINITY, 0, token, undefined);
      }
    }
  },
);

test.each([2 ** 31 - 40, 2 ** 32 - 40, 2 ** 53 - 1000])('numbers go on beyond %i', (seq) => {
  const random = new Random(SEED);
  const pair = new Pair(100, seq);
  pair.ask(0, 8, seq, undefined);
  for (let i = 0; i < 200; i++) {
    const start = random.below(50);
    pair.end([[start, start + 2]], INFOS[0]!);
    const from = random.below(50);
    pair.ask(from, from + 1, pair.first + random.below(pair.seq - pair.first + 1), undefined);
  }
});

test('sections of thousands of ranges count once each, and are forgotten as a whole', () => {
  const random = new Random(SEED);
  const pair = new Pair(12, 10);
  for (let i = 0; i < 60; i++) {
    const many = i % 3 === 0 ? 3000 + random.below(3000) : 1 + random.below(3);
    pair.end(
      Array.from({ length: many }, (_, at) => [at * 16, at * 16 + 1 + random.below(12)] as const),
      INFOS[random.below(3)]!,
    );
    expect(pair.history.sections).toBe(Math.min(12, i + 1));
    expect(pair.isSame()).toBe(true);
    const oldest = pair.list.oldest.seq;
    for (let question = 0; question < 40; question++) {
      const at = random.below(6000) * 16 + random.below(16);
      const token = question % 4 === 0 ? oldest - 1 - random.below(3) : oldest + random.below(pair.seq - oldest + 1);
      pair.ask(at, at + 1 + random.below(20), token, FILTERS[random.below(4)]);
    }
  }
});

test('no load can fill the memory: beyond 2^20 ranges the oldest sections go, the newest never', () => {
  const history = new History(4096, 0);
  const spans = Array.from({ length: 2 ** 19 }, (_, i) => [2 * i, 2 * i + 1]).flat();
  for (let i = 1; i <= 3; i++) history.append(spans, 2 * i, INFOS[0]!);
  expect([history.sections, history.size, history.floor]).toEqual([2, 2 ** 20, 2]);
  history.append([...spans, ...spans, 0, 1], 8, INFOS[0]!);
  expect([history.sections, history.size, history.floor]).toEqual([1, 2 ** 20 + 1, 6]);
  expect(history.entry(history.find(0, 1, 7)).seq).toBe(8);
  expect([history.find(1, 2, 5), history.find(1, 2, 6)]).toEqual([LOST, NONE]);
});
