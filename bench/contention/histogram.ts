/**
 * Histogram: latencies of millions of operations in 9 kB. Bucket `i` counts the values in `[LEAST * GROWTH^i, LEAST *
 * GROWTH^(i + 1))` and stands for their geometric mean, which no value of the bucket misses by more than 1 %.
 */

/** sqrt(1.02) is 1.00995: no value is further than that from the geometric mean of its bucket's bounds. */
const GROWTH = 1.02;
/** Milliseconds: 100 ns, about what a lookup costs that waits for nothing. Whatever is less is counted as that much. */
const LEAST = 1e-4;
/** Milliseconds: 100 s, longer than any run. Whatever is more is counted in the last bucket. */
const GREATEST = 1e5;
const LOG_GROWTH = Math.log(GROWTH);
const BUCKETS = Math.ceil(Math.log(GREATEST / LEAST) / LOG_GROWTH);

/** See the top of the file. */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;

  /** Values recorded. */
  get count(): number {
    return this.#count;
  }

  /** Counts one value. */
  record(ms: number): void {
    const bucket = ms > LEAST ? Math.floor(Math.log(ms / LEAST) / LOG_GROWTH) : 0;
    this.#counts[bucket < BUCKETS ? bucket : BUCKETS - 1]!++;
    this.#count++;
  }

  /** The value below which this share (0 to 1) of the values lies, to 1 %; NaN of none. */
  quantile(share: number): number {
    if (this.#count === 0) return Number.NaN;
    const rank = Math.min(this.#count - 1, Math.floor(this.#count * share));
    let bucket = 0;
    for (let passed = this.#counts[0]!; passed <= rank; passed += this.#counts[bucket]!) bucket++;
    return LEAST * GROWTH ** (bucket + 0.5);
  }
}
