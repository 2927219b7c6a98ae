import { describe, expect, it } from 'vitest';
import { RangeTracker, type Seq } from '../../lib/index.js';
import { History, LOST, NONE } from '../../lib/tracker/history.js';
import { counted } from '../support/counted.js';
import { range } from '../support/reading.js';

const INFO = Object.freeze({ kind: 'clear', owner: undefined, label: undefined });

interface Entry {
  readonly start: number;
  readonly end: number;
  readonly seq: number;
}

/** The same memory as a list, and the same question as a loop over all of it. */
class Plain {
  entries: Entry[] = [];
  floor: number;
  readonly capacity: number;

  constructor(capacity: number, seq: number) {
    this.capacity = capacity;
    this.floor = seq;
  }

  append(entry: Entry): void {
    this.entries.push(entry);
    if (this.entries.length > this.capacity) this.floor = this.entries.shift()!.seq;
  }

  find(start: number, end: number, token: number): Entry | typeof NONE | typeof LOST {
    for (let i = this.entries.length - 1; i >= 0; i--) {
      const entry = this.entries[i]!;
      if (entry.seq > token && entry.start < end && entry.end > start) return entry;
    }
    return token < this.floor ? LOST : NONE;
  }
}

function same(a: Entry | number, b: Entry | number): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b;
  return a.start === b.start && a.end === b.end && a.seq === b.seq;
}

/** A generator with a known seed: the same numbers in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Both memories, fed alike and asked alike. */
function twins(capacity: number, seq = 0) {
  const history = new History(capacity, seq);
  const plain = new Plain(capacity, seq);
  let last = seq;
  return {
    history,
    plain,
    append(start: number, end: number, step = 2) {
      last += step;
      history.append([start, end], last, INFO);
      plain.append({ start, end, seq: last });
      return last;
    },
    ask(start: number, end: number, token: number) {
      const found = history.find(start, end, token);
      const expected = plain.find(start, end, token);
      const entry = found >= 0 ? history.entry(found) : undefined;
      const answer = entry === undefined ? found : { start: entry.start, end: entry.end, seq: entry.seq };
      // Asked a hundred thousand times, so the matcher, which is slow, is called only to show what is wrong.
      if (!same(answer, expected)) expect({ question: [start, end, token], answer }).toEqual({ answer: expected });
      return found;
    },
  };
}

