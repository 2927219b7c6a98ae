/**
 * Pager: the state of one mirror, and the only code that moves it on behalf of the tracker.
 *
 * Algorithm note
 *
 * A page is in one of three states: absent, loading (`loading` names the run that a reader may join), present (in the table).
 * Both may be true of one page only while a run that was hit is still under way: it has left `loading`, and its token
 * keeps it from installing. Moves:
 *
 *     absent  -> loading     a read finds nothing active over the page, and takes the token in that turn
 *     loading -> present     the load has settled, and nothing has hit the page since the token       (run.ts)
 *     loading -> absent      a begin overlaps, the load fails, or nobody wants it any more
 *     present -> absent      a begin overlaps, or the budget; `onDrop` is called, and may go on for a while   (drops.ts)
 *
 * Freshness: a page is installed only if nothing has hit it since its token, and from its installation on every begin that
 * overlaps takes it out before the begin resolves. So what is present is what the source holds, at every moment at which
 * the subscriber could know.
 */
import type { CancelOptions } from '../base/cancel.js';
import { ClosedError, describe } from '../base/errors.js';
import type { Range, Ranges, Seq } from '../base/vocabulary.js';
import type { Invalidation, Subscription } from '../tracker/index.js';

import { Drops, type Entry } from './drops.js';
import { BannedError } from './errors.js';
import type { Pages, Settings } from './options.js';
import { PageRead } from './page-read.js';
import type { Loading, PagerParts, Reading } from './parts.js';
import { Run } from './run.js';
import type { MirrorSnapshot } from './snapshot.js';
import { type MirrorStats, newMirrorStats } from './stats.js';
import { indexesWithin, Table } from './table.js';

/** See the top of the file. */
export class Pager<Page> implements PagerParts<Page> {
  readonly settings: Settings<Page>;
  readonly stats: MirrorStats = newMirrorStats();
  readonly table: Table<Page>;
  readonly drops: Drops<Page>;
  /** For each page the run that may be joined: one that no begin has hit there. */
  readonly loading: Map<number, Loading<Page>> = new Map();
  /** Reads and prefetches that are not done. */
  readonly reads: Set<Reading<Page>> = new Set();
  readonly subscription: Subscription;
  banned = false;
  /** By its owner. The subscription stays a little longer, until the last `onDrop` is done. */
  shut = false;

