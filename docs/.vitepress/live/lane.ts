/**
 * Lane: one line of places under one guard: two dozen lookups that run without a pause, changes, and a judge that counts what was kept.
 *
 * All lanes are given the same seeds, so they draw the same lookups; how soon each gets to its next one is the guard's doing.
 */
import type { Range } from '../../../lib/index.js';
import { Content, PLACES } from './content.js';
import type { Guard } from './guards.js';
import type { Pace } from './pace.js';

/** How many lookups run at once. */
export const READERS = 24;
const WIDEST = 4;
const STEP_MS = { least: 90, more: 130 };
const PAUSE_MS = { least: 60, more: 200 };
/** A change writes so often. */
const WRITE_MS = 70;

/** One who looks up, again and again. */
export interface Reader {
  range: Range;
  /** `waits`: it would read, and may not; or it has to begin again. */
  state: 'rests' | 'waits' | 'reads';
  /** When this state began. */
  since: number;
  /** How far it has read, in places. */
  read: number;
  /** What was last kept, and when. */
  last: { readonly range: Range; readonly fresh: boolean; readonly at: number } | undefined;
}

/** A part of what a hand changes. */
export interface Change {
  readonly range: Range;
  /** Not before the guard lets it. */
  begun: boolean;
}

/** What was counted. */
export interface Counts {
  /** Results that were kept, and were right at that moment. */
  fresh: number;
  /** Results that were kept, and were not. */
  stale: number;
  /** Milliseconds that lookups have waited, together; those that still wait count when they are done. */
  waitedMs: number;
}

/** See the top of the file. */
export class Lane {
  readonly readers: readonly Reader[];
  readonly changes = new Set<Change>();
  readonly counts: Counts = { fresh: 0, stale: 0, waitedMs: 0 };
  /** Where something stale is kept. */
  readonly stale: boolean[] = Array.from({ length: PLACES }, () => false);
  readonly #content = new Content();
  readonly #guard: Guard;
  readonly #pace: Pace;
  /** When counts began. */
  #since = 0;

  constructor(guard: Guard, pace: Pace) {
    this.#guard = guard;
    this.#pace = pace;
    this.readers = Array.from({ length: READERS }, () => ({
      ...{ range: { start: 0, end: 1 }, state: 'rests' as const, since: 0, read: 0, last: undefined },
    }));
    for (const [seed, reader] of this.readers.entries()) void this.#reads(reader, seed);
  }

  /** Is the place being changed? */
  changesAt(place: number): boolean {
    return this.#content.changes(place);
  }

  /** Changes the range until the promise resolves. Who changes tells, so whatever was kept there is dropped, under any guard. */
  async change(range: Range, until: Promise<unknown>): Promise<void> {
    const change: Change = { range, begun: false };
    this.changes.add(change);
    const end = await this.#guard.begin(range);
    change.begun = true;
    let over = false;
    void until.then(() => {
      over = true;
    });
    this.#drop(range);
    this.#content.open(range);
    do {
      this.#content.write(range);
      await this.#pace.sleep(WRITE_MS);
    } while (!over);
    this.#content.close(range);
    this.#drop(range);
    this.changes.delete(change);
    end();
  }

  /** Counts begin anew. */
  reset(): void {
    Object.assign(this.counts, { fresh: 0, stale: 0, waitedMs: 0 });
    this.stale.fill(false);
    this.#since = this.#pace.now();
  }

  /** Which part of their time lookups have waited, from 0 to 1. */
  get waiting(): number {
    const now = this.#pace.now();
    const waits = this.readers.filter(({ state }) => state === 'waits');
    const waited = waits.reduce((sum, { since }) => sum + now - Math.max(since, this.#since), this.counts.waitedMs);
    return waited / (Math.max(1, now - this.#since) * READERS);
  }

  async #reads(reader: Reader, seed: number): Promise<void> {
    const random = randomOf(seed + 1);
    for (;;) {
      this.#turn(reader, 'rests');
      await this.#pace.sleep(PAUSE_MS.least + random() * PAUSE_MS.more);
      const start = Math.floor(random() * PLACES);
      const range = { start, end: Math.min(PLACES, start + 1 + Math.floor(random() * WIDEST)) };
      const step = STEP_MS.least + random() * STEP_MS.more;
      reader.range = range;
      this.#turn(reader, 'waits');
      await this.#guard.lookup(
        range,
        (signal) => this.#read(reader, step, signal),
        (found) => this.#keep(reader, found),
      );
    }
  }

  /** Place after place. Whoever is told to leave off waits. */
  async #read(reader: Reader, step: number, signal: AbortSignal | undefined): Promise<readonly number[]> {
    this.#turn(reader, 'reads');
    const found: number[] = [];
    try {
      for (let place = reader.range.start; place < reader.range.end; place++) {
        found.push(this.#content.read(place));
        reader.read = found.length;
        await this.#pace.sleep(step, signal);
      }
    } catch (error) {
      this.#turn(reader, 'waits');
      throw error;
    }
    return found;
  }

  #keep(reader: Reader, found: readonly number[]): void {
    const { range } = reader;
    const fresh = this.#content.isFresh(range, found);
    this.counts[fresh ? 'fresh' : 'stale']++;
    for (let place = range.start; place < range.end; place++) this.stale[place] = !fresh;
    reader.last = { range, fresh, at: this.#pace.now() };
  }

  #drop({ start, end }: Range): void {
    this.stale.fill(false, start, end);
  }

  #turn(reader: Reader, state: Reader['state']): void {
    const now = this.#pace.now();
    if (reader.state === 'waits') this.counts.waitedMs += now - Math.max(reader.since, this.#since);
    reader.state = state;
    reader.since = now;
    reader.read = 0;
  }
}

/** From 0 to 1; the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
