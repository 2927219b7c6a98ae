/**
 * Invalidation: what users and subscribers see of a section, and how one is begun.
 */
import { CANCEL_NAMES, type CancelOptions } from '../base/cancel.js';
import type { DisposableHandle } from '../base/dispose.js';
import { type Names, names } from '../base/options.js';
import type { Ignore, InvalidationInfo, InvalidationKind, Range, Seq } from '../base/vocabulary.js';

/** The kind of an invalidation that names none: the content changes. */
export const DEFAULT_KIND = 'clear';

/** True unless the filter says it may be ignored. A filter that throws has not said so: the careful answer stands. */
export function concerns(ignore: Ignore | undefined, info: InvalidationInfo): boolean {
  try {
    return ignore === undefined || !ignore(info);
  } catch {
    return true;
  }
}

/** A running (or ended) invalidation, as its owner and the subscribers see it. */
export interface Invalidation extends InvalidationInfo, DisposableHandle {
  /** The ranges that change: sorted, merged, frozen. */
  readonly ranges: readonly Range[];
  /** The space's counter at the begin. */
  readonly beginSeq: Seq;
  /** True if a subscriber may take its time (return a promise); false if it must comply at once or refuse. */
  readonly blockable: boolean;
  /** True from the begin to the end. */
  readonly active: boolean;
  /** The section it was declared to be nested in. */
  readonly within: Invalidation | undefined;
  /**
   * Fires when the section no longer excludes anybody, although it has not ended: a process that shares the space with others has lost
   * contact with them. What is written after that may overwrite theirs. Never fired by the tracker itself. Made when it is asked for.
   */
  readonly signal: AbortSignal;
  /** Ends the section: the content is stable again, overlapping waiters wake. A second call does nothing. O(log n). */
  end(): void;
}

/** How to begin. The bounds end the wait for holds and for subscribers; they are not read after the begin. */
export interface BeginOptions extends CancelOptions {
  /** A word of the space's vocabulary; default `'clear'`. */
  kind?: InvalidationKind | undefined;
  /** Who changes; filters compare it by identity. Kept until the tracker's history forgets the section. */
  owner?: unknown;
  /** A name for error messages, snapshots and observers. */
  label?: string | undefined;
  /**
   * The running section that this one is nested in. A nested begin never queues behind a held lookup, which may
   * itself be waiting for the outer section. The outer one must still be active.
   */
  within?: Invalidation | undefined;
  /**
   * True for a begin that queues behind no held lookup, as if it were nested: the hold is hit, and gets in line again. For what has
   * begun elsewhere already, and cannot be put off here. Who uses it on a hot range can keep lookups from getting through.
   */
  urgent?: boolean | undefined;
}

/** The names of {@link BeginOptions}. */
export const BEGIN_NAMES: string = `kind owner label within urgent ${CANCEL_NAMES}`;
export const BEGIN_OPTIONS: Names = /* @__PURE__ */ names(BEGIN_NAMES);

/** The two calls a party gets. They may close any subscription, and begin or end other invalidations. */
export interface Subscriber {
  /**
   * The content of `ranges` is about to change: stop using what was derived from it. They are the part of the invalidation
   * that lies inside the subscription: sorted, merged, frozen. All overlapping subscribers are called, in the order of
   * subscription, before any is awaited.
   *
   * Return nothing when it is done, or a promise for when it will be. If `invalidation.blockable` is false, `false` or
   * a promise refuses: then nothing is changed. Throwing, rejecting, or answering `false` to a blockable invalidation
   * makes the begin fail with `SubscriberError`. Closing the subscription answers for it.
   *
   * A callback that invalidates what it is being told about, which calls it again, ends in `FeedbackError`.
   */
  invalidate(invalidation: Invalidation, ranges: readonly Range[]): void | false | PromiseLike<void>;
  /**
   * The ranges are stable again (as far as this section is concerned). Also called for a begin that failed or was
   * rolled back after this subscriber had been told, and for a section that was active when it subscribed. What it
   * throws is reported by the host as an uncaught exception; nobody else misses the end because of it.
   */
  end?(invalidation: Invalidation, ranges: readonly Range[]): void;
}

/** How a subscriber's callback ended: it stopped, it needs time (a promise), it refuses, or it threw. */
export type Answer = 'stopped' | 'pending' | 'refused' | 'failed';
