/**
 * Contention: how many lookups and invalidations get through, compared with one coarse lock around everything.
 */
import type { RangeTracker } from '../../lib/index.js';
import { NoGuard } from '../guards/none.js';
import { RangefenceGuard } from '../guards/rangefence.js';
import { RocicorpGuard } from '../guards/rocicorp.js';
import { RwlockGuard } from '../guards/rwlock.js';
import type { Library } from '../support/library.js';
import { median, spread } from '../support/statistics.js';
import { number } from '../support/text.js';
import { type Crowd, compare, LOOKUPS, type MakeGuard, middle, ratioOf, type Scenario } from './crowd.js';
import type { Effort, Figure, Row } from './figure.js';

/** What the scenarios ask for, each as a multiple of the lock; of p99, at most. */
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
function hot(scenario: Pick<Scenario, 'section' | 'invalidators' | 'pages' | 'timed'>, goal: Goal): Case {
  const { section, invalidators, pages } = scenario;
  const where = pages === 1 ? 'one page' : `any of ${pages.toLocaleString('en-US')} pages`;
  return {
    figure: `${where}, ${sectionText(section)}, ${count(invalidators)}`,
    scenario: { ...scenario, reads: 'any page' },
    goal,
  };
}

function sectionText(section: Scenario['section']): string {
  return section === 'turn' ? 'one turn' : `${section} ms`;
}

function count(invalidators: number): string {
  return `${invalidators} invalidator${invalidators === 1 ? '' : 's'}`;
}

/** One figure for lookups and invalidations alike. */
function both(ratio: number): Goal {
  return { lookups: ratio, invalidations: ratio };
}

const QUIET: Case = {
  figure: `quiet, ${LOOKUPS} lookups in flight, one turn`,
  scenario: { invalidators: 0, section: 'turn', pages: LOOKUPS, reads: 'own page' },
  goal: { lookups: 1.25 },
};
const DISJOINT_MS = [disjoint(1, 1, 1.8), disjoint(1, 4, 4), disjoint(1, 16, 10)];
const DISJOINT_TURN = [disjoint('turn', 1, 1.2), disjoint('turn', 4, 1.1), disjoint('turn', 16, 0.9)];
const MANY_TURN = [1, 4, 16].map((invalidators) => hot({ section: 'turn', invalidators, pages: 1024 }, { lookups: 1.3 }));
const HOT_MS = [1, 8].map((pages) => hot({ section: 1, invalidators: 16, pages }, { lookups: 5, invalidations: 0.8, p99: 1 }));
const HOT_TURN = [
  hot({ section: 'turn', invalidators: 1, pages: 1 }, both(1)),
  hot({ section: 'turn', invalidators: 4, pages: 1 }, both(1)),
  hot({ section: 'turn', invalidators: 16, pages: 1 }, both(1.2)),
  hot({ section: 'turn', invalidators: 1, pages: 8 }, { lookups: 1, invalidations: 0.85 }),
  hot({ section: 'turn', invalidators: 4, pages: 8 }, { lookups: 1, invalidations: 0.8 }),
  hot({ section: 'turn', invalidators: 16, pages: 8 }, both(0.85)),
];
const TIMED: Case = {
  ...hot({ section: 'turn', invalidators: 4, pages: 1, timed: true }, { lookups: 1, p99: 1 }),
  figure: 'one page, one turn, 4 invalidators, every lookup timed',
};
const LOADED: readonly Case[] = [
  {
    figure: '4,096 lookups of 1 ms, 4 invalidators, 1 % overlap',
    scenario: { invalidators: 4, section: 1, lookups: 4096, pages: 100, reads: 'any block' },
    goal: { lookups: 1.4, p99: 1.2 },
  },
  {
    figure: `${LOOKUPS} lookups of 10 ms, 4 invalidators of 1 ms, 1 % overlap`,
    scenario: { invalidators: 4, section: 1, latency: 10, pages: 100, reads: 'any block' },
    goal: { lookups: 1.3, invalidations: 4, p99: 1.4 },
  },
];

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
  const sides = { lock: coarseLock, none: () => new NoGuard(), own: rangefence(library) };
  const slices: { lock: Crowd[]; none: Crowd[]; own: Crowd[]; second?: Crowd[] } = effort.all
    ? await compare({ ...sides, second: () => new RocicorpGuard() }, scenario, effort)
    : await compare(sides, scenario, effort);
  const { lock, none, own, second } = slices;
  const ratio = ratioOf(own, lock);
  const ceiling = ratioOf(none, lock);
  const shown = { own, lock };
  const figures = [line(figure, { ...shown, kind: 'lookups', ratios: ratio.lookups, goal: goal.lookups, none: ceiling.lookups })];
  // Where there is nothing to ask for, it is shown all the same.
  if (scenario.invalidators > 0) {
    const { invalidations } = goal;
    const none = ceiling.invalidations;
    figures.push(
      line('  invalidations', { ...shown, kind: 'invalidations', ratios: ratio.invalidations, goal: invalidations, none }),
    );
  }
  if (goal.p99 !== undefined) figures.push(p99({ ...shown, ratios: ratio.p99, goal: goal.p99, none: ceiling.p99 }));
  const share = Math.min(...own.map((crowd) => crowd.leastShare));
  if (scenario.reads === 'any page' && scenario.pages <= LOOKUPS) {
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
  /** The same load without any guard, to the lock: the ceiling. */
  readonly none: readonly number[];
  readonly own: readonly Crowd[];
  readonly lock: readonly Crowd[];
}

function line(figure: string, { kind, ratios, goal, none, own, lock }: Line): Figure {
  const ratio = median(ratios);
  const ceiling = median(none);
  const perSecond = middle(own, `${kind}PerSecond`);
  const lockPerSecond = middle(lock, `${kind}PerSecond`);
  const rates = `${number(Math.round(perSecond))}/s to ${number(Math.round(lockPerSecond))}/s`;
  return {
    figure,
    goal: goal === undefined ? '-' : `>= ${goal} x`,
    measured: `${ratio.toFixed(2)} x (${spread(ratios)}; ${rates}; no guard ${ceiling.toFixed(2)} x)`,
    met: goal === undefined ? undefined : ratio >= goal,
    values: { ratio, perSecond, lockPerSecond, ceiling },
  };
}

function p99({ ratios, goal, none, own, lock }: Omit<Line, 'kind' | 'goal'> & { readonly goal: number }): Figure {
  const ms = middle(own, 'p99');
  const lockMs = middle(lock, 'p99');
  const ratio = median(ratios);
  const ceiling = median(none);
  return {
    figure: '  lookup latency p99',
    goal: goal === 1 ? "<= the lock's" : `<= ${goal} x the lock's`,
    measured: `${ratio.toFixed(2)} x (${ms.toFixed(2)} ms to ${lockMs.toFixed(2)} ms; no guard ${ceiling.toFixed(2)} x)`,
    met: ratio <= goal,
    values: { ms, lockMs, ratio, ceiling },
  };
}

/** All of this file. */
export const CONTENTION_ROWS: readonly Row[] = [
  row('quiet-turn', [QUIET]),
  row('disjoint-ms', DISJOINT_MS),
  row('disjoint-turn', DISJOINT_TURN),
  row('many-turn', MANY_TURN),
  row('hot-ms', HOT_MS),
  row('hot-turn', [...HOT_TURN, TIMED]),
  row('loaded', LOADED),
];
