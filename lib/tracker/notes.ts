/**
 * Notes: what drivers tell the observer of the tracker that they were given.
 *
 * A file of its own, which tracker.ts fills in: a driver that is given its tracker must not bring the whole tracker along.
 */
import type { LoadInfo } from './observer.js';
import type { RangeTracker } from './tracker.js';

/** Events of drivers. */
export type LoadEventName = 'loading' | 'loaded' | 'joined' | 'left' | 'landed';

type Note = (tracker: RangeTracker, name: LoadEventName, load: LoadInfo, caller?: object) => void;

/** Tells the tracker's observer, if it has one; otherwise it costs a comparison. */
export let noteLoad: Note;

/** Called once, by the tracker's module. */
export function fillIn(note: Note): void {
  noteLoad = note;
}
