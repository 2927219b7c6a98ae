/**
 * Points: what stands on the tracker's line: one point for each key that matters now, and some that are no key's.
 */
import type { Range, Ranges, Seq } from '../base/vocabulary.js';

/** Where subscribers are: the whole line. */
export const EVERYTHING: Range = Object.freeze({ start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY });
/** All keys, as a lookup or a section names them: points are counted from 0. */
export const ALL: Range = Object.freeze({ start: 0, end: Number.POSITIVE_INFINITY });
/** What a section over an empty list of keys changes: nobody reads it. */
export const NO_CHANGE: Range = Object.freeze({ start: -2, end: -1 });
/** What a lookup of an empty list of keys reads: nobody changes it. */
export const NO_READ: Range = Object.freeze({ start: -1, end: 0 });

/** The point of one key. In the table exactly while it is used or retired. */
export class Point<K> {
  readonly key: K;
  readonly id: unknown;
  readonly range: Range;
  /** What a lookup of the key reads: its point, and the gates it has to pass. */
  readonly reads: Ranges;
  /** The tracker's counter when it was made. */
  readonly born: Seq;
  /** Lookups and sections that name it now. */
  uses = 0;
  /** Sections among them. */
  sections = 0;
  /** The tracker's counter when the last section that named it was over; -1 if there was none. */
  ended = -1;
  /** The `ended` with which it stands among the retired; -1 if it does not. */
  retired = -1;

  constructor(key: K, id: unknown, at: number, reads: readonly Range[], born: Seq) {
    this.key = key;
    this.id = id;
    this.range = { start: at, end: at + 1 };
    this.reads = reads.length === 0 ? this.range : [this.range, ...reads];
    this.born = born;
  }
}

/** The point of a section over a condition. */
export class Gate<K> {
  readonly condition: (key: K) => boolean;
  /** What the keys begin with, where that is the condition. */
  readonly prefix: string | undefined;
  readonly range: Range;
  readonly uses = 0;
  ended = -1;
  retired = -1;

  constructor(condition: (key: K) => boolean, prefix: string | undefined, at: number) {
    this.condition = condition;
    this.prefix = prefix;
    this.range = { start: at, end: at + 1 };
  }
}

/** A point that one section has besides those of its keys, so that its writer's subscriber knows it again. Nobody reads it. */
export class Mark {
  readonly writer: object;
  readonly range: Range;

  constructor(writer: object, at: number) {
    this.writer = writer;
    this.range = { start: at, end: at + 1 };
  }
}

/** What a section of the tracker is about, in keys. */
export interface Named<K> {
  /** The keys, if they are listed. */
  readonly keys: readonly K[] | undefined;
  readonly isAll: boolean;
  /** What the keys begin with, if that is all there is to say. */
  readonly prefix: string | undefined;
  has(key: K): boolean;
  /** Who has marked it as theirs. */
  readonly writer: object | undefined;
}

/** An empty list of keys. */
export const NOTHING: Named<never> = {
  keys: [],
  isAll: false,
  prefix: undefined,
  has: () => false,
  writer: undefined,
};
/** Every key. */
export const ANY: Omit<Named<unknown>, 'keys' | 'writer'> & { readonly keys: undefined } = {
  keys: undefined,
  isAll: true,
  prefix: undefined,
  has: () => true,
};
