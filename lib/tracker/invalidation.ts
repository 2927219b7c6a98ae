/**
 * Invalidation: a section `begin … end` during which the content of its ranges is being changed.
 */

import type { Seq } from '../base/collision.js';
import type { DisposableHandle } from '../base/dispose.js';
import { check } from '../base/errors.js';
import { type Handles, type Range, type Spans, toRanges } from '../base/range.js';
import { type Lot, Parked } from './parking.js';
import type { Waiter } from './reader.js';
import type { Space } from './space.js';

/** What is known of an invalidation when a filter decides about it; nothing in it ever changes. */
export interface InvalidationInfo {
  /** What sort of change; a word of the space's own vocabulary. */
  readonly kind: string;
  /** Who changes, compared by identity; `undefined` if it was not said. */
  readonly owner: unknown;
  /** A name for people; `undefined` if it was not said. */
  readonly label: string | undefined;
}

/** A filter: true for invalidations that do not concern this reader or subscriber. Must be pure, and must not throw. */
export type Ignore = (invalidation: InvalidationInfo) => boolean;

/** True unless the filter says it may be ignored. A filter that throws has not said so: the careful answer stands. */
export function concerns(ignore: Ignore | undefined, info: InvalidationInfo): boolean {
  try {
    return ignore === undefined || !ignore(info);
  } catch {
    return true;
  }
}

/** The default vocabulary is the kernel's; a space may use any words. */
export type InvalidationKind =
  | 'unmap'
  | 'clear'
  | 'protection-vma'
  | 'protection-page'
  | 'soft-dirty'
  | 'release'
  | 'migrate'
  | 'exclusive'
  | (string & {});

/** The kind of an invalidation that names none: the content changes. */
export const DEFAULT_KIND = 'clear';

/** A running (or ended) invalidation, as its owner and the subscribers see it. */
export interface Invalidation extends InvalidationInfo, DisposableHandle {
  /** The ranges that change: sorted, merged, frozen. */
  readonly ranges: readonly Range[];
  /** The space's counter at the begin. */
  readonly beginSeq: Seq;
  /** True if a subscriber may take its time (return a promise); false if it must comply at once or refuse. */
  readonly blockable: boolean;
  /** True from the begin to the end. */
  readonly active: boolean;
  /** The section it was declared to be nested in. */
  readonly within: Invalidation | undefined;
  /** Ends the section: the content is stable again, overlapping waiters wake. A second call does nothing. O(log n). */
  end(): void;
}

/** How to begin. */
export interface BeginOptions {
  /** A word of the space's vocabulary; default `'clear'`. */
  kind?: InvalidationKind | undefined;
  /** Who changes; filters compare it by identity. Kept until the tracker's history forgets the section. */
  owner?: unknown;
  /** A name for error messages, snapshots and observers. */
  label?: string | undefined;
  /** Ends the wait for holds and for subscribers; rejects with its reason. Not read after the begin. */
  signal?: AbortSignal | undefined;
  /**
   * The running section that this one is nested in. A nested begin never queues behind a held lookup, which may
   * itself be waiting for the outer section. The outer one must still be active.
   */
  within?: Invalidation | undefined;
}

/** Before its begin. */
export const FRESH = 0;
/** Waiting for holds. Parked at one of them, entered in the gate's tree of queued sections. */
export const QUEUED = 1;
/** Between begin and end. Entered in the gate's tree of active sections. */
export const ACTIVE = 2;
/** Over: ended, rolled back, or given up while queued. */
export const ENDED = 3;

/** All sections that say nothing about themselves share one info, so that the history holds no object for each. */
const PLAIN: InvalidationInfo = Object.freeze({ kind: DEFAULT_KIND, owner: undefined, label: undefined });

/** The object behind {@link Invalidation}. Its states are the values of `state`; only the space and the gate move it. */
export class Section extends Parked implements Invalidation {
  readonly space: Space;
  readonly spans: Spans;
  readonly info: InvalidationInfo;
  readonly blockable: boolean;
  readonly within: Section | undefined;
  state: typeof FRESH | typeof QUEUED | typeof ACTIVE | typeof ENDED = FRESH;
  beginSeq = 0 as Seq;
  /** The clock when it began or queued, for snapshots only. */
  since = 0;
  /** Position in the order of arrival, shared with holds. */
  ticket = 0;
  /** In the gate's tree of queued or of active sections, as `state` says. */
  handles: Handles | undefined = undefined;
  /** Who waits for this section to end. Made by the first of them: most sections never see one. */
  waiters: Lot<Waiter> | undefined = undefined;
  /** True once a queued section may go: it enters in a turn of its own, and no hold comes in between. */
  granted = false;
  /** Settle the wait of a queued section; set while it is QUEUED. */
  proceed: () => void = ignoreCall;
  refuse: (error: unknown) => void = ignoreCall;
  private frozen: readonly Range[] | undefined = undefined;

