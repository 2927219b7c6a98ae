/**
 * History: the bounded memory of ended invalidations.
 *
 * It answers one question, exactly or with LOST, never with a wrong "fine": *which remembered range, ended after
 * `token`, overlaps `[start, end)`?*
 *
 * Algorithm note
 *
 * What is counted, and forgotten as a whole, is sections: one that has changed five thousand ranges is one. An entry is one of its
 * ranges. Entries are columns of a ring, oldest to newest, so their end seqs ascend and "after the token" is a suffix. Almost
 * every call is decided by the first comparison: nothing at all has ended since. Otherwise the suffix is walked from
 * the new end, 2 to 3 ns an entry. To spare a token that is a thousand ends old, the ring is cut into aligned blocks
 * of 64, 512, 4,096, ... entries, and a block keeps its starts sorted, and beside each start its *reach*: the greatest
 * end among the entries that start there or before. Of those that start before `end`, the one that reaches farthest
 * decides for all, as the greatest end of a subtree does in an interval tree [1]:
 *
 *     overlaps(block) = reach of the last start below `end` is above `start`
 *
 * One binary search, and exact. Only a block that overlaps is looked at entry by entry.
 *
 * Why not a hull (least start, greatest end) for each block: 64 scattered ranges cover the space between them, and
 * the hull says "maybe" for every query. Why not sort when a block fills up: most blocks are never walked over, and
 * sorting (4-5 us for 64) would be paid by the invalidating side, which must stay cheap. So a block is sorted
 * when it has been walked over SORT_AFTER times: by then the walks have cost about what the sort costs, so no
 * sequence of calls pays more than twice the better of the two.
 *
 * States of the ring, by absolute index (the slot is the index modulo the column length):
 *   forgotten: index < #oldest     remembered: #oldest <= index < #count
 *   floor: the end seq of the newest forgotten entry; a token below it cannot be answered.
 *
 * [1] Cormen, Leiserson, Rivest, Stein: Introduction to Algorithms, "Interval trees".
 */

import type { Spans } from '../base/range.js';
import type { Ignore, InvalidationInfo } from '../base/vocabulary.js';
import { concerns } from './invalidation.js';

/** Returned by {@link History.find}: nothing that overlaps has ended since the token. */
export const NONE = -1;
/** Returned by {@link History.find}: the memory does not reach back to the token. */
export const LOST = -2;

/** Entries of the smallest block: a search of 6 steps stands against a scan of 64, about 20 ns against 150. */
const BLOCK_BITS = 6;
/** Each further level spans 8 blocks of the one below: a walk crosses at most 7 + 7 blocks a level. */
const LEVEL_BITS = 3;
/** Walks after which a block is sorted: a sort costs about as much as 30 walks of 150 ns. */
const SORT_AFTER = 32;
/** Columns start this long and double, so that a quiet tracker costs 2 KiB, not the whole capacity. */
const FIRST_LENGTH = 1 << BLOCK_BITS;

/** One size of block over the whole ring: what is sorted, and per block how far it has got. */
interface Level {
  readonly bits: number;
  /** Empty until the first block is sorted: a tracker whose readers are quick never pays for the copies. */
  starts: Float64Array;
  /** The greatest end of the entries that start at `starts[i]` or before. */
  reaches: Float64Array;
  /** Absolute index at which the block of a slot begins; another number there means: not this block, start again. */
  readonly block: Float64Array;
  /** Walks over that block; sorted once it has reached SORT_AFTER. */
  readonly walks: Uint8Array;
}

/**
 * Entries that are remembered in any case; beyond that, the oldest sections go even if there are fewer than `capacity`, so that no
 * load can fill the memory. 2^20 are 32 MiB: two hundred sections of five thousand ranges each.
 */
const MOST_ENTRIES = 2 ** 20;

