/**
 * Compare: whether a run is worse than an earlier one, beyond what the machine does by itself.
 *
 * For each measure that both runs have: the ratio now / before of the medians, and its interval (bootstrap.ts).
 *
 * Drift: a machine that is slower today is so for everybody. The peers' code is the same in both runs, so the median of their
 * ratios says how the machine has changed; ours are divided by it. It is taken over the peers of the same title if there are
 * three or more measures of them, otherwise over those of the suite, otherwise none. Only what is time drifts: bytes and
 * multiples do not. A peer whose own version changed between the runs spoils this: keep the lock file the same.
 *
 * Noise: half of the spread (least to greatest, as logarithms) of each side, and half of the spread between the quartiles of the
 * peers' ratios, added as independent errors are. A measure is `worse` (or `better`) if, drift taken out,
 *
 *     the interval excludes 1, and the ratio is beyond the tolerance, and it is beyond the noise.
 *
 * One in twenty intervals is wrong by construction, and there are hundreds: the other two conditions are there so that two runs of
 * the same code agree. What they cannot see is anything that happens in one of the runs only: run both sides again.
 */
import { median, quantile } from '../support/statistics.js';
import { number, table } from '../support/text.js';
import { ratioInterval } from './bootstrap.js';
import { type Measure, OWN, type Unit } from './measure.js';
import { keyOf, nameOf, type Results } from './results.js';

/** Fewer say nothing about the spread. */
const LEAST_SAMPLES = 3;
/** Fewer peers' measures say more about the peers than about the machine. */
const LEAST_PEERS = 3;

const TIMES: ReadonlySet<Unit> = new Set(['ns', 'ms', 'ops/s']);

/** What became of a measure. `few`: with fewer than three rounds on a side nothing can be said. */
export type Verdict = 'worse' | 'better' | 'same' | 'few';

/** One measure in both runs. */
export interface Comparison {
  readonly suite: string;
  readonly measure: Measure;
  readonly before: number;
  readonly now: number;
  /** `now / before`. */
  readonly ratio: number;
  readonly interval: readonly [number, number];
  /** {@link ratio}, drift taken out. */
  readonly corrected: number;
  /** As a ratio, 1 or more: what is nearer to 1 than this may be nothing. */
  readonly noise: number;
  readonly verdict: Verdict;
}

/** The outcome. */
export interface ComparisonReport {
  readonly comparisons: readonly Comparison[];
  /** What makes the two runs hard to compare. */
  readonly warnings: readonly string[];
  /** Ours that are worse. */
  readonly worse: readonly Comparison[];
}

interface Pair {
  readonly suite: string;
  readonly now: Measure;
  readonly before: Measure;
}

/** Compares. `tolerance` is a share: 0.1 lets 10 % pass. */
export function compareResults(now: Results, before: Results, tolerance: number): ComparisonReport {
  const pairs = pairsOf(now, before);
  const comparisons = pairs.map((pair) => compare(pair, driftOf(pair, pairs), tolerance));
  const worse = comparisons.filter(({ measure, verdict }) => measure.subject === OWN && verdict === 'worse');
  return { comparisons, warnings: warningsOf(now, before, pairs.length), worse };
}

/** Measures that can be compared: there is a better and a worse, and both sides are above zero. */
function pairsOf(now: Results, before: Results): Pair[] {
  return now.suites.flatMap(({ suite, measures }) => {
    const others = new Map(before.suites.find((other) => other.suite === suite)?.measures.map((item) => [keyOf(item), item]));
    return measures.flatMap((measure): Pair[] => {
      const other = others.get(keyOf(measure));
      const fit = other !== undefined && measure.better !== undefined && other.unit === measure.unit;
      return fit && [...measure.samples, ...other.samples].every((sample) => sample > 0)
        ? [{ suite, now: measure, before: other }]
        : [];
    });
  });
}

/** How the machine has changed, above 1 if it is slower, and how far the peers disagree about that (a logarithm). */
interface Drift {
  readonly slower: number;
  readonly doubt: number;
}

function driftOf({ suite, now }: Pair, pairs: readonly Pair[]): Drift {
  if (!TIMES.has(now.unit)) return { slower: 1, doubt: 0 };
  const inSuite = pairs.filter((pair) => pair.suite === suite && pair.now.subject !== OWN && TIMES.has(pair.now.unit));
  const inTitle = inSuite.filter((pair) => pair.now.title === now.title);
  const peers = inTitle.length >= LEAST_PEERS ? inTitle : inSuite;
  if (peers.length < LEAST_PEERS) return { slower: 1, doubt: 0 };
  const logs = peers.map((peer) => direction(peer.now) * Math.log(ratioOf(peer)));
  return { slower: Math.exp(median(logs)), doubt: (quantile(logs, 0.75) - quantile(logs, 0.25)) / 2 };
}