  /** Throws before anything has changed. */
  constructor(settings: Settings<Page>) {
    this.settings = settings;
    this.table = new Table(settings.maxPages);
    this.drops = new Drops(settings.onDrop, () => this.#closeIfIdle());
    const { tracker, range, ignore, label } = settings;
    this.subscription = tracker.subscribe(
      range,
      { invalidate: (section, ranges) => this.#invalidate(section, ranges) },
      { ignore, label },
    );
  }

  // --- reading

  /** What keeps anybody from reading, if anything does. */
  refusal(): Error | undefined {
    if (this.shut) return new ClosedError(this.name('the mirror'));
    if (this.subscription.closed || this.settings.tracker.closed) return new ClosedError(this.name('the tracker of the mirror'));
    return this.banned ? new BannedError(this.name('the mirror')) : undefined;
  }

  /** A read of pages that are not all present. */
  read(pages: Pages, options: CancelOptions | undefined): Promise<Page[]> {
    const read = new PageRead(this, pages, true);
    read.start(options);
    return read.result;
  }

  /** The same for nobody. */
  prefetch(pages: Pages): void {
    const read = new PageRead(this, pages, false);
    read.result.catch(() => {
      if (!read.failedByLoad) this.stats.failed++;
    });
    const refusal = this.refusal();
    if (refusal !== undefined) read.fail(refusal);
    else read.start(undefined);
  }

  /** A token for reading these ranges; undefined if a section is active over any of them. Throws `ClosedError`. */
  token(ranges: Ranges): Seq | undefined {
    const { tracker, ignore } = this.settings;
    return tracker.tryReadBegin(ranges, { ignore });
  }

  /** A run over absent pages, not started yet. */
  run(first: number, count: number, token: Seq): Loading<Page> {
    return new Run(this, first, count, token);
  }

  /** Resolves when nothing active overlaps: a lookup that reads nothing, so that who is always overtaken holds in the end. */
  quiet(ranges: Ranges, signal: AbortSignal): Promise<void> {
    const { tracker, ignore, maxAttempts, holdMs, label } = this.settings;
    return tracker.lookup(ranges, () => {}, { ignore, maxAttempts, holdMs, label, signal });
  }

  /** True if what was read of these pages since `token` must not be used. */
  collides(first: number, count: number, token: Seq): boolean {
    return this.subscription.readRetry(token, { ranges: this.rangeOf(first, count) });
  }

  rangeOf(first: number, count: number): Range {
    const { pageSize } = this.settings;
    return { start: first * pageSize, end: (first + count) * pageSize };
  }

  // --- leaving

  /** A read no longer counts on the page. */
  unpin(entry: Entry<Page>): void {
    if (this.table.unpin(entry)) this.#evict(entry);
  }

  /** After installations: lets go of what is over the budget. */
  keepBudget(): void {
    for (const entry of this.table.pushedOut()) this.#evict(entry);
  }

  /** Those that are still present are dropped; for the others, which are leaving, the section waits as well. */
  dropAll(entries: readonly Entry<Page>[], section: Invalidation): void | PromiseLike<void> {
    if (this.#bans()) return this.#ban(section);
    return this.#drop(
      entries.filter((entry) => entry.valid),
      entries.filter((entry) => !entry.valid),
      section,
    );
  }

  /** Drops everything and turns everybody away. Idempotent. */
  close(): void {
    if (this.shut) return;
    this.shut = true;
    this.#turnAway(new ClosedError(this.name('the mirror')));
    const entries = this.#takeAll();
    this.stats.dropped += entries.length;
    for (const entry of entries) this.drops.release(entry);
    this.#closeIfIdle();
  }

  /** What the mirror does not know itself. */
  inspect(): Pick<MirrorSnapshot, 'label' | 'loads' | 'reads' | 'leaving' | 'stats'> {
    return {
      label: this.settings.label ?? null,
      loads: [...new Set(this.loading.values())].map((run) => run.inspect()),
      reads: this.reads.size,
      leaving: [...this.drops.running].map(({ index }) => index),
      stats: { ...this.stats },
    };
  }

  /** For error messages: `what` with the mirror's label. */
  name(what: string): string {
    const { label } = this.settings;
    return label === undefined ? what : `${what} ${describe(label)}`;
  }

  #evict(entry: Entry<Page>): void {
    this.stats.evicted++;
    this.drops.release(entry);
  }

  // --- invalidations

  #invalidate(section: Invalidation, ranges: readonly Range[]): void | PromiseLike<void> {
    if (this.#bans()) return this.#ban(section);
    const { pageSize } = this.settings;
    const hit: Entry<Page>[] = [];
    const leaving: Entry<Page>[] = [];
    const runs = new Set<Loading<Page>>();
    for (const { start, end } of ranges) {
      const from = Math.floor(start / pageSize);
      const to = Math.ceil(end / pageSize);
      for (const entry of this.table.take(from, to)) {
        entry.valid = false; // at once, and not when its turn comes: an onDrop may look at the others
        hit.push(entry);
      }
      for (const entry of this.drops.running) if (entry.index >= from && entry.index < to) leaving.push(entry);
      for (const index of indexesWithin(this.loading, from, to)) {
        const run = this.loading.get(index)!;
        run.hit(index);
        runs.add(run);
      }
    }
    for (const run of runs) run.settleHit();
    this.stats.dropped += hit.length;
    return this.drops.answer(hit, leaving, section.blockable);
  }

  #drop(hit: readonly Entry<Page>[], leaving: readonly Entry<Page>[], section: Invalidation): void | PromiseLike<void> {
    for (const entry of hit) {
      this.table.remove(entry);
      entry.valid = false;
    }
    this.stats.dropped += hit.length;
    return this.drops.answer(hit, leaving, section.blockable);
  }

  #bans(): boolean {
    return this.settings.policy === 'ban' && !this.banned && !this.shut;
  }

  #ban(section: Invalidation): void | PromiseLike<void> {
    this.banned = true;
    const hit = this.#takeAll();
    this.#turnAway(new BannedError(this.name('the mirror')));
    return this.#drop(hit, [...this.drops.running], section);
  }

  #takeAll(): Entry<Page>[] {
    const entries = this.table.take(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    for (const entry of entries) entry.valid = false;
    return entries;
  }

  #turnAway(error: unknown): void {
    for (const read of [...this.reads]) read.fail(error);
  }

  #closeIfIdle(): void {
    if (this.shut && this.drops.running.size === 0) this.subscription.close();
  }
}
