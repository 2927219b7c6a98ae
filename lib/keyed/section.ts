/**
 * Sections in keys: what the tracker knows as ranges, as its owner and the subscribers see it.
 */

import type { DisposableHandle } from '../base/dispose.js';
import { printed } from '../base/print.js';
import { SectionView } from '../base/section-view.js';
import type { InvalidationInfo, Seq } from '../base/vocabulary.js';
import type { Invalidation } from '../tracker/index.js';

import { keyData } from './keys.js';
import type { Named } from './points.js';
import type { Changes } from './table.js';

/** An invalidation of keys, as subscribers see it. */
export interface KeyedChange<K> extends InvalidationInfo {
  /**
   * The keys that change, if they are listed, and those whose entries are derived from them (`observe` of a load); `undefined` for
   * all keys, and for a condition: ask {@link KeyedChange.has}.
   */
  readonly keys: readonly K[] | undefined;
  /** True for an invalidation of all keys. */
  readonly isAll: boolean;
  /** What the keys begin with, for an invalidation of a `prefix`. */
  readonly prefix: string | undefined;
  /** True if this key changes. O(1) for listed keys. */
  has(key: K): boolean;
  /** True if a subscriber may take its time (return a promise); false if it must comply at once or refuse. */
  readonly blockable: boolean;
  /** The tracker's counter at the begin. */
  readonly beginSeq: Seq;
  /** True from the begin to the end. */
  readonly active: boolean;
  /** The section that it was declared to be nested in, if that is still active. */
  readonly within: KeyedChange<K> | undefined;
}

/** A running (or ended) invalidation of keys, as its owner sees it. */
export interface KeyedInvalidation<K> extends KeyedChange<K>, DisposableHandle {
  /** Fires when the section no longer excludes others; see {@link Invalidation.signal}. */
  readonly signal: AbortSignal;
  /** Ends the section: the content is stable again, lookups that waited wake. A second call does nothing. O(log n). */
  end(): void;
}

/** What a subscriber gets: what there is to know, and no way to end it. */
export class Change<K> extends SectionView<Invalidation> implements KeyedChange<K> {
  private readonly named: Named<K>;
  readonly within: KeyedChange<K> | undefined;

  constructor(section: Invalidation, named: Named<K>, within?: KeyedChange<K>) {
    super(section);
    this.named = named;
    this.within = within;
  }

  get keys(): readonly K[] | undefined {
    return this.named.keys;
  }

  get isAll(): boolean {
    return this.named.isAll;
  }

  get prefix(): string | undefined {
    return this.named.prefix;
  }

  has(key: K): boolean {
    return this.named.has(key);
  }

  /** @internal Who has marked the section as theirs. */
  get writer(): object | undefined {
    return this.named.writer;
  }
}

/** What the owner gets. Its keys stay in the table until its end. */
export class KeyedSection<K> extends Change<K> implements KeyedInvalidation<K> {
  readonly changes: Changes<K>;

  constructor(section: Invalidation, named: Named<K>, changes: Changes<K>, within?: KeyedChange<K>) {
    super(section, named, within);
    this.changes = changes;
  }

  get signal(): AbortSignal {
    return this.section.signal;
  }

  end(): void {
    this.section.end();
    this.changes.release();
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

for (const [prototype, name] of [
  [Change.prototype, 'KeyedChange'],
  [KeyedSection.prototype, 'KeyedInvalidation'],
] as const) {
  printed<Change<unknown>>(prototype, {
    name,
    data: ({ keys, isAll, prefix, kind, label, active }) => {
      const what = keys?.map(keyData) ?? (isAll ? 'all' : prefix === undefined ? 'condition' : `${prefix}*`);
      return { keys: what, kind, ...(label === undefined ? {} : { label }), active };
    },
  });
}
