/**
 * Family: all scenarios of so many lookups and sections of given kinds over three pages, each once.
 *
 * A party's range is any of the six that three pages have. What matters of where the parties are is which of them share which
 * page, so scenarios count as the same if they can be made equal by exchanging parties of one kind, by mirroring the pages, by
 * shifting all ranges, and by joining neighbouring pages on which the same parties are. Ranges that touch stay apart from
 * ranges with a page between them.
 */
import type { Range } from '../../../lib/index.js';
import { type LookupKind, type Party, REACHING, type SectionKind } from './tracker-world.js';

/** All ranges over three pages. */
export const RANGES: readonly Range[] = [
  { start: 0, end: 1 },
  { start: 1, end: 2 },
  { start: 2, end: 3 },
  { start: 0, end: 2 },
  { start: 1, end: 3 },
  { start: 0, end: 3 },
];
/** Everybody on the same page: nobody is out of anybody's way. */
export const ONE_PAGE: readonly Range[] = [{ start: 0, end: 1 }];

/** Which scenarios. */
export interface Family {
  readonly lookups: number;
  readonly sections: number;
  readonly reading: readonly LookupKind[];
  readonly changing: readonly SectionKind[];
  readonly ranges: readonly Range[];
}

/** All lists of so many of them, no matter in which order. */
export function multisets<T>(items: readonly T[], count: number): T[][] {
  if (count === 0) return [[]];
  return items.flatMap((item, i) => multisets(items.slice(i), count - 1).map((rest) => [item, ...rest]));
}

/** Every scenario of the family, in the order of its lists, without those that are the same as an earlier one. */
export function* scenarios({ lookups, sections, reading, changing, ranges }: Family): Generator<Party[]> {
  const seen = new Set<string>();
  const readers = ranges.flatMap((range) => reading.map((kind): Party => ({ reads: true, kind, range })));
  const writers = changing.flatMap((kind): Party[] =>
    // The end of the tracker is everywhere.
    kind === 'close' ? [{ reads: false, kind, range: ranges[0]! }] : ranges.map((range) => ({ reads: false, kind, range })),
  );
  const changes = multisets(writers, sections);
  for (const reads of multisets(readers, lookups)) {
    for (const change of changes) {
      const parties = [...reads, ...change];
      const key = essence(parties);
      if (seen.has(key)) continue;
      seen.add(key);
      yield parties;
    }
  }
}

/** Equal for scenarios that are the same: see the top of the file. */
export function essence(parties: readonly Party[]): string {
  const pages = [0, 1, 2, 3].map((page) => {
    const there = parties.map((party) => presence(party, page));
    return there;
  });
  const used = pages.map((page) => page.some((presence) => presence !== ''));
  const inner = pages.slice(used.indexOf(true), used.lastIndexOf(true) + 1);
  const joined = inner.filter((page, i) => i === 0 || page.some((each, who) => each !== inner[i - 1]![who]));
  const forms = [joined, [...joined].reverse()].map((each) => {
    const rows = parties.map(
      ({ reads, kind }, who) => `${reads ? 'r' : 'w'} ${kind} ${each.map((page) => page[who] || '-').join('')}`,
    );
    return rows.sort().join(', ');
  });
  return forms.sort()[0]!;
}

/** `x` where the party is, `y` on the page that it comes to later. */
function presence({ kind, range }: Party, page: number): 'x' | 'y' | '' {
  if (kind === 'close') return '';
  if (page >= range.start && page < range.end) return 'x';
  return page === range.end && REACHING.has(kind) ? 'y' : '';
}

/** For messages. */
export function nameOf(parties: readonly Party[]): string {
  return parties.map(({ kind, range }) => `${kind} [${range.start}, ${range.end})`).join(', ');
}
