/**
 * Notes: what drivers tell the observers of the tracker that they were given.
 *
 * On the ground floor, and filled in by tracker.ts: a driver that is given its tracker must not bring the whole tracker along.
 */
import type { LoadInfo } from './vocabulary.js';

/** Events of drivers. */
export type LoadEventName = 'loading' | 'loaded' | 'joined' | 'left' | 'landed';

type NoteLoad = (tracker: object, name: LoadEventName, load: LoadInfo, caller?: object) => void;

/** Set once, by the tracker's module; `undefined` if the tracker comes from another copy of the package. */
let told: NoteLoad | undefined;

/** Tells the tracker's observers, if it has any; otherwise it costs a call and a comparison. */
export function noteLoad(tracker: object, name: LoadEventName, load: LoadInfo, caller?: object): void {
  told?.(tracker, name, load, caller);
}

/** Called once, by the tracker's module. */
export function fillIn(note: NoteLoad): void {
  told = note;
}
