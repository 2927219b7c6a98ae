/**
 * Notes: where the lock does as well or better, taken from what was measured, and why.
 *
 * "Better" is said only where every round says so, by more than can be told apart; where the rounds disagree, that is what is said.
 */
import { median, spread } from '../support/statistics.js';
import { COMPARED, type Metric } from './measures.js';
import { type Sides, SUBJECTS } from './rounds.js';
import { describe, type Scenario } from './scenarios.js';

/** One comparison in figures: how much better the tracker is. */
interface Advantage {
  /** Ratio of the medians, above 1 if the tracker is better. */
  readonly ratio: number;
  /** The same, round by round. */
  readonly rounds: readonly number[];
}

/** Both sides of a ratio of latencies are known to 1 %. */
const TELLING = 1.02;

/** The note for one scenario; none if the tracker is better in everything. */
export function noteOf(scenario: Scenario, sides: Sides): string | undefined {
  const wins: string[] = [];
  const equals: string[] = [];
  for (const metric of COMPARED) {
    const advantage = advantageOf(metric, sides);
    if (advantage === undefined) continue;
    const { ratio, rounds } = advantage;
    const shown = `${metric.title} x ${ratio.toFixed(2)} (${spread(rounds)})`;
    if (Math.max(...rounds) < 1 / TELLING) wins.push(shown);
    else if (Math.min(...rounds) <= 1) equals.push(shown);
  }
  if (wins.length + equals.length === 0) return undefined;
  const parts = [
    ...(wins.length === 0 ? [] : [`the lock does better in ${wins.join(', ')}`]),
    ...(equals.length === 0 ? [] : [`there is no difference beyond the spread in ${equals.join(', ')}`]),
  ];
  return `${describe(scenario)}: ${parts.join('; ')}; because ${reasonOf(scenario)}.`;
}

/** Undefined if there is nothing to compare. */
function advantageOf({ of, better }: Metric, { rwlock, rangefence }: Sides): Advantage | undefined {
  const lock = rwlock.map(of);
  const own = rangefence.map(of);
  if (lock.includes(undefined) || own.includes(undefined)) return undefined;
  const [greater, less] = (better === 'more' ? [own, lock] : [lock, own]) as [number[], number[]];
  return { ratio: median(greater) / median(less), rounds: greater.map((value, round) => value / less[round]!) };
}

/** From so many lookups for each millisecond of their fetch on, one core is busy with nothing but their timers and promises. */
const SATURATED = 1000;
/** From so many sections on that a lookup must expect to meet, being hit is no longer the exception. */
const CROWDED = 1 / 4;

/** Why there is little to gain, by the kind of scenario; goes on after "because". */
function reasonOf(scenario: Scenario): string {
  const { lookups, invalidators, overlap, latency, section } = scenario;
  if (invalidators === 0) return 'nobody changes anything, so nobody waits, and only the CPU time of a lookup can differ';
  if (latency === 0 && section === 'turn')
    return 'sections cost nothing, so there is no waiting to save, only CPU time, of which lookups that never wait take the most';
  if (overlap === 1)
    return 'there is nothing to gain where everything overlaps: under either guard each lookup waits for each change';
  if (typeof latency === 'number' && lookups >= SATURATED * latency)
    return 'so many fetches end at a time that one core is busy under either guard, and what counts is CPU time and garbage, not waiting';
  if (sectionsMet(scenario) >= CROWDED)
    return 'a lookup meets a section so often that attempts are lost, and each of them costs a fetch';
  return 'a tail is made of late timers and pauses of the process, too, which no guard makes shorter';
}

/** How many overlapping sections a lookup meets on the average: those active when it begins, and those begun until it ends. */
function sectionsMet({ invalidators, overlap, latency, section }: Scenario): number {
  // A turn is some ten microseconds here; of two turns the ratio is 1.
  const ms = (pause: Scenario['section']) => (pause === 'turn' ? 0.01 : pause);
  return invalidators * overlap * (1 + ms(latency) / ms(section));
}

/** Lookups that gave up, if any did: they are not in the rates. */
export function failuresOf(scenario: Scenario, sides: Sides): string | undefined {
  const failed = SUBJECTS.map((subject) => sides[subject].reduce((sum, { lookups }) => sum + lookups.failed, 0));
  if (failed.every((count) => count === 0)) return undefined;
  const who = SUBJECTS.map((subject, i) => `${failed[i]} under ${subject}`).join(', ');
  return `${describe(scenario)}: lookups that gave up (RetryLimitError), which are not counted in the rates: ${who}.`;
}

/** What holds for all figures. */
export const GENERAL_NOTES: readonly string[] = [
  'All loops are closed: each begins its next operation when the last one is done, so a latency is that under full load.',
  "Overlap is the probability that a lookup's range overlaps the range of a given invalidation.",
  'A ratio above 1 says that rangefence does better; in brackets its least and greatest over the rounds.',
  'Latencies are counted to 1 %, include what was under way at the end of a slice, and p99.9 of fewer than 1,000 operations is their greatest.',
  'One in 17 synchronous lookups is timed, since the clock costs a good part of such a lookup.',
  'Without invalidators there are no rates and latencies of invalidations.',
  'The lock has no subscribers of its own, so a flat list is walked inside each of its sections, as one writes it beside a lock.',
];