describe('the history', () => {
  it('knows nothing at first, and has lost nothing from its first seq on', () => {
    const { history, ask } = twins(4, 100);
    expect([history.size, history.floor]).toEqual([0, 100]);
    expect([ask(0, 8, 100), ask(0, 8, 101)]).toEqual([NONE, NONE]);
  });

  it('cannot answer for a token from before it was made', () => {
    const { append, ask } = twins(4, 100);
    expect(ask(0, 8, 99)).toBe(LOST);
    append(50, 60);
    expect(ask(0, 8, 99)).toBe(LOST);
    expect(ask(50, 51, 99)).toBeGreaterThanOrEqual(0);
  });

  it.each([1, 2, 3, 63, 64, 65, 100, 127, 128, 129, 511, 512, 513, 600, 1000])(
    'of capacity %i answers every token exactly while it fills, is full, and forgets',
    (capacity) => {
      const { append, ask, history, plain } = twins(capacity);
      const next = random(capacity);
      const tokens = [0];
      const total = capacity + 200;
      for (let i = 0; i < total; i++) {
        const start = Math.floor(next() * 100);
        tokens.push(append(start, start + 1 + Math.floor(next() * 4)));
        expect(history.size).toBe(Math.min(i + 1, capacity));
        const near = i % 64 <= 1 || i % 64 === 63;
        if (!near && i !== total - 1) continue;
        for (const back of [0, 1, 2, 62, 63, 64, 65, 127, 128, capacity - 1, capacity, capacity + 1, i]) {
          const token = tokens[tokens.length - 1 - back];
          if (token === undefined) continue;
          const at = Math.floor(next() * 104);
          ask(at, at + 1, token);
          ask(1000, 1001, token);
          ask(at, at + 1, token - 1);
        }
      }
      expect([history.size, history.floor]).toEqual([capacity, plain.floor]);
    },
  );

  // A block is sorted once it has been walked over often; from then on it answers by two searches.
  it.each([
    [64, 400],
    [512, 1500],
    [4096, 5000],
    [1000, 1500],
  ])('of capacity %i answers alike before and after its blocks are sorted', (capacity, total) => {
    const { append, ask } = twins(capacity);
    const next = random(capacity);
    for (let i = 0; i < total; i++) {
      const start = Math.floor(next() * 1000);
      append(start, start + 1 + Math.floor(next() * 10));
    }
    const oldest = 2 * (total - capacity);
    for (let walk = 0; walk < 200; walk++) {
      ask(2000, 2001, oldest);
      ask(-10, 0, oldest + 1);
      ask(1010, 1011, oldest);
      const at = Math.floor(next() * 1010);
      ask(at + 0.25, at + 0.75, oldest);
      ask(at, at + 1, oldest + Math.floor(next() * 2 * capacity));
    }
    // Sorted blocks must notice that the ring has gone round.
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 33; i++) append(round * 10, round * 10 + 5);
      const floor = 2 * (total + (round + 1) * 33 - capacity);
      for (let i = 0; i < 4; i++) {
        ask(round * 10 + i, round * 10 + i + 1, Math.max(floor, 0));
        ask(round * 10 + 5, round * 10 + 6, Math.max(floor, 0));
        ask(3000, 3001, Math.max(floor, 0) + 2 * i);
      }
    }
  });

  it('finds a range that ends or begins exactly where a sorted block is asked, and none that touches', () => {
    const { append, ask } = twins(64);
    for (let i = 0; i < 64; i++) append(i * 10, i * 10 + 5);
    for (let walk = 0; walk < 100; walk++) {
      for (const i of [0, 1, 31, 62, 63]) {
        expect(ask(i * 10 + 5, i * 10 + 10, 0)).toBe(NONE);
        expect(ask(i * 10 - 5, i * 10, 0)).toBe(NONE);
        expect(ask(i * 10 + 4.5, i * 10 + 5.5, 0)).toBe(i);
        expect(ask(i * 10 - 0.5, i * 10 + 0.5, 0)).toBe(i);
        expect(ask(i * 10 + 2, i * 10 + 3, 0)).toBe(i);
      }
    }
  });

  it('keeps identical, nested, infinite and huge ranges apart by their seqs, sorted or not', () => {
    const { append, ask } = twins(64);
    const all = [
      [0, 8],
      [0, 8],
      [2, 4],
      [Number.NEGATIVE_INFINITY, -1e300],
      [1e300, Number.POSITIVE_INFINITY],
      [0.25, 0.5],
    ] as const;
    for (let i = 0; i < 64; i++) {
      const [start, end] = all[i % all.length]!;
      append(start, end);
    }
    for (let walk = 0; walk < 100; walk++) {
      for (let token = 0; token <= 128; token += 7) {
        ask(3, 3.5, token);
        ask(8, 9, token);
        ask(Number.NEGATIVE_INFINITY, -1e301, token);
        ask(1e301, Number.POSITIVE_INFINITY, token);
        ask(-5, 0, token);
        ask(0.5, 0.6, token);
      }
    }
  });

  it('with several ranges that ended at once keeps them all after the token, or none', () => {
    const history = new History(8, 0);
    history.append([0, 5, 10, 15, 20, 25], 2, INFO);
    for (let i = 0; i < 3; i++) {
      expect(history.find(i * 10, i * 10 + 1, 1)).toBe(i);
      expect(history.find(i * 10, i * 10 + 1, 2)).toBe(NONE);
    }
  });

  it('of two sections has lost nothing to one of many ranges, and forgets it as a whole', () => {
    const history = new History(2, 0);
    history.append([0, 5, 10, 15, 20, 25], 2, INFO);
    history.append([30, 35], 4, INFO);
    expect([history.sections, history.size, history.floor]).toEqual([2, 4, 0]);
    expect(history.find(0, 5, 1)).toBe(0);
    history.append([40, 45], 6, INFO);
    expect([history.sections, history.size, history.floor]).toEqual([2, 2, 2]);
    expect([history.find(0, 5, 1), history.find(0, 5, 2), history.find(30, 31, 2)]).toEqual([LOST, NONE, 3]);
  });

  it('passes over what is ignored, and says what is left', () => {
    const history = new History(200, 0);
    const info = (owner: unknown) => ({ kind: 'clear', owner, label: undefined });
    for (let i = 1; i <= 200; i++) history.append([0, 8], 2 * i, info(i));
    const only = (owner: number) => (one: { owner: unknown }) => one.owner !== owner;
    for (let walk = 0; walk < 50; walk++) {
      for (const owner of [1, 64, 65, 128, 200]) {
        const found = history.find(4, 5, 0, only(owner));
        expect(history.entry(found)).toEqual({ start: 0, end: 8, seq: 2 * owner, info: info(owner) });
        expect(history.find(4, 5, 2 * owner, only(owner))).toBe(NONE);
        expect(history.find(8, 9, 0, only(owner))).toBe(NONE);
      }
    }
    expect(history.find(4, 5, 0, () => true)).toBe(NONE);
    expect(
      history.entry(
        history.find(4, 5, 0, () => {
          throw new Error('a filter must not throw');
        }),
      ).seq,
    ).toBe(400);
  });

  it('has lost a token although all that is left is ignored', () => {
    const history = new History(2, 0);
    for (let i = 1; i <= 3; i++) history.append([0, 8], 2 * i, INFO);
    expect(history.find(0, 8, 1, () => true)).toBe(LOST);
    expect(history.find(0, 8, 2, () => true)).toBe(NONE);
  });

  it.each([2 ** 31 - 50, 2 ** 32 - 50, 2 ** 52])('counts from %i on without wrapping', (seq) => {
    const { append, ask } = twins(64, seq);
    for (let i = 0; i < 200; i++) {
      append(i % 10, (i % 10) + 1);
      if (i < 70) continue;
      for (let walk = 0; walk < 3; walk++) {
        for (let at = 0; at < 12; at++) ask(at, at + 1, seq + 2 * (i - 63));
      }
    }
  });

  it('grows from little', () => {
    const tracker = new RangeTracker({ historyCapacity: 2 ** 20 });
    const before = process.memoryUsage().arrayBuffers;
    tracker.tryBegin(range(0, 8))!.end();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024);
    expect(tracker.readRetry(range(0, 8), 0 as Seq)).toBe(true);
  });
});

