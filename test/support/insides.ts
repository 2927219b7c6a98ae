import type { Invalidation, Range, RangeTracker, ReaderInfo } from '../../lib/index.js';
import { type Hold, type Holder, Reader, type Waiter } from '../../lib/tracker/parties.js';
import { spaceOf } from '../../lib/tracker/tracker.js';

/** What `inspect()` shows as plain data, as the objects themselves, by which tests tell them apart. */
export interface Insides {
  readonly sections: readonly {
    readonly invalidation: Invalidation;
    readonly state: 'active' | 'queued';
    readonly waiting: readonly { readonly reader: ReaderInfo }[];
  }[];
  readonly holds: readonly {
    readonly reader: ReaderInfo;
    readonly admitted: boolean;
    readonly leftMs: number;
    readonly ranges: readonly Range[];
    readonly waiting: number;
  }[];
}

/** Everything in order of arrival. */
export function insidesOf(tracker: RangeTracker): Insides {
  const { gate } = spaceOf(tracker);
  const { holds } = tracker.inspect();
  const all = [...gate.active.all(), ...gate.queued.all()].sort((a, b) => a.ticket - b.ticket);
  const members = gate.holds.all().flatMap((hold) => hold.members);
  return {
    sections: all.map((section) => ({
      invalidation: section,
      state: section.active ? 'active' : 'queued',
      waiting: (section.waiters?.list() ?? []).flatMap(readersOf).map((reader) => ({ reader })),
    })),
    holds: holds.map((shown, i) => ({ ...shown, reader: members[i]! })),
  };
}

function readersOf(waiter: Waiter): readonly (Reader | Holder)[] {
  return waiter instanceof Reader ? [waiter] : (waiter as Hold).members;
}
