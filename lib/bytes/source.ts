/**
 * ByteSource: bytes of one thing that may be replaced at any time, by anybody, never of two versions at once.
 *
 * The contract, in short; docs/bytes.md has it whole.
 *
 * - `read` resolves with bytes of one version, which was there after the last change that had been noticed, or announced and
 *   ended, before the call.
 * - `consistent` does the same for a whole query: everything it has read, sizes included, is of one version.
 * - A replacement by somebody who tells nobody is noticed by the next request to the backend, by `revalidate`, or by the
 *   backend's own watching. Until then, what is present is what is given out: all of one version, and perhaps of an old one.
 * - Requests are shared by all who want the same pages, and given up when nobody does any more, or a change has hit them.
 * - Whatever was aborted, timed out, failed or closed leaves nothing behind; a failure is not kept.
 *
 * Not promised: anything about a backend whose version does not change with its content, and that somebody else's write
 * during a `mutate` is told from the announced one.
 */

import type { DisposableHandle } from '../base/dispose.js';
import { check, RetryLimitError } from '../base/errors.js';
import { checkNames } from '../base/options.js';
import { printed } from '../base/print.js';
import type { Range, Ranges } from '../base/vocabulary.js';
import { RangeMirror } from '../mirror/index.js';
import { Home } from '../mirror/internal.js';
import type { Attempt, BeginOptions, Invalidation, PlainLookupOptions, RangeTracker } from '../tracker/index.js';

import type { ByteVersion } from './backend.js';
import { bounded } from './bounded.js';
import { Keeper, QUERY } from './keeper.js';
import {
  type ByteSourceOptions,
  CONSISTENT_OPTIONS,
  type ConsistentOptions,
  checkBytes,
  READ_OPTIONS,
  type Settings,
  type SourceReadOptions,
  settingsOf,
} from './options.js';
import { cut, endOf, join } from './pages.js';
import type { ByteReader, ByteReadOptions } from './reader.js';
import type { ByteSourceSnapshot, ByteStats, Counters } from './stats.js';
import { type ByteView, View } from './view.js';

/**
 * `using` closes a source, where the consumer's TypeScript knows `Symbol.dispose`. Merged with the class, and the method
 * defined in it below: spelled out as a member it would break consumers who do not know the symbol.
 */
export interface ByteSource extends DisposableHandle {}

/** Pages that a stream reads at a time: 1 MiB, which is on its way for longer than the request for it takes. */
const STREAM_PAGES = 16;

/** Rounds of a query whose holds run out: with the default of `holdMs`, at least ten seconds of changes without a pause. */
const ROUNDS = 10;

