/**
 * The tracker: one ordered space, shared by everyone who reads it, changes it, or keeps something derived from it.
 *
 * The way of a change, `mutate(ranges, change)`: tracker.ts checks the arguments (options.ts, invalidation.ts) and makes the
 * section (parties.ts); space.ts asks gate.ts whether a held lookup is in the way, enters the section (register.ts), fires the
 * signals of attempts, and asks the subscribers (answers.ts); the change runs; space.ts moves the section to history.ts and wakes
 * who waits.
 *
 * The way of a read, `lookup(ranges, fetch)`: flight.ts checks the arguments, and takes the first attempt on the fast or the hot
 * lane; lookup.ts is the slow one, and runs the loop, parked at the gate or holding its ranges where it must; attempt.ts takes the
 * token and asks space.ts for the check, collision.ts for the reason. `readBegin` goes through wait.ts. heat.ts knows what is hot.
 *
 * To be looked at, and never acted on: subscription.ts (the handle that stays), observer.ts (events), snapshot.ts and
 * inspect.ts, stats.ts, handle.ts (sections whose handles may be dropped).
 *
 * Not to be touched: `seq`, which only space.ts moves; the states of parties, which only gate.ts moves; and the turn of check
 * and commit in flight.ts and lookup.ts, in which nobody's code may run in between.
 */
export type { Answer, BeginOptions, Invalidation, Subscriber } from './invalidation.js';
export type {
  CallerEvent,
  ClosedEvent,
  CollidedEvent,
  FailedEvent,
  GivenEvent,
  InvalidationEvent,
  LoadEvent,
  LookupEvent,
  NotifiedEvent,
  NotifyingEvent,
  ObservedTracker,
  ReadEvent,
  RefusedEvent,
  SubscriptionEvent,
  TrackerEvent,
  TrackerEvents,
  TrackerObserver,
  WaitEvent,
  WakeEvent,
} from './observer.js';
export type {
  Attempt,
  CommitOptions,
  Fetch,
  FilterOptions,
  LookupOptions,
  PlainLookupOptions,
  WaitOptions,
} from './options.js';
export type {
  AwaitedSnapshot,
  HistorySnapshot,
  HoldSnapshot,
  SectionSnapshot,
  TrackerSnapshot,
  WaitSnapshot,
} from './snapshot.js';
export type { TrackerStats } from './stats.js';
export type { SubscribeOptions, Subscription, WithinSubscription } from './subscription.js';
export { RangeTracker } from './tracker.js';
export type { RangeTrackerOptions } from './tracker-options.js';
