/**
 * RangeMirror: a page table over a source, kept correct by a tracker.
 *
 * The contract, in short; docs/mirror.md has it whole.
 *
 * - What is present is what the source holds: a page is installed only if nothing has hit it since its load began, and every
 *   begin that overlaps drops it before the change may start.
 * - `read` resolves with pages that were all valid together in the turn in which it resolved, and none of which is older
 *   than a change that had ended before `read` was called.
 * - A load is shared by all readers who come before a change hits it, and by nobody who comes after.
 * - Only pages that were hit are loaded again; a read that keeps losing holds its range.
 * - Whatever was aborted, timed out, failed or closed leaves nothing behind.
 *
 * Not promised: that a page is still valid when the reader's own turn comes (use it at once, or look again with `peek`),
 * anything about changes that are not announced to the tracker, and anything about what `load` reads without observing it.
 */
import type { DisposableHandle } from '../base/dispose.js';
import { ClosedError } from '../base/errors.js';
import { giveOut } from '../base/outlets.js';
import { printed } from '../base/print.js';
import type { Range } from '../base/vocabulary.js';

import { checkRead, type MirrorReadOptions, pagesOf, type RangeMirrorOptions, settingsOf } from './options.js';
import { Pager } from './pager.js';
import type { MirrorSnapshot } from './snapshot.js';
import type { MirrorStats } from './stats.js';

/**
 * `using` closes a mirror, where the consumer's TypeScript knows `Symbol.dispose`. Merged with the class, and the method
 * defined in it below: spelled out as a member it would break consumers who do not know the symbol.
 */
// biome-ignore lint/correctness/noUnusedVariables: declarations that merge must name the same parameters
export interface RangeMirror<Page> extends DisposableHandle {}

/**
 * Pages of a source, kept only as long as they are what the source holds: loaded on demand in shared runs, dropped before a change
 * begins, and loaded again page by page. For device memory, tables, tiles, and anything else that has pages.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: see above
export class RangeMirror<Page> {
  static {
    // `this`, because a bundler renames a class that names itself, and the name shows wherever a mirror is printed.
    // biome-ignore lint/complexity/noThisInStatic: see above
    Object.defineProperty(this.prototype, Symbol.dispose, { value: dispose });
    // biome-ignore lint/complexity/noThisInStatic: see above
    printed(this.prototype, {
      name: 'RangeMirror',
      data: (mirror: RangeMirror<unknown>) => mirror.inspect(),
      brief: (mirror: RangeMirror<unknown>) => {
        const { label, range, pageSize, size, banned, closed, stats } = mirror.inspect();
        return { label: label ?? undefined, range, pageSize, size, banned, closed, stats };
      },
    });
    // biome-ignore lint/complexity/noThisInStatic: see above
    giveOut(this.prototype, ['read']);
  }

  readonly #pager: Pager<Page>;

  /** Subscribes to its range, and loads nothing. Throws `InvalidArgumentError`, `InvalidRangeError`, `ClosedError`. */
  constructor(options: RangeMirrorOptions<Page>) {
    this.#pager = new Pager(settingsOf(options));
  }

  /**
   * The pages that cover `range`, in order, loading what is missing.
   *
   * All of them are valid together in the turn in which it resolves, and none is older than a change that had ended before
   * the call. Waits for the active invalidations that overlap missing pages, and for nothing else. If all are present it
   * costs the result and a promise.
   *
   * Rejects: the error of `load`, unwrapped; `CycleError` inside of a load that its own load would wait for; `LoadError`, `BannedError`, `ClosedError`, `RetryLimitError`, `TimeoutError`,
   * the signal's reason, `InvalidRangeError`, `InvalidArgumentError`. Leaves nothing behind on any path.
   */
  read(range: Range, options?: MirrorReadOptions): Promise<Page[]> {
    // Not an async function: one that returns a promise costs three turns more.
    try {
      const pager = this.#pager;
      const refusal = pager.refusal();
      if (refusal !== undefined) throw refusal;
      const pages = pagesOf(range, pager.settings);
      checkRead(options);
      const present = this.#present(pages.first, pages.count);
      return present === undefined ? pager.read(pages, options) : Promise.resolve(present);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The page if it is present, which means that it is valid in this turn; otherwise `undefined`. Counts as a use. Never
   * throws, and allocates nothing. O(1), well below 100 ns.
   */
  peek(index: number): Page | undefined {
    const pager = this.#pager;
    const entry = pager.table.use(index);
    if (entry === undefined || pager.subscription.closed || pager.settings.tracker.lapsed) return undefined;
    pager.stats.hits++;
    return entry.page;
  }

  /**
   * Starts loading what is missing of `range`, and returns at once. Checked like any other load. An error is counted
   * (`stats.failed`) and dropped: the read that needs the page will meet it again. Only a ban or `close` ends it early.
   *
   * Throws `InvalidRangeError`, `ClosedError`.
   */
  prefetch(range: Range): void {
    const pager = this.#pager;
    const refusal = pager.refusal();
    if (refusal instanceof ClosedError) throw refusal;
    pager.prefetch(pagesOf(range, pager.settings));
  }

  /** Pages that are present. More than `maxPages` only by what running reads need. */
  get size(): number {
    return this.#pager.table.size;
  }

  /** True once an invalidation has hit a mirror with `policy: 'ban'`: it will never be false again. */
  get banned(): boolean {
    return this.#pager.banned;
  }

  /** True after {@link RangeMirror.close}, or after the tracker was closed. */
  get closed(): boolean {
    return this.#pager.shut || this.#pager.subscription.closed;
  }

  /** Live counters. Read or copy them; they go on counting. */
  get stats(): Readonly<MirrorStats> {
    return this.#pager.stats;
  }

  /** What it has, what it loads, for whom, and its counters: a copy, for people. */
  inspect(): MirrorSnapshot {
    const { range, pageSize, size, banned, closed } = this;
    return { range, pageSize, size, banned, closed, ...this.#pager.inspect() };
  }

  /** What is mirrored, in the space's unit. */
  get range(): Range {
    return this.#pager.settings.range;
  }

  /** Length of a page, in the space's unit. */
  get pageSize(): number {
    return this.#pager.settings.pageSize;
  }

  /**
   * Drops everything (`onDrop` is called for each page), aborts what is loading, rejects what waits with `ClosedError`.
   * Begins go on waiting for each `onDrop` that is not done yet; then nothing is left in the tracker. Idempotent.
   */
  close(): void {
    this.#pager.close();
  }

  #present(first: number, count: number): Page[] | undefined {
    const { table, stats, settings } = this.#pager;
    if (settings.tracker.lapsed) return undefined;
    const pages = new Array<Page>(count);
    for (let i = 0; i < count; i++) {
      const entry = table.use(first + i);
      if (entry === undefined) return undefined;
      pages[i] = entry.page;
    }
    stats.hits += count;
    return pages;
  }
}

function dispose(this: { close(): void }): void {
  this.close();
}
