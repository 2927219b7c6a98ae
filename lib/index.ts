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
export type { SpaceHandle } from './base/links.js';
export type {
  Collision,
  Ignore,
  InvalidationInfo,
  InvalidationKind,
  LoadInfo,
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
  type CallerEvent,
  type ClosedEvent,
  type CollidedEvent,
  type CommitOptions,
  type FailedEvent,
  type Fetch,
  type FilterOptions,
  type GivenEvent,
  type HistorySnapshot,
  type HoldSnapshot,
  type Invalidation,
  type InvalidationEvent,
  type LoadEvent,
  type LookupEvent,
  type LookupOptions,
  type NotifiedEvent,
  type NotifyingEvent,
  type ObservedTracker,
  type PlainLookupOptions,
  RangeTracker,
  type RangeTrackerOptions,
  type ReadEvent,
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
