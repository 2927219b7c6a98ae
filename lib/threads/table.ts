/**
 * Table: what a thread has open, read by another one: who has missed events, and the hub when the thread has died.
 */
import type { Spans } from '../base/range.js';
import { GENERATION, NAMES, OPEN, OWNER, PART, START, TYPE, type Words } from './words.js';

/** A section as its thread has written it. */
export interface Record {
  /** The entry that names it. */
  readonly entry: number;
  readonly generation: number;
  readonly spans: Spans;
  readonly names: number;
  readonly owner: number;
}

/** See the top of the file. */
export class Table {
  readonly #words: Words;

  constructor(words: Words) {
    this.#words = words;
  }

  /** What a thread has open. First ranges are read first: where one is open, the further ones were written before it. */
  read(thread: number): Record[] {
    const { sections } = this.#words.shape;
    const open = new Map<number, Record & { readonly spans: number[] }>();
    for (let entry = 0; entry < sections; entry++) {
      const record = this.#entry(thread, entry, OPEN);
      if (record !== undefined) open.set(entry, record);
    }
    if (open.size === 0) return [];
    for (let entry = 0; entry < sections; entry++) {
      const part = this.#entry(thread, entry, PART);
      const whole = part && open.get(part.entry);
      if (whole !== undefined && whole.generation === part!.generation) whole.spans.push(...part!.spans);
    }
    return [...open.values()].map((record) => ({ ...record, spans: inOrder(record.spans) }));
  }

  /** An entry as it was at one moment, if it was in this state. Its writer may write it anew meanwhile: then it is read again. */
  #entry(thread: number, entry: number, wanted: number): (Record & { readonly spans: number[] }) | undefined {
    const words = this.#words;
    const at = words.entry(thread, entry);
    for (;;) {
      const state = words.load(at + TYPE);
      if ((state & 255) !== wanted) return undefined;
      const generation = words.load(at + GENERATION);
      const [names, owner] = [Atomics.load(words.i32, at + NAMES), Atomics.load(words.i32, at + OWNER)];
      for (let i = 0; i < 4; i++) pair[i] = Atomics.load(words.i32, at + START + i);
      if (words.load(at + TYPE) === state && words.load(at + GENERATION) === generation) {
        return { entry: wanted === PART ? state >>> 8 : entry, generation, spans: [numbers[0]!, numbers[1]!], names, owner };
      }
    }
  }
}

/** Two numbers of 64 bits, read as words. */
const pair: Int32Array = new Int32Array(4);
const numbers: Float64Array = new Float64Array(pair.buffer);

/** Spans that were written in any order, ascending. */
export function inOrder(spans: readonly number[]): Spans {
  if (spans.length === 2) return spans;
  return [...spans].sort((a, b) => a - b); // disjoint ones: all numbers ascend
}
