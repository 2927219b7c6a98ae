import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contains, type Spans, toRanges, toSpans, unite } from '../../lib/base/range.js';
import { IntervalTree } from '../../lib/interval-tree/index.js';
import { deleteSpans, insertSpans, overlapsAny, visitSpans } from '../../lib/tracker/register.js';

import { property } from '../support/model/random.js';
import { anyMeet, joined } from '../support/model/ranges.js';

/** The line of the model: 24 cells. A set of cells is a number of 24 bits. */
const CELLS = 24;

const range = fc
  .tuple(fc.integer({ min: 0, max: CELLS - 1 }), fc.integer({ min: 1, max: 8 }))
  .map(([start, length]) => ({ start, end: Math.min(CELLS, start + length) }));
const ranges = fc.array(range, { minLength: 1, maxLength: 8 });

function bits(spans: Spans): number {
  let set = 0;
  for (let i = 0; i < spans.length; i += 2) for (let cell = spans[i]!; cell < spans[i + 1]!; cell++) set |= 1 << cell;
  return set;
}

function cells(list: readonly { start: number; end: number }[]): number {
  return bits(list.flatMap(({ start, end }) => [start, end]));
}

/** Ascending, disjoint, not touching, none empty. */
function isNormal(spans: Spans): boolean {
  return spans.length > 0 && spans.length % 2 === 0 && spans.every((value, i) => i === 0 || spans[i - 1]! < value);
}

test('spans cover exactly what the ranges cover, in the one normal form', () => {
  fc.assert(
    fc.property(ranges, (list) => {
      const spans = toSpans(list);
      expect(isNormal(spans)).toBe(true);
      expect(bits(spans)).toBe(cells(list));
      expect(toRanges(spans)).toEqual(joined(list));
      expect(toSpans([...list].reverse())).toEqual(spans);
    }),
    property(500),
  );
});

test('a union covers what either covers', () => {
  fc.assert(
    fc.property(ranges, ranges, (a, b) => {
      const both = unite(toSpans(a), toSpans(b));
      expect(isNormal(both)).toBe(true);
      expect(bits(both)).toBe(cells(a) | cells(b));
    }),
    property(500),
  );
});

test('spans contain others exactly if they cover every cell of them', () => {
  fc.assert(
    fc.property(ranges, ranges, (outer, inner) => {
      expect(contains(toSpans(outer), toSpans(inner))).toBe((cells(inner) & ~cells(outer)) === 0);
    }),
    property(1000),
  );
});

test('spans contain each of their parts, and nothing that reaches one cell further', () => {
  fc.assert(
    fc.property(ranges, (list) => {
      const spans = toSpans(list);
      for (let i = 0; i < spans.length; i += 2) {
        expect(contains(spans, [spans[i]!, spans[i + 1]!])).toBe(true);
        expect(contains(spans, [spans[i]!, spans[i + 1]! + 0.5])).toBe(false);
        expect(contains(spans, [spans[i]! - 0.5, spans[i + 1]!])).toBe(false);
      }
    }),
    property(200),
  );
});

test('a tree of spans is asked about spans and answers as a list would', () => {
  fc.assert(
    fc.property(fc.array(ranges, { maxLength: 40 }), ranges, (entries, query) => {
      const tree = new IntervalTree<number>();
      const handles = entries.map((entry, i) => insertSpans(tree, toSpans(entry), i));
      const ask = toSpans(query);
      const found = new Set<number>();
      visitSpans(tree, ask, (i) => found.add(i));
      const expected = entries.flatMap((entry, i) => (anyMeet(entry, query) ? [i] : []));
      expect([...found].sort((a, b) => a - b)).toEqual(expected);
      expect(overlapsAny(tree, ask)).toBe(expected.length > 0);
      for (const handle of handles) deleteSpans(tree, handle);
      expect(tree.size).toBe(0);
    }),
    property(300),
  );
});

test('spans of fractions, of infinities and of negative zero are as good as any', () => {
  const { NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number;
  expect(
    toSpans([
      { start: 0.5, end: 1 },
      { start: NEGATIVE_INFINITY, end: -0 },
      { start: -0, end: 0.25 },
    ]),
  ).toEqual([NEGATIVE_INFINITY, 0.25, 0.5, 1]);
  expect(Object.is(toSpans({ start: -0, end: 1 })[0], 0)).toBe(true);
  expect(contains([NEGATIVE_INFINITY, POSITIVE_INFINITY], [NEGATIVE_INFINITY, POSITIVE_INFINITY])).toBe(true);
  expect(contains([NEGATIVE_INFINITY, 0], [NEGATIVE_INFINITY, POSITIVE_INFINITY])).toBe(false);
});
