/**
 * Vocabulary: the words of the contract, as types. Nothing here knows a tracker, or does anything.
 */

/** A half-open range: `start` belongs to it, `end` does not. The unit is the space's own. */
export interface Range {
  /** The first number of the range; `-Infinity` means "from the beginning". */
  readonly start: number;
  /** The first number after the range, greater than `start`; `Infinity` means "to the end". */
  readonly end: number;
}

/** One range, or a list of at least one. The order does not matter, overlapping ones count once. */
export type Ranges = Range | readonly Range[];

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
   * - `lapsed`: the process has lost contact with those who share the space ({@link RangeTracker.lapsed}), so nobody knows;
   * - `closed`: the tracker (or the subscription) is closed.
   */
  readonly reason: 'active' | 'ended' | 'history-lost' | 'lapsed' | 'closed';
  /** The part of the lookup's own range that was hit. */
  readonly range?: Range;
  /** The same in the words of a driver whose ranges stand for something else (`key "a"`); absent where ranges are ranges. */
  readonly where?: string;
  /** The kind of the invalidation. */
  readonly kind?: string;
  /** The label of the invalidation, if it has one. */
  readonly label?: string;
  /** The invalidation's begin if it is active, its end if it has ended. */
  readonly seq?: Seq;
}

/** What is known of an invalidation when a filter decides about it; nothing in it ever changes. */
export interface InvalidationInfo {
  /** What sort of change; a word of the space's own vocabulary. */
  readonly kind: string;
  /** Who changes, compared by identity; `undefined` if it was not said. */
  readonly owner: unknown;
  /** A name for people; `undefined` if it was not said. */
  readonly label: string | undefined;
}

/** A filter: true for invalidations that do not concern this reader or subscriber. Must be pure, and must not throw. */
export type Ignore = (invalidation: InvalidationInfo) => boolean;

/** The default vocabulary is the kernel's; a space may use any words. */
export type InvalidationKind =
  | 'unmap'
  | 'clear'
  | 'protection-vma'
  | 'protection-page'
  | 'soft-dirty'
  | 'release'
  | 'migrate'
  | 'exclusive'
  | (string & {});

/** A reader as observers and snapshots see it. */
export interface ReaderInfo {
  /** Unique within the tracker, ascending. */
  readonly id: number;
  /** A bare `readBegin`, or a `lookup`. */
  readonly operation: 'readBegin' | 'lookup';
  /** The lookup's label, if it has one. */
  readonly label: string | undefined;
  /** What it reads, as far as is known: sorted, merged, frozen. */
  readonly ranges: readonly Range[];
}

/** A subscription as observers and snapshots see it: by identity the same object that {@link RangeTracker.subscribe} returned. */
export interface SubscriptionInfo {
  /** What it covers: sorted, merged, frozen. */
  readonly ranges: readonly Range[];
  /** Its name, if it has one. */
  readonly label: string | undefined;
  /** True after `close()`, or after the tracker was closed. */
  readonly closed: boolean;
}

/** A load that several callers wait for together, in a driver (a mirror, a fenced cache). */
export interface LoadInfo {
  /** What is loaded, for people. */
  readonly name: string;
  /** What it reads of the tracker's line, where it is no lookup there: the pages of a mirror. */
  readonly ranges?: readonly Range[] | undefined;
  /** The driver's label, where it has ranges. */
  readonly label?: string | undefined;
  /** Where it has ranges, once it has landed: what has hit it; `undefined` if nothing has. */
  readonly collision?: Collision | undefined;
  /** Where it has ranges, once it has landed: what it failed with, or was given up for. */
  readonly failure?:
    | {
        /** As it was thrown. */
        readonly error: unknown;
      }
    | undefined;
}