/**
 * A file, or a thing behind a URL, as bytes of which no two that are given out together are of two versions. Made by {@link openFile}, by {@link openUrl}, or over a backend of your own.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: see above
export class ByteSource implements ByteReader {
  static {
    // `this`, because a bundler renames a class that names itself, and the name shows wherever a source is printed.
    // biome-ignore lint/complexity/noThisInStatic: see above
    Object.defineProperty(this.prototype, Symbol.dispose, { value: dispose });
    // biome-ignore lint/complexity/noThisInStatic: see above
    printed(this.prototype, {
      name: 'ByteSource',
      data: (source: ByteSource) => source.inspect(),
      brief: ({ label, version, closed, stats }: ByteSource) => ({ label, version, closed, stats }),
    });
  }

  readonly #settings: Settings;
  readonly #keeper: Keeper;
  readonly #mirror: RangeMirror<Uint8Array>;
  readonly #counters: Counters = { requests: 0, bytes: 0, changes: 0 };
  /** What the backend pushes serves no call, so it is looked at in the context in which the source was made. */
  readonly #home: Home = new Home(() => this.#atHome());
  #isPushed = false;
  /** Stops the backend's watching; undefined until the first read. */
  #unwatch: (() => void) | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;

  /** Asks the backend nothing yet. Throws `InvalidArgumentError`, `InvalidRangeError`, `ClosedError`. */
  constructor(options: ByteSourceOptions) {
    const settings = settingsOf(options);
    const keeper = new Keeper(settings, this.#counters);
    const { tracker, pageSize, maxPages, maxRunPages, maxAttempts, holdMs, label, clock } = settings;
    this.#settings = settings;
    this.#keeper = keeper;
    this.#mirror = new RangeMirror<Uint8Array>({
      tracker,
      pageSize,
      maxPages,
      maxRunPages,
      maxAttempts,
      holdMs,
      label,
      clock,
      load: async (first, count, { signal }) => {
        const bytes = await keeper.load({ start: first * pageSize, end: (first + count) * pageSize }, signal);
        return cut(bytes, count, pageSize);
      },
    });
  }

  // --- reading

  /**
   * The length in bytes: of the version that the present pages are of, or of the one that is there now. Costs a request if
   * neither a read nor `size` has asked before (and nothing has changed since).
   *
   * Rejects: `SourceError`, `ClosedError`, `TimeoutError`, the signal's reason, `InvalidArgumentError`.
   */
  size(options?: SourceReadOptions): Promise<number> {
    return this.#bounded(options, 'size of', (signal) =>
      this.#calm(signal, async (calm) => {
        if (options?.revalidate === true) await this.#keeper.check(calm);
        return this.#keeper.size(calm);
      }),
    );
  }

  /**
   * The bytes `[offset, offset + length)`, cut off at the end of the thing, all of one version; the caller's own copy. `length`
   * may be `Infinity`. None of them is older than a change that had been noticed, or announced and ended, before the call;
   * with `revalidate` none is older than the call.
   *
   * Missing pages are loaded, adjacent ones by one request of `maxRunPages` pages at most; with all pages present it costs the
   * copy. Rejects: `SourceError`, `RetryLimitError` (changes came faster than reads for `holdMs`), `ClosedError`,
   * `TimeoutError`, the signal's reason, `InvalidRangeError`, `InvalidArgumentError`.
   */
  read(offset: number, length: number, options?: SourceReadOptions): Promise<Uint8Array> {
    return this.#bounded(options, `read of [${offset}, ${offset + length}) of`, async (signal) => {
      checkBytes(offset, length);
      if (options?.revalidate !== true) {
        const present = this.#present(offset, offset + length);
        if (present !== undefined) return present;
      }
      return this.#calm(signal, (calm) => {
        const read = () => this.#read(offset, offset + length, calm);
        return options?.revalidate === true ? this.#keeper.check(calm).then(read) : read();
      });
    });
  }

  /**
   * Runs a query whose result is of one version, whatever happens meanwhile, and resolves with it. `fn` must read through the
   * `view` it gets. If a change, announced or noticed, has hit anything that it has read, sizes included, it is run again; after
   * `maxAttempts` such losses the query holds what it reads against announced changes. A hold that runs out (the query
   * is slower, or the thing was replaced, which no hold can prevent) is followed by another round, ten in all; with a `maxAttempts`
   * of its own, or `whenExhausted: 'throw'`, there is one.
   *
   * With `revalidate` the version is asked for before the query and after it, so that the result is what was there at some
   * moment after the call; without, it may be of a version whose replacement nobody has noticed yet.
   *
   * Rejects with what `fn` throws (in an attempt that was hit: runs it again), and with the errors of {@link ByteSource.read}.
   */
  consistent<T>(fn: (view: ByteView, attempt: Attempt) => T | PromiseLike<T>, options: ConsistentOptions = {}): Promise<T> {
    const { clock, label, maxAttempts, holdMs, pageSize, maxRunPages } = this.#settings;
    const chunkSize = pageSize * Math.min(maxRunPages, STREAM_PAGES);
    const keeper = this.#keeper;
    try {
      check(typeof fn === 'function', 'fn', fn, 'a function');
      checkNames(options, CONSISTENT_OPTIONS, 'consistent');
      this.#checkOpen();
    } catch (error) {
      return Promise.reject(error);
    }
    const query = async (attempt: Attempt): Promise<T> => {
      if (options.revalidate === true) await keeper.check(attempt.signal);
      const view = new View(this, attempt, { clock, chunkSize });
      let value: T;
      try {
        value = await fn(view, attempt);
      } catch (error) {
        if (!view.lacksVersion) throw error;
        await keeper.size(attempt.signal);
        value = await fn(new View(this, attempt, { clock, chunkSize }), attempt);
      }
      if (options.revalidate === true) await keeper.check(attempt.signal);
      return value;
    };
    const { whenExhausted } = options;
    const lookup = {
      maxAttempts: options.maxAttempts ?? maxAttempts,
      holdMs: options.holdMs ?? holdMs,
      whenExhausted,
      label: options.label ?? label,
    };
    // Who names a limit gets it.
    const rounds = options.maxAttempts !== undefined || whenExhausted === 'throw' ? 1 : ROUNDS;
    return bounded(clock, options, `query of ${label}`, (signal) =>
      this.#calm(signal, (calm) => this.#query(query, { ...lookup, signal: calm }, rounds)),
    );
  }

  /**
   * A query may take longer than a hold may last, and a hold keeps off who announces, not who replaces the thing and tells nobody.
   * That one ran out says nothing about the next attempt, so it is another round.
   */
  async #query<T>(query: (attempt: Attempt) => Promise<T>, options: PlainLookupOptions<T>, rounds: number): Promise<T> {
    for (let round = 1; ; round++) {
      try {
        return await this.#settings.tracker.lookup(QUERY, query, options);
      } catch (error) {
        if (!(error instanceof RetryLimitError) || round >= rounds) throw error;
      }
    }
  }

  // --- changing

  /**
   * Announces that `ranges` are going to change, runs `write`, ends whatever happens, and resolves with what `write` returned.
   * Readers of these bytes wait or begin again; all other pages stay. Growing and shrinking are changes of the bytes that come
   * or go: announce `{ start: oldSize, end: newSize }`, or up to `Infinity`.
   *
   * The caller vouches that from the begin to the end nothing changes outside of the ranges of the running `mutate`s: the
   * version of afterwards is taken for the old one with these changes. What somebody else has done before is noticed first; and
   * if the length has changed elsewhere than announced, everything is dropped. Costs two questions for the version.
   *
   * Rejects with what `write` throws, and with the errors of {@link RangeTracker.begin}.
   */
  mutate<T>(ranges: Ranges, write: (section: Invalidation) => T | PromiseLike<T>, options?: BeginOptions): Promise<T> {
    try {
      check(typeof write === 'function', 'write', write, 'a function');
      this.#checkOpen();
    } catch (error) {
      return Promise.reject(error);
    }
    const keeper = this.#keeper;
    return this.#settings.tracker.mutate(ranges, (section) => keeper.write(section, write), options);
  }

  /**
   * Says that these bytes have changed already (default: everything, the length, too). Resolves when they are dropped, and
   * everybody who has read them is told. Rejects with the errors of {@link RangeTracker.begin}.
   */
  async invalidate(ranges?: Ranges): Promise<void> {
    this.#checkOpen();
    if (ranges === undefined) await this.#keeper.notice(undefined);
    else await this.#settings.tracker.mutate(ranges, () => {}, { label: `${this.#settings.label} has changed` });
  }

  // --- the source

  /** The space: for subscribers that keep something derived from these bytes. Bytes from 0 on. */
  get tracker(): RangeTracker {
    return this.#settings.tracker;
  }

  /** The version that the present pages are of; `undefined` before the first read, and when it is not known any more. */
  get version(): ByteVersion | undefined {
    return this.#keeper.version;
  }

  /** The name of its backend, or the one that was given. */
  get label(): string {
    return this.#settings.label;
  }

  /** True after {@link ByteSource.close}, or after the tracker was closed. */
  get closed(): boolean {
    return this.#closing !== undefined || this.#mirror.closed;
  }

  /** What it has, what it loads, for whom, and its counters: plain data, for people. */
  inspect(): ByteSourceSnapshot {
    const { label, version, closed, stats } = this;
    const { pageSize, size, loads, reads } = this.#mirror.inspect();
    return { label, version: version ?? null, closed, pageSize, pages: size, loads, reads, stats };
  }

  /** The counters at this moment, as a copy. */
  get stats(): ByteStats {
    const { hits, misses, joined, retriedPages, dropped, evicted, failed, aborted } = this.#mirror.stats;
    return { ...this.#counters, hits, misses, joined, retriedPages, dropped, evicted, failed, aborted };
  }

  /**
   * Drops everything, aborts what is loading, rejects what waits with `ClosedError`, stops watching, and resolves when the backend
   * has let go. A tracker that was given stays open. Idempotent: a second call returns the same promise.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#unwatch?.();
    this.#mirror.close();
    this.#keeper.close();
    if (this.#settings.ownsTracker) await this.#settings.tracker.close();
    await this.#settings.backend.close?.();
  }

  #checkOpen(): void {
    if (this.closed) throw this.#keeper.closedError();
  }

  #bounded<T>(
    options: ByteReadOptions | undefined,
    what: string,
    work: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    return bounded(this.#settings.clock, options, `${what} ${this.#settings.label}`, async (signal) => {
      this.#checkOpen();
      checkNames(options, READ_OPTIONS, 'a read');
      this.#watch();
      return work(signal);
    });
  }

  /** Ends with an error what a server lets begin again and again. Costs nothing where versions are to be believed. */
  #calm<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal | undefined) => Promise<T>): Promise<T> {
    const { unrest } = this.#keeper;
    return unrest === undefined ? work(signal) : unrest.run(signal, work);
  }

  /** The bytes if they lie in one page that is present: most reads do, and need no signal then. */
  #present(start: number, end: number): Uint8Array | undefined {
    const { pageSize } = this.#settings;
    const index = Math.floor(start / pageSize);
    if (end > (index + 1) * pageSize || start === end) return undefined;
    const page = this.#mirror.peek(index);
    return page === undefined ? undefined : join([page], { start, end }, pageSize);
  }

  /** From the first read on, and before its request: the reaction that starts it is made before any of the read's. */
  #watch(): void {
    if (this.#unwatch !== undefined) return;
    this.#unwatch = () => {};
    if (this.#settings.backend.watch !== undefined) this.#home.call();
  }

  #atHome(): void {
    if (this.closed) return;
    if (this.#isPushed) {
      this.#isPushed = false;
      void this.#keeper.pushed();
      return;
    }
    const changed = () => {
      this.#isPushed = true;
      this.#home.call();
    };
    try {
      this.#unwatch = this.#settings.backend.watch!(changed);
    } catch {
      // It must not throw; nobody waits for it who could be told, and every load looks for itself.
    }
  }

  /**
   * Where the thing ends is seen in the pages themselves, by the first that is not full: a length that was asked for separately
   * could be that of another version. The known length only keeps the read from asking for pages that are not there.
   */
  async #read(start: number, end: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { pageSize, maxRunPages } = this.#settings;
    const keeper = this.#keeper;
    if (start === end) return new Uint8Array(0);
    for (;;) {
      if (keeper.version === undefined && end - start > pageSize * maxRunPages) {
        await keeper.size(signal);
        continue; // a change may have come between the answer and this turn
      }
      const range = within(start, end, keeper.version, pageSize);
      const pages = await this.#mirror.read(range, { signal });
      if (range.end === end || endOf(pages, pageSize)) return join(pages, { start, end }, pageSize);
    }
  }
}

/** The range up to the end of the page in which the thing ends: a page that is never full. */
function within(start: number, end: number, version: ByteVersion | undefined, pageSize: number): Range {
  if (version === undefined) return { start, end };
  const limit = (Math.floor(version.size / pageSize) + 1) * pageSize;
  // A read behind the end has a look at its own first page: by now it may be there.
  return { start, end: Math.min(end, Math.max(limit, start + 1)) };
}

function dispose(this: ByteSource): void {
  this.close().catch(() => {}); // nobody is there to be told
}
