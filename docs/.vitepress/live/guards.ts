/**
 * Guards: three ways to keep lookups and changes apart. Each gets the same lookups and the same changes.
 */

import ReadWriteLock from 'rwlock';
import type { Range, RangeTracker } from '../../../lib/index.js';

/** Reads a range; what it resolves to is what it has found. It may be called again, and told to leave off. */
export type Read = (signal?: AbortSignal) => Promise<readonly number[]>;

/** What a lane has in common for all its lookups and changes. */
export interface Guard {
  /** Reads, and keeps what was read. */
  lookup(range: Range, read: Read, keep: (found: readonly number[]) => void): Promise<void>;
  /** Resolves as soon as the range may be changed, to what ends the change. */
  begin(range: Range): Promise<() => void>;
}

/** None: everybody does what he likes. */
export const noGuard: Guard = {
  lookup: async (_range, read, keep) => keep(await read()),
  begin: async () => () => {},
};

/** One reader/writer lock for the whole line, first come first served: the package `rwlock`. */
export function oneLock(): Guard {
  const lock = new ReadWriteLock();
  let holders = 0;
  let held: Promise<() => void> | undefined;
  return {
    lookup: (_range, read, keep) =>
      new Promise((resolve, reject) => {
        lock.readLock((release) => void read().then(keep).then(resolve, reject).finally(release));
      }),
    async begin() {
      // Changes that go on at the same time are those of one hand, and share the lock.
      held ??= new Promise((resolve) => lock.writeLock((release) => resolve(release)));
      holders++;
      const release = await held;
      return () => {
        if (--holders > 0) return;
        held = undefined;
        release();
      };
    },
  };
}

/** A lookup takes a second at most, and longer where frames come late: a hold that runs out would end it. */
const HOLD_MS = 5_000;

/** The package of this site. */
export function fenced(tracker: RangeTracker): Guard {
  return {
    async lookup(ranges, read, commit) {
      await tracker.lookup(ranges, ({ signal }) => read(signal), { commit, holdMs: HOLD_MS });
    },
    async begin(range) {
      const section = await tracker.begin(range, { label: 'change' });
      return () => section.end();
    },
  };
}
