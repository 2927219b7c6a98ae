/**
 * No guard: the steps of the coarse lock without the lock. What was derived is dropped, then the content changes, and reads
 * go ahead all the while.
 *
 * Reads that overlap the change see half of it, and derive from it; what they install after the drop nobody drops again.
 * Dropping after the change instead is no cure: until then old state is served, and a read that was under way when the change
 * ended installs after the drop, too. No order of two steps makes up for not knowing who is reading.
 */
import type { Range } from '../../lib/index.js';
import { type Drop, Drops } from './drops.js';
import type { Fetch, Guard, GuardCounts } from './guard.js';

/** See the top of the file. */
export class NoGuard implements Guard {
  readonly name = 'none';
  readonly #drops = new Drops();

  get counts(): GuardCounts {
    return { retries: 0, waits: 0 };
  }

  async read<T, R = T>(_range: Range, fetch: Fetch<T>, install?: (value: T) => R): Promise<R> {
    const value = await fetch();
    return install === undefined ? (value as unknown as R) : install(value);
  }

  mutate(range: Range, change: () => Promise<void>): Promise<void> {
    this.#drops.call(range);
    return change();
  }

  subscribe(drop: Drop, within?: Range): void {
    this.#drops.add(drop, within);
  }
}
