/**
 * Families: synthetic work, from a seed. A space of pages, cut into objects of equal size that somebody has subscribed to.
 */
import type { Range } from '../../lib/index.js';
import { Random } from '../support/random.js';
import type { Work, WorkInvalidation, WorkLookup } from './work.js';

/** Pages of the space; ranges are in pages. */
export const PAGES = 4096;
/** Pages of an object: 256 KiB of 4 KiB pages, an ordinary buffer. */
const OBJECT_PAGES = 64;

/** Least and greatest, both included. */
type Between = readonly [least: number, greatest: number];

/** Where the next range goes: the first page of `size`, `nth` since the start. */
type Placement = (random: Random, size: number, nth: number) => number;

/** Those of one side. */
interface Stream {
  readonly count: number;
  /** Milliseconds from one to the next. */
  readonly gap: Between;
  /** Milliseconds that one read, or one change, takes. */
  readonly takes: Between;
  /** Pages of a range. */
  readonly pages: Between;
  /** Ranges of each; default 1. */
  readonly ranges?: number;
  readonly place: Placement;
}

/** One kind of synthetic work. */
export interface Family {
  readonly name: string;
  /** In a sentence, for the page. */
  readonly text: string;
  readonly seed: number;
  readonly lookups: Stream;
  readonly invalidations: Stream;
}

const anywhere: Placement = (random, size) => random.below(PAGES - size + 1);

/** The given share goes to the first sixteenth. */
function hot(share: number): Placement {
  return (random, size) => random.below((random.next() < share ? PAGES / 16 : PAGES) - size + 1);
}

/** One behind the other, from the start again at the end. */
const forward: Placement = (_random, size, nth) => (nth * size) % (PAGES - size + 1);

const first: Placement = () => 0;

const lowerHalf: Placement = (random, size) => random.below(PAGES / 2 - size + 1);
const upperHalf: Placement = (random, size) => PAGES / 2 + random.below(PAGES / 2 - size + 1);

/** One in eight looks where the changes are: enough for somebody to be subscribed there. */
const mostlyLower: Placement = (random, size, nth) => (nth % 8 === 0 ? upperHalf : lowerHalf)(random, size, nth);

const READERS: Stream = { count: 400, gap: [1, 7], takes: [1, 12], pages: [1, 16], place: anywhere };
const WRITERS: Stream = { count: 160, gap: [1, 19], takes: [1, 20], pages: [1, 64], place: anywhere };

/** All families, in the order of the page. */
export const FAMILIES: readonly Family[] = [
  {
    name: 'sparse',
    text: 'Few and short changes anywhere, reads anywhere. Mostly no change at all is going on, or one.',
    seed: 101,
    lookups: { ...READERS, pages: [1, 64] },
    invalidations: { ...WRITERS, count: 40, gap: [20, 60], takes: [1, 10] },
  },
  {
    name: 'uniform',
    text: 'Reads and changes anywhere, one or two changes at any moment.',
    seed: 102,
    lookups: READERS,
    invalidations: WRITERS,
  },
  {
    name: 'hot',
    text: 'Four in five of both go to the first sixteenth of the space.',
    seed: 103,
    lookups: { ...READERS, place: hot(0.8) },
    invalidations: { ...WRITERS, place: hot(0.8) },
  },
  {
    name: 'sequential writer',
    text: 'One writer walks through the space, 16 pages a step, each step before the last one is over; reads anywhere.',
    seed: 104,
    lookups: { ...READERS, count: 300 },
    invalidations: { ...WRITERS, count: 240, gap: [5, 5], takes: [6, 6], pages: [16, 16], place: forward },
  },
  {
    name: 'many small',
    text: 'Very many changes of one to four pages, 1 to 4 ms long, anywhere.',
    seed: 105,
    lookups: { ...READERS, count: 200 },
    invalidations: { ...WRITERS, count: 400, gap: [1, 3], takes: [1, 4], pages: [1, 4] },
  },
  {
    name: 'few large',
    text: 'Few changes of an eighth to a quarter of the space, 20 to 60 ms long.',
    seed: 106,
    lookups: READERS,
    invalidations: { ...WRITERS, count: 24, gap: [40, 80], takes: [20, 60], pages: [PAGES / 8, PAGES / 4] },
  },
  {
    name: 'chain elsewhere',
    text: 'An endless chain of changes in the upper half, each begun before the last one is over; seven of eight reads are below.',
    seed: 107,
    lookups: { ...READERS, place: mostlyLower },
    invalidations: { ...WRITERS, gap: [6, 10], takes: [11, 14], place: upperHalf },
  },
  {
    name: 'scattered',
    text: 'Every read and every change has three ranges, anywhere: the hull of one change is most of the space.',
    seed: 108,
    lookups: { ...READERS, pages: [1, 8], ranges: 3 },
    invalidations: { ...WRITERS, pages: [1, 16], ranges: 3 },
  },
  {
    name: 'one page',
    text: 'Everything on one page, which is being changed more often than not. No wait can be false here: the other end of the scale.',
    seed: 109,
    lookups: { ...READERS, count: 200, pages: [1, 1], place: first },
    invalidations: { ...WRITERS, count: 80, takes: [1, 12], pages: [1, 1], place: first },
  },
];

/** The work of a family. Equal seeds make equal work. */
export function workOf({ seed, lookups, invalidations }: Family): Work {
  // One sequence each, so that a change of one side does not move the other.
  const reading = stream(new Random(seed, 1), lookups);
  const changing = stream(new Random(seed, 2), invalidations);
  return {
    lookups: reading.map(({ at, takes, ranges }): WorkLookup => ({ at, takes, ranges })),
    invalidations: changing.map(({ at, takes, ranges }): WorkInvalidation => ({ begin: at, end: at + takes, ranges })),
    objects: Array.from({ length: PAGES / OBJECT_PAGES }, (_, i) => ({ start: i * OBJECT_PAGES, end: (i + 1) * OBJECT_PAGES })),
  };
}

function stream(random: Random, { count, gap, takes, pages, ranges = 1, place }: Stream): WorkLookup[] {
  let at = 0;
  return Array.from({ length: count }, (_, nth) => {
    at += between(random, gap);
    const duration = between(random, takes);
    const list = Array.from({ length: ranges }, (): Range => {
      const size = between(random, pages);
      const start = place(random, size, nth);
      return { start, end: start + size };
    });
    return { at, takes: duration, ranges: list };
  });
}

function between(random: Random, [least, greatest]: Between): number {
  return least + random.below(greatest - least + 1);
}
