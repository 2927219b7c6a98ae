import { describe, expect, test } from 'vitest';
import { ratioInterval } from '../../bench/report/bootstrap.js';
import { compareResults, printComparison, type Verdict } from '../../bench/report/compare.js';
import { type Measure, OWN } from '../../bench/report/measure.js';
import { measure, record, results } from './fabricated.js';

const TOLERANCE = 0.1;

/** The runs of one suite, compared. */
function compared(now: readonly Measure[], before: readonly Measure[], tolerance = TOLERANCE) {
  return compareResults(results([record('s', now)]), results([record('s', before)]), tolerance);
}

/** One measure of ours, alone in its suite. */
function verdictOf(
  now: readonly number[],
  before: readonly number[],
  more: Partial<Measure> = {},
  tolerance = TOLERANCE,
): Verdict {
  return compared([measure('t', OWN, now, more)], [measure('t', OWN, before, more)], tolerance).comparisons[0]!.verdict;
}

const times = (samples: readonly number[], factor: number) => samples.map((sample) => sample * factor);
const QUIET = [99, 100, 101, 100, 102];

describe('the interval', () => {
  test('is a point where nothing varies', () => {
    expect(ratioInterval([2, 2, 2], [1, 1, 1])).toEqual([2, 2]);
  });

  test('contains the ratio of the medians, and stays within least and greatest', () => {
    const [low, high] = ratioInterval([8, 9, 10, 11, 12], [4, 5, 6]);
    expect(low).toBeLessThanOrEqual(2);
    expect(high).toBeGreaterThanOrEqual(2);
    expect(low).toBeGreaterThanOrEqual(8 / 6);
    expect(high).toBeLessThanOrEqual(12 / 4);
    expect(high).toBeGreaterThan(low);
  });

  test('is the same every time, and narrower of many samples', () => {
    const wide = [80, 90, 100, 110, 120];
    expect(ratioInterval(wide, wide)).toEqual(ratioInterval(wide, wide));
    const many = Array.from({ length: 10 }, () => wide).flat();
    const width = ([low, high]: readonly [number, number]) => high - low;
    expect(width(ratioInterval(many, many))).toBeLessThan(width(ratioInterval(wide, wide)));
  });
});

describe('a measure is', () => {
  test('the same as itself', () => {
    expect(verdictOf(QUIET, QUIET)).toBe('same');
  });

  test('worse if it takes clearly longer, better if clearly less', () => {
    expect(verdictOf(times(QUIET, 1.3), QUIET)).toBe('worse');
    expect(verdictOf(times(QUIET, 0.7), QUIET)).toBe('better');
  });

  test('worse if there are clearly fewer of what there should be more', () => {
    const rate = { unit: 'ops/s', better: 'more' } as const;
    expect(verdictOf(times(QUIET, 0.7), QUIET, rate)).toBe('worse');
    expect(verdictOf(times(QUIET, 1.3), QUIET, rate)).toBe('better');
  });

  test('the same within the tolerance, however sure', () => {
    expect(verdictOf(times(QUIET, 1.08), QUIET)).toBe('same');
    expect(verdictOf(times(QUIET, 1.08), QUIET, {}, 0.05)).toBe('worse');
    expect(verdictOf(times(QUIET, 1.3), QUIET, {}, 0.5)).toBe('same');
  });

  test('the same within the noise of either side, though the interval excludes 1', () => {
    const noisy = [110, 170, 180, 190, 260];
    const before = times(QUIET, 1.05);
    expect(ratioInterval(noisy, before)[0]).toBeGreaterThan(1);
    expect(verdictOf(times(noisy, 0.85), before)).toBe('same');
  });

  test('not judged by fewer than three rounds', () => {
    expect(verdictOf([300, 300], [100, 100, 100])).toBe('few');
    expect(compared([measure('t', OWN, [300])], [measure('t', OWN, [100])]).worse).toEqual([]);
  });
});

