/**
 * Parts: what the pager, its reads and its runs know of each other. Each is one file above; none of them imports one beside it.
 */
import type { Activity, Work } from '../base/activity.js';
import type { Range, Ranges, Seq } from '../base/vocabulary.js';
import type { Invalidation, Subscription } from '../tracker/index.js';

import type { Entry } from './drops.js';
import type { Settings } from './options.js';
import type { MirrorLoadSnapshot } from './snapshot.js';
import type { MirrorStats } from './stats.js';
import type { Table } from './table.js';

/** A read (page-read.ts), as its runs and the pager see it. */
export interface Reading<Page> {
  /** True if somebody waits for it: a prefetch is nobody's. */
  readonly isAwaited: boolean;
  /** The load that it is a part of, which waits for it. */
  readonly inside: Activity | undefined;
  /** Its run has observed these ranges, too. */
  observe(ranges: readonly Range[]): void;
  /** The run is over; for each of its pages the entry, or nothing if that page is lost. */
  arrived(run: Loading<Page>, entries: readonly (Entry<Page> | undefined)[]): void;
  /** The load has failed, and was not hit. */
  failed(error: unknown): void;
  /** A change has hit this page. True if the read waited for it. */
  lost(run: Loading<Page>, index: number): boolean;
  /** It ends with this error. */
  fail(error: unknown): void;
}

/** A run (run.ts), as reads and the pager see it. */
export interface Loading<Page> extends Work {
  readonly first: number;
  readonly count: number;
  /** What it was derived from besides its pages. */
  readonly observed: { readonly ranges: readonly Range[] } | undefined;
  start(): void;
  join(read: Reading<Page>): void;
  leave(read: Reading<Page>, reason: unknown): void;
  inspect(): MirrorLoadSnapshot;
  hit(index: number): void;
  settleHit(): void;
}

/** The pager (pager.ts), as reads and runs see it. */
export interface PagerParts<Page> {
  readonly settings: Settings<Page>;
  readonly stats: MirrorStats;
  readonly table: Table<Page>;
  /** For each page the run that may be joined: one that no begin has hit there. */
  readonly loading: Map<number, Loading<Page>>;
  /** Reads and prefetches that are not done. */
  readonly reads: Set<Reading<Page>>;
  readonly subscription: Subscription;
  run(first: number, count: number, token: Seq): Loading<Page>;
  token(ranges: Ranges): Seq | undefined;
  quiet(ranges: Ranges, signal: AbortSignal): Promise<void>;
  collides(first: number, count: number, token: Seq): boolean;
  rangeOf(first: number, count: number): Range;
  unpin(entry: Entry<Page>): void;
  keepBudget(): void;
  dropAll(entries: readonly Entry<Page>[], section: Invalidation): void | PromiseLike<void>;
  name(what: string): string;
}
