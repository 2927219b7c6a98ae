/**
 * PageLock: keeps operations on the same pages apart, as the page locks of a kernel do: two of them may have *begun* (their
 * invalidations overlap freely), but only one of them changes a page at a time. A space has one for its page table, a shared
 * object one for its content.
 *
 * It is taken after the begin, never before: a begin may queue behind a held lookup, whose fault may need the lock. An
 * operation takes all the locks that it needs at once, in the order of their numbers, so no two operations wait for each other.
 */
import { overlap, type Places, type Run } from './runs.js';

interface Claim {
  readonly runs: readonly Run[];
  readonly enter: () => void;
}

/** Locks made so far. */
let made = 0;

/** First come, first served, among those whose pages overlap. */
export class PageLock {
  /** The place in the order in which several locks are taken. */
  readonly id: number = ++made;
  /** Those inside and those who wait, in the order of their coming. Few: a list will do. */
  #claims: Claim[] = [];

  /** Resolves when nobody who came earlier has any of the pages; call what it resolves with to let them go. */
  async enter(runs: readonly Run[]): Promise<() => void> {
    let claim!: Claim;
    await new Promise<void>((resolve) => {
      claim = { runs, enter: resolve };
      this.#claims.push(claim);
      if (this.#isFirst(claim)) resolve();
    });
    return () => this.#leave(claim);
  }

  #leave(gone: Claim): void {
    this.#claims = this.#claims.filter((claim) => claim !== gone);
    // Resolving a promise twice does nothing, so who is inside already need not be known.
    for (const claim of this.#claims) if (this.#isFirst(claim)) claim.enter();
  }

  #isFirst(claim: Claim): boolean {
    for (const other of this.#claims) {
      if (other === claim) return true;
      if (overlap(claim.runs, other.runs)) return false;
    }
    return true;
  }
}

/** Takes all the locks; call what it resolves with to let them go. */
export async function enterAll(claims: Places<PageLock>): Promise<() => void> {
  const leave: (() => void)[] = [];
  for (const [lock, runs] of [...claims].sort(([a], [b]) => a.id - b.id)) leave.push(await lock.enter(runs));
  return () => {
    for (const one of leave.reverse()) one();
  };
}
