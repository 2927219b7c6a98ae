/**
 * Hold: one turn at a range, shared by the lookups that came for it together.
 *
 * On a range that is fought over, dozens of lookups wait for the same turn. They are one party in the gate's registers:
 * what blocks one blocks all, and one look decides for all.
 */

import type { Handles, Spans } from '../base/range.js';
import type { Ignore, Section } from './invalidation.js';
import type { Lot } from './parking.js';
import { type Reader, Waiter } from './reader.js';

/**
 * States: waiting (not `admitted`, `blockedBy` set), admitted, over (no members). Legal moves: waiting -> admitted ->
 * over, and waiting -> over; only the gate makes them. An extension is neither admitted nor waiting. All members have the hold's spans (or fewer) and its filter.
 */
export class Hold extends Waiter {
  readonly members: Reader[] = [];
  admitted = false;
  /** In the gate's register of holds, until it is over. */
  handles: Handles | undefined = undefined;
  /** Begins that wait for this hold. */
  begins: Lot<Section> | undefined = undefined;
  /** True once it was of use: it had to wait, or somebody had to wait for it. */
  contested = false;
  private opening: Promise<void> | undefined = undefined;
  /** Resolves `opening`; undefined while nobody waits for it, and once it is done. */
  private proceed: (() => void) | undefined = undefined;

  /** Announced with the ticket of this moment. */
  constructor(spans: Spans, ignore: Ignore | undefined, ticket: number) {
    super(spans, ignore);
    this.ticket = ticket;
  }

  /** Resolves when {@link open} is called: one promise for all members. */
  turn(): Promise<void> {
    this.opening ??= new Promise((resolve) => {
      this.proceed = resolve;
    });
    return this.opening;
  }

  /** Lets all members go. Only the first call does anything. */
  open(): void {
    const { proceed } = this;
    this.proceed = undefined;
    proceed?.();
  }

  /** O(1). */
  join(reader: Reader): void {
    reader.hold = this;
    reader.place = this.members.length;
    this.members.push(reader);
  }

  /** O(1): the last member takes the place. */
  leave(reader: Reader): void {
    const last = this.members.pop()!;
    if (last !== reader) {
      this.members[reader.place] = last;
      last.place = reader.place;
    }
    reader.hold = undefined;
  }
}
