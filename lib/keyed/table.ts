/**
 * KeyTable: which point of the tracker's line stands for which key, for as long as it matters.
 *
 * Algorithm note
 *
 * A key gets a point, `[n, n + 1)`, when a lookup or a section names it first; n only ever grows. It keeps the point as long as
 * anybody uses it, and so a lookup and a section that overlap in time name the same one. When nobody does, the key is forgotten,
 * and gets a fresh point later: whatever hit the old one ended before anybody who uses the new one took a token.
 *
 * One reader is different: a lookup that observes a key late, after a section over it has ended.
 *
 *     lookup of a                     writer of b
 *     token
 *                                     begin, change, end
 *     observe b, read b               (b has no user any more, and yet its point must be the one that was hit)
 *     check: ended after the token    -> retry
 *
 * So what a section has hit is kept (*retired*) until every lookup that was running at its end is over. Of at most `capacity`
 * sections, like the tracker's own memory: beyond that, a lookup older than what was forgotten observes the whole line, which means
 * that it collides.
 *
 * A token that was taken by hand (`readBegin`) registers nobody, so nobody knows how long it is wanted. From the first one on,
 * what a section has hit is therefore always retired, and forgotten in the order of ends; a token that is older than what was
 * forgotten has lost. A fence of which no token was ever asked by hand keeps nothing for this.
 *
 * A section over a condition ("every key that starts with user:") covers the points of all keys that match, and a *gate*, a
 * point of its own. Keys that come into the table while it runs and match take the gate in among what their lookups read.
 */

import { keepContext } from '../base/context.js';
import type { Range, Ranges, Seq } from '../base/vocabulary.js';

import { Derived } from './derived.js';
import { ALL, ANY, Gate, Mark, type Named, NO_CHANGE, NO_READ, NOTHING, Point } from './points.js';
import { KeyScope, mayMatch } from './scope.js';

/** A list of one range as that range, which costs the tracker less; `undefined` for an empty list. */
function one(ranges: readonly Range[]): Ranges | undefined {
  return ranges.length > 1 ? ranges : ranges[0];
}

/** See the top of the file. */
export class KeyTable<K> {
  readonly identify: (key: K) => unknown;
  readonly #seq: () => Seq;
  readonly #capacity: number;
  readonly #points: Map<unknown, Point<K>> = new Map();
  /** What sections name now, by number. */
  readonly #changing: Map<number, Point<K> | Gate<K> | Mark> = new Map();
  /** Which entries were derived from which keys. */
  readonly derived: Derived<K> = new Derived();
  /** Those of running sections, and those retired. */
  readonly #gates: Set<Gate<K>> = new Set();
  /** Running lookups, the oldest first. */
  readonly #readers: Set<Reads<K>> = new Set();
  /** By section: the counter at its end, and what it has hit. What was hit and retired again is in it twice; the later place counts. */
  readonly #retired: Map<number, (Point<K> | Gate<K>)[]> = new Map();
  /** The end of the last section that was forgotten although a lookup was running that began before. */
  #forgotten = -1;
  #next = 0;
  /** The tracker's counter when the first token was taken by hand; infinite while there is none. */
  #byHand = Number.POSITIVE_INFINITY;

  /** `seq` tells the tracker's counter; what at most `capacity` sections have hit is kept for late observers. */
  constructor(seq: () => Seq, identify: (key: K) => unknown, capacity: number) {
    this.#seq = seq;
    this.identify = identify;
    this.#capacity = capacity;
  }

  /** Keys and conditions in it. */
  get size(): number {
    return this.#points.size + this.#gates.size;
  }

