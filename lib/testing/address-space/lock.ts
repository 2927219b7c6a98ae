/**
 * PageLock: keeps operations on the same pages apart, as the page locks of a kernel do: two of them may have *begun* (their
 * invalidations overlap freely), but only one of them changes a page at a time.
 *
 * It is taken after the begin, never before: a begin may queue behind a held lookup, whose fault may need the lock.
 */

/** Pages `[first, first + count)`. */
export interface Run {
  readonly first: number;
  readonly count: number;
}

interface Claim {
  readonly runs: readonly Run[];
  readonly enter: () => void;
}

/** First come, first served, among those whose pages overlap. */
export class PageLock {
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

function overlap(a: readonly Run[], b: readonly Run[]): boolean {
  return a.some((one) => b.some((two) => one.first < two.first + two.count && two.first < one.first + one.count));
}

/** Adjacent page numbers, given in ascending order, as runs. */
export function toRuns(pages: Iterable<number>): Run[] {
  const runs: { first: number; count: number }[] = [];
  for (const page of pages) {
    const last = runs.at(-1);
    if (last !== undefined && last.first + last.count === page) last.count++;
    else runs.push({ first: page, count: 1 });
  }
  return runs;
}

/** The numbers of the pages of the runs. */
export function pagesOf(runs: readonly Run[]): number[] {
  return runs.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i));
}
