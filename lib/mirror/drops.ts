/**
 * Entry: one page of a mirror. Drops: the calls of `onDrop`, those that take time included.
 *
 * A page is out of use when its `onDrop` is done, and not before. So whoever begins an invalidation waits for the calls it
 * has caused, and for those of overlapping pages that left for another reason and are not done yet.
 */

import { Parked } from '../base/lot.js';
import { isThenable } from '../base/thenable.js';
import type { Range } from '../base/vocabulary.js';

/**
 * One page from its installation until its `onDrop` is done.
 *
 * States: present (`valid`), leaving (not `valid`, `leaving` set), gone. Only {@link Drops} moves it on, and never back.
 */
export class Entry<Page> extends Parked {
  readonly index: number;
  readonly page: Page;
  /** What it was derived from besides its own range; told when the page is gone. */
  readonly source: Source<Page> | undefined;
  /** Running reads that count on it. The budget lets it go only at 0. */
  pins = 0;
  valid = true;
  /** Settles when its `onDrop` has, and never rejects twice: see {@link Drops}. */
  leaving: Promise<void> | undefined = undefined;
  /** True once a begin waits for `leaving`, and so gets its error. */
  awaited = false;

  constructor(index: number, page: Page, source: Source<Page> | undefined) {
    super();
    this.index = index;
    this.page = page;
    this.source = source;
  }
}

/** Where pages stem from; it wants to know when the last of them is gone. */
export interface Source<Page> {
  readonly ranges: readonly Range[];
  installed(entry: Entry<Page>): void;
  gone(entry: Entry<Page>): void;
}

/** See the top of the file. */
export class Drops<Page> {
  /** Pages whose `onDrop` is not done. */
  readonly running: Set<Entry<Page>> = new Set();
  readonly #onDrop: ((page: Page, index: number) => void | PromiseLike<void>) | undefined;
  readonly #idle: () => void;

  /** `idle` is called whenever the last running call is done. */
  constructor(onDrop: ((page: Page, index: number) => void | PromiseLike<void>) | undefined, idle: () => void) {
    this.#onDrop = onDrop;
    this.#idle = idle;
  }

  /** Drops a page that no begin waits for. What its `onDrop` throws is reported by the host as an uncaught exception. */
  release(entry: Entry<Page>): void {
    try {
      this.#start(entry);
    } catch (error) {
      report(error);
    }
  }

  /**
   * Drops pages that a begin has hit, and waits for `others`, too. Returns what a subscriber must answer; throws if it
   * cannot confirm. Every `onDrop` is called, whatever the others do.
   */
  answer(hit: readonly Entry<Page>[], others: readonly Entry<Page>[], mayWait: boolean): void | Promise<void> {
    const errors: unknown[] = [];
    for (const entry of hit) {
      try {
        this.#start(entry);
      } catch (error) {
        errors.push(error);
      }
    }
    const pending = [...others, ...hit].filter((entry) => entry.leaving !== undefined);
    if (pending.length === 0 || (errors.length > 0 && !mayWait)) return raise(errors);
    if (mayWait) for (const entry of pending) entry.awaited = true;
    return Promise.allSettled(pending.map((entry) => entry.leaving)).then((outcomes) => {
      for (const outcome of outcomes) if (outcome.status === 'rejected') errors.push(outcome.reason);
      raise(errors);
    });
  }

  #start(entry: Entry<Page>): void {
    entry.valid = false;
    let returned: unknown;
    try {
      returned = this.#onDrop?.(entry.page, entry.index);
    } catch (error) {
      entry.source?.gone(entry);
      throw error;
    }
    if (!isThenable(returned)) {
      entry.source?.gone(entry);
      return;
    }
    this.running.add(entry);
    entry.leaving = Promise.resolve(returned as PromiseLike<void>).finally(() => this.#finish(entry));
    entry.leaving.catch((error) => {
      if (!entry.awaited) report(error);
    });
  }

  #finish(entry: Entry<Page>): void {
    this.running.delete(entry);
    entry.source?.gone(entry);
    if (this.running.size === 0) this.#idle();
  }
}

/** One error as it is, several as one. */
function raise(errors: readonly unknown[]): void {
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} pages could not be dropped`);
}

/** Nobody here can act on it, and nobody who waits may miss it: the host says it, as it does for an event listener. */
function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
