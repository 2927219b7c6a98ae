/**
 * Figures: the bare numbers of figures as measures, for the file of results.
 */
import type { Figure } from '../figures/figure.js';
import { type Measure, OWN, type Unit } from './measure.js';

/** What the names of a figure's numbers mean. Others are counts. */
const UNITS: Readonly<Record<string, Unit>> = {
  ...{ ns: 'ns', lookup: 'ns', rwlock: 'ns', ms: 'ms', lockMs: 'ms', bytes: 'bytes', ratio: 'ratio' },
  ...{ perSecond: 'ops/s', lockPerSecond: 'ops/s' },
};

/** The bare numbers. A line that belongs to one above is named after both. */
export function measuresOf(row: string, figures: readonly Figure[]): Measure[] {
  let above = '';
  return figures.flatMap(({ figure, values }) => {
    const below = figure.startsWith(' ');
    if (!below) above = figure;
    const title = `${row}: ${below ? `${above}, ${figure.trim()}` : figure}`;
    // To be read, not compared: some are ours, some the lock's, and each is one number.
    return Object.entries(values).map(([value, sample]): Measure => {
      return { title, subject: OWN, at: { value }, unit: UNITS[value] ?? 'count', better: undefined, samples: [sample] };
    });
  });
}
