/**
 * Captions: what is said of a thing when it is pointed at, and what the exports call it.
 */
import type { Range } from '../base/vocabulary.js';
import type { Hit, Notice, Run, RunReader, RunSection, RunSubscription, Span, Stretch } from './run.js';

/** `[0, 8) [16, 24)`, and how many more. */
export function rangesText(ranges: readonly Range[]): string {
  const shown = ranges.slice(0, 4).map(({ start, end }) => `[${boundText(start)}, ${boundText(end)})`);
  return ranges.length > 4 ? `${shown.join(' ')} and ${ranges.length - 4} more` : shown.join(' ');
}

function boundText(bound: number): string {
  return bound === Number.POSITIVE_INFINITY ? '∞' : bound === Number.NEGATIVE_INFINITY ? '-∞' : String(bound);
}

/** `section "rewrite" #3 (clear)` */
export function sectionName({ id, kind, label, where }: RunSection): string {
  return `section ${label === undefined ? '' : `"${label}" `}#${id} (${kind}${where === undefined ? '' : ` of ${where}`})`;
}

/** `lookup "page 3" #7` */
export function readerName({ id, operation, label, where }: RunReader): string {
  const called = label === undefined || operation === 'load' ? '' : `"${label}" `; // of a load `where` says whose it is
  return `${operation} ${called}#${id}${where === undefined ? '' : ` of ${where}`}`;
}

/** `subscriber "page cache" #2` */
export function subscriptionName({ id, label }: RunSubscription): string {
  return `subscriber ${label === undefined ? '' : `"${label}" `}#${id}`;
}

/** The name of whoever has this id, among sections and readers. */
export function subjectOf({ sections, readers }: Run): (id: number) => string {
  const names = new Map<number, string>();
  for (const section of sections) names.set(section.id, sectionName(section));
  for (const reader of readers) names.set(reader.id, readerName(reader));
  return (id) => names.get(id) ?? `#${id}`;
}

/** How long, or how long at least if it was not over when the trace ended. */
export function durationText({ from, to }: Span, { times, length }: Run): string {
  const ms = times[to]! - times[from]!;
  return to === length ? `${msText(ms)}, not over` : msText(ms);
}

function msText(ms: number): string {
  return ms >= 100 ? `${Math.round(ms)} ms` : `${Number(ms.toPrecision(3))} ms`;
}

/** All about a section. */
export function sectionText(section: RunSection, run: Run): string {
  const { ranges, within, queue, withdrawn, active, telling, rolledBack, refused } = section;
  return [
    section.where === undefined ? `${sectionName(section)} over ${rangesText(ranges)}` : sectionName(section),
    within === undefined ? '' : `inside #${within}`,
    queue === undefined ? '' : `queued behind a holding lookup: ${durationText(queue, run)}`,
    withdrawn ? 'gave up before it began' : '',
    active === undefined ? '' : `active: ${durationText(active, run)}`,
    telling === undefined ? '' : `of that, waited for its subscribers: ${durationText(telling, run)}`,
    rolledBack ? 'rolled back: not everybody has confirmed' : '',
    refused === undefined ? '' : 'refused: it would have had to wait',
  ]
    .filter((line) => line !== '')
    .join('\n');
}

/** All about a reader but its stretches. */
export function readerText(reader: RunReader, run: Run): string {
  const { outcome, error, stretches } = reader;
  const attempts = stretches.filter(({ what }) => what === 'attempt').length;
  const times = `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`;
  const end = outcome === 'failed' ? `failed: ${error}` : outcome === 'open' ? 'not over' : 'committed';
  if (reader.operation === 'readBegin') {
    return `${readerName(reader)}: ${outcome === 'failed' ? 'gave up after ' : ''}${durationText(reader, run)}`;
  }
  return `${readerName(reader)}: ${end} after ${times}, ${durationText(reader, run)}`;
}

/** What a reader does for a while. */
export function stretchText(stretch: Stretch, run: Run, subject: (id: number) => string): string {
  const where = `${rangesText(stretch.ranges)}: ${durationText(stretch, run)}`;
  if (stretch.what === 'wait') {
    return `waits for ${subject(stretch.blocker)}${stretch.gaveUp ? ', and gives up' : ''}, over ${where}`;
  }
  if (stretch.what === 'hold') return `holds ${where}`;
  return `attempt ${stretch.number} (${stretch.outcome}) over ${where}`;
}

/** By whom an attempt was hit. */
export function hitText({ collision, offender }: Hit): string {
  const { attempt, reason, range, kind, label } = collision;
  const where = range === undefined ? '' : ` in ${collision.where ?? `[${range.start}, ${range.end})`}`;
  const who = offender === undefined ? (label ?? kind) : sectionName(offender);
  const how = {
    active: 'is active',
    ended: 'has ended meanwhile',
    'history-lost': 'is forgotten',
    lapsed: 'may be unknown',
    closed: 'closed',
  }[reason];
  return `attempt ${attempt} was hit${where}: ${who ?? 'what happened'} ${how}`;
}

/** What a subscriber answered. */
export function noticeText({ section, subscription, answer, ms }: Notice): string {
  const said = { stopped: 'has let go', pending: 'needs time', refused: 'refuses', failed: 'failed' }[answer];
  const whom = section === undefined ? 'a section' : sectionName(section);
  return `${subscriptionName(subscription)} is told of ${whom}: ${said}${ms > 0 ? `, after ${msText(ms)} in its callback` : ''}`;
}
