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

/** What each line is called: one that belongs to a line above, after both. */
export function titlesOf(lines: readonly { readonly figure: string }[]): string[] {
  let above = '';
  return lines.map(({ figure }) => {
    if (figure.startsWith(' ')) return `${above}, ${figure.trim()}`;
    above = figure;
    return figure;
  });
}

/** The bare numbers. */
export function measuresOf(row: string, figures: readonly Figure[]): Measure[] {
  const titles = titlesOf(figures);
  return figures.flatMap(({ values }, at) => {
    const title = `${row}: ${titles[at]}`;
    // To be read, not compared: some are ours, some the lock's, and each is one number.
    return Object.entries(values).map(([value, sample]): Measure => {
      return { title, subject: OWN, at: { value }, unit: UNITS[value] ?? 'count', better: undefined, samples: [sample] };
    });
  });
}
