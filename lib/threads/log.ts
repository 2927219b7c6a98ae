/**
 * Log: what this thread publishes: its sections, and its events in their order.
 *
 *     begin    entries of further ranges, its first entry; events; COUNT; VERSION
 *     end      its first entry is free, the further ones; event; COUNT; VERSION
 *
 * The entry is taken before the begin is published, and free before the end is: who has missed events reads COUNT and then the table,
 * and hears later of everything that has changed since. COUNT comes before VERSION: who has seen the new VERSION sees the event.
 */
import type { Spans } from '../base/range.js';
import type { Coded } from './texts.js';
import {
  BEGIN,
  COUNT,
  END,
  FREE,
  GENERATION,
  NAMES,
  OPEN,
  OWNER,
  PART,
  RANGE,
  RESET,
  START,
  TYPE,
  VERSION,
  type Words,
} from './words.js';

/** A section that others see. */
export interface Published {
  readonly spans: Spans;
  /** The first one names the section. */
  readonly entries: readonly number[];
  readonly generation: number;
}

/** See the top of the file. One for each tracker; and one of the hub's, for a thread that has died. */
export class Log {
  readonly #words: Words;
  readonly #thread: number;
  /** Ranges of one section that are published one by one; further ones are joined with their neighbours. */
  readonly mostRanges: number;
  /** Entries that only nested begins may take. */
  readonly #reserve: number;
  readonly #free: number[] = [];
  #count: number;

  constructor(words: Words, thread: number) {
    const { sections, events } = words.shape;
    this.#words = words;
    this.#thread = thread;
    // A reader of the log counts on it that less than an eighth of it is being written while it reads.
    this.mostRanges = Math.max(1, Math.min(sections >> 3, events >> 3));
    this.#reserve = sections >> 2;
    for (let entry = sections - 1; entry >= 0; entry--) this.#free.push(entry);
    this.#count = words.i32[words.of(thread) + COUNT]!;
  }

  /** Is there room for so many ranges? `isNested` may use the reserve. */
  hasRoom(spans: Spans, isNested: boolean): boolean {
    return this.#free.length >= Math.min(spans.length / 2, this.mostRanges) + (isNested ? 0 : this.#reserve);
  }

  /** Publishes a begin. There must be room. */
  begin(given: Spans, coded: Coded): Published {
    const words = this.#words;
    const thread = this.#thread;
    const spans = joined(given, this.mostRanges);
    const ranges = spans.length / 2;
    const entries = ranges === 1 ? [this.#free.pop()!] : this.#free.splice(this.#free.length - ranges, ranges);
    const first = entries[0]!;
    const count = this.#count;
    const generation = (count + ranges) | 0;
    for (let i = ranges - 1; i >= 0; i--) {
      const at = words.entry(thread, entries[i]!);
      this.#write(at, generation, coded, spans[2 * i]!, spans[2 * i + 1]!);
      words.store(at + TYPE, i === 0 ? OPEN : PART | (first << 8));
    }
    for (let i = ranges - 1; i >= 0; i--) {
      const at = words.event(thread, count + ranges - 1 - i);
      this.#write(at, generation, coded, spans[2 * i]!, spans[2 * i + 1]!);
      words.i32[at + TYPE] = (i === 0 ? BEGIN : RANGE) | (first << 8);
    }
    this.#publish(generation);
    return { spans, entries, generation };
  }

  #write(at: number, generation: number, { names, owner }: Coded, start: number, end: number): void {
    const { i32, f64 } = this.#words;
    i32[at + GENERATION] = generation;
    i32[at + NAMES] = names;
    i32[at + OWNER] = owner;
    f64[(at + START) / 2] = start;
    f64[(at + START) / 2 + 1] = end;
  }

  /** Publishes the end. */
  end({ entries, generation }: Published): void {
    const words = this.#words;
    for (const entry of entries) words.store(words.entry(this.#thread, entry) + TYPE, FREE);
    const at = words.event(this.#thread, this.#count);
    words.i32[at + TYPE] = END | (entries[0]! << 8);
    words.i32[at + GENERATION] = generation;
    this.#publish((this.#count + 1) | 0);
    for (const entry of entries) this.#free.push(entry);
  }

  /** Publishes that all sections of this thread are over. */
  reset(): void {
    const words = this.#words;
    for (let entry = 0; entry < words.shape.sections; entry++) words.store(words.entry(this.#thread, entry) + TYPE, FREE);
    words.i32[words.event(this.#thread, this.#count) + TYPE] = RESET;
    this.#publish((this.#count + 1) | 0);
  }

  #publish(count: number): void {
    this.#count = count;
    this.#words.store(this.#words.of(this.#thread) + COUNT, count);
    this.#words.add(VERSION, 1);
  }
}

/** At most so many spans, which cover what these cover. */
function joined(spans: Spans, most: number): Spans {
  const ranges = spans.length / 2;
  if (ranges <= most) return spans;
  const fewer: number[] = [];
  for (let i = 0; i < most; i++) {
    fewer.push(spans[2 * Math.floor((i * ranges) / most)]!, spans[2 * Math.floor(((i + 1) * ranges) / most) - 1]!);
  }
  return fewer;
}
