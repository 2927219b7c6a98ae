/**
 * What goes into a keyed fence and comes out of it, besides sections.
 */

import type { Clock } from '../base/clock.js';
import type { DisposableHandle } from '../base/dispose.js';
import type { Ignore } from '../base/vocabulary.js';
import type { Attempt, BeginOptions, TrackerObserver } from '../tracker/index.js';

import type { KeyScope } from './scope.js';
import type { KeyedChange, KeyedInvalidation } from './section.js';

/** How a keyed fence is made. */
export interface KeyedFenceOptions<K> {
  /**
   * What the fence knows a key by, compared as a Map compares. Default: the key itself. Give one where different keys name the
   * same thing (`'a/b'` and `'a:b'` in unstorage), or where equal keys are different objects. Must be pure.
   */
  identify?: ((key: K) => unknown) | undefined;
  /** A name for error messages, snapshots and observers. */
  label?: string | undefined;
  /** Ended invalidations remembered; default 4,096. As the tracker's. */
  historyCapacity?: number | undefined;
  /** Told of every event of the tracker. */
  observer?: TrackerObserver | undefined;
  /** Where time comes from; default the host's. */
  clock?: Clock | undefined;
}

/** The names of {@link KeyedFenceOptions}. */
export const KEYED_FENCE_NAMES = 'identify label historyCapacity observer clock';

/** How to begin an invalidation of keys. */
export interface KeyedBeginOptions<K> extends Omit<BeginOptions, 'within'> {
  /** The running section of the same fence that this one is nested in; see {@link BeginOptions.within}. */
  within?: KeyedInvalidation<K> | undefined;
}

/** What `fetch` gets, as in {@link KeyedFence.lookup}, with keys for ranges. */
export interface KeyedAttempt<K> extends Omit<Attempt, 'observe'> {
  /**
   * Says "I am about to read this, too": the keys are checked at the commit from the attempt's token on. **What is read without
   * being named to `lookup` or observed is not covered.** A condition counts as all keys. After the attempt it does nothing.
   */
  observe(key: K | KeyScope<K>): void;
}

/** The function that reads a key. It may be called several times, but never twice at once. */
export type KeyedFetch<K, T> = (attempt: KeyedAttempt<K>) => T | PromiseLike<T>;

/** Somebody who keeps something derived from keys. */
export interface KeyedSubscriber<K> {
  /** The content of these keys is about to change. What it returns or throws means the same as in a
   * tracker's subscriber: nothing when it is done, a promise for when it will be. */
  invalidate(change: KeyedChange<K>): void | false | PromiseLike<void>;
  /**
   * The keys are stable again, as far as this section is concerned. Another object than `invalidate` was given, with the same `beginSeq`.
   * When it is called, and what becomes of an error, is as in a tracker's subscriber.
   */
  end?(change: KeyedChange<K>): void;
}

/** How to subscribe to a keyed fence. */
export interface KeyedSubscribeOptions {
  /** Invalidations that do not concern the subscriber. Must be pure. */
  ignore?: Ignore | undefined;
  /** A name for error messages, snapshots and observers. */
  label?: string | undefined;
}

/** A place among the subscribers, until closed. */
export interface KeyedSubscription extends DisposableHandle {
  /** True after `close()`, or after the fence was closed. */
  readonly closed: boolean;
  /** No callback starts after this has returned. Idempotent. */
  close(): void;
}
