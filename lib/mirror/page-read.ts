/**
 * PageRead: one `read` that did not find everything present, or one `prefetch`.
 *
 * Algorithm note
 *
 *     step:  all slots filled, all pages still valid  -> resolved, in this turn
 *            some slot empty                          -> take what is present, join what is loading, load the rest
 *            some page lost maxAttempts times         -> wait until nothing is in flight, then the same under a lookup
 *                                                        over the whole range, which holds it
 *
 * A page that was hit empties its slot and no other. A page that is blocked by an active section is waited for, by a lookup
 * that reads nothing: it waits fairly, and one that is overtaken again and again holds. Finding the page blocked again
 * after such a wait is a loss, too, so that every read gets through, or ends.
 *
 * `step` always runs in a turn of its own: it calls `load`, and must not do so in the middle of a begin or of somebody else's
 * installation. And it runs in the asynchronous context of its caller, whoever has woken it (home.ts). States of a slot: empty, in flight (a Run or a Wait), filled (an Entry, pinned unless it is a prefetch).
 */

import { type Activity, currentActivity, findCycle } from '../base/activity.js';
import { type Cancellation, type CancelOptions, cancelOn } from '../base/cancel.js';
import { CycleError } from '../base/errors.js';
import { type Spans, toRanges, toSpans, unite } from '../base/range.js';
import type { Range } from '../base/vocabulary.js';
import type { Attempt } from '../tracker/index.js';

import { Entry } from './drops.js';
import { Home } from './home.js';
import type { Pages } from './options.js';
import type { Loading, PagerParts, Reading } from './parts.js';

/** Pages that wait for active sections; adjacent, and every one of them was blocked. */
class Wait {
  /** One each: a signal that a hundred gaps share would be taken for a leak of listeners. */
  readonly controller = new AbortController();
}

type Slot<Page> = Entry<Page> | Loading<Page> | Wait | undefined;

/** See the top of the file. */
export class PageRead<Page> implements Reading<Page> {
  readonly first: number;
  readonly inside: Activity | undefined;
  readonly result: Promise<Page[]>;
  done = false;
  /** True if what it ended with was the error of a load, which the load has counted. */
  failedByLoad = false;
  readonly #pager: PagerParts<Page>;
  readonly #slots: Slot<Page>[];
  /** A prefetch does not: what it has installed may go at once. */
  readonly #keeps: boolean;
  /** How often each page was lost, for those that were. */
  readonly #losses: Map<number, number> = new Map();
  /** Pages that were blocked, and waited for, since they were last loaded. */
  readonly #waited: Set<number> = new Set();
  /** What its runs have observed. Waiting for that, too, spares a load that is lost. */
  #known: Spans | undefined = undefined;
  #resolve!: (pages: Page[]) => void;
  #reject!: (error: unknown) => void;
  #cancellation: Cancellation | undefined = undefined;
  /** Ends the lookup over the whole range. */
  #controller: AbortController | undefined = undefined;
  readonly #home: Home = new Home(() => this.#turnOver());
  /** Pages that it has kept in, when it has ended without a result. */
  #left: readonly Entry<Page>[] = [];
  /** True from the start of a lookup over the whole range to its end. */
  #escalated = false;
  /** The attempt of that lookup, while it runs; its end settles `#turn`. */
  #attempt: Attempt | undefined = undefined;
  #turn: (() => void) | undefined = undefined;

  constructor(pager: PagerParts<Page>, { first, count }: Pages, keeps: boolean) {
    this.#pager = pager;
    this.first = first;
    this.#slots = new Array<Slot<Page>>(count).fill(undefined);
    this.#keeps = keeps;
    this.inside = keeps ? currentActivity() : undefined; // nobody waits for a prefetch
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Asks for everything. What `load` throws is the result's, too. */
  start(options: CancelOptions | undefined): void {
    const { settings, reads, table, stats } = this.#pager;
    reads.add(this);
    for (let i = 0; i < this.#slots.length; i++) {
      if (table.has(this.first + i)) stats.hits++;
      else stats.misses++;
    }
    this.#cancellation = cancelOn(settings.clock, options, this.#pager.name('read of'), (error) => this.fail(error));
    if (!this.done) this.#request();
  }

  /** True if somebody waits for it: a prefetch is nobody's. */
  get isAwaited(): boolean {
    return this.#keeps;
  }

  // --- what runs tell

  /** What a run of this read has found out that it reads, too: most likely so will the next one, if this one is lost. */
  observe(ranges: readonly Range[]): void {
    this.#known = this.#known === undefined ? toSpans(ranges) : unite(this.#known, toSpans(ranges));
    this.#attempt?.observe(ranges);
  }

  /** A begin has hit the page. False if this read does not wait for it there. */
  lost(run: Loading<Page>, index: number): boolean {
    if (this.#slots[index - this.first] !== run) return false;
    this.#lose(index - this.first);
    this.#schedule();
    return true;
  }

  /** The run's pages; none where it was lost. */
  arrived(run: Loading<Page>, entries: readonly (Entry<Page> | undefined)[]): void {
    this.#each(run, (slot, index) => {
      const entry = entries[index - run.first];
      if (entry === undefined) this.#lose(slot);
      else this.#fill(slot, entry);
    });
    this.#schedule();
  }

