/**
 * Measures: what is taken from the slices, for tables and charts.
 */
import type { Measure, Unit } from '../report/measure.js';
import type { Slice } from './load.js';
import { type Sides, SUBJECTS } from './rounds.js';
import type { Row } from './scenarios.js';

/** One thing that every slice tells. */
export interface Metric {
  readonly title: string;
  readonly unit: Unit;
  readonly better: Measure['better'];
  /** Undefined where there is nothing of the kind: no invalidations without invalidators. */
  readonly of: (slice: Slice) => number | undefined;
}

type Kind = 'lookups' | 'invalidations';
const ONE: Readonly<Record<Kind, string>> = { lookups: 'a lookup', invalidations: 'an invalidation' };

function rate(kind: Kind): Metric {
  const of = (slice: Slice) => (slice[kind].byLoop.length === 0 ? undefined : slice[kind].perSecond);
  return { title: `${kind} per second`, unit: 'ops/s', better: 'more', of };
}

function latency(kind: Kind, share: number, title: string): Metric {
  const of = (slice: Slice) => (slice[kind].latencies.count === 0 ? undefined : slice[kind].latencies.quantile(share));
  return { title: `${title} of ${ONE[kind]}`, unit: 'ms', better: 'less', of };
}

/** Of everything that was begun, also what was not done in time: what it cost the guard is counted, too. */
function begun({ count, unfinished, failed }: Slice['lookups']): number {
  return count + unfinished + failed;
}

const RETRIES: Metric = {
  title: 'retries per 1,000 lookups',
  unit: 'count',
  better: undefined,
  of: ({ lookups, counts }) => (1000 * counts.retries) / begun(lookups),
};

const WAITS: Metric = {
  title: 'waits per 1,000 lookups and invalidations',
  unit: 'count',
  better: undefined,
  of: ({ lookups, invalidations, counts }) => (1000 * counts.waits) / (begun(lookups) + begun(invalidations)),
};

/** On which the guards are compared, also in words. */
export const COMPARED: readonly Metric[] = [
  rate('lookups'),
  rate('invalidations'),
  latency('lookups', 0.99, 'p99 latency'),
  latency('invalidations', 0.99, 'p99 latency'),
];

/** All. */
export const METRICS: readonly Metric[] = [
  ...COMPARED,
  ...(['lookups', 'invalidations'] as const).flatMap((kind) => [
    latency(kind, 0.5, 'p50 latency'),
    latency(kind, 0.999, 'p99.9 latency'),
  ]),
  RETRIES,
  WAITS,
];

/** Of the distribution. */
export const QUANTILES: readonly number[] = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999];

/** The latency distribution of the lookups of one scenario, a measure for each quantile. */
export function distributionOf(scenario: string, sides: Sides): Measure[] {
  const title = `latency of ${ONE.lookups}, distribution`;
  return QUANTILES.flatMap((quantile) => measure(latency('lookups', quantile, ''), title, { scenario, quantile }, sides));
}

/** Every metric of one row, of both sides; `group` is the name of its group. */
export function measuresOf(group: string, { at }: Row, sides: Sides): Measure[] {
  return METRICS.flatMap((metric) => measure(metric, `${metric.title}, ${group}`, at, sides));
}

/** A measure a side; none if any slice has nothing to say: both sides must be there, and for every round. */
function measure({ of, unit, better }: Metric, title: string, at: Measure['at'], sides: Sides): Measure[] {
  const measures: Measure[] = [];
  for (const subject of SUBJECTS) {
    const samples = sides[subject].map(of);
    if (samples.includes(undefined)) return [];
    measures.push({ title, subject, at, unit, better, samples: samples as number[] });
  }
  return measures;
}