  /** Registers a lookup. {@link Reads.release} must follow. */
  read(what: K | KeyScope<K>): Reads<K> {
    const reads = new Reads(this, this.#seq());
    try {
      reads.ranges = this.enter(what, reads.points);
    } catch (error) {
      reads.release(); // an `identify` that throws has got as far as it has
      throw error;
    }
    this.#readers.add(reads);
    return reads;
  }

  /**
   * Registers a section before its begin, over these keys and what is derived from them. {@link Changes.release} must follow.
   * A `writer` will know the section again by its mark.
   */
  change(what: K | KeyScope<K>, writer?: object): Changes<K> {
    if (!(what instanceof KeyScope)) return this.#changePoints([what], writer);
    if (what.keys !== undefined) return this.#changePoints(what.keys, writer);
    if (what.where === undefined) return new Changes(this, ALL, []);
    const { where } = what;
    const context = keepContext(); // it is asked whenever a key comes in, and belongs to whoever changes
    const gate = new Gate((key: K) => context.runInAsyncScope(() => where(key)), what.prefix, this.#next++);
    const ranges: Range[] = [gate.range];
    for (const point of this.#points.values()) if (mayMatch(gate.condition, point.key)) ranges.push(point.range);
    this.#gates.add(gate);
    this.#changing.set(gate.range.start, gate);
    if (this.derived.size === 0) return new Changes(this, ranges, [gate]);
    const points = this.#startChanging(this.derived.matching((key) => mayMatch(gate.condition, key)));
    return new Changes(this, [...ranges, ...points.map(({ range }) => range)], [gate, ...points]);
  }

  #changePoints(keys: readonly K[], writer: object | undefined): Changes<K> {
    const ids = keys.map((key) => this.identify(key)); // before anything is used: it may throw
    const named = keys.map((key, i) => ({ key, id: ids[i] }));
    const derived = this.derived.size === 0 ? [] : this.derived.from(named);
    const items: (Point<K> | Mark)[] = this.#startChanging(derived.length === 0 ? named : [...named, ...derived]);
    if (writer !== undefined) {
      const mark = new Mark(writer, this.#next++);
      this.#changing.set(mark.range.start, mark);
      items.push(mark);
    }
    return new Changes(this, one(items.map(({ range }) => range)) ?? NO_CHANGE, items);
  }

  #startChanging(keys: readonly { readonly key: K; readonly id: unknown }[]): Point<K>[] {
    return keys.map(({ key, id }) => {
      const point = this.#use(key, id);
      point.sections++;
      this.#changing.set(point.range.start, point);
      return point;
    });
  }

  /** What a section over these ranges is about. It must not have been released. */
  named(ranges: readonly Range[]): Named<K> {
    if (ranges[0]!.end <= 0) return NOTHING;
    const keys: K[] = [];
    const ids = new Set<unknown>();
    const gates: Gate<K>[] = [];
    let writer: object | undefined;
    for (const range of ranges) {
      for (const item of this.#within(range)) {
        if (item instanceof Gate) gates.push(item);
        else if (item instanceof Mark) writer = item.writer;
        else {
          keys.push(item.key);
          ids.add(item.id);
        }
      }
    }
    // All keys; or a section that somebody has begun on the tracker itself, of which nothing is known here.
    if (keys.length === 0 && gates.length === 0) return { ...ANY, writer };
    const isListed = (key: K) => ids.has(this.identify(key));
    if (gates.length === 0) return { keys, isAll: false, prefix: undefined, has: isListed, writer };
    // Keys may be listed beside a condition: those that are derived from what matches.
    const has = (key: K) => gates.some(({ condition }) => mayMatch(condition, key)) || isListed(key);
    return { keys: undefined, isAll: false, prefix: gates[0]!.prefix, has, writer };
  }

  /** The keys whose points are in these ranges, as far as they are in use; `undefined` for all keys. For people. O(keys in use). */
  keysIn(ranges: readonly Range[]): K[] | undefined {
    if (ranges.some(({ end }) => end === Number.POSITIVE_INFINITY)) return undefined;
    const isIn = ({ start }: Range) => ranges.some((range) => start >= range.start && start < range.end);
    return [...this.#points.values()].filter(({ range }) => isIn(range)).map(({ key }) => key);
  }

  #within({ start, end }: Range): (Point<K> | Gate<K> | Mark)[] {
    const found: (Point<K> | Gate<K> | Mark)[] = [];
    if (end === Number.POSITIVE_INFINITY) return found;
    if (end - start > this.#changing.size) {
      for (const [at, item] of this.#changing) if (at >= start && at < end) found.push(item);
      return found;
    }
    for (let at = start; at < end; at++) {
      const item = this.#changing.get(at);
      if (item !== undefined) found.push(item);
    }
    return found;
  }

  /** Uses the points of what is to be read, adds them to `points`, and returns the ranges. */
  enter(what: K | KeyScope<K>, points: Point<K>[]): Ranges {
    if (!(what instanceof KeyScope)) {
      const point = this.#use(what, this.identify(what));
      points.push(point);
      return point.reads;
    }
    // Not by matching keys: which keys a reader of a condition will have read, nobody knows before it has.
    if (what.keys === undefined) return ALL;
    return one(what.keys.flatMap((key) => this.enter(key, points))) ?? NO_READ;
  }

  /** What an attempt with this token reads by reading `what` from now on; see the top of the file. */
  observe(what: K | KeyScope<K>, token: Seq, points: Point<K>[]): Ranges {
    const known = points.length;
    const ranges = this.enter(what, points);
    if (token >= this.#forgotten) return ranges;
    return points.slice(known).every(({ born }) => born <= token) ? ranges : ALL;
  }

  // --- tokens by hand

  /** From now on tokens are taken that register nobody; see the top of the file. */
  keepForTokens(): void {
    if (this.#byHand === Number.POSITIVE_INFINITY) this.#byHand = this.#seq();
  }

  /**
   * What has to be asked about, if `what` was read with this token; `undefined` if what has hit it may have been forgotten. The
   * ranges are right in this turn only: nobody uses the points.
   */
  since(what: K | KeyScope<K>, token: Seq): Ranges | undefined {
    if (token < this.#forgotten) return undefined;
    const points: Point<K>[] = [];
    try {
      return this.enter(what, points);
    } finally {
      for (const point of points) this.#leave(point);
    }
  }

  #use(key: K, id: unknown): Point<K> {
    let point = this.#points.get(id);
    if (point === undefined) {
      const gates: Range[] = [];
      for (const { condition, range } of this.#gates) if (mayMatch(condition, key)) gates.push(range);
      point = new Point(key, id, this.#next++, gates, this.#seq());
      this.#points.set(id, point);
    }
    point.uses++;
    return point;
  }

  /** @internal Of {@link Reads}. */
  leave(reads: Reads<K>): void {
    const wasOldest = this.#oldest() === reads;
    this.#readers.delete(reads);
    for (const point of reads.points) this.#leave(point);
    if (wasOldest && this.#retired.size > 0 && this.#byHand === Number.POSITIVE_INFINITY) this.#purge();
  }

  /** @internal Of {@link Changes}: the section is over, or has not begun. */
  over(items: readonly (Point<K> | Gate<K> | Mark)[]): void {
    const ended = this.#seq();
    for (const item of items) {
      if (item instanceof Mark) {
        this.#changing.delete(item.range.start);
        continue;
      }
      item.ended = ended;
      if (item instanceof Gate) {
        this.#changing.delete(item.range.start);
        this.#retire(item);
        continue;
      }
      if (--item.sections === 0) this.#changing.delete(item.range.start);
      this.#leave(item);
    }
  }

  #leave(point: Point<K>): void {
    if (--point.uses === 0) this.#retire(point);
  }

  /** Nobody uses it: it goes, unless somebody may want to know what has hit it. */
  #retire(item: Point<K> | Gate<K>): void {
    const { ended } = item;
    if (ended <= this.#wantedSince() || ended <= this.#forgotten) {
      this.#drop(item);
      return;
    }
    if (item.retired === ended) return;
    item.retired = ended;
    const group = this.#retired.get(ended);
    if (group !== undefined) {
      group.push(item);
      return;
    }
    this.#retired.set(ended, [item]);
    if (this.#retired.size > this.#capacity) this.#forget();
  }

  /** Forgets what the section did that stands first. */
  #forget(): void {
    for (const [ended, items] of this.#retired) {
      this.#retired.delete(ended);
      for (const item of items) if (this.#unretire(item, ended)) this.#forgotten = Math.max(this.#forgotten, ended);
      return;
    }
  }

  /** Lets go what no running lookup is older than. */
  #purge(): void {
    const since = this.#wantedSince();
    for (const [ended, items] of this.#retired) {
      if (ended > since) continue;
      this.#retired.delete(ended);
      for (const item of items) this.#unretire(item, ended);
    }
  }

  /** Drops what stood there, unless it is used again; true if it did. */
  #unretire(item: Point<K> | Gate<K>, ended: number): boolean {
    if (item.retired !== ended) return false;
    item.retired = -1;
    if (item.uses === 0) this.#drop(item);
    return item.uses === 0;
  }

  #drop(item: Point<K> | Gate<K>): void {
    if (item instanceof Gate) this.#gates.delete(item);
    else this.#points.delete(item.id);
  }

  /** Somebody may want to know of what has ended after this; infinite if nobody does. */
  #wantedSince(): number {
    return Math.min(this.#oldest()?.since ?? Number.POSITIVE_INFINITY, this.#byHand);
  }

  #oldest(): Reads<K> | undefined {
    for (const reads of this.#readers) return reads;
    return undefined;
  }
}

/** What one lookup reads. Its points are used until it is released. */
export class Reads<K> {
  ranges: Ranges = ALL;
  readonly points: Point<K>[] = [];
  /** The tracker's counter when it began: not later than the token of any of its attempts. */
  readonly since: Seq;
  private readonly table: KeyTable<K>;
  private over = false;

  constructor(table: KeyTable<K>, since: Seq) {
    this.table = table;
    this.since = since;
  }

  /** The ranges of what an attempt with this token is about to read, too. After the end it claims nothing. */
  observe(what: K | KeyScope<K>, token: Seq): Ranges | undefined {
    return this.over ? undefined : this.table.observe(what, token, this.points);
  }

  release(): void {
    this.over = true;
    this.table.leave(this);
  }
}

/** What one section changes. Its points are used until it is released. */
export class Changes<K> {
  readonly ranges: Ranges;
  private readonly table: KeyTable<K>;
  private items: readonly (Point<K> | Gate<K> | Mark)[];

  constructor(table: KeyTable<K>, ranges: Ranges, items: readonly (Point<K> | Gate<K> | Mark)[]) {
    this.table = table;
    this.ranges = ranges;
    this.items = items;
  }

  /** What a lookup of the first of its keys would read, for a section over listed keys that is running. */
  get reads(): Ranges {
    const [first] = this.items;
    return first instanceof Point ? first.reads : first!.range;
  }

  /** The section has begun, so no cache has an entry of these keys any more, and nothing is derived from anything. */
  begun(): void {
    const { derived } = this.table;
    if (derived.size === 0) return;
    if (this.ranges === ALL) derived.clear();
    for (const item of this.items) if (item instanceof Point) derived.delete(item.id);
  }

  /** Idempotent. */
  release(): void {
    const { items } = this;
    this.items = [];
    if (items.length > 0) this.table.over(items);
  }
}
