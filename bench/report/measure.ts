/**
 * Measure: what every suite of the bench hands in, and what the report is made of. Tables, charts, the page and the comparison of
 * two runs all read this, and nothing else.
 */
import type { Library } from '../support/library.js';

/** The subject whose figures are ours. All others are there to be compared with. */
export const OWN = 'rangefence';

/** What a number means. `ratio` is a multiple of a baseline; `bytes` are of the heap unless the title says otherwise. */
export type Unit = 'ns' | 'ms' | 'ops/s' | 'bytes' | 'count' | 'ratio';

/** One thing that was measured, of one subject, at one point of the axes. */
export interface Measure {
  /** What was done, in words for a table: `remove + insert`. Equal for all subjects that are compared. */
  readonly title: string;
  /** Who did it: `rangefence`, or the name of a package or technique. */
  readonly subject: string;
  /** Where on the axes: `{ n: 1024 }`. Keys are equal for all measures of one title. */
  readonly at: Readonly<Record<string, number | string>>;
  readonly unit: Unit;
  /** Which way is better; undefined for counts that are there to be read, not compared. */
  readonly better: 'less' | 'more' | undefined;
  /** One value a round, in the order of the rounds: round `i` of all subjects ran side by side. The report takes medians. */
  readonly samples: readonly number[];
}

/** What was asked for, and what came out, as a person reads it. */
export interface Goal {
  /** Two spaces before it: belongs to the line above. */
  readonly figure: string;
  /** `-` for lines that are there for comparison. */
  readonly goal: string;
  readonly measured: string;
  /** Undefined where there is no goal. */
  readonly met?: boolean | undefined;
}

/** A suite's result. */
export interface SuiteResult {
  readonly suite: string;
  readonly measures: readonly Measure[];
  /** Only of a suite that has goals. */
  readonly goals?: readonly Goal[];
  /** What a reader must know: what was left out and why, who gave wrong answers, where the lock wins. One sentence each. */
  readonly notes: readonly string[];
}

/** What a suite gets. */
export interface SuiteContext {
  /** The package as built. */
  readonly library: Library;
  /** True for a look: all suites together within 2 minutes, instead of 15. */
  readonly quick: boolean;
  /** Says how far it is; a line at a time, to stderr. */
  readonly progress: (line: string) => void;
}

/** One concern, in one file `bench/<name>.bench.ts`. */
export interface Suite {
  /** Under which it can be run alone. */
  readonly name: string;
  /** One line for the heading. */
  readonly title: string;
  /** Seeds of all that is random in it, for the record. */
  readonly seeds: readonly number[];
  run(context: SuiteContext): Promise<SuiteResult>;
}
