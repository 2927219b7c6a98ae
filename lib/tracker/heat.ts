/**
 * Heat: the few ranges on which lookups lose most of the time, and whether they do so everywhere.
 *
 * A lookup that begins on a hot range holds it from the start, instead of losing first. A hold costs about a third of an
 * attempt that is lost (measured, with a fetch that does nothing), and it delays begins; so it pays where clearly more
 * than one attempt in three would be lost. For each watched range the share of attempts that were disturbed is kept as a
 * moving average: an attempt that was hit counts as disturbed, and one that held if a begin queued while it had its turn.
 * One that had to wait for a section has lost nothing.
 *
 * Where a fetch takes many sections, an attempt that is lost costs far more than a begin that waits, and one in ten is enough.
 * How long a fetch is, in sections, is known without a clock (`lost`). That is kept for the whole space, not
 * range by range: such loads are spread over more ranges than are watched.
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
/** A fetch of so many sections is long. */
const LONG = 4;
/** The share of lost attempts from which on long fetches hold from the start, wherever they read. */
const HOT_IF_LONG = 0.1;
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
  /** The share of attempts that were disturbed, wherever; 0 again when it is next to nothing. */
  #everywhere = 0;
  /** How many sections the attempts took that were lost, on average. */
  #length = 0;
  /** How many sections are active when one has begun, on average. */
  #active = 1;

  /** True if a lookup over these ranges had better hold them from the start. One comparison while nothing is hot. */
  isHot(spans: Spans): boolean {
    if (this.#everywhere >= HOT_IF_LONG && this.#length >= LONG) return true;
    if (this.#hot === 0) return false;
    const at = this.#find(spans);
    return at < this.#watched && this.#shares[at]! >= HOT;
  }

  /** A section begins, and so many are active now. */
  begun(active: number): void {
    this.#active += (active - this.#active) * WEIGHT;
  }

  /**
   * An attempt over these ranges was lost. The counter moves twice for each section: `events`, and the number of sections that are
   * active side by side, tell how many the attempt has taken, had they come one after the other. On average: where all are of the same
   * length they end together, and at this moment nothing may be active.
   */
  lost(spans: Spans, events: number): void {
    const sections = events / (2 * this.#active);
    this.#spread(1, WEIGHT);
    this.#length += (sections - this.#length) * WEIGHT;
    this.#disturbed(spans, WEIGHT);
  }

  /** A hold over these ranges is over, which `lookups` have shared; `contested` if a begin has waited for it. */
  held(spans: Spans, contested: boolean, lookups: number): void {
    const weight = lookups === 1 ? WEIGHT : 1 - (1 - WEIGHT) ** lookups;
    if (this.#everywhere > 0) this.#spread(contested ? 1 : 0, weight);
    if (contested) this.#disturbed(spans, weight);
    else this.#undisturbed(spans, weight);
  }

  #disturbed(spans: Spans, weight: number): void {
    const at = this.#find(spans);
    if (at < this.#watched) return this.#move(at, 1, weight);
    if (this.#watched === MOST) this.#remove(this.#coldest());
    const last = this.#watched++;
    this.#starts[last] = spans[0]!;
    this.#ends[last] = spans[spans.length - 1]!;
    this.#shares[last] = WEIGHT;
  }

  /** An attempt over these ranges was over before anybody came. */
  undisturbed(spans: Spans): void {
    if (this.#everywhere > 0) this.#spread(0, WEIGHT);
    this.#undisturbed(spans, WEIGHT);
  }

  #spread(towards: 0 | 1, weight: number): void {
    const after = this.#everywhere + (towards - this.#everywhere) * weight;
    this.#everywhere = after < COLD ? 0 : after;
  }

  #undisturbed(spans: Spans, weight: number): void {
    if (this.#watched === 0) return;
    const at = this.#find(spans);
    if (at < this.#watched) this.#move(at, 0, weight);
  }

  /** The first watched range that overlaps; `#watched` if none does. */
  #find(spans: Spans): number {
    const start = spans[0]!;
    const end = spans[spans.length - 1]!;
    let at = 0;
    while (at < this.#watched && !(this.#starts[at]! < end && this.#ends[at]! > start)) at++;
    return at;
  }

  #move(at: number, towards: 0 | 1, weight: number): void {
    const before = this.#shares[at]!;
    const after = before + (towards - before) * weight;
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
