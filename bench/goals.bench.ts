/**
 * Goals: the figures that the package promises (`npm run figures`), as a suite of the bench. The tree's bench and its figures are
 * a suite of their own.
 */
import { attempts } from './figures/attempts.js';
import { CONTENTION_ROWS } from './figures/contention.js';
import { FULL, QUICK, type Row } from './figures/figure.js';
import { bundle, demo } from './figures/others.js';
import { QUIET_ROWS } from './figures/quiet.js';
import { measuresOf } from './report/figures.js';
import type { Goal, Measure, Suite } from './report/measure.js';

const BRIEF: readonly Row[] = [...QUIET_ROWS, ...CONTENTION_ROWS, bundle];
/** The demo copies a file of a hundred megabytes, and the sweep has no goal: both are for a full run. */
const LONG: readonly Row[] = [attempts, demo];

/** See the top of the file. */
export const goalsSuite: Suite = {
  name: 'goals',
  title: 'What the package promises, and whether this run kept it',
  // Of the loads in bench/figures/crowd.ts, and of the demo.
  seeds: [1, 2],
  async run({ library, quick, progress }) {
    const goals: Goal[] = [];
    const measures: Measure[] = [];
    for (const row of quick ? BRIEF : [...BRIEF, ...LONG]) {
      progress(row.name);
      const figures = await row.run(library, quick ? QUICK : FULL);
      goals.push(...figures.map(({ figure, goal, measured, met }) => ({ figure, goal, measured, met })));
      measures.push(...measuresOf(row.name, figures));
    }
    const note = 'A figure here is the median of its rounds already: too little for a comparison of two runs to judge by.';
    return { suite: 'goals', measures, goals, notes: [note] };
  },
};
