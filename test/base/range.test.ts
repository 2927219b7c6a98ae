import { describe, expect, it } from 'vitest';
import { contains, toRanges, toSpans, unite } from '../../lib/base/range.js';
import { InvalidRangeError, type Range, type Ranges, RangeTracker } from '../../lib/index.js';
import { range } from '../support/reading.js';

const INFINITY = Number.POSITIVE_INFINITY;

describe('a list of ranges', () => {
  it.each<[string, Ranges, number[]]>([
    ['a single range stays as it is', range(3, 7), [3, 7]],
    ['a list of one is the same as the one', [range(3, 7)], [3, 7]],
    ['the order does not matter', [range(20, 28), range(0, 8)], [0, 8, 20, 28]],
    ['overlapping ranges count once', [range(0, 8), range(4, 12)], [0, 12]],
    ['touching ranges become one', [range(8, 16), range(0, 8)], [0, 16]],
    ['a range inside another disappears', [range(0, 100), range(4, 8), range(50, 60)], [0, 100]],
    ['identical ranges count once', [range(0, 8), range(0, 8), range(0, 8)], [0, 8]],
    ['of ranges with the same start the longest counts', [range(0, 8), range(0, 20), range(0, 4)], [0, 20]],
    ['many become one by chains', [range(4, 6), range(0, 2), range(2, 4), range(6, 8)], [0, 8]],
    ['infinities swallow the rest', [range(-INFINITY, 0), range(-5, INFINITY), range(3, 4)], [-INFINITY, INFINITY]],
    ['the ends of the line stay apart', [range(5, INFINITY), range(-INFINITY, -5)], [-INFINITY, -5, 5, INFINITY]],
    ['numbers are compared as numbers', [range(10, 11), range(9, 9.5), range(-10, -9)], [-10, -9, 9, 9.5, 10, 11]],
  ])('%s', (_name, ranges, spans) => {
    expect(toSpans(ranges)).toEqual(spans);
  });

  it('comes out without minus zero', () => {
    expect(toSpans(range(-0, 8)).map((number) => Object.is(number, -0))).toEqual([false, false]);
    expect(toSpans([range(-8, -0), range(1, 2)]).map((number) => Object.is(number, -0))).toEqual([false, false, false, false]);
  });

  it('is copied, not sorted in place', () => {
    const list = [range(20, 28), range(0, 8)];
    toSpans(list);
    expect(list).toEqual([range(20, 28), range(0, 8)]);
  });

  it('may be frozen', () => {
    expect(toSpans(Object.freeze([Object.freeze(range(4, 8)), Object.freeze(range(0, 2))]))).toEqual([0, 2, 4, 8]);
  });

  it('is shown sorted, merged and deeply frozen', () => {
    const section = new RangeTracker().tryBegin([range(8, 16), range(0, 8), range(20, 28)])!;
    expect(section.ranges).toEqual([range(0, 16), range(20, 28)]);
    expect([Object.isFrozen(section.ranges), Object.isFrozen(section.ranges[0])]).toEqual([true, true]);
    expect(section.ranges).toBe(section.ranges);
  });

  it('that the caller changes later does not move anything', () => {
    const tracker = new RangeTracker();
    const mine = { start: 0, end: 8 };
    const section = tracker.tryBegin(mine)!;
    mine.start = 100;
    mine.end = 108;
    expect(tracker.tryReadBegin(range(0, 8))).toBeUndefined();
    expect(tracker.tryReadBegin(range(100, 108))).toBe(1);
    section.end();
    expect(tracker.readRetry(range(0, 8), 0 as never)).toBe(true);
  });
});

describe('a bad range is refused with what was got and what was expected:', () => {
  it.each<[string, unknown, string]>([
    ['inverted', range(7, 3), 'range [7, 3) is empty: end must be greater than start'],
    ['empty', range(3, 3), 'range [3, 3) is empty: end must be greater than start'],
    ['infinite and empty', range(INFINITY, INFINITY), 'range [Infinity, Infinity) is empty: end must be greater than start'],
    ['NaN', range(Number.NaN, 3), 'range [NaN, 3): start and end must be numbers, not NaN'],
    ['strings', { start: '3', end: '7' }, 'range ["3", "7"): start and end must be numbers, not NaN'],
    ['an object without ends', {}, 'range [undefined, undefined): start and end must be numbers, not NaN'],
    ['bigints', { start: 3n, end: 7n }, 'range [3, 7): start and end must be numbers, not NaN'],
    ['a number', 3, 'range is 3; expected { start, end } with start < end, or a list of them'],
    ['a string', '[3, 7)', 'range is "[3, 7)"; expected { start, end } with start < end, or a list of them'],
    ['null', null, 'range is null; expected { start, end } with start < end, or a list of them'],
    ['a function', () => 3, 'range is a function; expected { start, end } with start < end, or a list of them'],
    ['a pair', [3, 7], 'range is 3; expected { start, end } with start < end, or a list of them'],
    ['a list in a list', [[range(3, 7)]], 'range is an array; expected { start, end } with start < end, or a list of them'],
    ['an empty list', [], 'the list of ranges is empty; expected at least one range'],
  ])('%s', (_name, bad, message) => {
    expect(() => toSpans(bad as Range)).toThrow(new InvalidRangeError(message));
  });
});

describe('spans', () => {
  it('unite into the spans of both', () => {
    expect(unite([0, 8, 20, 28], [8, 16, 24, 40])).toEqual([0, 16, 20, 40]);
    expect(unite([0, 8], [2, 3])).toEqual([0, 8]);
  });

  it('are shown as ranges', () => {
    expect(toRanges([0, 8, 20, 28])).toEqual([range(0, 8), range(20, 28)]);
  });

  it.each<[number[], number[], boolean]>([
    [[0, 8], [0, 8], true],
    [[0, 8], [2, 4], true],
    [[0, 8], [0, 9], false],
    [[0, 8], [-1, 8], false],
    [[0, 8], [8, 9], false],
    [[0, 8, 20, 28], [2, 4, 22, 24], true],
    [[0, 8, 20, 28], [20, 28], true],
    [[0, 8, 20, 28], [2, 24], false],
    [[0, 8, 20, 28], [8, 20], false],
    [[0, 8, 20, 28], [2, 4, 10, 12], false],
    [[0, 8, 20, 28], [2, 4, 30, 40], false],
    [[0, 8, 20, 28], [0, 1, 2, 3, 7, 8, 20, 21, 27, 28], true],
    [[-INFINITY, INFINITY], [-INFINITY, 0], true],
    [[0, INFINITY], [-1, INFINITY], false],
  ])('%j contain %j: %s', (outer, inner, answer) => {
    expect(contains(outer, inner)).toBe(answer);
  });
});
