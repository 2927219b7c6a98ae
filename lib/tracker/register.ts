/**
 * Register: who is present over which spans, in order of arrival.
 *
 * An interval tree, and beside it the one present party that came last, where that is known: where a range is fought
 * over, the question "who came last and is in my way?" is asked by everyone about the same range, and mostly answered
 * by the last of all without looking into the tree.
 */

import { EVERYTHING, overlap, type Spans } from '../base/range.js';
import { type Handle, IntervalTree } from '../interval-tree/index.js';

/** One handle for one range, a list for several: the ordinary single range needs no array. */
export type Handles = Handle | readonly Handle[];

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

/** True if any interval of the tree overlaps any of the spans. */
export function overlapsAny(tree: IntervalTree<unknown>, spans: Spans): boolean {
  for (let i = 0; i < spans.length; i += 2) if (tree.overlaps(spans[i]!, spans[i + 1]!)) return true;
  return false;
}

/** Visits every interval that overlaps; one that overlaps two spans is visited twice. */
export function visitSpans<V>(tree: IntervalTree<V>, spans: Spans, visitor: (value: V) => void): void {
  if (tree.size === 0) return;
  for (let i = 0; i < spans.length; i += 2) {
    tree.visit(spans[i]!, spans[i + 1]!, (_start, _end, value) => visitor(value));
  }
}

/** Enters every span with the same value. */
export function insertSpans<V>(tree: IntervalTree<V>, spans: Spans, value: V): Handles {
  if (spans.length === 2) return tree.insert(spans[0]!, spans[1]!, value);
  const handles: Handle[] = [];
  for (let i = 0; i < spans.length; i += 2) handles.push(tree.insert(spans[i]!, spans[i + 1]!, value));
  return handles;
}

/** Takes out what {@link insertSpans} entered. */
export function deleteSpans(tree: IntervalTree<unknown>, handles: Handles): void {
  if (typeof handles === 'number') tree.delete(handles);
  else for (const handle of handles) tree.delete(handle);
}
