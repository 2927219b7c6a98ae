/**
 * Handle: what users get of a section, where somebody wants to see whether that was dropped.
 *
 * The tracker keeps its active sections, since lookups wait for them, so a section that nobody can end any more is never collected;
 * a handle is. It costs an object for each section, and so it is made only where an observer has the method `given`.
 */
import { printed } from '../base/print.js';
import { SectionView } from '../base/section-view.js';
import type { Range } from '../base/vocabulary.js';
import type { Invalidation } from './invalidation.js';
import { ENDED, Section, sectionData } from './parties.js';

/** A section of which users get a handle. */
export class HandledSection extends Section {
  /** Kept until its owner has it: subscribers get the same one. */
  #handle: SectionHandle | undefined = undefined;
  /** Only where somebody may compare: a weak reference keeps what it refers to until the end of the turn. */
  #ref: WeakRef<Invalidation> | undefined = undefined;
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

  override recall(given: Invalidation): void {
    if (given !== this) this.#ref ??= new WeakRef(given);
  }
}

/** What users get of a {@link HandledSection}. */
class SectionHandle extends SectionView<HandledSection> implements Invalidation {
  get ranges(): readonly Range[] {
    return this.section.ranges;
  }

  get within(): Invalidation | undefined {
    return this.section.within?.outward();
  }

  get signal(): AbortSignal {
    return this.section.signal;
  }

  end(): void {
    this.section.end();
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

printed(SectionHandle.prototype, { name: 'Invalidation', data: ({ section }) => sectionData(section) });
