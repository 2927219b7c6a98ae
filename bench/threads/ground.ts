/**
 * Ground: what the threads of the demo share, and what they say.
 */
import type { ThreadHandle } from '../../lib/threads/index.js';

export const READERS = 3;
export const PAGES = 64;
/** Words of a page. All of them are its version, when nobody is changing it. */
export const WORDS = 16;

export const GUARDS = ['rangefence', 'lock', 'message'] as const;
export type Guard = (typeof GUARDS)[number];

/** What a thread of the demo starts with. */
export interface Ground {
  readonly guard: Guard;
  readonly memory: SharedArrayBuffer;
  /** The version of each page that is known to all. */
  readonly known: SharedArrayBuffer;
  readonly lock: SharedArrayBuffer;
  readonly handle: ThreadHandle;
  readonly isWriter: boolean;
}

/** What it has done so far. */
export interface Said {
  reads: number;
  /** Reads that were answered from what the thread had kept. */
  hits: number;
  torn: number;
  stale: number;
  changes: number;
}
