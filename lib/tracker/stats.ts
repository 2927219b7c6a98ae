/**
 * Stats: what a tracker has counted since it was made. Numbers only ever grow.
 */

/** Live counters of one tracker; copy them (`{ ...tracker.stats }`) to keep a moment. */
export interface TrackerStats {
  /** Sections begun, also those rolled back. */
  begins: number;
  /** Sections ended, also those rolled back. */
  ends: number;
  /** Non-waiting begins refused, by a subscriber or by held ranges. */
  refused: number;
  /** Begins that had to queue behind held ranges. */
  queued: number;
  /** Subscriber callbacks at a begin. */
  notified: number;
  /** Subscriber callbacks that threw, rejected, or refused a blockable begin. */
  subscriberErrors: number;
  /** `lookup` calls started. */
  lookups: number;
  /** Calls of `fetch`. */
  attempts: number;
  /** Attempts that were hit. */
  collisions: number;
  /** Lookups committed. */
  commits: number;
  /** Answers "collides" given only because the token is older than the history. */
  historyLost: number;
  /** Times a reader parked: one for every section it had to wait for. */
  waits: number;
  /** Times a parked reader was let go. */
  wakes: number;
  /** Lookups that announced a hold. */
  holds: number;
  /** Holds dissolved because `holdMs` ran out, those included that got in line again. */
  holdsExpired: number;
  /** Errors thrown by the observer. */
  observerErrors: number;
}

/** All zero. */
export function newStats(): TrackerStats {
  return {
    begins: 0,
    ends: 0,
    refused: 0,
    queued: 0,
    notified: 0,
    subscriberErrors: 0,
    lookups: 0,
    attempts: 0,
    collisions: 0,
    commits: 0,
    historyLost: 0,
    waits: 0,
    wakes: 0,
    holds: 0,
    holdsExpired: 0,
    observerErrors: 0,
  };
}
