/**
 * Figure: one line of the table, and what it takes to measure it.
 */
import type { Library } from '../support/library.js';

/** How long to measure. */
export interface Effort {
  /** Rounds of every comparison; the sides of a comparison alternate within a round. */
  readonly rounds: number;
  /** One slice of a contention scenario. */
  readonly sliceMs: number;
  /** One round of a microbench. */
  readonly microSeconds: number;
  /** Also what no goal asks for: the second lock, the long demo. */
  readonly all: boolean;
}

/** As long as it takes for ratios that stay put, within 4 minutes for everything. */
export const FULL: Effort = { rounds: 5, sliceMs: 350, microSeconds: 0.2, all: true };
/** A look, within a minute. */
export const QUICK: Effort = { rounds: 3, sliceMs: 100, microSeconds: 0.06, all: false };

/** One line of the table. */
export interface Figure {
  readonly figure: string;
  /** As a person reads it; `-` for lines that are there for comparison. */
  readonly goal: string;
  readonly measured: string;
  /** Undefined where there is no goal. */
  readonly met: boolean | undefined;
  /** The bare numbers, for `--json`. */
  readonly values: Readonly<Record<string, number>>;
}

/** A row of the bench, by the name under which it can be run alone. */
export interface Row {
  readonly name: string;
  /** Takes the package as built, so that the bundler has been paid for once. */
  run(library: Library, effort: Effort): Promise<readonly Figure[]>;
}
