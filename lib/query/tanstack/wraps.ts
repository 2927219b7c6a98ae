/**
 * Wraps: functions of the user's, each with one of ours around it. The same for the same, since TanStack compares options.
 */

/** See the top of the file. */
export class Wraps<T extends object> {
  readonly #ours: WeakMap<T, T> = new WeakMap();
  readonly #theirs: WeakMap<T, T> = new WeakMap();

  /** Ours around theirs, made at most once. What is ours already stays as it is. */
  around(theirs: T, make: () => T): T {
    if (this.#theirs.has(theirs)) return theirs;
    let ours = this.#ours.get(theirs);
    if (ours === undefined) {
      ours = make();
      this.#ours.set(theirs, ours);
      this.#theirs.set(ours, theirs);
    }
    return ours;
  }

  /** Theirs inside ours; anything else as it is. */
  inside(given: T): T {
    return this.#theirs.get(given) ?? given;
  }

  /** True for what is ours. */
  has(given: T): boolean {
    return this.#theirs.has(given);
  }
}