/** The ranges of ended sections with the seq of their end: those of the newest `capacity` sections. */
export class History {
  readonly capacity: number;
  /** The end seq of the newest entry, so that the common case is one comparison. Only {@link append} and {@link lose} move it. */
  last: number;
  /** The end seq of the newest forgotten entry. Only {@link append} and {@link lose} move it, never back. */
  floor: number;
  /** Entries ever appended. Beyond 2^31 on purpose a plain number; `& mask` keeps its low bits right up to 2^53. */
  #count = 0;
  #oldest = 0;
  #sections = 0;
  #mask = 0;
  #starts = new Float64Array(0);
  #ends = new Float64Array(0);
  #seqs = new Float64Array(0);
  #infos: (InvalidationInfo | undefined)[] = [];
  #levels: Level[] = [];

  /** `seq` is the space's counter now: nothing has ended before it, so every token from now on can be answered. */
  constructor(capacity: number, seq: number) {
    this.capacity = capacity;
    this.last = seq;
    this.floor = seq;
  }

  /** Entries remembered: ranges of sections. */
  get size(): number {
    return this.#count - this.#oldest;
  }

  /** Sections remembered. */
  get sections(): number {
    return this.#sections;
  }

  /** Remembers one ended section. `seq` must be above the last one. Forgets the oldest when full. Amortised O(ranges). */
  append(spans: Spans, seq: number, info: InvalidationInfo): void {
    if (this.#sections === this.capacity) this.#forget();
    while (this.#sections > 0 && this.size + spans.length / 2 > Math.max(MOST_ENTRIES, this.capacity)) this.#forget();
    this.#sections++;
    for (let i = 0; i < spans.length; i += 2) {
      if (this.size === this.#starts.length) this.#grow();
      const slot = this.#count & this.#mask;
      this.#starts[slot] = spans[i]!;
      this.#ends[slot] = spans[i + 1]!;
      this.#seqs[slot] = seq;
      this.#infos[slot] = info;
      this.#count++;
    }
    this.last = seq;
  }

  /** Forgets everything: nothing is known of what has ended until now, `seq`. */
  lose(seq: number): void {
    while (this.#sections > 0) this.#forget();
    this.floor = seq;
    this.last = seq;
  }

  /**
   * The absolute index of the newest remembered range that ended after `token`, overlaps `[start, end)` and is not
   * ignored; or NONE, or LOST. Allocates nothing, but for the sorted copies.
   */
  find(start: number, end: number, token: number, ignore?: Ignore): number {
    if (token >= this.last) return NONE;
    if (this.#sections === 0) return LOST;
    const starts = this.#starts;
    const ends = this.#ends;
    const first = this.#firstAfter(token);
    let index = this.#count;
    while (index > first) {
      const block = index - 1 - ((index - 1) & (FIRST_LENGTH - 1));
      const from = Math.max(block, first);
      if (index - from === FIRST_LENGTH) {
        const below = this.#skip(index, first, start, end);
        if (below < index) {
          index = below;
          continue;
        }
      }
      const slot = from & this.#mask; // a block does not wrap: the ring is a whole number of blocks
      for (let i = slot + index - from; ; ) {
        // No call in the inner loop, or the engine would look up the columns anew for every entry.
        do i--;
        while (i >= slot && !(starts[i]! < end && ends[i]! > start));
        if (i < slot) break;
        if (concerns(ignore, this.#infos[i]!)) return from + i - slot;
      }
      index = from;
    }
    return token < this.floor ? LOST : NONE;
  }

  /** The entry that {@link find} returned, valid until the next append. */
  entry(index: number): { start: number; end: number; seq: number; info: InvalidationInfo } {
    const slot = index & this.#mask;
    return { start: this.#starts[slot]!, end: this.#ends[slot]!, seq: this.#seqs[slot]!, info: this.#infos[slot]! };
  }

  /** The first remembered entry that ended after the token, as the newest did. Gallops by blocks: most tokens are young. */
  #firstAfter(token: number): number {
    const seqs = this.#seqs;
    const mask = this.#mask;
    const oldest = this.#oldest;
    let high = this.#count - 1;
    let low = high - (high & (FIRST_LENGTH - 1));
    for (let step = FIRST_LENGTH; low > oldest && seqs[low & mask]! > token; step *= 2) {
      high = low;
      low -= step;
    }
    if (low <= oldest) {
      low = oldest;
      if (seqs[low & mask]! > token) return low;
    }
    // The one at `low` ended before the token, the one at `high` after it.
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (seqs[middle & mask]! > token) high = middle;
      else low = middle;
    }
    return high;
  }

  /** The index below the largest block ending at `index` that is wholly after the token and overlaps nothing; or `index`. */
  #skip(index: number, first: number, start: number, end: number): number {
    for (let l = this.#levels.length - 1; l >= 0; l--) {
      const level = this.#levels[l]!;
      const length = 1 << level.bits;
      const from = index - length;
      if ((index & (length - 1)) !== 0 || from < first) continue;
      if (this.#isSorted(level, from) && !anyOverlap(level, from & this.#mask, start, end)) return from;
    }
    return index;
  }

  #isSorted(level: Level, from: number): boolean {
    const slot = from & this.#mask;
    const at = slot >> level.bits;
    if (level.block[at] !== from) {
      level.block[at] = from;
      level.walks[at] = 0;
    }
    if (level.walks[at] === SORT_AFTER) return true;
    level.walks[at]!++;
    if (level.walks[at] !== SORT_AFTER) return false;
    if (level.starts.length === 0) {
      level.starts = new Float64Array(this.#starts.length);
      level.reaches = new Float64Array(this.#ends.length);
    }
    this.#sort(level, slot, slot + (1 << level.bits));
    return true;
  }

  /** Sorts the starts of one block, and finds how far they reach. */
  #sort({ starts, reaches, bits }: Level, slot: number, to: number): void {
    starts.set(this.#starts.subarray(slot, to), slot);
    starts.subarray(slot, to).sort();
    reaches.fill(Number.NEGATIVE_INFINITY, slot, to);
    for (let i = slot; i < to; i++) {
      // Equal starts count once: no search ends between them.
      const at = slot + countBelow(starts, slot, bits, this.#starts[i]!);
      reaches[at] = Math.max(reaches[at]!, this.#ends[i]!);
    }
    for (let i = slot + 1; i < to; i++) reaches[i] = Math.max(reaches[i]!, reaches[i - 1]!);
  }

  /** The oldest section goes, with all of its entries. There must be one. */
  #forget(): void {
    this.floor = this.#seqs[this.#oldest & this.#mask]!;
    this.#sections--;
    do {
      this.#infos[this.#oldest & this.#mask] = undefined; // an owner must not live on in a forgotten entry
      this.#oldest++;
    } while (this.#oldest < this.#count && this.#seqs[this.#oldest & this.#mask] === this.floor);
  }

  #grow(): void {
    const length = Math.max(FIRST_LENGTH, this.#starts.length * 2);
    const old = { starts: this.#starts, ends: this.#ends, seqs: this.#seqs, infos: this.#infos, mask: this.#mask };
    this.#starts = new Float64Array(length);
    this.#ends = new Float64Array(length);
    this.#seqs = new Float64Array(length);
    this.#infos = new Array(length).fill(undefined);
    this.#mask = length - 1;
    for (let index = this.#oldest; index < this.#count; index++) {
      const from = index & old.mask;
      const to = index & this.#mask;
      this.#starts[to] = old.starts[from]!;
      this.#ends[to] = old.ends[from]!;
      this.#seqs[to] = old.seqs[from]!;
      this.#infos[to] = old.infos[from];
    }
    this.#levels = [];
    for (let bits = BLOCK_BITS; 1 << bits < length; bits += LEVEL_BITS) this.#levels.push(newLevel(bits, length));
  }
}

function newLevel(bits: number, length: number): Level {
  const blocks = length >> bits;
  return {
    bits,
    starts: new Float64Array(0),
    reaches: new Float64Array(0),
    block: new Float64Array(blocks),
    walks: new Uint8Array(blocks),
  };
}

/** Does any entry of one sorted block overlap? */
function anyOverlap({ starts, reaches, bits }: Level, slot: number, start: number, end: number): boolean {
  const before = countBelow(starts, slot, bits, end);
  return before > 0 && reaches[slot + before - 1]! > start;
}

/** How many of the 2^bits sorted numbers from `slot` on are below `limit`. */
function countBelow(column: Float64Array, slot: number, bits: number, limit: number): number {
  let low = 0;
  let high = 1 << bits;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (column[slot + middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
