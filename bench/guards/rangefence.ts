/**
 * `rangefence` behind the same interface: a read is a lookup, a change is a mutation, and drops are subscriptions.
 */
import type { Invalidation, LookupOptions, Range, RangeTracker } from '../../lib/index.js';
import { type Drop, EVERYTHING } from './drops.js';
import type { Fetch, Guard, GuardCounts } from './guard.js';

/** What a lookup is given besides its `commit`. */
export type ReadOptions = Pick<LookupOptions<never>, 'maxAttempts' | 'holdMs'>;

/** See the top of the file. The tracker comes from outside: a bench may want another build of it. */
export class RangefenceGuard implements Guard {
  readonly name = 'rangefence';
  readonly #tracker: RangeTracker;
  readonly #options: ReadOptions | undefined;

  constructor(tracker: RangeTracker, options?: ReadOptions) {
    this.#tracker = tracker;
    this.#options = options;
  }

  get counts(): GuardCounts {
    const { collisions, waits, queued } = this.#tracker.stats;
    return { retries: collisions, waits: waits + queued };
  }

  read<T, R = T>(range: Range, fetch: Fetch<T>, install?: (value: T) => R, who?: string): Promise<R> {
    // The lookup passes its attempt to fetch, which takes no parameter: a wrapper would only cost a call.
    if (install === undefined) return this.#tracker.lookup(range, fetch, this.#options) as Promise<unknown> as Promise<R>;
    return this.#tracker.lookup(range, fetch, { ...this.#options, commit: install, label: who });
  }

  mutate(range: Range, change: () => Promise<void>, who?: string): Promise<void> {
    return who === undefined ? this.#tracker.mutate(range, change) : this.#tracker.mutate(range, change, { label: who });
  }

  subscribe(drop: Drop, within: Range = EVERYTHING, who?: string): void {
    const subscriber = {
      invalidate(invalidation: Invalidation) {
        for (const range of invalidation.ranges) drop(range);
      },
    };
    this.#tracker.subscribe(within, subscriber, { label: who });
  }
}
