/**
 * Slots: the keys of one cache of which something is in flight; see slot.ts.
 */
import { Slot } from './slot.js';

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
    const isEmpty = slot.flight === undefined && slot.running === 0 && slot.storing === undefined && slot.setting === 0;
    if (isEmpty && this.#slots.get(slot.id) === slot) this.#slots.delete(slot.id);
  }

  /** A copy: whoever walks through it calls what changes the table. */
  list(): Slot<K>[] {
    return [...this.#slots.values()];
  }
}