describe('drift', () => {
  const peers = (factor: number) => ['a', 'b', 'c'].map((peer) => measure('t', peer, times(QUIET, factor)));
  const own = (factor: number, more: Partial<Measure> = {}) => measure('t', OWN, times(QUIET, factor), more);

  test('of the whole machine is not held against us', () => {
    const { comparisons, worse } = compared([own(1.5), ...peers(1.5)], [own(1), ...peers(1)]);
    expect(worse).toEqual([]);
    expect(comparisons[0]).toMatchObject({ ratio: 1.5, verdict: 'same' });
    expect(comparisons[0]!.corrected).toBeCloseTo(1);
  });

  test('does not hide that we got slower on a machine that got quicker', () => {
    const { worse } = compared([own(1), ...peers(0.7)], [own(1), ...peers(1)]);
    expect(worse.map(({ measure: { subject } }) => subject)).toEqual([OWN]);
  });

  test('is the same thing for times and for rates', () => {
    const rate = { title: 'rate', unit: 'ops/s', better: 'more' } as const;
    const { comparisons } = compared([own(1 / 1.5, rate), ...peers(1.5)], [own(1, rate), ...peers(1)]);
    expect(comparisons[0]!.corrected).toBeCloseTo(1);
  });

  test('is of the title first, then of the suite', () => {
    const other = (factor: number) => ['a', 'b', 'c'].map((peer) => measure('other', peer, times(QUIET, factor)));
    const now = [own(2), own(2, { title: 'lonely' }), ...peers(2), ...other(1)];
    const { comparisons } = compared(now, [own(1), own(1, { title: 'lonely' }), ...peers(1), ...other(1)]);
    expect(comparisons[0]!.corrected).toBeCloseTo(1);
    expect(comparisons[1]!.corrected).toBeCloseTo(2 / Math.sqrt(2), 1); // logarithms: between 2 and 1 lies their mean
  });

  test('of peers that disagree counts as noise', () => {
    const torn = [0.6, 1, 1.9].map((factor, i) => measure('t', 'abc'[i]!, times(QUIET, factor)));
    expect(compared([own(1.3), ...torn], [own(1), ...peers(1)]).worse).toEqual([]);
    expect(compared([own(1.3), ...peers(1)], [own(1), ...peers(1)]).worse).toHaveLength(1);
  });

  test('needs three peers, and leaves bytes and multiples alone', () => {
    const two = (factor: number) => peers(factor).slice(1);
    expect(compared([own(1.5), ...two(1.5)], [own(1), ...two(1)]).worse).toHaveLength(1);
    const bytes = { unit: 'bytes' } as const;
    expect(compared([own(1.5, bytes), ...peers(1.5)], [own(1, bytes), ...peers(1)]).worse).toHaveLength(1);
  });

  test('in the peers alone decides nothing', () => {
    expect(compared(peers(3), peers(1)).worse).toEqual([]);
  });
});

describe('two runs', () => {
  test('share what has the same title, subject and place, whatever the order of its keys', () => {
    const at = (point: Measure['at']) => measure('t', OWN, QUIET, { at: point });
    const now = [at({ n: 8, m: 1 }), at({ n: 8, m: 2 }), measure('only now', OWN, QUIET)];
    const { comparisons } = compared(now, [at({ m: 1, n: 8 }), at({ n: 9, m: 2 })]);
    expect(comparisons.map((item) => item.measure.at)).toEqual([{ n: 8, m: 1 }]);
  });

  test('are not compared by counts, nor by what is not above zero', () => {
    const now = [measure('retries', OWN, [9, 9, 9], { unit: 'count', better: undefined }), measure('zero', OWN, [0, 1, 1])];
    expect(compared(now, now)).toMatchObject({ comparisons: [], warnings: ['the runs have no measure in common'] });
  });

  test('of different machines, versions of Node or lengths are warned about', () => {
    const suites = [record('s', [measure('t', OWN, QUIET)])];
    const machine = { cpu: 'Another', cores: 8, memoryBytes: 1, os: 'Linux 6.1 x64' };
    const { warnings } = compareResults(results(suites, { machine, node: 'v24.0.0', quick: true }), results(suites), TOLERANCE);
    expect(warnings).toEqual([
      'the processor differs: A processor before, Another now',
      'the number of cores differs: 2 before, 8 now',
      'Node differs: v20.1.0 before, v24.0.0 now',
      'the length of the run differs: full before, quick now',
    ]);
  });

  test('are printed with every shared measure, and what it comes to', () => {
    const now = [measure('t', OWN, times(QUIET, 2)), measure('t', 'peer', QUIET), measure('u', OWN, QUIET)];
    const before = [measure('t', OWN, QUIET), measure('t', 'peer', QUIET), measure('u', OWN, QUIET)];
    const text = printComparison(compared(now, before), TOLERANCE);
    for (const part of ['t of rangefence', 'u of rangefence', 't of peer', '100 ns', ' … ', 'worse'])
      expect(text).toContain(part);
    expect(text).toContain('1 of 2 of our measures are worse, beyond noise and by more than 10 %.');
  });
});
