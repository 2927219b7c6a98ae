/**
 * Results: the file in which a run is kept. It says where and of what the figures were taken, and has every sample, so that the
 * page, the charts and a comparison can be made again without running anything.
 */
import { readFile } from 'node:fs/promises';
import type { Machine } from './machine.js';
import type { Measure, Suite, SuiteResult } from './measure.js';

/** Counts up whenever a reader of the file would misunderstand an older one. */
export const SCHEMA = 1;

/** One suite's part of the file. */
export interface SuiteRecord extends SuiteResult {
  readonly title: string;
  readonly seeds: readonly number[];
  readonly seconds: number;
}

/** A run. */
export interface Results extends Machine {
  readonly schema: number;
  /** When it began, ISO 8601. */
  readonly date: string;
  readonly seconds: number;
  readonly quick: boolean;
  readonly suites: readonly SuiteRecord[];
}

/** A file that cannot be used; its message is all a user needs to see. */
export class ResultsError extends Error {
  override readonly name = 'ResultsError';
}

/** What a suite handed in, as it is kept: no number that JSON has not, and no digit that means nothing. */
export function recordOf({ title, seeds }: Suite, result: SuiteResult, seconds: number): SuiteRecord {
  const broken = result.measures.filter((measure) => !isWhole(measure));
  const lost = broken.map(
    (measure) => `${nameOf(measure)} was left out: its samples are ${measure.samples.join(', ') || 'none'}.`,
  );
  return {
    ...result,
    title,
    seeds,
    seconds: Math.round(seconds),
    notes: [...result.notes, ...lost],
    measures: result.measures
      .filter((measure) => isWhole(measure))
      .map((measure) => ({ ...measure, samples: measure.samples.map(shorten) })),
  };
}

function isWhole({ samples }: Measure): boolean {
  return samples.length > 0 && samples.every(Number.isFinite);
}

/** Six digits: the spread of any two rounds is far more. */
function shorten(sample: number): number {
  return Number(sample.toPrecision(6));
}

/** `remove + insert (n 8) of rbush`: for sentences. */
export function nameOf({ title, subject, at }: Measure): string {
  const point = pointOf(at);
  return `${title}${point === '' ? '' : ` (${point})`} of ${subject}`;
}

/** `n 8, hot spot`, or nothing: a number needs the name of its axis, words speak for themselves. */
export function pointOf(at: Measure['at']): string {
  return Object.entries(at)
    .map(([key, value]) => (typeof value === 'number' ? `${key} ${value.toLocaleString('en-US')}` : value))
    .join(', ');
}

/** Identifies a measure among those of its suite, whatever the order of the keys. */
export function keyOf({ title, subject, at }: Measure): string {
  return JSON.stringify([
    title,
    subject,
    ...Object.keys(at)
      .sort()
      .flatMap((key) => [key, at[key]]),
  ]);
}

/** As JSON, one measure a line: what a new run changes can be read in a diff. */
export function formatResults({ suites, ...head }: Results): string {
  const text = JSON.stringify(head, undefined, 2).slice(0, -'\n}'.length);
  return `${text},\n  "suites": [\n${suites.map(formatSuite).join(',\n')}\n  ]\n}\n`;
}

function formatSuite({ measures, goals, notes, ...head }: SuiteRecord): string {
  const lists = Object.entries({ goals, notes, measures }).flatMap(([name, list]) => {
    if (list === undefined) return [];
    const lines = list.map((item) => `        ${JSON.stringify(item)}`).join(',\n');
    return [`      ${JSON.stringify(name)}: [${lines === '' ? '' : `\n${lines}\n      `}]`];
  });
  const fields = Object.entries(head).map(([name, value]) => `      ${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  return `    {\n${[...fields, ...lists].join(',\n')}\n    }`;
}

/** Reads a file that {@link formatResults} made. Throws {@link ResultsError}. */
export async function readResults(path: string): Promise<Results> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new ResultsError(`${path} cannot be read: ${error.message}`);
  });
  let results: Partial<Results>;
  try {
    results = JSON.parse(text);
  } catch (error) {
    throw new ResultsError(`${path} is not JSON: ${(error as Error).message}`);
  }
  const { schema } = results;
  if (schema !== SCHEMA) throw new ResultsError(`${path} is of schema ${schema}; expected ${SCHEMA}: run the other side again`);
  return results as Results;
}