  constructor(space: Space, spans: Spans, blockable: boolean, options: BeginOptions | undefined) {
    super();
    this.space = space;
    this.spans = spans;
    this.blockable = blockable;
    this.info = PLAIN;
    this.within = undefined;
    if (options !== undefined) {
      const { kind, owner, label, within } = options;
      if (kind !== undefined || owner !== undefined || label !== undefined) {
        check(kind === undefined || typeof kind === 'string', 'kind', kind, 'a string');
        check(label === undefined || typeof label === 'string', 'label', label, 'a string');
        this.info = { kind: kind ?? DEFAULT_KIND, owner, label };
      }
      if (within !== undefined) this.within = enclosing(space, within);
    }
  }

  get kind(): string {
    return this.info.kind;
  }

  get owner(): unknown {
    return this.info.owner;
  }

  get label(): string | undefined {
    return this.info.label;
  }

  get active(): boolean {
    return this.state === ACTIVE;
  }

  get ranges(): readonly Range[] {
    this.frozen ??= toRanges(this.spans);
    return this.frozen;
  }

  end(): void {
    if (this.state === ACTIVE) this.space.end(this);
  }

  /** What users see of it. */
  outward(): Invalidation {
    return this;
  }

  /** What its owner gets. */
  give(): Invalidation {
    return this;
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/**
 * A section of which users get a handle, because somebody wants to see whether that is dropped. The tracker keeps its active
 * sections, since lookups wait for them, so a section that nobody can end any more is never collected; a handle is.
 */
export class HandledSection extends Section {
  /** Kept until its owner has it: subscribers get the same one. */
  #handle: SectionHandle | undefined = undefined;
  /** Only where somebody may compare: a weak reference keeps what it refers to until the end of the turn. */
  #ref: WeakRef<SectionHandle> | undefined = undefined;
  #isShown = false;

  override outward(): Invalidation {
    this.#isShown = true;
    const known = this.#handle ?? this.#ref?.deref();
    if (known !== undefined) return known;
    const handle = new SectionHandle(this);
    if (this.#ref === undefined && this.state !== ENDED) this.#handle = handle;
    else this.#ref = new WeakRef(handle);
    return handle;
  }

  /** For its owner, who alone keeps it from now on. */
  override give(): Invalidation {
    const handle = this.#handle ?? new SectionHandle(this);
    this.#handle = undefined;
    if (this.#isShown) this.#ref = new WeakRef(handle);
    return handle;
  }

  /** Its owner has shown the handle. */
  recall(handle: SectionHandle): void {
    this.#ref ??= new WeakRef(handle);
  }
}

/** What users get of a {@link HandledSection}. */
class SectionHandle implements Invalidation {
  readonly section: HandledSection;

  constructor(section: HandledSection) {
    this.section = section;
  }

  get ranges(): readonly Range[] {
    return this.section.ranges;
  }

  get kind(): string {
    return this.section.kind;
  }

  get owner(): unknown {
    return this.section.owner;
  }

  get label(): string | undefined {
    return this.section.label;
  }

  get beginSeq(): Seq {
    return this.section.beginSeq;
  }

  get blockable(): boolean {
    return this.section.blockable;
  }

  get active(): boolean {
    return this.section.active;
  }

  get within(): Invalidation | undefined {
    return this.section.within?.outward();
  }

  end(): void {
    this.section.end();
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

function ignoreCall(): void {}

/** The section behind what users have. */
export function sectionOf(given: Invalidation): Invalidation {
  return given instanceof SectionHandle ? given.section : given;
}

function enclosing(space: Space, given: Invalidation): Section {
  const within = sectionOf(given);
  if (given instanceof SectionHandle) given.section.recall(given);
  const fits = within instanceof Section && within.space === space && within.active;
  check(fits, 'within', within, 'an active invalidation of the same tracker');
  return within as Section;
}
