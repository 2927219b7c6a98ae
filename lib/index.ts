/**
 * Collision-retry lookups over ranges: an asynchronous read is committed only if no overlapping invalidation was
 * active between its begin and its commit.
 *
 * @packageDocumentation
 */
export type { Answer } from './answers.js';
export type { Attempt } from './attempt.js';
export type { CancelOptions } from './cancel.js';
export type { Clock } from './clock.js';
export type { Collision, Seq } from './collision.js';
export type { DisposableHandle } from './dispose.js';
export {
  ClosedError,
  CollisionError,
  CommitError,
  InvalidArgumentError,
  InvalidRangeError,
  isRangefenceError,
  RangefenceError,
  type RangefenceErrorCode,
  RetryLimitError,
  SubscriberError,
  TimeoutError,
} from './errors.js';
export type { Ignore, InvalidateOptions, Invalidation, InvalidationInfo, InvalidationKind } from './invalidation.js';
export type { CommitOptions, Fetch, LookupOptions, PlainLookupOptions } from './lookup.js';
export type {
  ClosedEvent,
  CollidedEvent,
  FailedEvent,
  InvalidationEvent,
  LookupEvent,
  NotifiedEvent,
  NotifyingEvent,
  RefusedEvent,
  SubscriptionEvent,
  TrackerEvent,
  TrackerEvents,
  TrackerObserver,
  WaitEvent,
  WakeEvent,
} from './observer.js';
export type { Range, Ranges } from './range.js';
export type { ReaderInfo } from './reader.js';
export type { HistorySnapshot, HoldSnapshot, SectionSnapshot, TrackerSnapshot, WaitSnapshot } from './snapshot.js';
export type { TrackerStats } from './stats.js';
export type { SubscribeOptions, Subscriber, Subscription, WithinSubscription } from './subscription.js';
export { RangeTracker, type RangeTrackerOptions } from './tracker.js';
export type { FilterOptions, WaitOptions } from './wait.js';
