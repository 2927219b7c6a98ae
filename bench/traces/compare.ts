/**
 * Compare: every rule over every piece of work.
 */
import { MIXES, recordAddressSpace } from './address-space.js';
import { playExact } from './exact.js';
import { FAMILIES, workOf } from './families.js';
import type { Outcome } from './ledger.js';
import { workOfTrace } from './recorded.js';
import { epoch, hull, type MakeRule, play, rwsem } from './rules.js';
import type { Work } from './work.js';

/** A rule by name, ours among them. */
export interface Contender {
  readonly name: string;
  /** Ours: no wait and no retry of it may be false. */
  readonly isExact: boolean;
  run(work: Work): Outcome | Promise<Outcome>;
}

function model(name: string, make: MakeRule): Contender {
  return { name, isExact: false, run: (work) => play(work, make) };
}

/** In the order of the page. */
export const CONTENDERS: readonly Contender[] = [
  model('rwsem', rwsem),
  model('hull', hull),
  model('epoch', epoch('lookups')),
  model('epoch, by object', epoch('objects')),
  { name: 'exact', isExact: true, run: (work) => playExact(work) },
  { name: 'exact, never holding', isExact: true, run: (work) => playExact(work, { maxAttempts: Number.POSITIVE_INFINITY }) },
];

/** Some work, and where it is from. */
export interface Source {
  readonly name: string;
  /** In a sentence or two. */
  readonly text: string;
  readonly seed: number;
  /** Made anew, and equal, at each call. */
  work(): Work | Promise<Work>;
}

/** Everything that is compared. */
export const SOURCES: readonly Source[] = [
  ...FAMILIES.map((family) => ({ ...family, work: () => workOf(family) })),
  ...MIXES.map((mix) => ({ ...mix, work: async () => workOfTrace(await recordAddressSpace(mix)) })),
];

/** What became of one piece of work, by contender. */
export interface Comparison {
  readonly source: Source;
  readonly work: Work;
  readonly outcomes: readonly { readonly contender: Contender; readonly outcome: Outcome }[];
}

/** Runs all contenders over all sources, one after the other. Equal at each call, whatever the machine. */
export async function compareAll(sources: readonly Source[] = SOURCES): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const source of sources) {
    const work = await source.work();
    const outcomes: { contender: Contender; outcome: Outcome }[] = [];
    for (const contender of CONTENDERS) outcomes.push({ contender, outcome: await contender.run(work) });
    comparisons.push({ source, work, outcomes });
  }
  return comparisons;
}
