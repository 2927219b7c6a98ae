/**
 * Technique: a way of keeping reads and changes of a range apart, with what each of its steps costs.
 *
 * Each technique has loops of its own around the bare steps. In a shared loop the calls would go to many targets, which the engine
 * makes by looking them up; that would weigh nothing for a lock of 500 ns, and everything for a counter of 1 ns.
 */
import type { Range } from '../../lib/index.js';
import type { Fetch } from '../guards/guard.js';
import { BATCH, type Micro } from '../support/micro.js';

/** What everything reads and changes: eight pages. */
export const HERE: Range = { start: 1000, end: 1008 };
/** What others change, and what other subscribers hold, lies from here on: one page each, with gaps. */
const ELSEWHERE = 1_000_000;

/** The page of other number `i`. */
export const elsewhere = (i: number): Range => ({ start: ELSEWHERE + 2 * i, end: ELSEWHERE + 2 * i + 1 });

/** The pages of the first `count` others, in no order: 7919 is a prime that divides none of the counts in use. */
export const scattered = (count: number): Range[] => Array.from({ length: count }, (_, i) => elsewhere((i * 7919) % count));

/** Whole reads and changes: what a user writes around a fetch. */
export interface Sections {
  read<T>(range: Range, fetch: Fetch<T>): Promise<T>;
  mutate(range: Range, change: () => Promise<void>): Promise<void>;
}

/** See the top of the file. Every function makes a new bench. */
export interface Technique {
  readonly name: string;
  /** A read of which nothing comes in the way, without its fetch. */
  readonly read: () => Micro;
  /** The same of a change, while so many others are going on elsewhere; undefined if there cannot be others. */
  readonly write: (others: number) => Micro | undefined;
  /** The check at the end of a read since whose begin so many others have ended; undefined if nothing is checked. */
  readonly check?: (ended: number) => Micro;
  /** Undefined if it is a part of something else only. */
  readonly sections?: () => Sections;
  /** True if it keeps something of every read until the next write. */
  readonly leaks?: boolean;
}

const one = () => 1;
const later = async () => 1;
const nothing = async () => {};

/** A read section around a fetch that answers at once, or with a promise. */
export function readSectionMicro({ name, sections, leaks }: Technique, fetch: 'synchronous' | 'asynchronous'): Micro {
  const own = sections!();
  const answer: Fetch<number> = fetch === 'synchronous' ? one : later;
  return {
    name,
    expected: BATCH,
    async batch() {
      let sum = 0;
      for (let i = 0; i < BATCH; i++) sum += await own.read(HERE, answer);
      if (leaks) await own.mutate(HERE, nothing);
      return sum;
    },
  };
}

/** A write section around a change that takes a promise's time. */
export function writeSectionMicro({ name, sections }: Technique): Micro {
  const own = sections!();
  return {
    name,
    expected: BATCH,
    async batch() {
      let changes = 0;
      const change = async () => {
        changes++;
      };
      for (let i = 0; i < BATCH; i++) await own.mutate(HERE, change);
      return changes;
    },
  };
}
