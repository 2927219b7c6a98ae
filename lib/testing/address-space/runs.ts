/**
 * Runs: sets of page numbers, as lists of stretches.
 */

/** Pages `[first, first + count)`; `count` may be infinite where nobody lists them. */
export interface Run {
  readonly first: number;
  readonly count: number;
}

/** Some pages in each of some places: spaces, objects, locks. */
export type Places<K> = ReadonlyMap<K, readonly Run[]>;

/** All pages there can be. */
export const EVERYTHING: Run = { first: 0, count: Number.POSITIVE_INFINITY };

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

/** Whether they have a page in common. */
export function overlap(a: readonly Run[], b: readonly Run[]): boolean {
  return a.some((one) => b.some((two) => one.first < two.first + two.count && two.first < one.first + one.count));
}

/** The same pages as ascending runs that do not touch. */
export function merge(runs: readonly Run[]): Run[] {
  const merged: { first: number; count: number }[] = [];
  for (const { first, count } of [...runs].sort((a, b) => a.first - b.first)) {
    const last = merged.at(-1);
    if (last === undefined || last.first + last.count < first) merged.push({ first, count });
    else if (last.first + last.count < first + count) last.count = first + count - last.first;
  }
  return merged;
}

/** Whether every page of `inner` is one of `outer`, in each place. */
export function covers<K>(outer: Places<K>, inner: Places<K>): boolean {
  for (const [place, runs] of inner) {
    const around = merge(outer.get(place) ?? []);
    const isInside = (run: Run) =>
      around.some(({ first, count }) => first <= run.first && run.first + run.count <= first + count);
    if (!merge(runs).every(isInside)) return false;
  }
  return true;
}

/** The pages of both, in each place. */
export function join<K>(one: Places<K>, other: Places<K>): Map<K, Run[]> {
  const both = new Map<K, Run[]>();
  for (const places of [one, other]) {
    for (const [place, runs] of places) both.set(place, merge([...(both.get(place) ?? []), ...runs]));
  }
  return both;
}
