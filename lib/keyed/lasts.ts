/**
 * Lasts: the last values of keys that somebody reads with `allowStale`, for when there is no better one yet.
 *
 * Beside the cache, and never in it: what is there has gone from the cache because it changed. Only what such a reader has got is
 * kept, so nobody pays who does not ask, and of a limited number of keys: those that were read last.
 */

/** Values kept: those of a few screens full, or of what a busy server is asked for again within seconds. */
export const LAST_VALUES = 1024;

/** See the top of the file. */
export class Lasts {
  /** By what the fence knows keys by; those read last at the end. */
  readonly #values: Map<unknown, { readonly value: unknown }> = new Map();

  /** The last value of a key; `undefined` if there is none. */
  get(id: unknown): { readonly value: unknown } | undefined {
    return this.#values.get(id);
  }

  /** Somebody has got it just now. */
  keep(id: unknown, value: unknown): void {
    this.#values.delete(id);
    this.#values.set(id, { value });
    if (this.#values.size <= LAST_VALUES) return;
    for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest);
      return;
    }
  }

  clear(): void {
    this.#values.clear();
  }
}
