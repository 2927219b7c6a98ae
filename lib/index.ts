/**
 * Collision-retry lookups over ranges: an asynchronous read is committed only if no overlapping invalidation was
 * active between its begin and its commit.
 *
 * @packageDocumentation
 */

export type { CancelOptions } from './base/cancel.js';
export type { Clock } from './base/clock.js';
export type { Collision, Seq } from './base/collision.js';
export type { DisposableHandle } from './base/dispose.js';
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
} from './base/errors.js';
export type { Range, Ranges } from './base/range.js';
export type { Answer } from './tracker/answers.js';
export type { Attempt } from './tracker/attempt.js';
export type { BeginOptions, Ignore, Invalidation, InvalidationInfo, InvalidationKind } from './tracker/invalidation.js';
export type { CommitOptions, Fetch, LookupOptions, PlainLookupOptions } from './tracker/lookup.js';
export type {
  CallerEvent,
  ClosedEvent,
  CollidedEvent,
  FailedEvent,
  GivenEvent,
  InvalidationEvent,
  LoadEvent,
  LoadInfo,
  LookupEvent,
  NotifiedEvent,
  NotifyingEvent,
  ReadEvent,
  RefusedEvent,
  SubscriptionEvent,
  TrackerEvent,
  TrackerEvents,
  TrackerObserver,
  WaitEvent,
  WakeEvent,
} from './tracker/observer.js';
export type { ReaderInfo } from './tracker/reader.js';
export type { HistorySnapshot, HoldSnapshot, SectionSnapshot, TrackerSnapshot, WaitSnapshot } from './tracker/snapshot.js';
export type { TrackerStats } from './tracker/stats.js';
export type { SubscribeOptions, Subscriber, Subscription, WithinSubscription } from './tracker/subscription.js';
export { RangeTracker, type RangeTrackerOptions } from './tracker/tracker.js';
export type { FilterOptions, WaitOptions } from './tracker/wait.js';
