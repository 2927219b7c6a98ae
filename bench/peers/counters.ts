/**
 * Counters: what is written by hand where no lock is wanted, and the set of ranges that Dexie notices changes with.
 *
 * The counters move at the begin and at the end of a change. Neither knows that a change is going on: a read that lies inside of one
 * from begin to end is taken for a good one.
 */
import { RangeSet, rangesOverlap } from 'dexie';
import type { Range } from '../../lib/index.js';
import type { Fetch } from '../guards/guard.js';
import { BATCH, type Micro } from '../support/micro.js';
import { elsewhere, HERE, type Sections, scattered, type Technique } from './technique.js';

/** Under a name of this module: an imported one is looked up at every use, which takes longer than some of what is measured. */
const PAGES: Range = HERE;

/** One number for everything. */
export class GlobalCounter implements Sections {
  generation = 0;

  async read<T>(_range: Range, fetch: Fetch<T>): Promise<T> {
    for (;;) {
      const seen = this.generation;
      const value = await fetch();
      if (seen === this.generation) return value;
    }
  }

  async mutate(_range: Range, change: () => Promise<void>): Promise<void> {
    this.generation++;
    try {
      await change();
    } finally {
      this.generation++;
    }
  }
}

/** One number for each key: the keys are the pages of a range, so a range must be short, and its bounds whole. */
export class MapCounter implements Sections {
  readonly #generations = new Map<number, number>();

  /** Numbers only grow, so the sum is that of an earlier time exactly if nothing has been touched since. */
  sum({ start, end }: Range): number {
    let sum = 0;
    for (let page = start; page < end; page++) sum += this.#generations.get(page) ?? 0;
    return sum;
  }

  touch({ start, end }: Range): void {
    for (let page = start; page < end; page++) this.#generations.set(page, (this.#generations.get(page) ?? 0) + 1);
  }

  async read<T>(range: Range, fetch: Fetch<T>): Promise<T> {
    for (;;) {
      const seen = this.sum(range);
      const value = await fetch();
      if (seen === this.sum(range)) return value;
    }
  }

  async mutate(range: Range, change: () => Promise<void>): Promise<void> {
    this.touch(range);
    try {
      await change();
    } finally {
      this.touch(range);
    }
  }
}

const globalCounter: Technique = {
  name: 'global counter',
  read() {
    const counter = new GlobalCounter();
    return micro('global counter', () => {
      let fine = 0;
      for (let i = 0; i < BATCH; i++) {
        const seen = counter.generation;
        if (seen === counter.generation) fine++;
      }
      return fine;
    });
  },
  write() {
    const counter = new GlobalCounter();
    return micro('global counter', () => {
      const before = counter.generation;
      for (let i = 0; i < BATCH; i++) {
        counter.generation++;
        counter.generation++;
      }
      return (counter.generation - before) / 2;
    });
  },
  check(ended) {
    const counter = new GlobalCounter();
    const seen = counter.generation;
    counter.generation += 2 * ended;
    // A false retry every time: nobody has touched what was read.
    return micro('global counter', () => {
      let retries = 0;
      for (let i = 0; i < BATCH; i++) if (seen !== counter.generation) retries++;
      return retries;
    });
  },
  sections: () => new GlobalCounter(),
};

function mapCounterOf(others: number): MapCounter {
  const counter = new MapCounter();
  for (const range of scattered(others)) counter.touch(range);
  return counter;
}

const mapCounter: Technique = {
  name: 'Map of counters',
  read() {
    const counter = mapCounterOf(1);
    counter.touch(PAGES);
    return micro('Map of counters', () => {
      let fine = 0;
      for (let i = 0; i < BATCH; i++) {
        const seen = counter.sum(PAGES);
        if (seen === counter.sum(PAGES)) fine++;
      }
      return fine;
    });
  },
  write(others) {
    const counter = mapCounterOf(others);
    const pages = PAGES.end - PAGES.start;
    return micro('Map of counters', () => {
      const before = counter.sum(PAGES);
      for (let i = 0; i < BATCH; i++) {
        counter.touch(PAGES);
        counter.touch(PAGES);
      }
      return (counter.sum(PAGES) - before) / 2 / pages;
    });
  },
  check(ended) {
    const counter = mapCounterOf(ended);
    counter.touch(PAGES);
    const seen = counter.sum(PAGES);
    return micro('Map of counters', () => {
      let fine = 0;
      for (let i = 0; i < BATCH; i++) if (seen === counter.sum(PAGES)) fine++;
      return fine;
    });
  },
  sections: () => new MapCounter(),
};

/** Its ranges are closed. */
const rangeSetOf = ({ start, end }: Range) => new RangeSet(start, end - 1);

function changedSet(others: number): RangeSet {
  const changed = new RangeSet();
  for (const range of scattered(others)) changed.add(rangeSetOf(range));
  return changed;
}

const rangeSet: Technique = {
  name: 'Dexie RangeSet',
  read() {
    // Something has changed elsewhere: of an empty set it would know at once.
    const changed = changedSet(1);
    return micro('Dexie RangeSet', () => {
      let fine = 0;
      for (let i = 0; i < BATCH; i++) if (!rangesOverlap(changed, rangeSetOf(PAGES))) fine++;
      return fine;
    });
  },
  write(others) {
    const changed = changedSet(others);
    return micro('Dexie RangeSet', () => {
      for (let i = 0; i < BATCH; i++) changed.add(rangeSetOf(PAGES));
      return changed.hasKey(PAGES.start) && changed.hasKey(PAGES.end - 1) && !changed.hasKey(PAGES.end) ? BATCH : 0;
    });
  },
  check(ended) {
    const changed = changedSet(ended);
    const own = rangeSetOf(PAGES);
    return micro('Dexie RangeSet', () => {
      let fine = 0;
      for (let i = 0; i < BATCH; i++) if (!rangesOverlap(changed, own)) fine++;
      return fine;
    });
  },
};

/** Every one of `count` observers has a set of what it has read; a change looks at all of them. */
export function rangeSetsMicro(count: number): Micro {
  const observed = Array.from({ length: count }, (_, i) => rangeSetOf(i === 0 ? PAGES : elsewhere(i)));
  return {
    name: 'Dexie RangeSet, one each',
    size: 1,
    expected: 1,
    batch() {
      const changed = rangeSetOf(PAGES);
      let told = 0;
      for (const own of observed) if (rangesOverlap(own, changed)) told++;
      return told;
    },
  };
}

function micro(name: string, batch: () => number): Micro {
  return { name, expected: BATCH, batch };
}

/** All of this file. */
export const COUNTERS: readonly Technique[] = [globalCounter, mapCounter, rangeSet];
