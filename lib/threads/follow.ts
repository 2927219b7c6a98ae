/**
 * Follow: reads what the others have published, event by event, in the order of each; or, of one that is too far ahead, what it has
 * open now.
 *
 * VERSION is read first, so that what comes while this reads is news the next time. Events are plain words, which COUNT has published;
 * a log is a ring, so after an event was read COUNT is read again: less than half of the log may have been written since. Beyond that
 * the thread *resyncs*: COUNT first, then the table. Whatever changes in the table after that has an event after that COUNT.
 */
import { inOrder, type Record, Table } from './table.js';
import {
  BEGIN,
  COUNT,
  END,
  GENERATION,
  MEMBERS,
  NAMES,
  OWNER,
  RANGE,
  RESET,
  START,
  STATUS,
  TYPE,
  VERSION,
  type Words,
} from './words.js';

/** Told what others have published. */
export interface Followed {
  begun(thread: number, record: Record): void;
  ended(thread: number, entry: number, generation: number): void;
  /** All sections of this thread are over. */
  reset(thread: number): void;
  /** Events of this thread were missed: these are open, and no others. */
  missed(thread: number, open: readonly Record[]): void;
  /** The space is closed. */
  closed(): void;
}

/** See the top of the file. */
export class Follow {
  readonly #words: Words;
  readonly #own: number;
  readonly #to: Followed;
  readonly #table: Table;
  /** Events of each thread that are known. */
  readonly #seen: Int32Array;
  /** Ranges of a section whose BEGIN comes next. */
  readonly #ranges: number[] = [];
  #version = 0;
  #isReading = false;

  constructor(words: Words, own: number, to: Followed) {
    this.#words = words;
    this.#own = own;
    this.#to = to;
    this.#table = new Table(words);
    this.#seen = new Int32Array(words.shape.threads);
  }

  /** Takes over what is open, with no history of before. Before anything else. */
  join(): void {
    const words = this.#words;
    this.#version = words.load(VERSION);
    for (let thread = 0; thread < words.shape.threads; thread++) {
      if (thread === this.#own) continue;
      this.#seen[thread] = words.load(words.of(thread) + COUNT);
      for (const record of this.#table.read(thread)) this.#to.begun(thread, record);
    }
  }

  /** Everything that was published until now is known. */
  sync(): void {
    const version = this.#words.load(VERSION);
    if (version === this.#version || this.#isReading) return;
    this.#version = version;
    this.#isReading = true;
    try {
      this.#read();
    } finally {
      this.#isReading = false;
    }
  }

  #read(): void {
    const words = this.#words;
    if (words.load(STATUS) !== 0) this.#to.closed();
    const members = words.load(MEMBERS);
    for (let thread = 0; thread < words.shape.threads; thread++) {
      if ((members & (1 << thread)) !== 0 && thread !== this.#own) this.#follow(thread);
    }
  }

  #follow(thread: number): void {
    const words = this.#words;
    const countAt = words.of(thread) + COUNT;
    const half = words.shape.events / 2;
    let count = words.load(countAt);
    let seen = this.#seen[thread]!;
    this.#ranges.length = 0;
    while (seen !== count) {
      if (((count - seen) | 0) > half) return this.#resync(thread);
      const at = words.event(thread, seen);
      const event = words.i32[at + TYPE]!;
      const generation = words.i32[at + GENERATION]!;
      const start = words.f64[(at + START) / 2]!;
      const end = words.f64[(at + START) / 2 + 1]!;
      const names = words.i32[at + NAMES]!;
      const owner = words.i32[at + OWNER]!;
      count = words.load(countAt);
      if (((count - seen) | 0) > half) return this.#resync(thread);
      this.#seen[thread] = seen = (seen + 1) | 0;
      this.#apply(thread, event & 255, { entry: event >>> 8, generation, spans: [start, end], names, owner });
    }
  }

  #apply(thread: number, type: number, record: Record): void {
    if (type === RANGE || (type === BEGIN && this.#ranges.length > 0)) this.#ranges.push(...record.spans);
    if (type === BEGIN) {
      const spans = this.#ranges.length > 0 ? inOrder(this.#ranges.splice(0)) : record.spans;
      const { entry, generation, names, owner } = record;
      this.#to.begun(thread, { entry, generation, spans, names, owner }); // copied by `...` it would take ten times as long
    } else if (type === END) this.#to.ended(thread, record.entry, record.generation);
    else if (type === RESET) this.#to.reset(thread);
  }

  #resync(thread: number): void {
    this.#seen[thread] = this.#words.load(this.#words.of(thread) + COUNT);
    this.#to.missed(thread, this.#table.read(thread));
  }
}
