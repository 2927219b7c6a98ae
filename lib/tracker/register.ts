/**
 * Register: who is present over which spans, in order of arrival.
 *
 * An interval tree, and beside it the one present party that came last, where that is known: where a range is fought
 * over, the question "who came last and is in my way?" is asked by everyone about the same range, and mostly answered
 * by the last of all without looking into the tree.
 */

import {
  deleteSpans,
  EVERYTHING,
  type Handles,
  insertSpans,
  overlap,
  overlapsAny,
  type Spans,
  visitSpans,
} from '../base/range.js';
import { IntervalTree } from '../interval-tree/index.js';

/** What a register keeps. `handles` belong to the register the party is in; a party is in one at most. */
export interface Party {
  readonly spans: Spans;
  readonly ticket: number;
  handles: Handles | undefined;
}

/** Parties over one space. */
export class Register<P extends Party> {
  readonly tree: IntervalTree<P> = new IntervalTree();
  /** The greatest ticket that ever entered: a greater one is the last of all, whoever has left since. */
  #greatest = 0;
  /** The party with that ticket while it is present. Cleared when it leaves: nothing may be kept alive from here. */
  #last: P | undefined = undefined;

  /** The number of ranges entered. */
  get size(): number {
    return this.tree.size;
  }

  /** O(log n) a span. */
  enter(party: P): void {
    party.handles = insertSpans(this.tree, party.spans, party);
    if (party.ticket > this.#greatest) {
      this.#greatest = party.ticket;
      this.#last = party;
    }
  }

  /** O(log n) a span. */
  leave(party: P): void {
    deleteSpans(this.tree, party.handles!);
    party.handles = undefined;
    if (this.#last === party) this.#last = undefined;
  }

  /** Is anyone present over these spans? */
  overlaps(spans: Spans): boolean {
    if (this.tree.size === 0) return false;
    return (this.#last !== undefined && overlap(this.#last.spans, spans)) || overlapsAny(this.tree, spans);
  }

  /** The last that came of those present over these spans that are in the way. */
  last(spans: Spans, isInTheWay: (party: P) => boolean): P | undefined {
    if (this.tree.size === 0) return undefined;
    let found = this.#last;
    if (found !== undefined && overlap(found.spans, spans) && isInTheWay(found)) return found;
    found = undefined;
    const visitor = (_start: number, _end: number, party: P) => {
      if ((found === undefined || party.ticket > found.ticket) && isInTheWay(party)) found = party;
    };
    for (let i = 0; i < spans.length; i += 2) this.tree.visit(spans[i]!, spans[i + 1]!, visitor);
    return found;
  }

  /** Everyone, once each, in order of arrival. */
  all(): P[] {
    const parties = new Set<P>();
    visitSpans(this.tree, EVERYTHING, (party) => parties.add(party));
    return [...parties].sort((a, b) => a.ticket - b.ticket);
  }
}
