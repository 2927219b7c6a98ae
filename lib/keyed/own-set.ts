/**
 * OwnSet: the mark of a set by hand.
 */
import type { Slot } from './slot.js';

/** A set by hand. It marks its section, so that the subscriber leaves the entry to the cache's own `set`, which replaces it. */
export class OwnSet<K> {
  readonly cache: object;
  readonly key: K;
  /** Set once its section has begun. */
  slot: Slot<K> | undefined = undefined;

  constructor(cache: object, key: K) {
    this.cache = cache;
    this.key = key;
  }
}
