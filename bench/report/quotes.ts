/**
 * Quotes: figures of the results that other pages than docs/benchmarks.md tell. Each stands there between two marks, and is made
 * here, from the same file, whenever that page is made:
 *
 *     <!-- quote: costs -->
 *     ...
 *     <!-- end of quote -->
 */
import { median } from '../support/statistics.js';
import { titlesOf } from './figures.js';
import type { Goal, Measure } from './measure.js';
import type { Results } from './results.js';
import { markdownSheet } from './tables.js';

/** Pages that quote, below the root. */
export const QUOTING: readonly string[] = ['docs/choosing.md', 'docs/performance.md'];

const MARKED = /(<!-- quote: (\w+) -->\n)[\s\S]*?(\n<!-- end of quote -->)/g;

/** The page with every quote made anew. Throws for one that nobody makes. */
export function withQuotes(page: string, results: Results): string {
  return page.replace(MARKED, (_all, open: string, name: string, close: string) => {
    const make = QUOTES[name];
    if (make === undefined) throw new Error(`quote '${name}'; expected one of ${Object.keys(QUOTES).join(', ')}`);
    return `${open}\n${make(new GoalsRun(results))}\n${close}`;
  });
}

const QUOTES: Readonly<Record<string, (run: GoalsRun) => string>> = {
  costs,
  turns: (run) => againstLock(run, ['quiet-turn', 'disjoint-turn', 'many-turn', 'hot-turn']),
  timers: (run) => againstLock(run, ['disjoint-ms', 'hot-ms', 'loaded']),
};

/** The suite of the goals, by title and value. */
class GoalsRun {
  readonly #goals: ReadonlyMap<string, Goal>;
  readonly #values: Map<string, number> = new Map();
  readonly #titles: Set<string> = new Set();

  constructor({ suites }: Results) {
    const suite = suites.find((each) => each.suite === 'goals');
    if (suite === undefined) throw new Error('results without the suite "goals"; expected those of a whole run');
    const { goals = [] } = suite;
    this.#goals = new Map(titlesOf(goals).map((title, at) => [title, goals[at]!]));
    for (const { title, at, samples } of suite.measures as readonly Measure[]) {
      this.#values.set(`${title}: ${at.value}`, median(samples));
      this.#titles.add(title);
    }
  }

  /** The figures of a row that stand for themselves, in their order. */
  figuresOf(row: string): string[] {
    const figures = [...this.#titles].filter((title) => title.startsWith(`${row}: `)).map((title) => title.slice(row.length + 2));
    return figures.filter((figure) => this.#goals.get(figure)?.figure === figure);
  }

  get(title: string, value: string): number | undefined {
    return this.#values.get(`${title}: ${value}`);
  }

  /** `undefined` if there is no goal. */
  goalOf(title: string): string | undefined {
    const line = this.#goals.get(title);
    return line?.met === undefined ? undefined : line.goal;
  }
}

/** What single operations cost. */
function costs(run: GoalsRun): string {
  const ns = (title: string, value = 'ns') => `${run.get(title, value)?.toFixed(0) ?? '-'} ns`;
  const READ = 'quiet-read: tryReadBegin + readRetry, quiet';
  const BEGIN = 'begin-end: tryBegin + end, alone';
  const RETRY = 'read-retry: readRetry, 10 ended since the token';
  const LOOKUP = 'lookup: lookup, synchronous fetch';
  const locks = [
    `a read lock and unlock of \`rwlock\` ${ns(`${READ}, cheaper than rwlock, read lock + unlock`)}`,
    `of \`@rocicorp/lock\` ${ns(`${READ}, cheaper than @rocicorp/lock`)}`,
  ];
  const ended = [', 100 ended', ', 1,000 ended', ', 10,000 ended: sublinear'].map((more) => ns(RETRY + more));
  const subscriber = (run.get('subscribers: 1 of 100,000 subscribers, on top of an empty begin', 'ns') ?? Number.NaN) / 1000;
  return markdownSheet({
    head: ['', ''],
    rows: [
      ['`tryReadBegin` + `readRetry`, quiet', `${ns(READ)} (${locks.join(', ')})`],
      [
        '`tryBegin` + `end`, nobody concerned',
        `${ns(BEGIN)}, with 1,000 others active ${ns(`${BEGIN}, with 1,000 others active`)}`,
      ],
      ['`readRetry`; 10, 100, 1,000, 10,000 ended since the token', [ns(RETRY), ...ended].join(', ')],
      ['one of 100,000 subscribers, on top of an empty begin', `${subscriber.toFixed(1)} µs`],
      ['`lookup` with a synchronous fetch, its `await` included', `${ns(LOOKUP)} (a read of \`rwlock\` ${ns(LOOKUP, 'rwlock')})`],
    ],
  });
}

/** Lookups and invalidations beside those of one lock, and of nobody. */
function againstLock(run: GoalsRun, rows: readonly string[]): string {
  const INVALIDATIONS = 'invalidations';
  const P99 = 'lookup latency p99';
  const lines = rows.flatMap((row) =>
    run.figuresOf(row).map((figure) => {
      const cell = (value: string) => {
        const times = (title: string) => run.get(title, value)?.toFixed(2);
        const both = [times(`${row}: ${figure}`), times(`${row}: ${figure}, ${INVALIDATIONS}`)];
        const p99 = times(`${row}: ${figure}, ${P99}`);
        const told = both.filter((each) => each !== undefined && each !== 'NaN').join(' / ') || '-';
        return p99 === undefined ? told : `${told}; ${p99}`;
      };
      const goals = [run.goalOf(figure), run.goalOf(`${figure}, ${INVALIDATIONS}`)].filter((goal) => goal !== undefined);
      const p99 = run.goalOf(`${figure}, ${P99}`);
      const goal = goals.map((each) => each.replace(/^>= | x$/g, '')).join(' / ');
      const most = p99?.replace(/^<= | x the lock's$/g, '').replace("the lock's", '1');
      return [figure, cell('ceiling'), cell('ratio'), most === undefined ? goal : `${goal}; ${most}`];
    }),
  );
  return markdownSheet({ head: ['', 'no guard', 'rangefence', 'goal'], rows: lines });
}
