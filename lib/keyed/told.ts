/**
 * Told: a subscriber of keys, as the tracker sees it.
 */
import type { Invalidation, Subscriber } from '../tracker/index.js';

import type { KeyedSubscriber } from './fence-types.js';
import { Change } from './section.js';
import type { KeyTable } from './table.js';

/** Of a section over an empty list of keys it is not told. One without `end` costs nothing at the end of a section. */
export function told<K>(table: KeyTable<K>, subscriber: KeyedSubscriber<K>): Subscriber {
  const change = (section: Invalidation) => {
    const named = table.named(section.ranges);
    return named.keys?.length === 0 ? undefined : new Change(section, named);
  };
  const invalidate = (section: Invalidation) => {
    const begun = change(section);
    return begun === undefined ? undefined : subscriber.invalidate(begun);
  };
  if (subscriber.end === undefined) return { invalidate };
  const end = (section: Invalidation) => {
    const over = change(section);
    if (over !== undefined) subscriber.end!(over);
  };
  return { invalidate, end };
}
