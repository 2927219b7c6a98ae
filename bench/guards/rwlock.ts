/**
 * One coarse reader/writer lock around everything: npm's `rwlock`, the fastest fair one that was found. Readers share it,
 * writers exclude everybody; who waits goes first come, first served.
 *
 * Wrapped as well as it can be: one promise for each section, no async function around it, a free lock is entered at once.
 */
import ReadWriteLock from 'rwlock';
import type { Range } from '../../lib/index.js';
import { type Drop, Drops } from './drops.js';
import type { Fetch, Guard, GuardCounts } from './guard.js';

/** See the top of the file. */
export class RwlockGuard implements Guard {
  readonly name = 'rwlock';
  readonly #lock = new ReadWriteLock();
  readonly #drops = new Drops();
  #waits = 0;

  get counts(): GuardCounts {
    return { retries: 0, waits: this.#waits };
  }

  read<T, R = T>(_range: Range, fetch: Fetch<T>, install?: (value: T) => R): Promise<R> {
    return new Promise((resolve, reject) => {
      let waits = true;
      this.#lock.readLock((release) => {
        waits = false;
        finish(fetch, { release, install: install as (value: T) => R, resolve, reject });
      });
      if (waits) this.#waits++;
    });
  }

  mutate(range: Range, change: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      let waits = true;
      this.#lock.writeLock((release) => {
        waits = false;
        // Inside the section, so that nothing derived outlives the content; nobody can derive anything until the release.
        this.#drops.call(range);
        finish(change, { release, install: undefined, resolve, reject });
      });
      if (waits) this.#waits++;
    });
  }

  subscribe(drop: Drop, within?: Range): void {
    this.#drops.add(drop, within);
  }
}

interface Ends<T, R> {
  readonly release: () => void;
  readonly install: ((value: T) => R) | undefined;
  readonly resolve: (value: R) => void;
  readonly reject: (error: unknown) => void;
}

/** Runs one section and leaves the lock whatever happens; the value is installed before anybody else gets in. */
function finish<T, R>(section: Fetch<T>, ends: Ends<T, R>): void {
  let running: T | PromiseLike<T>;
  try {
    running = section();
    if (typeof (running as PromiseLike<T>)?.then !== 'function') {
      settle(running as T, ends);
      return;
    }
  } catch (error) {
    fail(error, ends);
    return;
  }
  (running as PromiseLike<T>).then(
    (value) => settle(value, ends),
    (error) => fail(error, ends),
  );
}

function settle<T, R>(value: T, ends: Ends<T, R>): void {
  let result: R;
  try {
    result = ends.install === undefined ? (value as unknown as R) : ends.install(value);
  } catch (error) {
    fail(error, ends);
    return;
  }
  ends.release();
  ends.resolve(result);
}

function fail<T, R>(error: unknown, ends: Ends<T, R>): void {
  ends.release();
  ends.reject(error);
}
