/**
 * Run: one call of `load`, shared by all reads that want its pages.
 *
 * Algorithm note
 *
 *     token = seq                                 (nothing active overlaps the run)
 *     enter every page as loading                 (who comes now joins)
 *     pages = load(...)                           (the token is older than anything it reads)
 *     for each page: collides(page, token) ? lost : installed       (one turn, no callback in between)
 *
 * A begin that overlaps takes its pages out of `loading` at once: from then on nobody joins for them, and the reads that
 * wait for them are told, so that they need not wait for a load whose result is known to be useless. Whether a page is
 * installed is decided by the token alone, when the load has settled. A change of what the load has observed gives up the
 * whole run (observed.ts).
 *
 * A load that reads pages is waited for while it waits, so it runs as an activity of its run (base/activity.ts): a read inside of it
 * that would join a run that waits for this one ends with `CycleError`.
 */

import { Activity } from '../base/activity.js';
import { CollisionError } from '../base/errors.js';
import { type LoadEventName, noteLoad } from '../base/notes.js';
import { toSpans } from '../base/range.js';
import { assimilate } from '../base/thenable.js';
import type { Collision, LoadInfo, Range, Ranges, Seq } from '../base/vocabulary.js';

import type { Entry } from './drops.js';
import { LoadError } from './errors.js';
import { Observed } from './observed.js';
import type { LoadContext } from './options.js';
import type { Loading, PagerParts, Reading } from './parts.js';
import type { MirrorLoadSnapshot } from './snapshot.js';

/** See the top of the file. Over exactly when `over` is true; nothing of it is registered anywhere then. */
export class Run<Page> implements Loading<Page>, LoadInfo {
  readonly first: number;
  readonly count: number;
  readonly token: Seq;
  /** What it was derived from besides its pages; made by the first `observe`. */
  observed: Observed<Page> | undefined = undefined;
  over = false;
  /** When it was made. */
  readonly since: number;
  /** What it has failed with, or was given up for. */
  failure: { readonly error: unknown } | undefined = undefined;
  readonly #pager: PagerParts<Page>;
  /** Who waits, and for how many of its pages. */
  readonly #readers: Map<Reading<Page>, number> = new Map();
  /** What its load runs as. */
  readonly #activity: Activity = new Activity(this);
  #controller: AbortController | undefined = undefined;
  /** Why the signal has fired or is to fire when it is asked for; set when the run is given up. */
  #reason: { readonly error: unknown } | undefined = undefined;

  constructor(pager: PagerParts<Page>, first: number, count: number, token: Seq) {
    this.#pager = pager;
    this.first = first;
    this.count = count;
    this.token = token;
    this.since = pager.settings.clock.now();
    for (let index = first; index < first + count; index++) pager.loading.set(index, this);
  }

  // --- readers

  /** One more page for this read. The page must be loading here. */
  join(read: Reading<Page>): void {
    const before = this.#readers.get(read) ?? 0;
    this.#readers.set(read, before + 1);
    if (before === 0 && read.isAwaited) this.#note('joined', read);
  }

  /** The read is over, and wants none of the pages any more. */
  leave(read: Reading<Page>, reason: unknown): void {
    if (!this.#readers.delete(read)) return;
    this.#note('left', read);
    this.#giveUpIfUnwanted(reason);
  }

  *waitedForIn(): Generator<Activity> {
    for (const { inside } of this.#readers.keys()) if (inside !== undefined) yield inside;
  }

  // --- the load

  /** Calls `load`. It is never answered in the same turn, so no reader is called back while it asks. */
  start(): void {
    const { settings, stats } = this.#pager;
    stats.loads++;
    let returned: Promise<readonly Page[]>;
    this.#note('loading');
    try {
      returned = this.#activity.run(() => {
        const pages = settings.load(this.first, this.count, this.#context());
        return assimilate(pages) ?? Promise.resolve(pages as readonly Page[]);
      });
    } catch (error) {
      returned = Promise.reject(error);
    }
    this.#note('loaded');
    returned.then(
      (pages) => this.#loaded(pages),
      (error) => this.#failed(error),
    );
  }

  #context(): LoadContext {
    const run = this;
    return {
      get signal() {
        return run.#signal();
      },
      observe: (ranges) => run.#observe(ranges),
    };
  }

