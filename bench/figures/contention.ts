/**
 * Contention: how many lookups and invalidations get through, compared with one coarse lock around everything.
 */
import type { RangeTracker } from '../../lib/index.js';
import { RangefenceGuard } from '../guards/rangefence.js';
import { RocicorpGuard } from '../guards/rocicorp.js';
import { RwlockGuard } from '../guards/rwlock.js';
import type { Library } from '../support/library.js';
import { median, spread } from '../support/statistics.js';
import { number } from '../support/text.js';
import { type Crowd, compare, LOOKUPS, type MakeGuard, middle, ratioOf, type Scenario } from './crowd.js';
import type { Effort, Figure, Row } from './figure.js';

/** What the scenarios ask for, each as a multiple of the lock; p99 is "no worse" where it is asked for. */
interface Goal {
  readonly lookups: number;
  readonly invalidations?: number;
  readonly p99?: number;
}

interface Case {
  readonly figure: string;
  readonly scenario: Scenario;
  readonly goal: Goal;
}

/** Lookups each on a page of their own, invalidators on any of these pages. */
function disjoint(section: Scenario['section'], invalidators: number, lookups: number): Case {
  const figure = `${LOOKUPS} lookups, disjoint pages, ${sectionText(section)}, ${count(invalidators)}`;
  return { figure, scenario: { invalidators, section, pages: LOOKUPS, reads: 'own page' }, goal: { lookups } };
}

/** Everyone on one page, or on any of a few. */
function hot(scenario: Pick<Scenario, 'section' | 'invalidators' | 'pages'>, goal: Goal): Case {
  const { section, invalidators, pages } = scenario;
  const where = pages === 1 ? 'one page' : `${pages} pages`;
  return {
    figure: `hot spot, ${where}, ${sectionText(section)}, ${count(invalidators)}`,
    scenario: { ...scenario, reads: 'any page' },
    goal,
  };
}

function sectionText(section: Scenario['section']): string {
  return section === 'ms' ? '1 ms' : 'one turn';
}

function count(invalidators: number): string {
  return `${invalidators} invalidator${invalidators === 1 ? '' : 's'}`;
}

const DISJOINT_MS = [disjoint('ms', 1, 1.8), disjoint('ms', 4, 4), disjoint('ms', 16, 10)];
const DISJOINT_TURN = [disjoint('turn', 1, 1.1), disjoint('turn', 4, 1.2), disjoint('turn', 16, 1.3)];
const HOT_MS = [1, 8].map((pages) => hot({ section: 'ms', invalidators: 16, pages }, { lookups: 5, invalidations: 0.8, p99: 1 }));
const HOT_TURN = [1, 8].flatMap((pages) =>
  [1, 4, 16].map((invalidators) => hot({ section: 'turn', invalidators, pages }, { lookups: 0.8, invalidations: 0.8 })),
);

/** The scenarios on which the default of `maxAttempts` rests. */
export const SWEPT: readonly Case[] = [...HOT_MS, ...HOT_TURN];

/** One guard for `rangefence`, of the package as built. */
export function rangefence({ RangeTracker: Tracker }: Library, maxAttempts?: number): MakeGuard {
  const options = maxAttempts === undefined ? undefined : { maxAttempts };
  return () => new RangefenceGuard(new Tracker() as RangeTracker, options);
}

/** The baseline. */
export const coarseLock: MakeGuard = () => new RwlockGuard();

function row(name: string, cases: readonly Case[]): Row {
  return {
    name,
    async run(library, effort) {
      const figures: Figure[] = [];
      for (const item of cases) figures.push(...(await measure(item, library, effort)));
      return figures;
    },
  };
}

async function measure({ figure, scenario, goal }: Case, library: Library, effort: Effort): Promise<Figure[]> {
  const sides = { lock: coarseLock, own: rangefence(library) };
  const slices: { lock: Crowd[]; own: Crowd[]; second?: Crowd[] } = effort.all
    ? await compare({ ...sides, second: () => new RocicorpGuard() }, scenario, effort)
    : await compare(sides, scenario, effort);
  const { lock, own, second } = slices;
  const ratio = ratioOf(own, lock);
  const figures = [line(figure, { kind: 'lookups', ratios: ratio.lookups, goal: goal.lookups, own, lock })];
  // With one invalidator and disjoint pages there is nothing to ask for; it is shown all the same.
  figures.push(
    line('  invalidations', { kind: 'invalidations', ratios: ratio.invalidations, goal: goal.invalidations, own, lock }),
  );
  if (goal.p99 !== undefined) figures.push(p99(ratio.p99, own, lock));
  const share = Math.min(...own.map((crowd) => crowd.leastShare));
  if (scenario.reads === 'any page') {
    figures.push({
      figure: '  least of any loop',
      goal: 'nobody starves',
      measured: `${(share * 100).toFixed(0)} % of the mean`,
      met: share > 0,
      values: { share },
    });
  }
  if (second !== undefined) {
    const ratio = median(ratioOf(own, second).lookups);
    figures.push({
      figure: '  lookups, to @rocicorp/lock',
      goal: '-',
      measured: `${ratio.toFixed(2)} x`,
      met: undefined,
      values: { ratio },
    });
  }
  return figures;
}

interface Line {
  readonly kind: 'lookups' | 'invalidations';
  readonly ratios: readonly number[];
  readonly goal: number | undefined;
  readonly own: readonly Crowd[];
  readonly lock: readonly Crowd[];
}

function line(figure: string, { kind, ratios, goal, own, lock }: Line): Figure {
  const ratio = median(ratios);
  const perSecond = middle(own, `${kind}PerSecond`);
  const lockPerSecond = middle(lock, `${kind}PerSecond`);
  return {
    figure,
    goal: goal === undefined ? '-' : `>= ${goal} x`,
    measured: `${ratio.toFixed(2)} x (${spread(ratios)}; ${number(Math.round(perSecond))}/s to ${number(Math.round(lockPerSecond))}/s)`,
    met: goal === undefined ? undefined : ratio >= goal,
    values: { ratio, perSecond, lockPerSecond },
  };
}

function p99(ratios: readonly number[], own: readonly Crowd[], lock: readonly Crowd[]): Figure {
  const ms = middle(own, 'p99');
  const lockMs = middle(lock, 'p99');
  return {
    figure: '  lookup latency p99',
    goal: "<= the lock's",
    measured: `${ms.toFixed(2)} ms to ${lockMs.toFixed(2)} ms`,
    met: median(ratios) <= 1,
    values: { ms, lockMs },
  };
}

/** All of this file. */
export const CONTENTION_ROWS: readonly Row[] = [
  row('disjoint-ms', DISJOINT_MS),
  row('disjoint-turn', DISJOINT_TURN),
  row('hot-ms', HOT_MS),
  row('hot-turn', HOT_TURN),
];
