/**
 * Attempts: the sweep behind the default of `maxAttempts`. Hot spots punish both ends: who holds too early gives up lookups
 * that would have got through side by side with invalidations, who holds too late repeats work that cannot succeed.
 *
 * The default is the value whose worst ratio to the lock, over all scenarios and both sides, is best: a default is for people
 * who do not know their load.
 */
import type { Library } from '../support/library.js';
import { median } from '../support/statistics.js';
import { coarseLock, rangefence, SWEPT } from './contention.js';
import { compare, ratioOf } from './crowd.js';
import type { Effort, Figure, Row } from './figure.js';

const VALUES = [1, 2, 3, 4, 8] as const;
/** The sweep asks which is better, not by how much: shorter slices and fewer rounds will do. */
const SHARE_OF_EFFORT = 0.6;
const MOST_ROUNDS = 3;

/** See the top of the file. */
export const attempts: Row = {
  name: 'attempts',
  async run(library: Library, effort: Effort) {
    const short = { rounds: Math.min(MOST_ROUNDS, effort.rounds), sliceMs: effort.sliceMs * SHARE_OF_EFFORT };
    const sides = { lock: coarseLock, ...Object.fromEntries(VALUES.map((value) => [value, rangefence(library, value)])) };
    const worst: Record<string, number> = {};
    const figures: Figure[] = [];
    for (const { figure, scenario } of SWEPT) {
      const slices = await compare<string>(sides, scenario, short);
      const shown: string[] = [];
      const values: Record<string, number> = {};
      for (const value of VALUES) {
        const ratio = ratioOf(slices[value]!, slices.lock!);
        const lookups = median(ratio.lookups);
        const invalidations = median(ratio.invalidations);
        worst[value] = Math.min(worst[value] ?? Number.POSITIVE_INFINITY, lookups, invalidations);
        shown.push(`${value}: ${lookups.toFixed(2)} / ${invalidations.toFixed(2)}`);
        values[`lookups${value}`] = lookups;
        values[`invalidations${value}`] = invalidations;
      }
      figures.push({ figure: `maxAttempts on ${figure}`, goal: '-', measured: shown.join('  '), met: undefined, values });
    }
    const measured = VALUES.map((value) => `${value}: ${worst[value]!.toFixed(2)}`).join('  ');
    figures.push({ figure: '  the worst ratio of each value', goal: '-', measured, met: undefined, values: worst });
    return figures;
  },
};