  #signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason.error);
    }
    return this.#controller.signal;
  }

  #observe(ranges: Ranges): void {
    if (this.over) {
      toSpans(ranges); // throws what it would have thrown in time
      return;
    }
    this.observed ??= new Observed(this.#pager, () => this.#lose(this.first, this.first + this.count));
    const seen = this.observed.add(ranges);
    for (const read of this.#readers.keys()) read.observe(seen);
    if (this.observed.collides(this.token)) this.#lose(this.first, this.first + this.count);
  }

  /** Check and installation: one turn, and nobody's code runs before the last page is in. */
  #loaded(pages: unknown): void {
    if (this.over) return;
    if (!Array.isArray(pages) || pages.length !== this.count) return this.#failed(new LoadError(this.first, this.count, pages));
    const { table } = this.#pager;
    const isFresh = this.#freshness();
    const entries: (Entry<Page> | undefined)[] = [];
    for (let i = 0; i < this.count; i++)
      entries.push(isFresh(this.first + i) ? table.install(this.first + i, pages[i], this.observed) : undefined);
    this.#close();
    for (const read of this.#readers.keys()) read.arrived(this, entries);
    this.#readers.clear();
    this.#pager.keepBudget();
  }

  /**
   * A load that was hit anywhere says nothing by failing: a torn read often does not parse, and nobody knows which page it was
   * that did not.
   */
  #failed(error: unknown): void {
    if (this.over) return;
    const wasHit = this.#pager.collides(this.first, this.count, this.token);
    this.failure = { error };
    this.#close();
    if (!wasHit) this.#pager.stats.failed++;
    for (const read of this.#readers.keys()) {
      if (wasHit) read.arrived(this, []);
      else read.failed(error);
    }
    this.#readers.clear();
  }

  /**
   * The check, for each page; if nothing has hit any of them, it was one question for all. Nothing is asked about what was
   * observed: a change there gives the whole run up in the turn in which it begins, or is found out about.
   */
  #freshness(): (index: number) => boolean {
    const { token } = this;
    const pager = this.#pager;
    if (!pager.collides(this.first, this.count, token)) return () => true;
    return (index) => !pager.collides(index, 1, token);
  }

  // --- the end

  /** Takes one page out, because a begin has hit it. {@link settleHit} must follow when all hit pages are out. */
  hit(index: number): void {
    this.#pager.loading.delete(index);
    for (const read of [...this.#readers.keys()]) {
      if (!read.lost(this, index)) continue;
      const left = this.#readers.get(read)! - 1;
      if (left > 0) this.#readers.set(read, left);
      else {
        this.#readers.delete(read);
        this.#note('left', read);
      }
    }
  }

  /** Gives the run up if a hit has left nobody who waits for it. */
  settleHit(): void {
    if (this.over || this.#readers.size > 0) return;
    this.giveUp(new CollisionError(this.collision ?? { reason: 'ended' }));
  }

  /** Nobody will get anything from it. Its load is told, if it listens; that is the last thing done here. */
  giveUp(error: unknown): void {
    if (this.over) return;
    this.failure = { error };
    this.#close();
    this.#readers.clear();
    this.#reason = { error };
    this.#pager.stats.aborted++;
    this.#controller?.abort(error);
  }

  #lose(from: number, to: number): void {
    if (this.over) return;
    for (let index = from; index < to; index++) if (this.#pager.loading.get(index) === this) this.hit(index);
    this.settleHit();
  }

  #giveUpIfUnwanted(reason: unknown): void {
    if (this.#readers.size === 0) this.giveUp(reason);
  }

  // --- for people

  get name(): string {
    return this.#pager.name(`pages [${this.first}, ${this.first + this.count}) of the mirror`);
  }

  get label(): string | undefined {
    return this.#pager.settings.label;
  }

  /** Its pages, and what it has observed. */
  get ranges(): readonly Range[] {
    return [this.#pager.rangeOf(this.first, this.count), ...(this.observed?.ranges ?? [])];
  }

  get collision(): Collision | undefined {
    const { tracker, ignore } = this.#pager.settings;
    return tracker.collision(this.ranges, this.token, { ignore });
  }

  inspect(): MirrorLoadSnapshot {
    const { first, count } = this;
    const inside = new Set([...this.waitedForIn()].filter((each) => !each.over).map((each) => String(each.work)));
    const forMs = this.#pager.settings.clock.now() - this.since;
    return { first, count, forMs, readers: this.#readers.size, waitedForBy: [...inside] };
  }

  /** For error messages. */
  toString(): string {
    return `load of ${this.name}`;
  }

  #note(name: LoadEventName, caller?: object): void {
    noteLoad(this.#pager.settings.tracker, name, this, caller);
  }

  #close(): void {
    this.over = true;
    this.#activity.finish();
    this.#note('landed');
    const { loading } = this.#pager;
    for (let index = this.first; index < this.first + this.count; index++) if (loading.get(index) === this) loading.delete(index);
    this.observed?.loaded();
  }
}
