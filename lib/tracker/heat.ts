/**
 * Heat: the few ranges on which lookups lose most of the time.
 *
 * A lookup that begins on a hot range holds it from the start, instead of losing first. A hold costs about a third of an
 * attempt that is lost (measured, with a fetch that does nothing), and it delays begins; so it pays where clearly more
 * than one attempt in three would be lost. For each watched range the share of attempts that were disturbed is kept as a
 * moving average: an attempt that was hit counts as disturbed, and one that held if somebody had to wait for it.
 */
import type { Spans } from '../base/range.js';

/** The share of disturbed attempts from which on a range is hot: a little more than one in three. */
const HOT = 0.4;
/**
 * The weight of one attempt. One section disturbs all lookups that are in flight over its range, often a dozen; the
 * average must not take one such burst for a habit, and should learn a real one within a few.
 */
const WEIGHT = 1 / 64;
/** Below this share a range is no longer watched: it was disturbed once, a few dozen attempts ago. */
const COLD = WEIGHT / 2;
/** Ranges watched at most. While there are any, each lookup looks at them once or twice: 8 cost about 10 ns. */
const MOST = 8;

/** See the top of the file. Of several ranges in one lookup, the hull is watched: a guess may be coarse. */
export class Heat {
  readonly #starts = new Float64Array(MOST);
  readonly #ends = new Float64Array(MOST);
  readonly #shares = new Float64Array(MOST);
  #watched = 0;
  /** How many of them are hot: mostly none, and then there is nothing to look at. */
  #hot = 0;

  /** True if a lookup over these ranges had better hold them from the start. One comparison while nothing is hot. */
  isHot(spans: Spans): boolean {
    if (this.#hot === 0) return false;
    const at = this.#find(spans);
    return at < this.#watched && this.#shares[at]! >= HOT;
  }

  /** An attempt over these ranges was lost, or somebody had to wait because of a hold over them. */
  disturbed(spans: Spans): void {
    const at = this.#find(spans);
    if (at < this.#watched) return this.#move(at, 1);
    if (this.#watched === MOST) this.#remove(this.#coldest());
    const last = this.#watched++;
    this.#starts[last] = spans[0]!;
    this.#ends[last] = spans[spans.length - 1]!;
    this.#shares[last] = WEIGHT;
  }

  /** An attempt, or a hold, over these ranges was over before anybody came. */
  undisturbed(spans: Spans): void {
    if (this.#watched === 0) return;
    const at = this.#find(spans);
    if (at < this.#watched) this.#move(at, 0);
  }

  /** The first watched range that overlaps; `#watched` if none does. */
  #find(spans: Spans): number {
    const start = spans[0]!;
    const end = spans[spans.length - 1]!;
    let at = 0;
    while (at < this.#watched && !(this.#starts[at]! < end && this.#ends[at]! > start)) at++;
    return at;
  }

  #move(at: number, towards: 0 | 1): void {
    const before = this.#shares[at]!;
    const after = before + (towards - before) * WEIGHT;
    this.#shares[at] = after;
    this.#hot += Number(after >= HOT) - Number(before >= HOT);
    if (after < COLD) this.#remove(at);
  }

  #coldest(): number {
    let coldest = 0;
    for (let at = 1; at < this.#watched; at++) if (this.#shares[at]! < this.#shares[coldest]!) coldest = at;
    return coldest;
  }

  /** The last one takes the place. */
  #remove(at: number): void {
    if (this.#shares[at]! >= HOT) this.#hot--;
    const last = --this.#watched;
    this.#starts[at] = this.#starts[last]!;
    this.#ends[at] = this.#ends[last]!;
    this.#shares[at] = this.#shares[last]!;
  }
}
