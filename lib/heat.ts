/**
 * Heat: the few ranges on which lookups have lost lately.
 *
 * A lookup that begins on a hot range holds it from the start. That costs a third of an attempt that is lost (measured,
 * with a fetch that does nothing), so it pays where more than about one attempt in three would be lost. Each range has a
 * score that walks up by UP with every loss, and with every hold that somebody had to wait for, and down by one with
 * every attempt that nobody disturbed: upwards in the long run exactly if more than one in UP + 1 is disturbed.
 */
import type { Spans } from './range.js';

/** One in three: see above. */
const UP = 2;
/** A range is hot from here on: two losses, the default of `maxAttempts`. */
const HOT = 2 * UP;
/** No range gets hotter: what was learned in a storm is forgotten after a dozen quiet attempts. */
const HOTTEST = 4 * HOT;
/** Ranges watched at most. While there are any, each lookup looks at them once or twice: 8 cost about 10 ns. */
const MOST = 8;

/** See the top of the file. Of several ranges in one lookup, the hull is watched: a guess may be coarse. */
export class Heat {
  readonly #starts = new Float64Array(MOST);
  readonly #ends = new Float64Array(MOST);
  readonly #scores = new Int32Array(MOST);
  #watched = 0;
  /** How many of them are hot: mostly none, and then there is nothing to look at. */
  #hot = 0;

  /** True if a lookup over these ranges had better hold them from the start. One comparison while nothing is hot. */
  isHot(spans: Spans): boolean {
    if (this.#hot === 0) return false;
    const at = this.#find(spans);
    return at < this.#watched && this.#scores[at]! >= HOT;
  }

  /** An attempt over these ranges was lost, or somebody had to wait because of a hold over them. */
  disturbed(spans: Spans): void {
    const at = this.#find(spans);
    if (at < this.#watched) return this.#move(at, UP);
    if (this.#watched === MOST) this.#remove(0);
    const last = this.#watched++;
    this.#starts[last] = spans[0]!;
    this.#ends[last] = spans[spans.length - 1]!;
    this.#scores[last] = UP;
  }

  /** An attempt, or a hold, over these ranges was over before anybody came. */
  undisturbed(spans: Spans): void {
    if (this.#watched === 0) return;
    const at = this.#find(spans);
    if (at < this.#watched) this.#move(at, -1);
  }

  /** The first watched range that overlaps; `#watched` if none does. */
  #find(spans: Spans): number {
    const start = spans[0]!;
    const end = spans[spans.length - 1]!;
    let at = 0;
    while (at < this.#watched && !(this.#starts[at]! < end && this.#ends[at]! > start)) at++;
    return at;
  }

  #move(at: number, by: number): void {
    const before = this.#scores[at]!;
    const after = Math.min(before + by, HOTTEST);
    this.#scores[at] = after;
    this.#hot += Number(after >= HOT) - Number(before >= HOT);
    if (after <= 0) this.#remove(at);
  }

  /** The last one takes the place. */
  #remove(at: number): void {
    if (this.#scores[at]! >= HOT) this.#hot--;
    const last = --this.#watched;
    this.#starts[at] = this.#starts[last]!;
    this.#ends[at] = this.#ends[last]!;
    this.#scores[at] = this.#scores[last]!;
  }
}
