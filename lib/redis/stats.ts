/**
 * Stats: what a link counts.
 */

/** Counters of a link. They only grow. */
export interface LinkStats {
  /** Sections that began here, and were announced. */
  sections: number;
  /** Sections of other processes that were entered here. */
  remote: number;
  /** Changes that were told without a section. */
  notified: number;
  /** Resets because the lease was over: the process, or the network, was stopped for longer than `leaseMs`. */
  lapses: number;
  /** Resets for any reason; each has dropped everything that was kept. */
  resets: number;
  /** Times at which records were missing, and were read from the log. */
  gaps: number;
  /** Other members that this one has declared out. */
  evictions: number;
}

/** All zero. */
export function newLinkStats(): LinkStats {
  return { sections: 0, remote: 0, notified: 0, lapses: 0, resets: 0, gaps: 0, evictions: 0 };
}
