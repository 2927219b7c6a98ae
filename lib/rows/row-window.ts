/**
 * RowWindow: rows of an ordered source, by index, of which one change makes one block be read again.
 *
 * - `read` resolves with rows that were right together in the turn in which it resolved, and none of which is older than a change that
 *   had been said when it was called; unless it was allowed to hand out others, which it marks.
 * - Blocks are known by key: an insert is a change of one block, though it moves every index behind it.
 * - A change makes nobody read what it does not concern; one of many in a burst is not read alone.
 * - Whoever has read rows that are no longer right hears of it by `onChange`.
 * - Whatever was aborted, timed out, failed or closed leaves nothing behind.
 *
 * Not promised: anything about changes that nobody says. After a connection over which changes come was lost, call `reset`.
 */
import { cancelOn } from '../base/cancel.js';
import type { Clock } from '../base/clock.js';
import type { DisposableHandle } from '../base/dispose.js';
import { ClosedError, check } from '../base/errors.js';
import { printed } from '../base/print.js';
import { type BeginOptions, type Invalidation, RangeTracker } from '../tracker/index.js';

import { Blocks, type Loading } from './blocks.js';
import { LINE, Load, type Shelf } from './load.js';
import { checkIndexes, checkRead, checkWindow, type RowReadOptions, type RowSettings, type RowWindowOptions } from './options.js';
import { Pace } from './pace.js';
import { plan, stretches } from './plan.js';
import { type Desk, Reader } from './reader.js';
import { boundsOf, type RowChange, Span } from './spans.js';

/** Live counters of a window. */
export interface RowStats {
  /** Calls of `load`. */
  readonly loads: number;
  /** Loads that a change has overtaken, in whole or in part. */
  readonly hits: number;
  /** Calls of `changed`, `mutate` and `reset`. */
  readonly changes: number;
  /** Times that listeners were told. */
  readonly told: number;
}

/** Rows of which the content, the number or the place may be another one than before, by index. */
export interface RowsChanged {
  /** The first of them. */
  readonly start: number;
  /** `Infinity`: an insert or a delete moves all that is behind it. */
  readonly end: number;
}

/** How a change is announced that is yet to be made. */
export type RowMutateOptions = Pick<BeginOptions, 'signal' | 'timeoutMs' | 'label'>;

/** `using` closes a window, where the consumer's TypeScript knows `Symbol.dispose`. */
// biome-ignore lint/correctness/noUnusedVariables: declarations that merge must name the same parameters
export interface RowWindow<Row, Key> extends DisposableHandle {}

