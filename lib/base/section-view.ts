/**
 * SectionView: what there is to know of a section, told by an object that is not the section itself.
 */
import type { InvalidationInfo, Seq } from './vocabulary.js';

/** What is told of a section by itself. */
export interface SectionInfo extends InvalidationInfo {
  readonly blockable: boolean;
  readonly beginSeq: Seq;
  readonly active: boolean;
}

/** Asks the section each time: nothing is copied. */
export class SectionView<Section extends SectionInfo> implements SectionInfo {
  readonly section: Section;

  constructor(section: Section) {
    this.section = section;
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

  get blockable(): boolean {
    return this.section.blockable;
  }

  get beginSeq(): Seq {
    return this.section.beginSeq;
  }

  get active(): boolean {
    return this.section.active;
  }
}
