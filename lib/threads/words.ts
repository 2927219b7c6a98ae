/**
 * Words: the memory that the threads of one space share, as 32-bit words, and who may write which.
 *
 *     word                  written by        meaning
 *     VERSION               all, added to     something was published: compared for equality only
 *     MEMBERS               the hub           bit t: place t is or was in use; never cleared, as the log of the dead is still read
 *     STATUS                the hub           0 open, 1 closed
 *   of each thread t, in lines of its own:
 *     COMMIT                t, or the hub     turn << 24 | stripes in which t commits; no stripe: it does not
 *     ALIVE                 the hub           odd: in use; each use has another number
 *     LABEL, BY_MESSAGE     t                 the name of its tracker (texts.ts); it cannot sleep on a word, and is sent messages
 *     ASKS, ENDS, HEARS     t                 stripes: ask me about begins; tell me of ends; tell me of begins, and do not wait
 *     BELL                  all, added to     what t sleeps on
 *     COUNT                 t, or the hub     events in t's log, ever; not reset when the place is used again
 *     TABLE[sections]       t, or the hub     its open sections, for those who have missed events
 *     ACKS[thread, entry]   t                 the newest section of that thread's entry that t has confirmed; only goes forward
 *     LOG[events]           t, or the hub     the events, 8 words each
 *     TEXTS                 t                 kinds, owners and labels; only grows
 *
 * The hub writes for t only when t has stopped for good. So every word has one writer, but for those that are only added to; there is
 * no lock that somebody could die with. A *generation* names a section: the number of its BEGIN event, plus one.
 */

export const VERSION = 0;
export const MEMBERS = 1;
export const STATUS = 2;
const HEADER = 16;

// Offsets in the region of a thread. A line of a processor's cache has 16 words.
export const COMMIT = 0;
export const ALIVE = 16;
export const LABEL = 17;
export const BY_MESSAGE = 18;
export const ASKS = 32;
export const ENDS = 33;
export const HEARS = 34;
export const BELL = 48;
export const COUNT = 64;
export const TEXTS_USED = 65;
const TABLE = 80;

/** Words of an entry of the table, and of an event. Both have the payload at the same places. */
export const RECORD = 8;
/** An event: type | entry << 8. An entry: its state | first entry << 8. */
export const TYPE = 0;
export const GENERATION = 1;
/** Kind | label << 16: places in the thread's texts. */
export const NAMES = 2;
/** Owner: a place in the thread's texts. */
export const OWNER = 3;
/** Start and end, as two numbers of 64 bits. */
export const START = 4;

/** States of an entry. `PART`: a further range of the section of another entry. */
export const FREE = 0;
export const OPEN = 1;
export const PART = 2;

/** Types of events. `RANGE`: a further range of the section whose BEGIN comes next. `RESET`: all sections of the thread are over. */
export const BEGIN = 1;
export const RANGE = 2;
export const END = 3;
export const RESET = 4;

/** How a space is laid out; the same in all of its threads. */
export interface Shape {
  /** Places for threads, at most 31: `MEMBERS` is one word, and the sign is left alone. */
  readonly threads: number;
  /** Sections that one thread may have open, counted by ranges. */
  readonly sections: number;
  /** Events that a log keeps: a power of two. */
  readonly events: number;
  /** Words for the texts of one thread, at most 65,535. */
  readonly texts: number;
  /** Units of the line that share a stripe. */
  readonly grain: number;
}

/** Words of the region of one thread: whole lines. */
function strideOf({ threads, sections, events, texts }: Shape): number {
  const used = TABLE + sections * RECORD + threads * sections + 1 + events * RECORD + texts;
  return Math.ceil(used / 16) * 16;
}

/** What a space of this shape takes, in bytes. */
export function bytesOf(shape: Shape): number {
  return (HEADER + shape.threads * strideOf(shape)) * 4;
}

/** See the top of the file. `load`, `store` and `add` are all that threads do to each other. */
export class Words {
  readonly shape: Shape;
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly #stride: number;
  readonly #acks: number;
  readonly #log: number;
  readonly #texts: number;

  constructor(buffer: SharedArrayBuffer, shape: Shape) {
    this.shape = shape;
    this.i32 = new Int32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.#stride = strideOf(shape);
    this.#acks = TABLE + shape.sections * RECORD;
    // Payloads are numbers of 64 bits, so records begin at even words.
    this.#log = Math.ceil((this.#acks + shape.threads * shape.sections) / 2) * 2;
    this.#texts = this.#log + shape.events * RECORD;
  }

  load(at: number): number {
    return Atomics.load(this.i32, at);
  }

  store(at: number, value: number): void {
    Atomics.store(this.i32, at, value);
  }

  add(at: number, value: number): void {
    Atomics.add(this.i32, at, value);
  }

  /** Where the region of this thread begins. */
  of(thread: number): number {
    return HEADER + thread * this.#stride;
  }

  /** An entry of the thread's table. */
  entry(thread: number, entry: number): number {
    return this.of(thread) + TABLE + entry * RECORD;
  }

  /** What `thread` has confirmed of an entry of the owner's. */
  ack(thread: number, owner: number, entry: number): number {
    return this.of(thread) + this.#acks + owner * this.shape.sections + entry;
  }

  /** An event of the thread's log; `index` may have wrapped. */
  event(thread: number, index: number): number {
    return this.of(thread) + this.#log + (index & (this.shape.events - 1)) * RECORD;
  }

  /** The thread's texts. */
  texts(thread: number): number {
    return this.of(thread) + this.#texts;
  }
}
