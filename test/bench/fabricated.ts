/**
 * Fabricated: small results as input of the report, in which everything is known beforehand.
 */
import { type Measure, OWN } from '../../bench/report/measure.js';
import { type Results, SCHEMA, type SuiteRecord } from '../../bench/report/results.js';

/** Nanoseconds, less is better, unless said otherwise. */
export function measure(title: string, subject: string, samples: readonly number[], more: Partial<Measure> = {}): Measure {
  return { title, subject, at: {}, unit: 'ns', better: 'less', samples, ...more };
}

/** One suite's record. */
export function record(suite: string, measures: readonly Measure[], more: Partial<SuiteRecord> = {}): SuiteRecord {
  return { suite, title: `All about ${suite}`, seeds: [7], seconds: 3, measures, notes: [], ...more };
}

/** A run. */
export function results(suites: readonly SuiteRecord[], more: Partial<Results> = {}): Results {
  return {
    ...{ schema: SCHEMA, date: '2026-01-02T03:04:05.000Z', seconds: 130, quick: false, version: '1.2.3' },
    ...{ node: 'v20.1.0', v8: '11.3', machine: { cpu: 'A processor', cores: 2, memoryBytes: 2 ** 34, os: 'Linux 6.1 x64' } },
    commit: { hash: '0123456789abcdef', dirty: false },
    suites,
    ...more,
  };
}

const SIZES = [8, 64, 1024] as const;

/** Something of every suite, so that every chart and every kind of table is made. */
export function everything(): Results {
  const pair = (title: string, own: readonly number[], lock: readonly number[], more: Partial<Measure>) => [
    measure(title, OWN, own, more),
    measure(title, 'rwlock', lock, more),
  ];
  const rate = { unit: 'ops/s', better: 'more' } as const;
  const overlap = (value: number, own: number) =>
    pair('lookups per second, by overlap', [own, own + 1, own + 2], [100, 101, 102], { ...rate, at: { overlap: value } });
  const quantiles = [0.5, 0.9, 0.99].flatMap((quantile) => {
    const at = { scenario: 'centre', quantile };
    return pair('latency of a lookup, distribution', [quantile], [2 * quantile], { unit: 'ms', at });
  });
  const tree = SIZES.flatMap((n) => [
    measure('remove + insert', OWN, [n, n, n], { at: { n } }),
    measure('remove + insert', 'rbush', [3 * n, 3 * n, 3 * n], { at: { n } }),
  ]);
  const retries = [10, 100].map((ended) => measure('readRetry', OWN, [ended, ended, ended], { at: { ended } }));
  const quiet = [
    measure('quiet read', OWN, [10, 11, 12]),
    measure('quiet read', 'a lock', [100, 110, 120]),
    measure('quiet read', 'a counter', [1, 1.1, 1.2]),
  ];
  const goals = [
    { figure: 'quiet read', goal: '<= 15 ns', measured: '11 ns', met: true },
    { figure: '  beside a lock', goal: '>= 20 x', measured: '10 x', met: false },
    { figure: 'for comparison', goal: '-', measured: '5 ns' },
  ];
  return results([
    record('contention', [...overlap(0, 400), ...overlap(0.1, 200), ...overlap(1, 50), ...quantiles], { notes: ['A | note.'] }),
    record('primitives', [...quiet, ...retries]),
    record('tree', tree),
    record('goals', [], { goals }),
  ]);
}