function ratioOf({ now, before }: Pair): number {
  return median(now.samples) / median(before.samples);
}

/** 1 where more is worse, -1 where less is. */
function direction({ better }: Measure): 1 | -1 {
  return better === 'less' ? 1 : -1;
}

function compare(pair: Pair, { slower, doubt }: Drift, tolerance: number): Comparison {
  const { suite, now: measure, before } = pair;
  const ratio = ratioOf(pair);
  const interval = ratioInterval(measure.samples, before.samples);
  const drift = slower ** direction(measure);
  const noise = Math.exp(Math.hypot(halfSpread(measure), halfSpread(before), measure.subject === OWN ? doubt : 0));
  // A peer is not measured by its peers: it shows what the machine did.
  const corrected = measure.subject === OWN ? ratio / drift : ratio;
  const shift = corrected / ratio;
  const bounds = [interval[0] * shift, interval[1] * shift] as const;
  const enough = Math.min(measure.samples.length, before.samples.length) >= LEAST_SAMPLES;
  const verdict = enough ? judge(corrected, bounds, { worse: direction(measure), least: Math.max(1 + tolerance, noise) }) : 'few';
  return {
    suite,
    measure,
    before: median(before.samples),
    now: median(measure.samples),
    ratio,
    interval,
    corrected,
    noise,
    verdict,
  };
}

function halfSpread({ samples }: Measure): number {
  return Math.log(Math.max(...samples) / Math.min(...samples)) / 2;
}

function judge(
  ratio: number,
  [low, high]: readonly [number, number],
  { worse, least }: { worse: 1 | -1; least: number },
): Verdict {
  if (low <= 1 && high >= 1) return 'same';
  const by = ratio ** worse; // above 1 is worse
  if (by > least) return 'worse';
  return 1 / by > least ? 'better' : 'same';
}

function warningsOf(now: Results, before: Results, compared: number): string[] {
  const differs = (what: string, a: unknown, b: unknown) => (a === b ? [] : [`${what} differs: ${b} before, ${a} now`]);
  return [
    ...differs('the processor', now.machine.cpu, before.machine.cpu),
    ...differs('the number of cores', now.machine.cores, before.machine.cores),
    ...differs('the system', now.machine.os, before.machine.os),
    ...differs('Node', now.node, before.node),
    ...differs('the length of the run', now.quick ? 'quick' : 'full', before.quick ? 'quick' : 'full'),
    ...(compared === 0 ? ['the runs have no measure in common'] : []),
  ];
}

/** For a terminal: everything that both runs have, ours first, and what it comes to. */
export function printComparison({ comparisons, warnings, worse }: ComparisonReport, tolerance: number): string {
  const suites = [...new Set(comparisons.map(({ suite }) => suite))];
  const parts = suites.flatMap((suite) => {
    const list = comparisons.filter((item) => item.suite === suite);
    const own = list.filter(({ measure }) => measure.subject === OWN);
    const peers = list.filter(({ measure }) => measure.subject !== OWN);
    return [
      ...(own.length === 0 ? [] : [`${suite}: ours`, comparisonTable(own)]),
      ...(peers.length === 0 ? [] : [`${suite}: the others, who show what the machine did`, comparisonTable(peers)]),
    ];
  });
  const percent = `${number(tolerance * 100)} %`;
  const judged = comparisons.filter(({ measure, verdict }) => measure.subject === OWN && verdict !== 'few').length;
  const verdict = `${worse.length} of ${judged} of our measures are worse, beyond noise and by more than ${percent}.`;
  return [
    ...warnings.map((warning) => `warning: ${warning}`),
    ...parts,
    verdict,
    ...worse.map(({ measure, corrected, noise }) => `  ${nameOf(measure)}: × ${show(corrected)} (noise up to × ${show(noise)})`),
  ].join('\n');
}

function comparisonTable(comparisons: readonly Comparison[]): string {
  const head = ['', 'before', 'now', 'now / before', '95 %', 'drift taken out', 'noise', ''];
  const rows = comparisons.map(({ measure, before, now, ratio, interval, corrected, noise, verdict }) => [
    ...[nameOf(measure), `${number(before)} ${measure.unit}`, number(now), show(ratio), interval.map(show).join(' … ')],
    ...[measure.subject === OWN ? show(corrected) : '', show(noise), verdict],
  ]);
  return table(head, rows);
}

function show(ratio: number): string {
  return ratio.toFixed(2);
}
