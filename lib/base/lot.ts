/**
 * Lot: things that stand in one place each, in the order of coming: who waits for a section, pages by their last use.
 *
 * An intrusive doubly linked list. Not a Set: waiters park and leave on the hot path of a contended range, and a Set
 * costs an allocation for the first and a hash for each; not an array: a thousand waiters that are aborted one by
 * one must not cost a million steps.
 */

/** Something that can stand in at most one {@link Lot} at a time. Fields belong to the lot. */
export abstract class Parked {
  lot: Lot<Parked> | undefined = undefined;
  before: Parked | undefined = undefined;
  after: Parked | undefined = undefined;
}

/** A place: first come, first served. */
export class Lot<P extends Parked> {
  private first: Parked | undefined = undefined;
  private last: Parked | undefined = undefined;
  /** How many stand here. */
  size = 0;

  /** Last in the order. `parked` must not be parked anywhere. O(1). */
  park(parked: P): void {
    parked.lot = this as unknown as Lot<Parked>;
    parked.before = this.last;
    if (this.last === undefined) this.first = parked;
    else this.last.after = parked;
    this.last = parked;
    this.size++;
  }

  /** Takes one out, wherever it stands. `parked` must be parked here. O(1). */
  leave(parked: P): void {
    const { before, after } = parked;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.last = before;
    else after.before = before;
    parked.lot = parked.before = parked.after = undefined;
    this.size--;
  }

  /** Who has stood here the longest. */
  get oldest(): P | undefined {
    return this.first as P | undefined;
  }

  /** Who stands here, first come first. */
  list(): P[] {
    const all: P[] = [];
    for (let parked = this.first; parked !== undefined; parked = parked.after) all.push(parked as P);
    return all;
  }

  /** {@link list}, and empties the lot. */
  drain(): P[] {
    const all = this.list();
    for (const parked of all) parked.lot = parked.before = parked.after = undefined;
    this.first = this.last = undefined;
    this.size = 0;
    return all;
  }
}
