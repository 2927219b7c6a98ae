/**
 * Telling: who is concerned by a section, and how they hear of its begin and of its end.
 */
import { cut, toRanges } from '../base/range.js';
import type { Ignore } from '../base/vocabulary.js';
import type { IntervalTree } from '../interval-tree/index.js';
import { Answers } from './answers.js';
import { concerns } from './invalidation.js';
import type { Note } from './observer.js';
import type { Member, Section } from './parties.js';
import { visitSpans } from './register.js';
import type { TrackerStats } from './stats.js';

/** What a begin reaches besides subscribers: something that reads right now and wants to know at once. */
export interface InFlight {
  readonly ignore: Ignore | undefined;
  hit(): void;
}

/** Those who may be concerned: of one space. */
export interface Audience {
  readonly members: IntervalTree<Member>;
  readonly inFlight: IntervalTree<InFlight>;
  readonly closed: boolean;
  readonly stats: TrackerStats;
  readonly note: Note | undefined;
}

/** Marks every lookup that is in flight over these ranges. Collected first: a listener may start or end others. */
export function interrupt(audience: Audience, section: Section): void {
  if (audience.inFlight.size === 0) return;
  const hit = new Set<InFlight>();
  visitSpans(audience.inFlight, section.spans, (reader) => {
    if (audience.closed || concerns(reader.ignore, section.info)) hit.add(reader);
  });
  for (const reader of hit) reader.hit();
}

/**
 * Pass 1: starts every subscriber, awaits none, so that N slow ones cost the slowest and not the sum. Undefined if none is
 * concerned. Who has subscribed since the begin, where that is told later than it was entered, has nothing to drop.
 */
export function notify(audience: Audience, section: Section): Answers | undefined {
  if (audience.members.size === 0) return undefined;
  const members = membersOf(audience, section);
  if (members.length === 0) return undefined;
  const answers = new Answers(section);
  section.asked = answers;
  const { note, stats } = audience;
  for (const member of members) {
    if (member.closed || member.since >= section.beginSeq) continue; // closed by a callback that ran before its own
    stats.notified++;
    if (note !== undefined) note('notifying', { invalidation: section, subscription: member });
    const answer = answers.ask(member, cut(section.spans, member.spans));
    if (note !== undefined) note('notified', { invalidation: section, subscription: member, answer });
    if (answers.refusedBy !== undefined) break; // nothing may be changed: the others need not stop
  }
  return answers;
}

/** Tells the end to those who have heard of the begin (`told`; all, if undefined), or have come since. */
export function tellEnds(audience: Audience, section: Section, told: Set<Member> | undefined): void {
  for (const member of membersOf(audience, section)) {
    if (told === undefined || told.has(member) || member.since >= section.beginSeq) tellEnd(audience, member, section);
  }
}

/** Everyone concerned, once each, in the order of subscription, as of now: callbacks may close and add. */
function membersOf(audience: Audience, section: Section): readonly Member[] {
  const members = new Set<Member>();
  visitSpans(audience.members, section.spans, (member) => {
    if (concerns(member.ignore, section.info)) members.add(member);
  });
  return members.size < 2 ? [...members] : [...members].sort((a, b) => a.order - b.order);
}

function tellEnd(audience: Audience, member: Member, section: Section): void {
  if (member.closed || member.subscriber.end === undefined) return;
  try {
    const part = cut(section.spans, member.spans);
    member.subscriber.end(section.outward(), part === section.spans ? section.ranges : toRanges(part));
  } catch (error) {
    // Nobody here can act on it: the section has ended, and the others must hear that. The host reports it, as it
    // reports an event listener that throws.
    audience.stats.subscriberErrors++;
    queueMicrotask(() => {
      throw error;
    });
  }
}
