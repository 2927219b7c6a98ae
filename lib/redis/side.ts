/**
 * Side: the tracker, or the keyed fence, as the link sees it. Two of them: ranges.ts and keys.ts.
 */
import { printed } from '../base/print.js';
import type { Invalidation, RangeTracker } from '../tracker/index.js';
import type { Section } from '../tracker/internal.js';
import type { WireData } from './wire.js';

/** The owner of what was begun in another process. */
export class RemoteOwner {
  /** Which process: the `member` of its link. */
  readonly member: string;
  /** The owner that was given there, where that was a text. */
  readonly name: string | undefined;

  /** @internal */
  constructor(member: string, name: string | undefined) {
    this.member = member;
    this.name = name;
  }
}

printed(RemoteOwner.prototype, { name: 'RemoteOwner', data: ({ member, name }) => ({ member, name }) });

/** A section that was begun here because it was elsewhere, or because nobody knows. */
export interface Entered {
  /** Ends it. Idempotent. */
  end(): void;
}

/** What is told of sections that begin here. */
export interface SideListener {
  /** Before it proceeds. What is returned means what it means in a subscriber. `describe` says what it is about. */
  begun(section: Section, describe: () => WireData): void | false | PromiseLike<void>;
  ended(section: Section): void;
}

/** See the top of the file. */
export interface Side {
  readonly tracker: RangeTracker;
  /** Tells of every section but those that were entered. Returns how to stop. */
  listen(listener: SideListener): () => void;
  /** The section behind what users have of it. */
  section(given: object): Section;
  /** Begins what is described, and passes what is held. The section is there when this returns; the promise is its begin's. */
  enter(data: WireData, owner: RemoteOwner, within: Entered | undefined): Promise<Entered>;
}

/** What of a section is the same for ranges and keys. `within` is put in by who knows the numbers. */
export function common({ kind, label, owner }: Pick<Invalidation, 'kind' | 'label' | 'owner'>): WireData {
  return {
    ...(kind === 'clear' ? {} : { kind }),
    ...(label === undefined ? {} : { label }),
    ...(typeof owner === 'string' ? { owner } : {}),
  };
}