/**
 * Rows of an ordered source, read by index and known by key: a virtual list, or a grid, of which each change costs one request, wherever it is.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: spelled out, it would break consumers who do not know the symbol
export class RowWindow<Row, Key> {
  static {
    // biome-ignore lint/complexity/noThisInStatic: a bundler renames a class that names itself
    Object.defineProperty(this.prototype, Symbol.dispose, { value: dispose });
    // biome-ignore lint/complexity/noThisInStatic: see above
    printed(this.prototype, {
      name: 'RowWindow',
      data: ({ rowCount, knownRows, closed, stats }: RowWindow<unknown, unknown>) => ({ rowCount, knownRows, closed, stats }),
    });
  }

  /** The tracker behind it, for observers, `inspect()`, `rangefence/debug` and `rangefence/trace`: one place, over which all changes go. */
  readonly tracker: RangeTracker;
  /** Where its time comes from. */
  readonly clock: Clock;
  readonly #settings: RowSettings<Row, Key>;
  readonly #blocks: Blocks<Row, Key>;
  readonly #pace: Pace;
  readonly #shelf: Shelf<Row, Key>;
  readonly #desk: Desk<Row>;
  readonly #listeners = new Set<{ readonly tell: (changed: RowsChanged) => void }>();
  /** Reads that wait, and how to end them. */
  readonly #waiting = new Map<Reader<Row>, (error: unknown) => void>();
  readonly #stats = { loads: 0, hits: 0, changes: 0, told: 0 };
  #reads = 0;

  /** Loads nothing. Throws `InvalidArgumentError`. */
  constructor(options: RowWindowOptions<Row, Key>) {
    const settings = checkWindow(options);
    const { label, observer } = options;
    const tracker = new RangeTracker({ label, observer, clock: settings.clock });
    const blocks = new Blocks<Row, Key>(settings.compare);
    this.tracker = tracker;
    this.clock = settings.clock;
    this.#settings = settings;
    this.#blocks = blocks;
    const isBusy = () => this.#waiting.size > 0;
    const pace = new Pace(settings.clock, settings.coalesceMs, (start) => this.#tell(start), isBusy);
    this.#pace = pace;
    this.#shelf = { tracker, settings, blocks, landed: (isHit) => this.#landed(isHit) };
    this.#desk = {
      clock: settings.clock,
      get retryMs() {
        return pace.retryMs;
      },
      plan: (start, end) => plan(blocks, start, end),
      loads: (needed) => this.#loads(needed as never),
      take: (start, end) => this.#take(start, end),
    };
  }

  /** Live counters. */
  get stats(): Readonly<RowStats> {
    return this.#stats;
  }

  /** True from the call of {@link RowWindow.close} on. */
  get closed(): boolean {
    return this.tracker.closed;
  }

  /** How many rows there are, as of when each block was read last; `undefined` until the last row was read. O(blocks). */
  get rowCount(): number | undefined {
    const { rows, isAll } = this.#blocks.known;
    return isAll ? rows : undefined;
  }

  /** How many rows are known from the first one on; more may follow while `rowCount` is `undefined`. O(blocks). */
  get knownRows(): number {
    return this.#blocks.known.rows;
  }

  /**
   * Resolves with the rows of [start, end), fewer where there are no more; at once if all are fresh. The index of a row is known from the
   * rows before it: blocks before `start` that were never read, or have changed since, are read, too. Concurrent reads share loads.
   *
   * Without `allowStale`, what a change has hit is read again, until it was not; under changes without end that ends by `signal` or `timeoutMs`.
   * Rejects: an error of `load`, as it is; the signal's reason, `TimeoutError`, `ClosedError`; `InvalidRangeError`, `InvalidArgumentError`.
   * Costs O(blocks) and the rows.
   */
  async read(start: number, end: number, options?: RowReadOptions): Promise<readonly Row[]> {
    checkRead(start, end, options);
    this.#checkOpen();
    const reader = new Reader(this.#desk, start, end, options);
    const rows = reader.now();
    if (rows !== undefined) return rows;
    return await new Promise((resolve, reject) => {
      const cancellation = cancelOn(this.#settings.clock, options, 'read of rows', (error) => over(() => reject(error)));
      const over = (settle: () => void) => {
        if (!this.#waiting.delete(reader)) return;
        cancellation?.clear();
        reader.leave();
        this.#forget();
        settle();
        reader.outdated?.then(() => this.closed || this.#pace.announce(start));
      };
      this.#waiting.set(reader, (error) => over(() => reject(error)));
      reader.rows().then(
        (read) => over(() => resolve(read)),
        (error) => over(() => reject(error)),
      );
    });
  }

  /**
   * The newest row at this index that was read, if any: for what is drawn now. It may have changed since; `read` says. Costs O(blocks).
   */
  peek(index: number): Row | undefined {
    checkIndexes(index, index + 1);
    let row: Row | undefined;
    this.#blocks.visit(index, index + 1, ({ rows }, first) => {
      row = rows?.[index - first];
    });
    return row;
  }

  /**
   * Says that rows have changed: `{ key }` of one that is new, gone, or different, or `{ from, to }`, half-open. A row whose key has changed is
   * two: the old one, and the new one. Reads nothing; listeners are told. Throws `InvalidArgumentError`, `InvalidRangeError`, `ClosedError`. O(log n)
   * and the blocks that it hits.
   */
  changed(change: RowChange<Key>): void {
    this.#checkOpen();
    const span = new Span(change, this.#settings.compare);
    this.#stats.changes++;
    const index = this.#mark(span, change);
    this.#section(span);
    if (index !== undefined) this.#pace.announce(index);
  }

  /**
   * Announces a change, makes it, and ends it: reads of these rows that are on their way are repeated, those that come meanwhile wait for the end.
   * Resolves with what `change` returned; an error of it is passed on. Rejects as {@link RangeTracker.mutate}, and as {@link RowWindow.changed}.
   */
  async mutate<T>(
    change: RowChange<Key>,
    make: (invalidation: Invalidation) => T | PromiseLike<T>,
    options?: RowMutateOptions,
  ): Promise<T> {
    this.#checkOpen();
    check(typeof make === 'function', 'make', make, 'a function');
    const span = new Span(change, this.#settings.compare);
    this.#stats.changes++;
    let index: number | undefined;
    const begun = (section: Invalidation) => {
      index = this.#mark(span, change);
      return make(section);
    };
    try {
      return await this.tracker.mutate(LINE, begun, { ...options, owner: span });
    } finally {
      if (index !== undefined && !this.closed) this.#pace.announce(index);
    }
  }

  /**
   * Everything may have changed: nothing that was read counts any more. For a connection that was lost, in which changes may have been missed, when it
   * is back; and for another filter. What `load` returns must still be in the order of `compare`. Throws `ClosedError`. O(blocks).
   */
  reset(): void {
    this.changed({});
    for (const block of this.#blocks.list) block.rows = undefined;
  }

  /**
   * Calls `listener` when rows that were read may be others now; returns how to stop that. Read again what you show. What it throws is reported by the
   * host as an uncaught exception. See `coalesceMs` for how often. Throws `InvalidArgumentError`, `ClosedError`.
   */
  onChange(listener: (changed: RowsChanged) => void): () => void {
    this.#checkOpen();
    check(typeof listener === 'function', 'listener', listener, 'a function');
    const entry = { tell: listener };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  /** Ends it: reads that wait reject with `ClosedError`, loads are aborted, nobody is told of anything. Idempotent. */
  close(): void {
    if (this.closed) return;
    this.tracker.close().catch(() => {}); // subscribers of somebody else's
    this.#pace.close();
    this.#listeners.clear();
    for (const end of [...this.#waiting.values()]) end(new ClosedError('the window of rows'));
  }

  #checkOpen(): void {
    if (this.closed) throw new ClosedError('the window of rows');
  }

  /** A section, begun and ended: loads that are on their way see it. */
  #section(owner: Span<Key>): void {
    try {
      const section = this.tracker.tryBegin(LINE, { owner });
      if (section !== undefined) section.end();
      else this.tracker.invalidate(LINE, { owner, urgent: true }).catch(() => {}); // a subscriber of somebody else's needs time
    } catch {
      // One has thrown. The section has begun and ended all the same.
    }
  }

  /**
   * Blocks that have something of it are dirty. Returns the index from which on rows may be others; `undefined` if nobody has read them, for then
   * nobody was told anything.
   */
  #mark(span: Span<Key>, change: RowChange<Key>): number | undefined {
    const { list } = this.#blocks;
    const { key, from } = boundsOf(change);
    const first = this.#blocks.placeOf(key ?? from);
    let isKnown = false;
    for (let place = first; place < list.length; place++) {
      if (!span.touches(list[place]!.from, this.#blocks.endOf(place))) break;
      list[place]!.isDirty = true;
      isKnown ||= list[place]!.isKnown;
    }
    return isKnown ? list.slice(0, first).reduce((sum, { count }) => sum + count, 0) : undefined;
  }

  #loads(needed: ReturnType<typeof plan<Row, Key>>): readonly Loading[] {
    const loads = new Set<Loading>();
    for (const { load } of needed.blocks) if (load !== undefined) loads.add(load);
    for (const stretch of stretches(this.#blocks, needed, this.#settings)) {
      this.#stats.loads++;
      loads.add(new Load(this.#shelf, stretch));
    }
    return [...loads];
  }

  #landed(isHit: boolean): void {
    if (isHit) this.#stats.hits++;
    this.#pace.landed(isHit);
  }

  #take(start: number, end: number): readonly Row[] {
    const taken: Row[] = [];
    this.#reads++;
    this.#blocks.visit(start, end, (block, first) => {
      block.used = this.#reads;
      for (const row of (block.rows ?? []).slice(Math.max(0, start - first), end - first)) taken.push(row);
    });
    return taken;
  }

  /** Gives up rows that were read longest ago, while nobody waits for any. */
  #forget(): void {
    if (this.#waiting.size > 0) return;
    const held = this.#blocks.list.filter(({ rows }) => rows !== undefined && rows.length > 0);
    let kept = held.reduce((sum, { count }) => sum + count, 0);
    if (kept <= this.#settings.keepRows) return;
    for (const block of held.sort((a, b) => a.used - b.used)) {
      if (kept <= this.#settings.keepRows) return;
      kept -= block.count;
      block.rows = undefined;
    }
  }

  #tell(start: number): void {
    this.#stats.told++;
    for (const { tell } of [...this.#listeners]) {
      try {
        tell({ start, end: Number.POSITIVE_INFINITY });
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

function dispose(this: RowWindow<unknown, unknown>): void {
  this.close();
}
