/**
 * Observer: a tracker tells one party of everything that happens, enough to rebuild who waited for whom.
 *
 * Absent, it costs one comparison an event. Present, its methods are called synchronously, in the order of events, and
 * never trusted: what one throws is counted in `stats.observerErrors` and changes nothing. A method must not call back
 * into the tracker it observes, other than to read `seq`, `stats` and `inspect()`.
 */

import { check } from '../base/errors.js';
import { type Names, names } from '../base/options.js';
import type { Collision, LoadInfo, ReaderInfo, Seq, SubscriptionInfo } from '../base/vocabulary.js';
import type { Answer, Invalidation } from './invalidation.js';
import type { TrackerSnapshot } from './snapshot.js';
import type { TrackerStats } from './stats.js';

/** The tracker, as far as an observer may use it; by identity the {@link RangeTracker} itself. */
export interface ObservedTracker {
  /** The counter. */
  readonly seq: Seq;
  /** Invalidations that have begun and not ended. */
  readonly activeCount: number;
  /** True from `close()` on. */
  readonly closed: boolean;
  /** Live counters. */
  readonly stats: Readonly<TrackerStats>;
  /** Who is active, and who waits for whom. */
  inspect(): TrackerSnapshot;
}

/** What every event carries. */
export interface TrackerEvent {
  /** The tracker it happened in. */
  readonly tracker: ObservedTracker;
  /** The space's counter right after the event. */
  readonly seq: Seq;
}

/** An event of a section. */
export interface InvalidationEvent extends TrackerEvent {
  /** The section; the same object in all of its events. */
  readonly invalidation: Invalidation;
}

/** A subscriber's callback is about to be called. */
export interface NotifyingEvent extends InvalidationEvent {
  /** Who will be told. */
  readonly subscription: SubscriptionInfo;
}

/** A subscriber's callback has returned. */
export interface NotifiedEvent extends InvalidationEvent {
  /** Who was told. */
  readonly subscription: SubscriptionInfo;
  /** What it answered at once: it stopped, it needs time (a promise), it refuses, or it threw. */
  readonly answer: Answer;
}

/** A non-waiting begin was refused. */
export interface RefusedEvent extends InvalidationEvent {
  /** The subscriber that could not comply at once; `undefined` if held ranges were in the way. */
  readonly subscription: SubscriptionInfo | undefined;
}

/** Somebody starts to wait, or to wait for somebody else than before. */
export interface WaitEvent extends TrackerEvent {
  /** The reader that waits, or the invalidation that queues. */
  readonly waiter: ReaderInfo | Invalidation;
  /** What it waits for: a section (active or queued), or a holding lookup. */
  readonly blocker: Invalidation | ReaderInfo;
}

/** The waiter waits no longer. */
export interface WakeEvent extends TrackerEvent {
  /** Who waited. */
  readonly waiter: ReaderInfo | Invalidation;
}

/** An event of a lookup; its reader is the same object in all of its events. */
export interface LookupEvent extends TrackerEvent {
  /** The lookup. */
  readonly reader: ReaderInfo;
  /** The number of the current attempt, from 1; 0 before the first. */
  readonly attempt: number;
}

/** An attempt was hit. */
export interface CollidedEvent extends LookupEvent {
  /** By what. */
  readonly collision: Collision;
}

/** A lookup ended without a commit. */
export interface FailedEvent extends LookupEvent {
  /** What it rejects with. */
  readonly error: unknown;
}

/** A `readBegin` has its token. */
export interface ReadEvent extends TrackerEvent {
  /** The reader. */
  readonly reader: ReaderInfo;
}

/** A handle of a section was given out. */
export interface GivenEvent extends InvalidationEvent {
  /** What the caller of `begin` or `tryBegin` gets, and subscribers got: an object of its own, which the tracker does not keep. */
  readonly handle: Invalidation;
}

/** An event of a shared load; the load is the same object in all of its events. */
export interface LoadEvent extends TrackerEvent {
  /** The load. */
  readonly load: LoadInfo;
}

/** Somebody waits for a shared load, or waits no longer. */
export interface CallerEvent extends LoadEvent {
  /** The call that waits: the same object in all of its events. */
  readonly caller: object;
}

/** An event of a subscription. */
export interface SubscriptionEvent extends TrackerEvent {
  /** The subscription. */
  readonly subscription: SubscriptionInfo;
}

/** A subscription, or the whole tracker, was closed. */
export interface ClosedEvent extends TrackerEvent {
  /** The subscription; `undefined` if it is the tracker. */
  readonly subscription: SubscriptionInfo | undefined;
}

