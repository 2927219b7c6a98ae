/**
 * Random: seeded numbers, so that every guard gets the same load and a run can be repeated.
 */

/** Marsaglia's xorshift32: quick, and good enough to pick pages with. */
export class Random {
  #state: number;

  /** Equal seeds give equal sequences; the parts of a seed are mixed, so `[1, 2]` and `[2, 1]` differ. */
  constructor(...seed: readonly number[]) {
    let state = 0x9e3779b9;
    for (const part of seed) state = Math.imul(state ^ part, 0x85ebca6b) ^ (state >>> 13);
    this.#state = state | 1; // zero would stay zero
    for (let i = 0; i < 8; i++) this.next(); // near seeds drift apart
  }

  /** In `[0, 1)`. */
  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) / 2 ** 32;
  }

  /** A whole number in `[0, limit)`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }
}
