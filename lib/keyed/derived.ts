/**
 * Derived: which keys' entries were made from which other keys, as their loads have said by `observe`.
 *
 * Kept beside the caches, since an entry says nothing about itself: from the turn in which a value is stored until a section over
 * its key has begun, for then every cache has dropped it. So the table of keys is still empty when nothing is in flight, and this
 * one holds the keys of entries whose loads have observed something, a limited number: the fence invalidates the oldest
 * when there is one more. An entry that its cache has evicted is in it until then; that costs memory and no truth.
 *
 * A section over a key is one over all that is derived from it, and from that, and so on. It is begun as one, so lookups,
 * subscribers and readers of derived keys see it as any other.
 */

/**
 * Keys kept, for each section that the fence remembers: 65,536 with the default capacity, at about 300 bytes for each. More derived
 * entries than that are dropped early, never late.
 */
export const DERIVED_A_SECTION = 16;

/** A key, and what it is known by. */
export interface Identified<K> {
  readonly key: K;
  readonly id: unknown;
}

interface Origin<K> extends Identified<K> {
  /** Those that were derived from it, by their ids. */
  readonly results: Map<unknown, Result<K>>;
}

interface Result<K> extends Identified<K> {
  readonly origins: Set<Origin<K>>;
  /** A cache may have kept its entry although a section over the key has begun: its filter may have ignored that. */
  sticky: boolean;
}

/** See the top of the file. */
export class Derived<K> {
  readonly #origins: Map<unknown, Origin<K>> = new Map();
  /** Oldest first. */
  readonly #results: Map<unknown, Result<K>> = new Map();
  /** Those among them that may have been derived from any key. */
  readonly #fromAny: Set<Result<K>> = new Set();

  /** Derived keys in it. */
  get size(): number {
    return this.#results.size;
  }

  /** The one that was added first. */
  get oldest(): K | undefined {
    for (const { key } of this.#results.values()) return key;
    return undefined;
  }

  /**
   * The entry of a key was derived from others, or (`undefined`) from nobody can say which. Adds to what is known: another cache
   * may have an entry of the same key.
   */
  add({ key, id }: Identified<K>, origins: readonly Identified<K>[] | undefined, sticky: boolean): void {
    let result = this.#results.get(id);
    if (result === undefined) {
      result = { key, id, origins: new Set(), sticky };
      this.#results.set(id, result);
    }
    result.sticky ||= sticky;
    if (origins === undefined) this.#fromAny.add(result);
    for (const each of origins ?? []) {
      let origin = this.#origins.get(each.id);
      if (origin === undefined) {
        origin = { ...each, results: new Map() };
        this.#origins.set(each.id, origin);
      }
      origin.results.set(id, result);
      result.origins.add(origin);
    }
  }

  /** The entry is gone. */
  delete(id: unknown): void {
    const result = this.#results.get(id);
    if (result === undefined || result.sticky) return;
    this.#results.delete(id);
    this.#fromAny.delete(result);
    for (const origin of result.origins) {
      origin.results.delete(id);
      if (origin.results.size === 0) this.#origins.delete(origin.id);
    }
  }

  /** All entries are gone. */
  clear(): void {
    for (const id of [...this.#results.keys()]) this.delete(id);
  }

  /** What is derived from these keys, however indirectly; without those that are given. */
  from(keys: readonly Identified<K>[]): Identified<K>[] {
    if (keys.length === 0) return [];
    const found = new Map<unknown, Identified<K>>(keys.map((key) => [key.id, key]));
    for (const each of this.#fromAny) if (!found.has(each.id)) found.set(each.id, each);
    for (const id of found.keys()) {
      for (const each of this.#origins.get(id)?.results.values() ?? []) if (!found.has(each.id)) found.set(each.id, each);
    }
    for (const { id } of keys) found.delete(id);
    return [...found.values()];
  }

  /** What is derived from keys that match, however indirectly. */
  matching(condition: (key: K) => boolean): Identified<K>[] {
    const origins = [...this.#origins.values()].filter(({ key }) => condition(key));
    const found = new Map<unknown, Identified<K>>([...this.#fromAny, ...this.from(origins)].map((each) => [each.id, each]));
    for (const each of this.from([...found.values()])) found.set(each.id, each);
    return [...found.values()];
  }
}