describe('a question to the history costs', () => {
  /** `count` ranges [10 i, 10 i + 5), ended at 2, 4, 6 ...; the memory holds just as many. */
  function filled(count: number): History {
    const history = new History(count, 0);
    for (let i = 0; i < count; i++) history.append([10 * i, 10 * i + 5], 2 * i + 2, INFO);
    return history;
  }

  /** How often the token is looked at when `after` ranges have ended since, and none of them overlaps. */
  function looksAtToken(history: History, after: number): number {
    const token = counted(history.last - 2 * after);
    expect(history.find(-20, -10, token.number)).toBe(NONE);
    return token.looks();
  }

  /** How often the bounds are looked at; nothing after the token overlaps [start, end). */
  function looksAtBounds(history: History, token: number, start: number, end: number): number {
    const [low, high] = [counted(start), counted(end)];
    expect(history.find(low.number, high.number, token)).toBe(NONE);
    return low.looks() + high.looks();
  }

  const times = <T>(count: number, ask: () => T): T[] => Array.from({ length: count }, ask);

  it.each([1, 10, 63, 64, 65, 4096])('one comparison if nothing has ended since the token, with %i remembered', (count) => {
    const history = filled(count);
    expect(looksAtToken(history, 0)).toBe(1);
    expect(looksAtToken(history, -1)).toBe(1);
  });

  it.each([10, 11, 50, 64, 104, 4096])('9 comparisons at most for a token of the newest block, with %i remembered', (count) => {
    const history = filled(count);
    for (let after = 1; after <= (count - 1) % 64; after++) expect(looksAtToken(history, after)).toBeLessThanOrEqual(9);
  });

  it('about the logarithm of the ends since an older token, twice', () => {
    const history = filled(4096);
    for (let after = 64; after < 4096; after++)
      expect(looksAtToken(history, after)).toBeLessThanOrEqual(2 * Math.floor(Math.log2(after)) - 2);
  });

  it.each([6, 9, 12])('two comparisons for each end, 31 times; then a binary search for each block of 2^%i', (bits) => {
    const history = filled(2 ** (bits + 1));
    const far = () => looksAtBounds(history, 0, 1e6, 1e6 + 1);
    expect(times(31, far)).toEqual(new Array(31).fill(2 * history.size));
    expect(times(10, far)).toEqual(new Array(10).fill(2 * (bits + 1)));
  });

  it('one look at each entry again once the ring has gone over a sorted block, as often as before', () => {
    const history = filled(128);
    const far = () => looksAtBounds(history, history.floor, 1e6, 1e6 + 1);
    times(40, far);
    for (let i = 128; i < 192; i++) history.append([10 * i, 10 * i + 5], 2 * i + 2, INFO);
    expect(times(31, far)).toEqual(new Array(31).fill(2 * 64 + 7));
    expect(times(10, far)).toEqual(new Array(10).fill(2 * 7));
  });

  it('nothing for a block that reaches back before the token, where it would be searched in vain', () => {
    // The range asked for ended first of all, so the one block of 512 says "overlaps", whatever the token.
    const history = filled(1024);
    const token = 2 * 64;
    const below = () => looksAtBounds(history, token, 0, 5);
    times(40, below);
    // One block of 512, and seven of 64 that are wholly after the token; a search that only goes left takes a step more.
    expect(below()).toBe(10 + 7 * 7);
  });

  it('two comparisons for each end, however often, while the memory is a single block', () => {
    const history = filled(64);
    expect(times(40, () => looksAtBounds(history, 0, 1e6, 1e6 + 1))).toEqual(new Array(40).fill(2 * 64));
  });

  it('no more in a sorted block when one before it, that reaches farther, is sorted, too', () => {
    const history = new History(128, 0);
    for (let i = 0; i < 128; i++) history.append([10 * i, i < 64 ? 1e5 : 10 * i + 5], 2 * i + 2, INFO);
    const later = () => looksAtBounds(history, 2 * 64, 646, 649);
    const before = times(40, later).at(-1);
    expect(before).toBeLessThanOrEqual(8);
    times(40, () => looksAtBounds(history, 0, -20, -10));
    expect(later()).toBe(before);
  });

  it('no look at the entries of a sorted block where they only touch what is asked for', () => {
    const history = filled(128);
    times(40, () => history.find(-20, -10, 0));
    // One bound at a time, and the other one touches: equality cannot be counted.
    const [low, high] = [counted(1266), counted(9)];
    expect([history.find(low.number, 1270, 0), history.find(5, high.number, 0)]).toEqual([NONE, NONE]);
    expect(low.looks()).toBeLessThanOrEqual(2 * 7);
    expect(high.looks()).toBeLessThanOrEqual(2 * 7);
  });
});
