/**
 * Roster: who else is there, and since when nothing was heard of them.
 *
 * Each member counts its renewals, and the server keeps the counts. Nobody compares clocks: whoever sees the same count for
 * `waitMs` by its own clock, from when it saw it first, knows that the lease behind it is over.
 */

/** What was seen of a member. */
interface Seen {
  readonly count: string;
  /** The clock when it was seen first: not earlier than the renewal was sent. */
  readonly since: number;
}

/** A member, and the count at which it has stopped. */
export interface Silent {
  readonly member: string;
  readonly count: string;
}

/** See the top of the file. */
export class Roster {
  readonly #waitMs: number;
  #seen: ReadonlyMap<string, Seen> = new Map();

  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /** Counts as the server had them in an answer that has come now: members and counts in turn. */
  saw(members: readonly string[], now: number): void {
    const seen = new Map<string, Seen>();
    for (let i = 0; i < members.length; i += 2) {
      const count = members[i + 1]!;
      const before = this.#seen.get(members[i]!);
      seen.set(members[i]!, before?.count === count ? before : { count, since: now });
    }
    this.#seen = seen;
  }

  /** Those whose lease is over. */
  silent(now: number, self: string): Silent[] {
    const over = [...this.#seen].filter(([member, { since }]) => member !== self && now - since >= this.#waitMs);
    return over.map(([member, { count }]) => ({ member, count }));
  }

  /** How long it is until the first of them may be silent for long enough; at least a millisecond. */
  dueMs(now: number, self: string): number {
    let due = Number.POSITIVE_INFINITY;
    for (const [member, { since }] of this.#seen) if (member !== self) due = Math.min(due, since + this.#waitMs - now);
    return Math.max(due, 1);
  }

  /** All that were seen last. */
  get members(): string[] {
    return [...this.#seen.keys()];
  }

  /** Nothing is known any more. */
  clear(): void {
    this.#seen = new Map();
  }
}
