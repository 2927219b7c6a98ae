/**
 * Ranges: a tracker, shared with others.
 */
import type { Invalidation, RangeTracker } from '../tracker/index.js';
import { type Section, sectionOf } from '../tracker/internal.js';
import { common, type Entered, RemoteOwner, type Side, type SideListener } from './side.js';
import { packRanges, unpackRanges, type WireData } from './wire.js';

const EVERYTHING = Object.freeze({ start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY });

/** See {@link Side}. */
export class RangeSide implements Side {
  readonly tracker: RangeTracker;

  constructor(tracker: RangeTracker) {
    this.tracker = tracker;
  }

  listen({ begun, ended }: SideListener): () => void {
    const subscription = this.tracker.subscribe(
      EVERYTHING,
      {
        invalidate: (section) => begun(this.section(section), () => ({ ...common(section), r: packRanges(section.ranges) })),
        end: (section) => ended(this.section(section)),
      },
      { ignore: ({ owner }) => owner instanceof RemoteOwner, label: 'shared by rangefence/redis' },
    );
    return () => subscription.close();
  }

  section(given: object): Section {
    return sectionOf(given as Invalidation) as Section;
  }

  enter(data: WireData, owner: RemoteOwner, within: Entered | undefined): Promise<Entered> {
    const outer = within as Invalidation | undefined;
    return this.tracker.begin(unpackRanges(data) ?? EVERYTHING, {
      ...{ kind: data.kind, label: data.label, owner, urgent: true },
      ...(outer?.active === true ? { within: outer } : {}),
    });
  }
}
