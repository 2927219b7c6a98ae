/**
 * Collision: why a lookup must not use what it read.
 */
import type { Range } from './range.js';

/**
 * A value of the space's event counter: +1 at every begin and at every end of an invalidation, only ever forward.
 * A plain safe integer at run time; opaque in types, because the only things to do with one are to keep it and to
 * give it back to the tracker it came from.
 */
export type Seq = number & {
  /** Exists in types only: keeps other numbers from passing for a token. */
  readonly [seqBrand]: 'Seq';
};
declare const seqBrand: unique symbol;

/** Why a lookup collided, as precisely as the tracker still knows. */
export interface Collision {
  /**
   * - `active`: an overlapping invalidation has begun and not ended;
   * - `ended`: an overlapping invalidation ended after the token was taken;
   * - `history-lost`: the token is older than the tracker's memory, which counts as a collision;
   * - `closed`: the tracker (or the subscription) is closed.
   */
  readonly reason: 'active' | 'ended' | 'history-lost' | 'closed';
  /** The part of the lookup's own range that was hit. */
  readonly range?: Range;
  /** The kind of the invalidation. */
  readonly kind?: string;
  /** The label of the invalidation, if it has one. */
  readonly label?: string;
  /** The invalidation's begin if it is active, its end if it has ended. */
  readonly seq?: Seq;
}
