/**
 * Findings: the results in words. Every number and every "ahead" or "behind" comes from the measures, so the sentences are true
 * whichever way a run has turned out.
 */
import { median } from '../support/statistics.js';
import { number } from '../support/text.js';
import { type Advantage, advantageOf, timesText } from './advantage.js';
import { type Measure, OWN, type Unit } from './measure.js';
import type { Results } from './results.js';
import { type Grid, gridsOf } from './tables.js';

/** Ours beside one other, at one point. */
export interface Meeting {
  readonly title: string;
  readonly point: string;
  readonly other: string;
  readonly advantage: Advantage;
}

/** All that can be compared, distributions apart: they are many points of one thing. */
export function meetingsOf(measures: readonly Measure[]): Meeting[] {
  return gridsOf(measures.filter(({ at }) => !('quantile' in at))).flatMap((grid) =>
    grid.points.flatMap((point) => meetingsAt(grid, point)),
  );
}

function meetingsAt({ title, subjects, cell }: Grid, point: string): Meeting[] {
  return subjects.flatMap((other) => {
    const advantage = other === OWN ? undefined : advantageOf(cell(point, OWN), cell(point, other));
    return advantage === undefined ? [] : [{ title, point, other, advantage }];
  });
}

/** The main results, a sentence each. */
export function findingsOf({ suites }: Results): string[] {
  const measuresOf = (name: string) => suites.find(({ suite }) => suite === name)?.measures ?? [];
  const find = (name: string, title: RegExp) => gridsOf(measuresOf(name)).find((grid) => title.test(grid.title));
  return [
    crowdFinding(find('contention', /^lookups per second, by overlap$/)),
    crowdFinding(find('contention', /^p99 latency of a lookup, by overlap$/)),
    pointFinding(find('primitives', /quiet read/i)),
    pointFinding(find('primitives', /^begin \+ end/i)),
    pointFinding(find('tree', /^remove \+ insert/)),
    pointFinding(find('tree', /^overlap test/)),
    ...suites.map(({ goals = [] }) => goalFinding(goals.filter(({ met }) => met !== undefined).map(({ met }) => met === true))),
  ].filter((finding) => finding !== undefined);
}

/** How the advantage over a single other changes along the axis. */
function crowdFinding(grid: Grid | undefined): string | undefined {
  if (grid === undefined) return undefined;
  const meetings = grid.points.flatMap((point) => meetingsAt(grid, point));
  if (meetings.length === 0) return undefined;
  const sorted = [...meetings].sort((a, b) => b.advantage.times - a.advantage.times);
  const say = ({ point, other, advantage }: Meeting) => {
    const numbers = [OWN, other].map((subject) => valueText(grid.cell(point, subject)!));
    return `${numbers.join(' against ')} at ${point} (${timesText(advantage.times)})`;
  };
  const [best, worst] = [sorted[0]!, sorted.at(-1)!];
  const rest = best === worst ? '' : `, and at the least ${say(worst)}`;
  return `**${grid.title}**, ${OWN} against ${best.other}: at best ${say(best)}${rest}.`;
}

/** Against everybody, in the middle of the axis. */
function pointFinding(grid: Grid | undefined): string | undefined {
  const point = grid?.points[grid.points.length >> 1];
  const own = point === undefined ? undefined : grid?.cell(point, OWN);
  if (grid === undefined || point === undefined || own === undefined) return undefined;
  const meetings = meetingsAt(grid, point);
  if (meetings.length === 0) return undefined;
  const by = (standing: Advantage['standing']) => meetings.filter(({ advantage }) => advantage.standing === standing);
  const parts = [
    ...groupText('ahead of', by('ahead')),
    ...groupText('no different, beyond the spread, from', by('even')),
    ...groupText('behind', by('behind')),
  ];
  return `**${grid.title}**${point === '' ? '' : ` at ${point}`}: ${valueText(own)}; ${parts.join('; ')}.`;
}

function groupText(words: string, meetings: readonly Meeting[]): string[] {
  if (meetings.length === 0) return [];
  return [`${words} ${meetings.map(({ other, advantage }) => `${other} (${timesText(advantage.times)})`).join(', ')}`];
}

function goalFinding(met: readonly boolean[]): string | undefined {
  if (met.length === 0) return undefined;
  const kept = met.filter(Boolean).length;
  return `**Goals**: ${kept === met.length ? `all ${met.length}` : `${kept} of ${met.length}`} were met in this run.`;
}

const UNIT_TEXTS: Readonly<Record<Unit, string>> = {
  ...{ ns: ' ns', ms: ' ms', 'ops/s': '/s', bytes: ' bytes', count: '', ratio: ' times' },
};

function valueText({ samples, unit }: Measure): string {
  return `${number(median(samples))}${UNIT_TEXTS[unit]}`;
}

/** Who is ahead where, one line for each title and other that is ever ahead of us; the most first. */
export function lossesOf(measures: readonly Measure[]): string[] {
  const behind = meetingsOf(measures).filter(({ advantage }) => advantage.standing === 'behind');
  const keys = [...new Set(behind.map(({ title, other }) => `${title}, behind ${other}`))];
  const lines = keys.map((key) => {
    const list = behind.filter(({ title, other }) => `${title}, behind ${other}` === key);
    const times = list.map(({ advantage }) => advantage.times);
    const places = list.map(({ point, advantage }) => `${timesText(advantage.times)}${point === '' ? '' : ` at ${point}`}`);
    return { least: Math.min(...times), text: `${key}: ${places.join('; ')}` };
  });
  return lines.sort((a, b) => a.least - b.least).map(({ text }) => text);
}
