/**
 * Link: how a space is one of several that are kept in step, each in a thread of its own.
 *
 * The space says what happens in it, and asks for what has happened elsewhere; `rangefence/threads` answers. A space without a
 * link pays one comparison at each of these places.
 */
import type { Spans } from '../base/range.js';
import type { Member, Section } from './parties.js';

/** Others whose answers a begin waits for: one member stands for them all, and says for whom it waits. */
export interface Away {
  readonly member: Member;
  /** Resolves when none of them is waited for any more. Rejects if one has not confirmed. */
  readonly answer: Promise<void>;
}

/** See the top of the file. Sections are those that were begun here; the others are the link's own business. */
export interface SpaceLink {
  /** Everything that was published elsewhere until now is in this space. Runs nobody's code, but observers. */
  sync(): void;
  /** Throws `CapacityError` if this begin could never be published. Nothing has changed. */
  admit(section: Section): void;
  /** True if others are in the way of a begin that will not wait. Nothing was published. */
  refuses(section: Section): boolean;
  /** Publishes the begin. Who must be waited for, if anybody. */
  enter(section: Section): Away | undefined;
  /** The same without waiting: false if it must not begin after all; {@link SpaceLink.leave} follows. */
  tryEnter(section: Section): boolean;
  /** Publishes the end, if the begin was published. */
  leave(section: Section): void;
  /** Others that begin over these spans wait from now on; then as {@link SpaceLink.sync}. Calls may be nested. */
  open(spans: Spans, more: Spans | undefined): void;
  /** What {@link SpaceLink.open} has opened is over. */
  shut(): void;
  /** As {@link SpaceLink.open}, until the microtasks of this turn have run. */
  linger(start: number, end: number): void;
  /** A subscriber has come (1) or gone (-1): begins elsewhere ask it. `hearsEnds`: it wants to know when they are over, too. */
  asks(spans: Spans, by: 1 | -1, hearsEnds: boolean): void;
  /** An attempt in flight wants to hear of begins elsewhere (1), or no longer (-1). */
  hears(spans: Spans, by: 1 | -1): void;
  /** Somebody waits for this section. */
  waits(section: Section): void;
  /** Somebody who waited does so no longer. */
  changed(): void;
  /** An observer runs (true), and nothing may move; or no longer. */
  still(isStill: boolean): void;
  /** The space is closed, and its subscribers are: it leaves the others, once its sections have ended. */
  close(): void;
}

/** What a link is made for. */
export interface Linked<S> {
  readonly space: S;
  readonly label: string | undefined;
  /** The others are closed: closes the tracker. */
  close(): void;
}
