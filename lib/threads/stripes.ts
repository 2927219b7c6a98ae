/**
 * Stripes: which parts of the line concern whom, as 24 bits: one word says it, and has room for a turn.
 *
 * Ranges that share no stripe do not overlap; ranges that share one may or may not. So stripes decide only who is looked at and who
 * is woken, never what collides.
 */
import type { Spans } from '../base/range.js';

const STRIPES = 24;
/** All of them. */
export const EVERY_STRIPE: number = 2 ** STRIPES - 1;

/** The stripes of `[start, end)`, where `grain` units of the line share one. */
export function stripesOf(start: number, end: number, grain: number): number {
  const first = Math.floor(start / grain);
  const last = Math.ceil(end / grain);
  const parts = last - first;
  if (!(parts < STRIPES)) return EVERY_STRIPE; // infinite, too, and what is too great for numbers to tell apart
  let stripe = first % STRIPES;
  if (stripe < 0) stripe += STRIPES;
  if (parts === 1) return 1 << stripe;
  let stripes = 0;
  for (let i = 0; i < parts; i++) stripes |= 1 << ((stripe + i) % STRIPES);
  return stripes;
}

/** The same for several ranges. */
export function stripesOfSpans(spans: Spans, grain: number): number {
  let stripes = 0;
  for (let i = 0; i < spans.length; i += 2) stripes |= stripesOf(spans[i]!, spans[i + 1]!, grain);
  return stripes;
}

/** How many parties there are in each stripe. */
export class StripeCounts {
  readonly #counts: Int32Array = new Int32Array(STRIPES);
  readonly #grain: number;
  /** The stripes in which there is somebody. */
  stripes = 0;

  constructor(grain: number) {
    this.#grain = grain;
  }

  /** One more (1) or one less (-1) over these spans. */
  add(spans: Spans, by: 1 | -1): void {
    const stripes = stripesOfSpans(spans, this.#grain);
    for (let i = 0; i < STRIPES; i++) {
      const bit = 1 << i;
      if ((stripes & bit) === 0) continue;
      this.#counts[i]! += by;
      if (this.#counts[i] === 0) this.stripes &= ~bit;
      else this.stripes |= bit;
    }
  }
}
