/**
 * Scenarios: the points at which the two guards are compared. One centre, five axes through it, and the hard cases: those in
 * which a coarse lock has least to lose.
 */

/** How long something takes: milliseconds on a timer, a turn of the event loop, or nothing at all. */
export type Pause = number | 'turn';

/** One point. */
export interface Scenario {
  /** Lookups under way at any time. */
  readonly lookups: number;
  /** Invalidators, each with one change after the other. */
  readonly invalidators: number;
  /** The probability that a lookup overlaps a given invalidation. */
  readonly overlap: number;
  /** What a fetch takes; 0 is an answer in the same turn. */
  readonly latency: Pause;
  /** What a change takes. */
  readonly section: Pause;
  /** Parties that are told before their page changes. */
  readonly subscribers: number;
}

/** One line of a table. */
export interface Row {
  readonly at: Readonly<Record<string, number | string>>;
  readonly scenario: Scenario;
}

/** The lines that belong into one table. */
export interface Group {
  /** Goes on after the name of what was measured: `by overlap`. */
  readonly name: string;
  readonly rows: readonly Row[];
}

/** Where all axes cross. */
export const CENTRE: Scenario = { lookups: 64, invalidators: 4, overlap: 0.01, latency: 1, section: 1, subscribers: 3 };

/** Everyone wants the same, and changes take as long as fetches: the most waiting that four invalidators can cause. */
export const HOT_SPOT: Scenario = { ...CENTRE, overlap: 1 };

interface Axis {
  readonly name: string;
  readonly key: 'lookups' | 'invalidators' | 'overlap' | 'latency' | 'subscribers';
  readonly values: readonly number[];
}

const AXES: readonly Axis[] = [
  { name: 'by lookups in flight', key: 'lookups', values: [1, 4, 16, 64, 256, 1024, 4096] },
  { name: 'by invalidators', key: 'invalidators', values: [0, 1, 4, 16, 64] },
  { name: 'by overlap', key: 'overlap', values: [0, 0.01, 0.1, 0.5, 1] },
  { name: 'by latency of the fetch', key: 'latency', values: [0, 1, 10] },
  { name: 'by subscribers', key: 'subscribers', values: [1, 3, 10, 100, 1000, 10_000, 100_000] },
];

const HARD: Readonly<Record<string, Scenario>> = {
  'synchronous fetches, sections of one turn': { ...CENTRE, latency: 0, section: 'turn' },
  'one reader alone, synchronous fetch': { ...CENTRE, lookups: 1, invalidators: 0, latency: 0 },
  'one reader alone, fetch of 1 ms': { ...CENTRE, lookups: 1, invalidators: 0 },
  'everything overlaps, sections of 1 ms': HOT_SPOT,
  'everything overlaps, sections of one turn': { ...HOT_SPOT, latency: 'turn', section: 'turn' },
};

/** The sweeps and the hard cases. Quick: of each axis the ends and the centre. */
export function groups(quick: boolean): readonly Group[] {
  const hard = Object.entries(HARD).map(([name, scenario]) => ({ at: { scenario: name }, scenario }));
  return [...AXES.map((axis) => sweep(axis, quick)), { name: 'where a lock is at its best', rows: hard }];
}

/** The distributions that are drawn. */
export const DISTRIBUTIONS: Readonly<Record<string, Scenario>> = { centre: CENTRE, 'hot spot': HOT_SPOT };

function sweep({ name, key, values }: Axis, quick: boolean): Group {
  const kept = quick ? values.filter((value, i) => i === 0 || i === values.length - 1 || value === CENTRE[key]) : values;
  return { name, rows: kept.map((value) => ({ at: { [key]: value }, scenario: { ...CENTRE, [key]: value } })) };
}

/** The scenario in words. */
export function describe(scenario: Scenario): string {
  const { lookups, invalidators, overlap, latency, section, subscribers } = scenario;
  return [
    `${amount(lookups, 'lookup')} in flight`,
    amount(invalidators, 'invalidator'),
    `overlap ${overlap * 100} %`,
    `fetch ${duration(latency)}`,
    ...(invalidators === 0 ? [] : [`sections ${duration(section)}`]),
    amount(subscribers, 'subscriber'),
  ].join(', ');
}

function amount(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

function duration(pause: Pause): string {
  if (pause === 'turn') return 'one turn';
  return pause === 0 ? 'synchronous' : `${pause} ms`;
}