/** All events by name. */
export interface TrackerEvents {
  /** A section has begun; no subscriber has been told yet. */
  begin: InvalidationEvent;
  /** A subscriber is about to be told of a begin; `notified` follows in the same turn. */
  notifying: NotifyingEvent;
  /** A subscriber was told of a begin. */
  notified: NotifiedEvent;
  /** Every subscriber has confirmed: whoever began may change the content. */
  begun: InvalidationEvent;
  /** `mutate` is about to call its change; `changed` follows in the same turn. */
  changing: InvalidationEvent;
  /** The change of `mutate` has returned a value or a promise, or has thrown; it is over when the section ends. */
  changed: InvalidationEvent;
  /**
   * `begin` or `tryBegin` gives out a handle. Only where this is observed is that not the section itself (the `invalidation` of
   * all events), but an object of its own, so that it can be seen that it was dropped.
   */
  given: GivenEvent;
  /** A section has ended, or was rolled back. */
  ended: InvalidationEvent;
  /** A non-waiting begin was refused. */
  refused: RefusedEvent;
  /** A reader or a begin waits. */
  wait: WaitEvent;
  /** Nothing blocks a reader or a begin any more. */
  wake: WakeEvent;
  /** A `readBegin` or a begin that waited was aborted, timed out, or turned away; a lookup says `failed` instead. */
  gaveUp: WakeEvent;
  /** A `readBegin` has its token at once; one that had to wait says `wake` instead. */
  read: ReadEvent;
  /** `close` was called again while its section still begins, so that one more waits for that. */
  closing: InvalidationEvent;
  /** A driver is about to start a load that several callers may share; `loaded` follows in the same turn. */
  loading: LoadEvent;
  /** The load was started. */
  loaded: LoadEvent;
  /** Somebody waits for the load. */
  joined: CallerEvent;
  /** Somebody who waited for the load does so no longer. */
  left: CallerEvent;
  /** The load is over, for all who waited. */
  landed: LoadEvent;
  /** A lookup calls its fetch. */
  attempt: LookupEvent;
  /** An attempt was hit and is not committed. */
  collided: CollidedEvent;
  /** A lookup has committed. */
  committed: LookupEvent;
  /** A lookup ended without a commit. */
  failed: FailedEvent;
  /** A lookup has announced its ranges; overlapping begins queue from now on. */
  held: LookupEvent;
  /** A lookup has given its ranges free. */
  released: LookupEvent;
  /** A subscriber was added. */
  subscribed: SubscriptionEvent;
  /** A subscription, or the tracker, was closed. */
  closed: ClosedEvent;
}

/**
 * Told of every event; every method is optional. Methods are called synchronously, in the order of events; what one throws is counted in
 * `stats.observerErrors` and changes nothing. One must not call back into the tracker, other than to read `seq`, `stats` and `inspect()`.
 */
export type TrackerObserver = { readonly [Name in keyof TrackerEvents]?: (event: TrackerEvents[Name]) => void };

/** Notes one event of a space; the tracker and the counter are added here. */
export type Note = <Name extends keyof TrackerEvents>(name: Name, details: Omit<TrackerEvents[Name], keyof TrackerEvent>) => void;

/** All names of {@link TrackerEvents}. */
const EVENTS: Names = /* @__PURE__ */ names(
  'begin notifying notified begun changing changed given ended refused wait wake gaveUp read closing',
  'loading loaded joined left landed',
  'attempt collided committed failed held released subscribed closed',
);

/** The observers, as a list. Throws `InvalidArgumentError` for one that could never hear anything. */
export function checkObservers(observer: TrackerObserver | readonly TrackerObserver[] | undefined): readonly TrackerObserver[] {
  if (observer === undefined) return [];
  const list: readonly unknown[] = Array.isArray(observer) ? [...observer] : [observer];
  for (const one of list) {
    check(typeof one === 'object' && one !== null, 'observer', one, 'an object with methods that are named as events');
    let heard = 0;
    for (const event of Object.keys(EVENTS)) {
      const method = (one as Record<string, unknown>)[event];
      check(method === undefined || typeof method === 'function', `${event} of the observer`, method, 'a function');
      if (method !== undefined) heard++;
    }
    const hint = 'observer' in (one as object) ? '; did you mean its property `observer`?' : '';
    check(
      heard > 0 || Object.keys(one as object).length === 0,
      'observer',
      one,
      `an object with a method like begin or committed${hint}`,
    );
  }
  return list as readonly TrackerObserver[];
}

/** The same where other threads have a part in the space: nothing of theirs comes in while an observer looks. */
export function stillNote(note: Note, link: () => { still(isStill: boolean): void } | undefined): Note {
  return (name, details) => {
    link()?.still(true);
    note(name, details);
    link()?.still(false);
  };
}

/** Tells the observers what is noted. What one of them throws is told to `failed`, and changes nothing. */
export function noteTo(tracker: ObservedTracker, observers: readonly TrackerObserver[], failed: () => void): Note {
  // The function has a name, by which `rangefence/debug` knows its frame in a stack.
  return function note(name, details) {
    for (const observer of observers) {
      try {
        observer[name]?.({ tracker, seq: tracker.seq, ...details } as never);
      } catch {
        failed();
      }
    }
  };
}
