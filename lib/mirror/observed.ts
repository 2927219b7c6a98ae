/**
 * Observed: the ranges from which one run was derived besides its own pages, wherever on the line they lie.
 *
 * A second subscription, for each `observe`, and not a tree of the mirror's own: observed ranges may lie outside of what the
 * mirror subscribes to, and the tracker's tree finds them as fast as one here would. It is made when the load says that it is
 * going to read, so a begin from then on is heard of; what was before, since the token, is asked for.
 */
import type { Range, Ranges, Seq } from '../base/vocabulary.js';
import type { Invalidation, Subscription } from '../tracker/index.js';

import type { Entry, Source } from './drops.js';
import type { PagerParts } from './parts.js';

/** See the top of the file. Subscribed until its load is over and none of its pages is left. */
export class Observed<Page> implements Source<Page> {
  readonly ranges: Range[] = [];
  readonly #pager: PagerParts<Page>;
  readonly #hit: () => void;
  readonly #subscriptions: Subscription[] = [];
  /** Pages that were installed, until they are really gone. */
  readonly #entries: Set<Entry<Page>> = new Set();
  #loading = true;

  /** `hit` is called for a change while the load is running. */
  constructor(pager: PagerParts<Page>, hit: () => void) {
    this.#pager = pager;
    this.#hit = hit;
  }

  /** Covers these, too, and returns them. Throws `InvalidRangeError`, `ClosedError`. */
  add(ranges: Ranges): readonly Range[] {
    const { tracker, ignore, label } = this.#pager.settings;
    const subscriber = { invalidate: (section: Invalidation) => this.#invalidate(section) };
    const subscription = tracker.subscribe(ranges, subscriber, { ignore, label });
    this.#subscriptions.push(subscription);
    this.ranges.push(...subscription.ranges);
    return subscription.ranges;
  }

  installed(entry: Entry<Page>): void {
    this.#entries.add(entry);
  }

  gone(entry: Entry<Page>): void {
    this.#entries.delete(entry);
    this.#closeIfUnused();
  }

  /** True if what was read from these ranges since `token` must not be used. */
  collides(token: Seq): boolean {
    const { tracker, ignore } = this.#pager.settings;
    return this.ranges.length > 0 && tracker.readRetry(this.ranges, token, { ignore });
  }

  /** The load is over, and its pages are in. */
  loaded(): void {
    this.#loading = false;
    this.#closeIfUnused();
  }

  #invalidate(section: Invalidation): void | PromiseLike<void> {
    if (this.#loading) this.#hit();
    return this.#pager.dropAll([...this.#entries], section);
  }

  #closeIfUnused(): void {
    if (this.#loading || this.#entries.size > 0) return;
    for (const subscription of this.#subscriptions.splice(0)) subscription.close();
  }
}
