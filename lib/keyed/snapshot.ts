/**
 * Snapshot: what a keyed fence and its caches are doing, in keys. Plain data: it survives `JSON.stringify`.
 */
import type { HoldSnapshot, SectionSnapshot, TrackerSnapshot, WaitSnapshot } from '../tracker/index.js';
import { keyData } from './keys.js';
import type { FencedCacheStats } from './stats.js';
import type { KeyTable } from './table.js';

/** A key: itself where JSON has it, else a text. */
export type KeyData = string | number | boolean | null;

/** A section at one moment. */
export interface KeyedSectionSnapshot {
  /** `queued` behind a read that holds one of its keys, or `active`. */
  readonly state: 'queued' | 'active';
  /** What changes: keys, or `'all'`, or keys that match a `'condition'`. */
  readonly keys: readonly KeyData[] | 'all' | 'condition';
  /** Kind, as given to the begin. */
  readonly kind: string;
  /** Label, as given to the begin; `null` if there is none. */
  readonly label: string | null;
  /** Milliseconds since it began, or queued. */
  readonly forMs: number;
  /** Readers that wait for it. */
  readonly waiting: readonly KeyedWaitSnapshot[];
}

/** A reader that waits at one moment. */
export interface KeyedWaitSnapshot {
  /** `readBegin` or `lookup`; a read of a fenced cache is a lookup. */
  readonly operation: 'readBegin' | 'lookup';
  /** The lookup's label, or that of its cache; `null` if there is none. */
  readonly label: string | null;
  /** What it reads. */
  readonly keys: readonly KeyData[] | 'all';
  /** Milliseconds since it began to wait. */
  readonly forMs: number;
}

/** A lookup that holds its keys at one moment. */
export interface KeyedHoldSnapshot {
  /** The lookup's label, or that of its cache; `null` if there is none. */
  readonly label: string | null;
  /** What it holds. */
  readonly keys: readonly KeyData[] | 'all';
  /** True if it has its turn. */
  readonly admitted: boolean;
  /** Milliseconds until the hold is dissolved. */
  readonly leftMs: number;
  /** Begins that queue behind it. */
  readonly waiting: number;
}

/** One read of a fenced cache that is in flight. */
export interface FlightSnapshot {
  /** Its key, as a text. */
  readonly key: string;
  /** It waits for a change, or asks the cache, or its load is running. */
  readonly state: 'waiting' | 'asking' | 'loading';
  /** The attempt that is running, from 1; 0 before the first. */
  readonly attempt: number;
  /** Milliseconds since its first caller came. */
  readonly forMs: number;
  /** Calls that wait for it. */
  readonly callers: number;
  /** Loads inside of which somebody waits for it, as texts: who waits for whom. */
  readonly waitedForBy: readonly string[];
}

/** A fenced cache at one moment. */
export interface FencedCacheSnapshot {
  /** Its label; `null` if there is none. */
  readonly label: string | null;
  /** True after `close()`. */
  readonly closed: boolean;
  /** A copy of its counters. */
  readonly stats: FencedCacheStats;
  /** Reads in flight. */
  readonly reads: readonly FlightSnapshot[];
  /** Keys of which the cache itself is doing something (get, set), as texts. */
  readonly busy: readonly string[];
}

/** Everything a keyed fence knows about now. A copy: it does not change afterwards. */
export interface KeyedSnapshot {
  /** Its label; `null` if there is none. */
  readonly label: string | null;
  /** The tracker's counter. */
  readonly seq: number;
  /** True after `close()`. */
  readonly closed: boolean;
  /** Keys in the table. */
  readonly size: number;
  /** Keys whose entries were derived from others, by `observe`. */
  readonly derived: number;
  /** Sections that are active or queued, in order of arrival. */
  readonly sections: readonly KeyedSectionSnapshot[];
  /** Lookups that hold their keys. */
  readonly holds: readonly KeyedHoldSnapshot[];
  /** Readers that wait, in all. */
  readonly waiting: number;
  /** The caches that share this fence. */
  readonly caches: readonly FencedCacheSnapshot[];
}

/** A tracker's snapshot, in keys. */
export function inKeys<K>(table: KeyTable<K>, snapshot: TrackerSnapshot, caches: readonly FencedCacheSnapshot[]): KeyedSnapshot {
  const { seq, closed, sections, holds, waiting } = snapshot;
  const label = snapshot.label ?? null;
  return {
    ...{ label, seq, closed, size: table.size, derived: table.derived.size, waiting, caches },
    sections: sections.map((section) => sectionInKeys(table, section)),
    holds: holds.map((hold) => holdInKeys(table, hold)),
  };
}

function sectionInKeys<K>(table: KeyTable<K>, { ranges, ...section }: SectionSnapshot): KeyedSectionSnapshot {
  const { state, kind, forMs, waiting } = section;
  const label = section.label ?? null;
  const { keys, isAll } = table.named(ranges);
  return {
    ...{ state, kind, label, forMs, keys: keys?.map(keyData) ?? (isAll ? 'all' : 'condition') },
    waiting: waiting.map((wait) => waitInKeys(table, wait)),
  };
}

function waitInKeys<K>(table: KeyTable<K>, { operation, label, ranges, forMs }: WaitSnapshot): KeyedWaitSnapshot {
  return { operation, label: label ?? null, keys: table.keysIn(ranges)?.map(keyData) ?? 'all', forMs };
}

function holdInKeys<K>(table: KeyTable<K>, hold: HoldSnapshot): KeyedHoldSnapshot {
  const { label, ranges, admitted, leftMs, waiting } = hold;
  return { label: label ?? null, keys: table.keysIn(ranges)?.map(keyData) ?? 'all', admitted, leftMs, waiting };
}
