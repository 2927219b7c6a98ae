/**
 * Links: how a tracker that is given a handle of a shared space comes by what keeps it in step with the others.
 *
 * On the ground floor, and filled in by `rangefence/threads`: the core must not bring the threads along.
 */
import { check } from './errors.js';

/** A place in a space that several threads share: plain data, which can be posted to a worker. Made by `rangefence/threads`. */
export interface SpaceHandle {
  /** What it is a handle of. */
  readonly rangefence: 'threads';
}

type MakeLink = (handle: SpaceHandle, linked: never) => unknown;

/** Set once, when `rangefence/threads` is loaded. */
let makeLink: MakeLink | undefined;

/** Called once, by `rangefence/threads`. */
export function fillInLinks(make: MakeLink): void {
  makeLink = make;
}

/** The link of a handle. Throws `InvalidArgumentError` if it is none, or was used, or nobody knows how. */
export function linkOf(handle: SpaceHandle, linked: unknown): unknown {
  const isHandle = typeof handle === 'object' && handle !== null && handle.rangefence === 'threads';
  check(isHandle, 'space', handle, 'a handle, from connect() of a SharedSpace of rangefence/threads');
  const isLoaded = makeLink !== undefined;
  check(isLoaded, 'space', handle, "a handle where rangefence/threads is loaded: add import 'rangefence/threads' to this thread");
  return makeLink!(handle, linked as never);
}
