/**
 * Slots: what is in flight about each key of one cache: the read that callers share, the value that is being stored, and how
 * many of the cache's own operations have been started and are not done.
 *
 * Operations are counted because an invalidation has to wait for them before it deletes. A `set` that was started with the old
 * value would bring it back after the delete; and so would a `get`, in a cache of two tiers that copies upwards what it finds.
 *
 *     load of a                       writer of a
 *     checked: fresh
 *     cache.set(a, old) starts
 *                                     begin: waits for the set, then deletes
 *     the set is done                 -> the delete starts; the begin resolves when it is done
 */
import type { Flight } from './flight.js';

/** See the top of the file. In the table exactly while any of its parts is set. */
export class Slot<K> {
  readonly key: K;
  readonly id: unknown;
  /** The read that new callers join. */
  flight: Flight<K> | undefined = undefined;
  /** What is being stored, as long as nothing has hit it: a hit, although the cache does not have it yet. */
  storing: { readonly value: unknown } | undefined = undefined;
  /** Operations of the cache on this key that have been started and are not done. */
  running = 0;
  private waiting: (() => void)[] | undefined = undefined;

  constructor(key: K, id: unknown) {
    this.key = key;
    this.id = id;
  }

  /** Resolves when no operation is running any more. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting ??= [];
      this.waiting.push(resolve);
    });
  }

  /** One operation is done. */
  done(): void {
    if (--this.running > 0 || this.waiting === undefined) return;
    const { waiting } = this;
    this.waiting = undefined;
    for (const resolve of waiting) resolve();
  }
}

/** See the top of the file. */
export class Slots<K> {
  readonly #slots: Map<unknown, Slot<K>> = new Map();
  readonly #identify: (key: K) => unknown;

  constructor(identify: (key: K) => unknown) {
    this.#identify = identify;
  }

  get size(): number {
    return this.#slots.size;
  }

  /** What is in flight about the key; undefined if nothing is. */
  find(key: K): Slot<K> | undefined {
    return this.#slots.size === 0 ? undefined : this.#slots.get(this.#identify(key));
  }

  /** The same, made if there is none. {@link settle} must follow once something about it is over. */
  open(key: K): Slot<K> {
    const id = this.#identify(key);
    let slot = this.#slots.get(id);
    if (slot === undefined) {
      slot = new Slot(key, id);
      this.#slots.set(id, slot);
    }
    return slot;
  }

  /** Forgets the slot if nothing is in flight there. */
  settle(slot: Slot<K>): void {
    const isEmpty = slot.flight === undefined && slot.running === 0 && slot.storing === undefined;
    if (isEmpty && this.#slots.get(slot.id) === slot) this.#slots.delete(slot.id);
  }

  /** A copy: whoever walks through it calls what changes the table. */
  list(): Slot<K>[] {
    return [...this.#slots.values()];
  }
}
