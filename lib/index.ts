/**
 * Collision-retry lookups over ranges: an asynchronous read is committed only if no overlapping invalidation was
 * active between its begin and its commit.
 *
 * @packageDocumentation
 */
export type { CancelOptions } from './base/cancel.js';
export type { Clock } from './base/clock.js';
export type { DisposableHandle } from './base/dispose.js';
export {
  ClosedError,
  CollisionError,
  CommitError,
  FeedbackError,
  InvalidArgumentError,
  InvalidRangeError,
  isRangefenceError,
  RangefenceError,
  type RangefenceErrorCode,
  RetryLimitError,
  SubscriberError,
  TimeoutError,
  type WaitedFor,
} from './base/errors.js';
export type {
  Collision,
  Ignore,
  InvalidationInfo,
  InvalidationKind,
  Range,
  Ranges,
  ReaderInfo,
  Seq,
  SubscriptionInfo,
} from './base/vocabulary.js';
export {
  type Answer,
  type Attempt,
  type AwaitedSnapshot,
  type BeginOptions,
  type ClosedEvent,
  type CollidedEvent,
  type CommitOptions,
  type FailedEvent,
  type Fetch,
  type FilterOptions,
  type HistorySnapshot,
  type HoldSnapshot,
  type Invalidation,
  type InvalidationEvent,
  type LookupEvent,
  type LookupOptions,
  type NotifiedEvent,
  type NotifyingEvent,
  type ObservedTracker,
  type PlainLookupOptions,
  RangeTracker,
  type RangeTrackerOptions,
  type RefusedEvent,
  type SectionSnapshot,
  type SubscribeOptions,
  type Subscriber,
  type Subscription,
  type SubscriptionEvent,
  type TrackerEvent,
  type TrackerEvents,
  type TrackerObserver,
  type TrackerSnapshot,
  type TrackerStats,
  type WaitEvent,
  type WaitOptions,
  type WaitSnapshot,
  type WakeEvent,
  type WithinSubscription,
} from './tracker/index.js';
