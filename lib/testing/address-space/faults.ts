/**
 * Faults: the two typed ways in which a simulated address space says no.
 */

/** Why a page could not be used; the value of {@link PageFault.reason}. */
export type PageFaultReason = 'no-mapping' | 'not-readable' | 'not-writable' | 'beyond-end' | 'torn' | 'freed';

const SENTENCES: Readonly<Record<PageFaultReason, string>> = {
  'no-mapping': 'is not mapped',
  'not-readable': 'may not be read',
  'not-writable': 'may not be written',
  'beyond-end': 'lies beyond the end of its object',
  torn: 'is torn: it was caught in the middle of a change',
  freed: 'was freed: whoever still holds it was not told, or did not listen',
};

/**
 * A page could not be read or written.
 *
 * - `no-mapping`, `not-readable`, `not-writable`, `beyond-end`: what the address space says to anybody;
 * - `torn`: the page is being changed now, which only readers meet that bypass the tracker, or are about to retry;
 * - `freed`: the memory behind a page that was kept after it had to be dropped.
 */
export class PageFault extends Error {
  /** A literal: it survives minifying. */
  override readonly name = 'PageFault';
  /** What is wrong, for programs. */
  readonly reason: PageFaultReason;
  /** Number of the page. */
  readonly page: number;

  /** @param page the number of the page */
  constructor(reason: PageFaultReason, page: number) {
    super(`page ${page} ${SENTENCES[reason]}`);
    this.reason = reason;
    this.page = page;
  }
}

/** There was no memory. Content and permissions are what they were before the call. */
export class AllocationError extends Error {
  /** A literal: it survives minifying. */
  override readonly name = 'AllocationError';
  /** Frames that were asked for. */
  readonly frames: number;

  /** @param frames how many were asked for */
  constructor(frames: number) {
    super(`no memory for ${frames} ${frames === 1 ? 'frame' : 'frames'}`);
    this.frames = frames;
  }
}
