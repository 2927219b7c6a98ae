/**
 * Events: what an observer has seen, typed by name.
 */
import { RangeTracker, type TrackerEvents, type TrackerObserver } from '../../lib/index.js';
import { ManualClock } from './clock.js';

/** The events that most tests look at. */
export const names = [
  'begin',
  'notified',
  'ended',
  'refused',
  'wait',
  'wake',
  'attempt',
  'collided',
  'committed',
  'failed',
  'held',
  'released',
  'subscribed',
  'closed',
] as const satisfies readonly (keyof TrackerEvents)[];

/** The steps of a begin and of a change, and waits that were given up: only where a test is about them, as they come with all. */
export const steps = ['notifying', 'begun', 'changing', 'changed', 'gaveUp'] as const satisfies readonly (keyof TrackerEvents)[];
/** What only the lock-order checker needs to know. */
export const hidden = ['read', 'given', 'closing'] as const satisfies readonly (keyof TrackerEvents)[];
/** What drivers tell, about loads that several calls share. */
export const shared = ['loading', 'loaded', 'joined', 'left', 'landed'] as const satisfies readonly (keyof TrackerEvents)[];
/** All that a tracker tells itself. */
export const own = [...names, ...steps, ...hidden] as const;
/** All there are. */
export const all = [...own, ...shared] as const;

/** Fails to compile if an event is in neither list. */
export const isComplete: [Exclude<keyof TrackerEvents, (typeof all)[number]>] extends [never] ? true : false = true;

/** One event. */
export type Seen = { [Name in keyof TrackerEvents]: { name: Name; event: TrackerEvents[Name] } }[keyof TrackerEvents];

/** An observer that keeps everything of these names. */
function recorder(recorded: readonly (keyof TrackerEvents)[]) {
  const seen: Seen[] = [];
  const observer = Object.fromEntries(
    recorded.map((name) => [name, (event: never) => void seen.push({ name, event } as Seen)]),
  ) as TrackerObserver;
  return {
    observer,
    seen,
    /** The names since the last call. */
    take: (): string[] => seen.splice(0).map(({ name }) => name),
  };
}

/** A tracker, its clock, and what its observer has seen. */
export function make(recorded: readonly (keyof TrackerEvents)[] = names) {
  const record = recorder(recorded);
  const clock = new ManualClock();
  const tracker = new RangeTracker({ observer: record.observer, clock });
  return { tracker, clock, ...record };
}

/** The events of one name, typed. */
export function only<Name extends keyof TrackerEvents>(seen: readonly Seen[], name: Name): TrackerEvents[Name][] {
  return seen.filter((one) => one.name === name).map(({ event }) => event as TrackerEvents[Name]);
}
