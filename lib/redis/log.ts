/**
 * Log: every event of the space, once and in order.
 *
 *     the next number     -> applied
 *     a lower one         -> known already
 *     a higher one        -> the records between were lost on their way: they are read from the stream
 *     not in the stream   -> trimmed away: nobody knows any more, and everything starts anew (`lost`)
 *
 * That the stream answers "nothing" may mean that all is known, or that all was trimmed. So a reading has a number that it must
 * reach: of a push, or the server's own counter, which comes with every renewal.
 */
import type { StreamEntry } from './port.js';
import { type LogRecord, recordFrom, recordOf } from './wire.js';

/** What the log works with. */
export interface LogParts {
  /** Must do what it does at once: the next record is applied in the same turn. */
  apply(record: LogRecord): void;
  read(from: string): Promise<readonly StreamEntry[]>;
  lost(): void;
  /** Records were missing, and are read. */
  gap(): void;
}

/** See the top of the file. */
export class Log {
  readonly #parts: LogParts;
  /** The number of the last record that was applied; undefined while it is stopped. */
  #applied: number | undefined = undefined;
  /** The highest number that is known to exist. */
  #target = 0;
  #reading = false;

  constructor(parts: LogParts) {
    this.#parts = parts;
  }

  /** Everything up to this number is known by other means. What has been pushed since then is read. */
  start(seq: number): void {
    this.#applied = seq;
    this.#pull();
  }

  /** Nothing is applied any more. What is pushed is remembered as a number only. */
  stop(): void {
    this.#applied = undefined;
    this.#target = 0;
  }

  /** Resolves when everything up to this number is applied, or it is stopped. */
  async reach(seq: number, pause: () => Promise<void>): Promise<void> {
    for (;;) {
      this.noticed(seq);
      if (this.#applied === undefined || this.#applied >= seq) return;
      await pause();
    }
  }

  /** A push. */
  push(message: string): void {
    // A process that was stopped finds many, and none of them is the next one: only their numbers are read.
    const seq = Number.parseInt(message.slice(1), 10);
    const record = seq === (this.#applied ?? Number.NaN) + 1 ? recordOf(message) : undefined;
    if (record !== undefined) this.#apply(record);
    else if (Number.isSafeInteger(seq)) this.noticed(seq);
  }

  /** There is a record of this number. */
  noticed(seq: number): void {
    if (seq > this.#target) this.#target = seq;
    this.#pull();
  }

  #apply(record: LogRecord): void {
    this.#applied = record.seq;
    this.#parts.apply(record);
  }

  #pull(): void {
    if (this.#reading || this.#applied === undefined || this.#target <= this.#applied) return;
    this.#reading = true;
    this.#parts.gap();
    const target = this.#target;
    this.#parts.read(`${this.#applied + 1}-0`).then(
      (entries) => {
        this.#reading = false;
        this.#took(entries, target);
      },
      () => {
        this.#reading = false; // the next push, or the next renewal, asks again
      },
    );
  }

  #took(entries: readonly StreamEntry[], target: number): void {
    if (this.#applied === undefined) return;
    for (const entry of entries) {
      const record = recordFrom(entry);
      if (this.#applied === undefined) return; // by what the last record has brought about
      if (record.seq <= this.#applied) continue;
      if (record.seq > this.#applied + 1) return this.#lose();
      this.#apply(record);
    }
    if (this.#applied === undefined) return;
    if (this.#applied < target) return this.#lose();
    this.#pull();
  }

  #lose(): void {
    this.stop();
    this.#parts.lost();
  }
}
