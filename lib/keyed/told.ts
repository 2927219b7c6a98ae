/**
 * Told: a subscriber of keys, as the tracker sees it.
 */
import type { Invalidation, Subscriber } from '../tracker/index.js';

import type { KeyedSubscriber } from './fence-types.js';
import { Change, type KeyedChange } from './section.js';
import type { KeyTable } from './table.js';

/** Of a section over an empty list of keys it is not told. One without `end` costs nothing at the end of a section. */
export function told<K>(table: KeyTable<K>, subscriber: KeyedSubscriber<K>): Subscriber {
  const tell = <T>(section: Invalidation, call: (change: Change<K>) => T): T | undefined => {
    const named = table.named(section.ranges);
    return named.keys?.length === 0 ? undefined : call(new Change(section, named, around(table, section)));
  };
  const invalidate = (section: Invalidation) => tell(section, (change) => subscriber.invalidate(change));
  if (subscriber.end === undefined) return { invalidate };
  return { invalidate, end: (section) => tell(section, (change) => subscriber.end!(change)) };
}

/** The section that this one is nested in, which is active when it begins. */
export function around<K>(table: KeyTable<K>, { within }: Invalidation): KeyedChange<K> | undefined {
  return within?.active ? new Change(within, table.named(within.ranges), around(table, within)) : undefined;
}
