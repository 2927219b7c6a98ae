/**
 * The second coarse lock: `@rocicorp/lock`, promises throughout. First come, first served, too.
 */
import { RWLock } from '@rocicorp/lock';
import type { Range } from '../../lib/index.js';
import { type Drop, Drops } from './drops.js';
import type { Fetch, Guard, GuardCounts } from './guard.js';

/** See the top of the file. */
export class RocicorpGuard implements Guard {
  readonly name = '@rocicorp/lock';
  readonly #lock = new RWLock();
  readonly #drops = new Drops();

  /** This lock does not tell who waits. */
  get counts(): GuardCounts {
    return { retries: 0, waits: 0 };
  }

  async read<T, R = T>(_range: Range, fetch: Fetch<T>, install?: (value: T) => R): Promise<R> {
    const release = await this.#lock.read();
    try {
      const value = await fetch();
      return install === undefined ? (value as unknown as R) : install(value);
    } finally {
      release();
    }
  }

  async mutate(range: Range, change: () => Promise<void>): Promise<void> {
    const release = await this.#lock.write();
    try {
      this.#drops.call(range);
      await change();
    } finally {
      release();
    }
  }

  subscribe(drop: Drop, within?: Range): void {
    this.#drops.add(drop, within);
  }
}
