/**
 * Load: one slice of readers and writers at work under one guard. The same seed makes the same choices under every guard.
 *
 * A read is a run of pages asked of one subscriber. It is a hit if all of them are derived already: that is answered without
 * the guard, under the lock, too, since what is derived is dropped before the content changes and installed only inside a
 * section. Any other read goes through the guard to the disk. Every read that is served, hit or not, is judged by the ledger.
 */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Range } from '../../lib/index.js';
import type { Guard } from '../guards/guard.js';
import { Random } from '../support/random.js';
import { type Ledger, STALE_READ, TORN_READ } from './ledger.js';
import type { DemoOptions } from './options.js';
import { originOf, PAGE_WORDS } from './page.js';
import { type PageFile, pageBuffer, prepare } from './page-file.js';
import { Pauses } from './pauses.js';
import type { Subscriber } from './subscriber.js';

/** Half of all reads and writes go to one part in sixteen of the file, as most files are used. */
const HOT_SHARE = 1 / 2;
const HOT_PART = 1 / 16;

/** What a slice works on and with. */
export interface Slice {
  readonly guard: Guard;
  readonly subscribers: readonly Subscriber[];
  readonly file: PageFile;
  readonly ledger: Ledger;
  readonly options: DemoOptions;
  readonly round: number;
  /** The next write's number; goes on from slice to slice, since the file does. */
  readonly generations: { last: number };
  /** Load before the clock starts: everyone begins with nothing derived. */
  readonly warmMs: number;
  readonly ms: number;
  readonly signal: AbortSignal;
  /** Called now and then while it runs, and at its end. */
  readonly onProgress?: (counts: SliceCounts) => void;
}

/** What is counted from the first moment on: correctness has no warm-up. */
export interface SliceCounts {
  reads: number;
  writes: number;
  torn: number;
  stale: number;
}

/** What a slice has measured, rates and latencies after its warm-up. */
export interface SliceResult extends SliceCounts {
  readonly readsPerSecond: number;
  readonly writesPerSecond: number;
  /** In nanoseconds. */
  readonly readLatency: RecordableHistogram;
  readonly writeLatency: RecordableHistogram;
}

/** How often a bar moves: as often as an eye sees it. */
const PROGRESS_MS = 100;

/** Runs one slice to its end, or until the signal; nobody is left running in either case. Rejects with the first error. */
export function runSlice(slice: Slice): Promise<SliceResult> {
  return new Load(slice).run();
}

class Load {
  readonly #slice: Slice;
  readonly #pauses = new Pauses();
  readonly #counts: SliceCounts = { reads: 0, writes: 0, torn: 0, stale: 0 };
  readonly #readLatency = createHistogram();
  readonly #writeLatency = createHistogram();
  #measuring = false;

  constructor(slice: Slice) {
    this.#slice = slice;
  }