  /** A run has failed, and no change is to blame. */
  failed(error: unknown): void {
    this.failedByLoad = true;
    this.fail(error);
  }

  /** The end without a result. Leaves nothing: no load that only it wanted, no wait, no listener, no pin. */
  fail(error: unknown): void {
    if (this.done) return;
    this.#reject(error);
    this.#finish({ error });
  }

  // --- steps

  #schedule(): void {
    if (!this.done) this.#home.call();
  }

  #turnOver(): void {
    if (!this.done) return this.#step();
    const left = this.#left;
    this.#left = [];
    for (const entry of left) this.#pager.unpin(entry);
  }

  #step(): void {
    const { missing, flying } = this.#survey();
    if (this.#turn !== undefined) {
      // Under a hold the lookup decides: it sees what has hit this attempt, or commits.
      if (missing > 0 || flying === 0) this.#endTurn();
    } else if (this.#escalated) {
      // Between two attempts.
    } else if (missing === 0) {
      if (flying > 0) return;
      // What is present may be stale, and a lookup waits until that is known.
      if (this.#pager.settings.tracker.lapsed) this.#escalate();
      else this.#succeed();
    } else if (!this.#isExhausted()) this.#request();
    else if (flying === 0) this.#escalate();
  }

  /** Empties the slots whose page has been dropped meanwhile, and counts. */
  #survey(): { missing: number; flying: number } {
    let missing = 0;
    let flying = 0;
    for (let i = 0; i < this.#slots.length; i++) {
      const slot = this.#slots[i];
      if (slot instanceof Entry) {
        if (slot.valid || !this.#keeps) continue;
        this.#pager.unpin(slot);
        this.#lose(i);
        missing++;
      } else if (slot === undefined) missing++;
      else flying++;
    }
    return { missing, flying };
  }

  /** In the turn of the survey: all pages are valid now, together. */
  #succeed(): void {
    this.#resolve(this.#slots.map((slot) => (slot as Entry<Page>).page));
    this.#finish();
  }

  #isExhausted(): boolean {
    const { maxAttempts } = this.#pager.settings;
    for (const [slot, losses] of this.#losses) if (losses >= maxAttempts && this.#slots[slot] === undefined) return true;
    return false;
  }

  // --- asking

  /** Fills or starts everything that is missing. Runs `load`, so anything may have happened when it returns. */
  #request(): void {
    const slots = this.#slots;
    const { table, loading, stats, settings } = this.#pager;
    for (let i = 0; i < slots.length && !this.done; i++) {
      if (slots[i] !== undefined) continue;
      const entry = table.use(this.first + i);
      const run = loading.get(this.first + i);
      if (entry !== undefined) this.#fill(i, entry);
      else if (run !== undefined) {
        const cycle = findCycle(run, this.inside);
        if (cycle !== undefined) return this.fail(new CycleError(cycle.map(String)));
        stats.joined++;
        this.#join(i, run);
      } else {
        let end = i + 1;
        while (end < slots.length && end - i < settings.maxRunPages && this.#isUnclaimed(end)) end++;
        i = this.#load(i, end) - 1;
      }
    }
    this.#schedule();
  }

  #isUnclaimed(slot: number): boolean {
    const { table, loading } = this.#pager;
    const index = this.first + slot;
    return this.#slots[slot] === undefined && !table.has(index) && !loading.has(index);
  }

  /**
   * Loads the slots `[from, to)` as one run if nothing blocks any of them; otherwise as many of them as are free, or as are
   * blocked, and waits for these. Returns the first slot that it left alone.
   */
  #load(from: number, to: number): number {
    try {
      if (this.#run(from, to)) return to;
      const isFree = (slot: number) => this.#pager.token(this.#ranges(slot, slot + 1)) !== undefined;
      const free = isFree(from);
      let end = from + 1;
      while (end < to && isFree(end) === free) end++;
      if (!free || !this.#run(from, end)) this.#wait(from, end);
      return end;
    } catch (error) {
      this.fail(error);
      return to;
    }
  }

  /** False if a page is blocked. */
  #run(from: number, to: number): boolean {
    const token = this.#pager.token(this.#ranges(from, to));
    if (token === undefined) return false;
    const run = this.#pager.run(this.first + from, to - from, token);
    for (let slot = from; slot < to; slot++) {
      this.#waited.delete(slot);
      this.#join(slot, run);
    }
    run.start();
    return true;
  }

  #join(slot: number, run: Loading<Page>): void {
    this.#slots[slot] = run;
    run.join(this);
    if (run.observed !== undefined) this.observe(run.observed.ranges);
  }

  #wait(from: number, to: number): void {
    for (let slot = from; slot < to; slot++) {
      if (this.#waited.has(slot)) this.#countLoss(slot);
      this.#waited.add(slot);
    }
    // Under a hold nothing may wait: the lookup itself collides with what is in the way, and gets in line again. And who has
    // lost often enough holds instead.
    if (this.#turn !== undefined || this.#isExhausted()) return;
    const wait = new Wait();
    this.#slots.fill(wait, from, to);
    this.#pager.quiet(this.#ranges(from, to), wait.controller.signal).then(
      () => {
        for (let slot = from; slot < to; slot++) if (this.#slots[slot] === wait) this.#slots[slot] = undefined;
        this.#schedule();
      },
      (error) => this.fail(error),
    );
  }

  /** All that must be quiet before these slots are loaded. */
  #ranges(from: number, to: number): Range | readonly Range[] {
    const own = this.#pager.rangeOf(this.first + from, to - from);
    return this.#known === undefined ? own : [own, ...toRanges(this.#known)];
  }

  // --- the hold

  #escalate(): void {
    this.#escalated = true;
    const { holdMs, label } = this.#pager.settings;
    this.#controller ??= new AbortController();
    const { signal } = this.#controller;
    const ranges = this.#pager.rangeOf(this.first, this.#slots.length);
    // Only what hits the lookup can have hit a page, so mostly it is all there; if the memory of a run was too short, it is not.
    const commit = () => {
      const { missing, flying } = this.#survey();
      if (missing + flying === 0) this.#succeed();
    };
    this.#pager.subscription
      .lookup((attempt) => this.#requestHeld(attempt), { ranges, maxAttempts: 1, holdMs, label, signal, commit })
      .then(
        () => {
          this.#escalated = false;
          this.#schedule();
        },
        (error) => this.fail(error),
      );
  }

  /** One attempt: resolves when everything is there, or as soon as anything was lost. */
  #requestHeld(attempt: Attempt): Promise<void> {
    this.#attempt = attempt;
    if (this.#known !== undefined) attempt.observe(toRanges(this.#known));
    this.#survey();
    for (const slot of this.#slots) if (slot instanceof Entry && slot.source !== undefined) attempt.observe(slot.source.ranges);
    const turn = new Promise<void>((resolve) => {
      this.#turn = resolve;
    });
    this.#request();
    return turn;
  }

  #endTurn(): void {
    const turn = this.#turn!;
    this.#turn = undefined;
    this.#attempt = undefined;
    turn();
  }

  // --- slots

  #each(run: Loading<Page>, visit: (slot: number, index: number) => void): void {
    const from = Math.max(0, run.first - this.first);
    const to = Math.min(this.#slots.length, run.first + run.count - this.first);
    for (let slot = from; slot < to; slot++) if (this.#slots[slot] === run) visit(slot, this.first + slot);
  }

  #fill(slot: number, entry: Entry<Page>): void {
    if (this.#keeps) entry.pins++;
    this.#slots[slot] = entry;
    if (entry.source !== undefined) this.#attempt?.observe(entry.source.ranges);
  }

  #lose(slot: number): void {
    this.#slots[slot] = undefined;
    this.#countLoss(slot);
    this.#pager.stats.retriedPages++;
  }

  #countLoss(slot: number): void {
    this.#losses.set(slot, (this.#losses.get(slot) ?? 0) + 1);
  }

  /**
   * Everything that is left of it goes. Runs the code of others: abort listeners, and `onDrop` of what it kept in, which serves
   * this read and nobody else: so not in the turn of whoever ends it.
   */
  #finish(failure?: { readonly error: unknown }): void {
    this.done = true;
    this.#pager.reads.delete(this);
    this.#cancellation?.clear();
    const slots = this.#slots.splice(0);
    if (failure !== undefined) this.#controller?.abort(failure.error); // otherwise nothing waits any more
    const runs = new Set<Loading<Page>>();
    const kept: Entry<Page>[] = [];
    for (const slot of slots) {
      if (slot instanceof Entry) {
        if (this.#keeps) kept.push(slot);
      } else if (slot instanceof Wait) slot.controller.abort(failure?.error);
      else if (slot !== undefined) runs.add(slot);
    }
    for (const run of runs) run.leave(this, failure?.error);
    this.#left = kept;
    if (failure === undefined) this.#turnOver();
    else if (kept.length > 0) this.#home.call();
  }
}
