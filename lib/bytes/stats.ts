/**
 * Stats of a source: what it has counted since it was made. Numbers only ever grow.
 */
import type { MirrorLoadSnapshot } from '../mirror/index.js';

import type { ByteVersion } from './backend.js';

/** What the source counts itself. */
export interface Counters {
  requests: number;
  bytes: number;
  changes: number;
}

/** A copy of the counters of one source. */
export interface ByteStats {
  /** Requests to the backend: reads of bytes, and questions for the version. */
  readonly requests: number;
  /** Bytes that the backend has delivered. */
  readonly bytes: number;
  /** Times at which everything was dropped: another version was found, or `invalidate()` was called. */
  readonly changes: number;
  /** Pages that reads found present. */
  readonly hits: number;
  /** Pages that reads did not find present. */
  readonly misses: number;
  /** Pages for which a read took part in a request that was already under way. */
  readonly joined: number;
  /** Pages that a read had to get again, because a change hit them before the read was done. */
  readonly retriedPages: number;
  /** Pages dropped because of a change, or by `close`. */
  readonly dropped: number;
  /** Pages dropped to keep within `maxPages`. */
  readonly evicted: number;
  /** Requests that failed. */
  readonly failed: number;
  /** Requests given up: the last reader left, a change hit all their pages, or `close`. */
  readonly aborted: number;
}

/** A source at one moment. Plain data. */
export interface ByteSourceSnapshot {
  /** Its name. */
  readonly label: string;
  /** The version that the present pages are of; `null` if none is known. */
  readonly version: ByteVersion | null;
  /** True after `close()`, or after the tracker was closed. */
  readonly closed: boolean;
  /** Bytes of a page. */
  readonly pageSize: number;
  /** Pages that are present. */
  readonly pages: number;
  /** Requests for bytes that are under way, in pages. */
  readonly loads: readonly MirrorLoadSnapshot[];
  /** Reads that wait for some of them. */
  readonly reads: number;
  /** A copy of its counters. */
  readonly stats: ByteStats;
}
