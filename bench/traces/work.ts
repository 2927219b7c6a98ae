/**
 * Work: what a run intends, without any rule: who wants to look up what and when, and who wants to change what and for how
 * long. Every rule gets the same work; what it makes of it is the comparison.
 *
 * Times are milliseconds from the start of the run.
 */
import type { Range } from '../../lib/index.js';
import { anyMeet } from '../../test/support/model/ranges.js';

/** One lookup. */
export interface WorkLookup {
  /** When it comes. */
  readonly at: number;
  /** How long one read takes, each time it is done. */
  readonly takes: number;
  readonly ranges: readonly Range[];
}

/** One invalidation. A rule that delays its begin delays its end by as much: the change takes as long as it takes. */
export interface WorkInvalidation {
  /** When it wants to begin. */
  readonly begin: number;
  /** When it ends if it may begin at once. */
  readonly end: number;
  readonly ranges: readonly Range[];
}

/** See the top of the file. */
export interface Work {
  readonly lookups: readonly WorkLookup[];
  readonly invalidations: readonly WorkInvalidation[];
  /** What parties have subscribed to, as wholes: buffers, mappings, files. A lookup reads some of one or of several. */
  readonly objects: readonly Range[];
}

/** Who overlaps whom, by index, found by comparing everyone with everyone. */
export interface Meetings {
  /** Invalidations that overlap each lookup. */
  readonly ofLookup: readonly (readonly number[])[];
  /** Lookups that overlap each invalidation. */
  readonly ofInvalidation: readonly (readonly number[])[];
}

/** Work never changes, and every rule asks for the same. */
const known = new WeakMap<Work, Meetings>();

/** See {@link Meetings}. */
export function meetingsOf(work: Work): Meetings {
  const meetings = known.get(work) ?? findMeetings(work);
  known.set(work, meetings);
  return meetings;
}

function findMeetings({ lookups, invalidations }: Work): Meetings {
  const ofLookup: number[][] = lookups.map(() => []);
  const ofInvalidation: number[][] = invalidations.map(() => []);
  lookups.forEach((lookup, l) => {
    invalidations.forEach((invalidation, i) => {
      if (!anyMeet(lookup.ranges, invalidation.ranges)) return;
      ofLookup[l]!.push(i);
      ofInvalidation[i]!.push(l);
    });
  });
  return { ofLookup, ofInvalidation };
}

/** When the last of everything would be over if nobody were in anybody's way. */
export function horizonOf({ lookups, invalidations }: Work): number {
  const ends = [...lookups.map(({ at, takes }) => at + takes), ...invalidations.map(({ end }) => end)];
  return ends.reduce((latest, end) => Math.max(latest, end), 0);
}
