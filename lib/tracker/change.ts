/**
 * Change: runs what `mutate` was given, where observers want to know of it.
 */
import { assimilate } from '../base/thenable.js';
import type { Invalidation } from './invalidation.js';
import type { Note } from './observer.js';
import type { Section } from './parties.js';

/** Calls the change between the two events that say so. */
export function observed<T>(
  section: Section,
  change: (invalidation: Invalidation) => T | PromiseLike<T>,
  note: Note,
): T | PromiseLike<T> {
  const invalidation = section;
  note('begun', { invalidation });
  note('changing', { invalidation });
  try {
    const returned: T | PromiseLike<T> = change(section.outward());
    return assimilate(returned) ?? returned; // inside the two: a lazy thenable starts when it is asked
  } finally {
    note('changed', { invalidation });
  }
}
