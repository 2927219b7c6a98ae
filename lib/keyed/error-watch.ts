/**
 * ErrorWatch: deletes that fail in silence.
 *
 * A change may proceed only if the old entries are gone. Keyv, unless it is told otherwise (`throwOnErrors`), reports the failure of
 * its store as an event, and resolves as if all were well; and so do the packages that keep their entries in Keyv, in each of their
 * tiers. So while entries are being deleted, the error events of every such Keyv in the cache are listened to, and one that comes
 * is taken for an error of each delete that is running. The event does not say of which key it is. That is careful: it may stop a
 * change for an error of something else, and it never lets one pass.
 */

type Listener = (error: unknown) => void;

/** What is used of a Keyv. */
interface Keyv {
  readonly throwOnErrors: boolean;
  on(event: 'error', listener: Listener): unknown;
  off(event: 'error', listener: Listener): unknown;
}

/** Where the packages that are known keep theirs. */
interface Tiers {
  readonly primary?: unknown;
  readonly secondary?: unknown;
  readonly stores?: unknown;
}

/** The silent ones among the Keyv instances of one cache, while something is deleted. */
export class ErrorWatch {
  readonly #cache: Tiers;
  /** Deletes that are running, each with what was reported since it began. */
  readonly #running: Set<unknown[]> = new Set();
  /** Listened to exactly while something is running: at most one listener each, so that nobody warns of a leak. */
  readonly #watched: Set<Keyv> = new Set();
  readonly #report: Listener = (error) => {
    for (const errors of this.#running) errors.push(error);
  };

  /** Nothing is listened to until something is deleted. */
  constructor(cache: object) {
    this.#cache = cache;
  }

  /** Runs a delete, and fails with what it fails with, or with what was reported meanwhile. Free for a cache without Keyv. */
  during(operation: () => void | Promise<void>): void | Promise<void> {
    const silent = silentIn(this.#cache); // looked for each time: tiers and settings may be changed
    return silent.length === 0 ? operation() : this.#watch(silent, operation);
  }

  async #watch(silent: readonly Keyv[], operation: () => void | Promise<void>): Promise<void> {
    for (const keyv of silent) {
      if (this.#watched.has(keyv)) continue;
      this.#watched.add(keyv);
      keyv.on('error', this.#report);
    }
    const errors: unknown[] = [];
    this.#running.add(errors);
    try {
      await operation();
    } finally {
      this.#running.delete(errors);
      if (this.#running.size === 0) {
        for (const keyv of this.#watched) keyv.off('error', this.#report);
        this.#watched.clear();
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}

function silentIn(cache: Tiers): Keyv[] {
  if (isSilent(cache)) return [cache];
  const { primary, secondary, stores } = cache;
  return [primary, secondary, ...(Array.isArray(stores) ? stores : [])].filter(isSilent);
}

/** A Keyv, by its shape, that does not throw. */
function isSilent(value: unknown): value is Keyv {
  if (typeof value !== 'object' || value === null) return false;
  const { throwOnErrors, on, off } = value as Partial<Keyv>;
  return throwOnErrors === false && typeof on === 'function' && typeof off === 'function';
}