  async run(): Promise<SliceResult> {
    const { guard, subscribers, signal, warmMs, ms, onProgress } = this.#slice;
    const counts = this.#counts;
    signal.throwIfAborted();
    const stop = () => this.#pauses.stop();
    signal.addEventListener('abort', stop, { once: true });
    const ticker = setInterval(() => onProgress?.(counts), PROGRESS_MS);
    for (const subscriber of subscribers) {
      guard.subscribe((range) => subscriber.drop(range), undefined, subscriber.name);
    }
    try {
      const work = this.#start();
      const clock = this.#clock(warmMs, ms);
      // Whoever fails first stops all; the others are awaited before the error goes on, or they would use a closed file.
      const outcomes = await Promise.allSettled([clock, ...work.map((loop) => loop.finally(() => stop()))]);
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
      signal.throwIfAborted();
      onProgress?.(counts);
      return { ...counts, ...(await clock), readLatency: this.#readLatency, writeLatency: this.#writeLatency };
    } finally {
      clearInterval(ticker);
      signal.removeEventListener('abort', stop);
    }
  }

  #start(): Promise<void>[] {
    const { subscribers, options, round } = this.#slice;
    const loops: Promise<void>[] = [];
    for (const [s, subscriber] of subscribers.entries()) {
      for (let r = 0; r < options.readers; r++) loops.push(this.#readAll(subscriber, new Random(options.seed, round, s, r)));
    }
    for (let w = 0; w < options.writers; w++) loops.push(this.#writeAll(w, new Random(options.seed, round, -1, w)));
    return loops;
  }

  /** Lets the load run for its time, then stops it; returns what was done between warm-up and stop. */
  async #clock(warmMs: number, ms: number): Promise<{ readsPerSecond: number; writesPerSecond: number }> {
    await this.#pauses.sleep(warmMs);
    this.#measuring = true;
    const before = { ...this.#counts };
    const began = performance.now();
    await this.#pauses.sleep(ms);
    const seconds = (performance.now() - began) / 1000;
    const { reads, writes } = this.#counts;
    this.#measuring = false;
    this.#pauses.stop();
    return { readsPerSecond: (reads - before.reads) / seconds, writesPerSecond: (writes - before.writes) / seconds };
  }

  async #readAll(subscriber: Subscriber, random: Random): Promise<void> {
    const { guard, file, ledger, options } = this.#slice;
    const buffer = pageBuffer(options.runPages);
    const marks = new Uint32Array(options.runPages);
    const origins = new Int32Array(options.runPages);
    let range: Range;
    let fetches = 0;
    // Made once: all that changes from read to read is `range`.
    const fetch = async (): Promise<boolean> => {
      fetches++;
      // Another reader may have derived it while this one waited for the guard.
      if (subscriber.serve(range, origins)) return false;
      await file.read(range, buffer);
      return true;
    };
    const install = (fromDisk: boolean): void => {
      if (!fromDisk) return;
      for (let page = range.start; page < range.end; page++) {
        const at = page - range.start;
        origins[at] = originOf(buffer.words, at * PAGE_WORDS, page);
      }
      subscriber.install(range, buffer, origins);
    };
    while (!this.#pauses.stopped) {
      range = this.#pickRun(random);
      const began = performance.now();
      ledger.mark(range, marks);
      subscriber.counts.lookups++;
      if (subscriber.serve(range, origins)) {
        subscriber.counts.hits++;
      } else {
        fetches = 0;
        await guard.read(range, fetch, install, subscriber.name);
        if (fetches > 1) subscriber.counts.retried++;
      }
      this.#served(ledger.judge(range, origins, marks));
      if (this.#measuring) this.#readLatency.record(nanoseconds(began));
      // Also with nothing to think about: a turn of the event loop, as between two requests.
      await this.#pauses.sleep(options.thinkMs);
    }
  }

  async #writeAll(writer: number, random: Random): Promise<void> {
    const { guard, file, ledger, options, generations } = this.#slice;
    const buffer = pageBuffer(options.writePages);
    const pause = () => this.#pauses.sleep(options.writePauseMs);
    while (!this.#pauses.stopped) {
      const range = this.#pickExtent(writer, random);
      const generation = ++generations.last;
      prepare(range, buffer, generation); // before the section, which should be short under any guard
      const began = performance.now();
      const change = async (): Promise<void> => {
        ledger.begin(range, generation);
        await file.write(range, buffer, pause);
        ledger.finish(range, generation);
      };
      await guard.mutate(range, change, `writer ${writer + 1}`);
      this.#counts.writes++;
      if (this.#measuring) this.#writeLatency.record(nanoseconds(began));
    }
  }

  #served(verdict: number): void {
    const counts = this.#counts;
    counts.reads++;
    if ((verdict & TORN_READ) !== 0) counts.torn++;
    if ((verdict & STALE_READ) !== 0) counts.stale++;
  }

  #pickRun(random: Random): Range {
    const { file, options } = this.#slice;
    const starts = file.pages - options.runPages + 1;
    const start = random.below(random.next() < HOT_SHARE ? Math.ceil(starts * HOT_PART) : starts);
    return { start, end: start + options.runPages };
  }

  /** An extent inside one block of the writer's own: writers never overlap, which no guard here is asked to see to. */
  #pickExtent(writer: number, random: Random): Range {
    const { file, options } = this.#slice;
    const { writers, writePages } = options;
    const blocks = Math.floor(file.pages / writePages / writers); // of this writer; the rest at the end is only read
    const block = random.below(random.next() < HOT_SHARE ? Math.ceil(blocks * HOT_PART) : blocks) * writers + writer;
    const length = 1 + random.below(writePages);
    const start = block * writePages + random.below(writePages - length + 1);
    return { start, end: start + length };
  }
}

function nanoseconds(began: number): number {
  return Math.max(1, Math.round((performance.now() - began) * 1e6)); // a histogram takes nothing below 1
}
