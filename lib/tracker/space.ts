/**
 * Space: the state of one ordered line, and the only code that moves it.
 *
 * Algorithm note
 *
 * The seqlock of a single word has one counter, odd while a writer is inside [1]. Over ranges with many writers, the
 * kernel keeps one counter for the space and a tree of what is active [2]; a reader that was hit sleeps until the
 * whole space is quiet. Here the counter only numbers events, and two structures say what they were:
 *
 *   collides(Q, s) = active overlaps Q, or history has an entry over Q with endSeq > s
 *
 * Proof of freshness. Let a reader take s at time a and check at time b, and let I overlap Q and be active at some
 * moment in [a, b]. If I is active at b, the tree has it. Otherwise I ended at some time e, a < e <= b, and its endSeq
 * is the counter right after e; the counter moves at every event, so endSeq > s. In both cases the check says so.
 * Proof of precision: a section that ended before a has endSeq <= s; one that begins after b is in neither structure.
 *
 * Legal operations on `seq`: `#count()` adds one, at the begin and at the end of a section. Nothing else writes it.
 * No bit operation ever touches it: it must survive 2^32.
 *
 * [1] Lameter, Effective synchronization on Linux/NUMA systems (2005), for seqlocks and their cost.
 * [2] Linux, include/linux/mmu_notifier.h: the documentation of mmu_interval_read_begin and read_retry.
 */

import { type CancelOptions, cancelOn } from '../base/cancel.js';
import type { Clock } from '../base/clock.js';
import { ClosedError, describe, type WaitedFor } from '../base/errors.js';
import { EVERYTHING, rangeAt, type Spans, type Words } from '../base/range.js';
import type { Collision, Ignore, Seq } from '../base/vocabulary.js';
import { IntervalTree } from '../interval-tree/index.js';
import { Answers, type InFlight, interrupt, notify, tellEnds } from './answers.js';
import { collisionOf } from './collision.js';
import { Gate } from './gate.js';
import { History, LOST, NONE } from './history.js';
import { concerns } from './invalidation.js';
import type { SpaceLink } from './link.js';
import type { Note } from './observer.js';
import { Hold, type Holder, type Member, QUEUED, Reader, Section, type SectionHome } from './parties.js';
import { visitSpans } from './register.js';
import { newStats, type TrackerStats } from './stats.js';

/** Nothing has collided. */
export const FINE = 0;
/** The history does not reach back to the token; that counts as a collision. */
export const UNKNOWN = 1;
/** An overlapping section is active, or has ended since the token. The greater of two verdicts is the clearer one. */
export const HIT = 2;

type Verdict = typeof FINE | typeof UNKNOWN | typeof HIT;

/** See the top of the file. */
export class Space implements SectionHome {
  readonly label: string | undefined;
  readonly clock: Clock;
  /** Told of every event; callers ask whether it is there first, so that no details are made in vain. */
  readonly note: Note | undefined;
  /** What ranges are in a driver's own words (keys), for messages; set by the driver. */
  describe: Words | undefined = undefined;
  /** Asked in the turn of each check: false if nobody here knows what has changed. Set by whoever shares the space with others. */
  guard: (() => boolean) | undefined = undefined;
  /** Keeps the spaces of other threads in step with this one. Set once, before anything has happened. */
  link: SpaceLink | undefined = undefined;
  /** Somebody wants to see whether a section that was given out is dropped. */
  readonly givesHandles: boolean;
  readonly gate: Gate;
  readonly history: History;
  readonly stats: TrackerStats = newStats();
  readonly members: IntervalTree<Member> = new IntervalTree();
  readonly inFlight: IntervalTree<InFlight> = new IntervalTree();
  seq: Seq;
  /** Sections of `gate.active`, here because every read asks. */
  activeCount = 0;
  closed = false;
  /** Members that want to hear ends: while there is none, an end looks for nobody. */
  endListeners = 0;
  /** The last id given to a reader. */
  readers = 0;
  /** The last place given in the order of subscription. */
  subscriptions = 0;

  constructor(options: {
    label: string | undefined;
    historyCapacity: number;
    note: Note | undefined;
    givesHandles: boolean;
    clock: Clock;
    seq: number;
  }) {
    this.label = options.label;
    this.clock = options.clock;
    this.note = options.note;
    this.givesHandles = options.givesHandles;
    // Beyond 31 bits a number lives in a box. A field that has only ever held numbers is copied into a new box by every read
    // that the engine has not compiled; one that has held something else hands out the box that is there.
    this.seq = undefined as never;
    this.seq = options.seq as Seq;
    this.gate = new Gate(
      options.clock,
      (waiter, blocker) => this.#waits(waiter, blocker),
      () => this.link?.changed(),
    );
    this.history = new History(options.historyCapacity, options.seq);
  }

  // --- the question

  /** Does an active section, not ignored, overlap `[start, end)`? One comparison while nothing is active. */
  isActive(start: number, end: number, ignore: Ignore | undefined): boolean {
    if (this.activeCount === 0) return false;
    const { tree } = this.gate.active;
    if (ignore === undefined) return tree.overlaps(start, end);
    return tree.visit(start, end, (_start, _end, section) => concerns(ignore, section.info));
  }

  /** See the top of the file, for one range. Two comparisons while nothing is active and nothing has ended since. */
  checkRange(start: number, end: number, token: number, ignore: Ignore | undefined): Verdict {
    if (this.guard !== undefined && !this.guard()) return HIT;
    if (this.isActive(start, end, ignore)) return HIT;
    if (token >= this.history.last) return FINE;
    const found = this.history.find(start, end, token, ignore);
    return found === NONE ? FINE : found === LOST ? UNKNOWN : HIT;
  }

  /** The same for many. Their hull is asked first: mostly nothing at all has happened near them. */
  check(spans: Spans, token: number, ignore: Ignore | undefined): Verdict {
    let verdict: Verdict = this.checkRange(spans[0]!, spans[spans.length - 1]!, token, ignore);
    if (verdict === FINE || spans.length === 2) return verdict;
    verdict = FINE;
    for (let i = 0; i < spans.length && verdict !== HIT; i += 2) {
      verdict = Math.max(verdict, this.checkRange(spans[i]!, spans[i + 1]!, token, ignore)) as Verdict;
    }
    return verdict;
  }

  /** A verdict as the answer to a question somebody asked: counts what is lost. */
  answer(verdict: Verdict): boolean {
    if (verdict === UNKNOWN) this.stats.historyLost++;
    return verdict !== FINE;
  }

  /** What {@link check} says, with the reason. */
  collision(spans: Spans, token: number, ignore: Ignore | undefined): Collision | undefined {
    if (this.guard?.() === false) return { reason: 'lapsed' };
    const found = collisionOf(this, spans, token, ignore);
    if (this.describe === undefined || found?.range === undefined) return found;
    return { ...found, where: this.describe([found.range]) };
  }

  // --- begin and end

  /** The waiting begin: queues behind holds, enters, tells all, waits for all. Undefined if there was nothing to wait for. */
  begin(section: Section, bounds: CancelOptions | undefined): Promise<void> | undefined {
    this.link?.admit(section);
    const blocker = this.gate.blockerOfBegin(section);
    const answers = blocker === undefined ? this.#enter(section) : undefined;
    return blocker === undefined && answers === undefined ? undefined : this.#settle(section, blocker, answers, bounds);
  }

  /** The non-waiting begin; undefined if held ranges or a subscriber are in the way. */
  tryBegin(section: Section): Section | undefined {
    const { link } = this;
    link?.admit(section);
    if (this.gate.isHeld(section) || link?.refuses(section) === true) return this.#refused(section, undefined);
    this.#register(section);
    if (link?.tryEnter(section) === false) {
      this.end(section, new Set());
      return this.#refused(section, undefined);
    }
    const answers = this.#tell(section);
    if (answers === undefined) return section;
    section.asked = undefined;
    answers.disregard();
    let isBegun = false;
    try {
      answers.demandConfirmed(this.#countFailures);
      isBegun = answers.refusedBy === undefined;
    } finally {
      if (!isBegun && section.active) this.end(section, answers.told);
    }
    return isBegun ? section : this.#refused(section, answers.refusedBy);
  }

  /** ACTIVE -> ENDED, then wakes and tells. `told` limits who hears it, for a begin that not everyone has heard of. */
  end(section: Section, told?: Set<Member>): void {
    this.#over(section);
    if (this.endListeners > 0) tellEnds(this, section, told, this.seq);
  }

  #over(section: Section): void {
    this.gate.deactivate(section);
    this.activeCount--;
    const seq = this.#count();
    this.history.append(section.spans, seq, section.info);
    this.stats.ends++;
    this.link?.leave(section);
    if (this.note !== undefined) this.note('ended', { invalidation: section });
    this.wake(this.gate.unpark(section));
  }

  /** Enters the section in one synchronous step, then pass 1. Undefined if nobody has to be waited for. */
  #enter(section: Section): Answers | undefined {
    this.#register(section);
    const away = this.link?.enter(section);
    const answers = this.#tell(section);
    if (away === undefined) return answers;
    const asked = answers ?? new Answers(section);
    section.asked = asked;
    asked.expect(away.member, away.answer);
    return asked;
  }

  #register(section: Section): void {
    this.activeCount++;
    this.gate.activate(section);
    this.gate.heat.begun(this.activeCount);
    section.beginSeq = this.#count();
    this.stats.begins++;
    if (this.note !== undefined) this.note('begin', { invalidation: section });
  }

  #tell(section: Section): Answers | undefined {
    interrupt(this, section);
    return notify(this, section);
  }

  // --- sections of other threads, entered by the link

  /** It has begun. Nobody is told yet. */
  replay(section: Section): void {
    this.#register(section);
  }

  /** What {@link replay} has left: tells everybody here. Resolves when they have let go; undefined if nobody is concerned. */
  tellReplayed(section: Section): Promise<void> | undefined {
    const answers = this.#tell(section);
    if (answers === undefined) return undefined;
    return answers.settled().then(() => answers.demandConfirmed(this.#countFailures));
  }

  /** It has ended: readers go on. {@link tellEnd} follows, in a turn of its own, with the counter that this returns. */
  replayEnd(section: Section): Seq {
    this.#over(section);
    return this.seq;
  }

  /** What {@link replayEnd} has left. */
  tellEnd(section: Section, seq: Seq): void {
    if (this.endListeners > 0) tellEnds(this, section, undefined, seq);
  }

  /** Some of what others have begun and ended was missed: every token until now has lost its history, and no hold vouches. */
  missed(): void {
    this.history.lose(this.#count());
    this.gate.crossAll();
  }

  /** What a begin has to wait for: its turn, then pass 2. On any failure the section ends, and nothing may be changed. */
  async #settle(
    section: Section,
    blocker: Hold | undefined,
    asked: Answers | undefined,
    bounds: CancelOptions | undefined,
  ): Promise<void> {
    const bound = cancelOn(
      this.clock,
      bounds,
      () => this.#overdue(section),
      (error) => section.giveUp(error),
    );
    try {
      let answers = asked;
      if (blocker !== undefined) {
        await this.#queue(section, blocker);
        demandWanted(section);
        if (section.state !== QUEUED) throw this.closedError(); // closed between the grant and this turn
        answers = this.#enter(section);
      }
      if (answers === undefined) return;
      await answers.settled();
      demandWanted(section);
      answers.demandConfirmed(this.#countFailures);
    } catch (error) {
      if (section.state === QUEUED) this.wake(this.#abandon(section));
      section.end();
      throw error;
    } finally {
      bound?.clear();
      section.asked = undefined;
    }
  }

  /** Resolves when it may go: in a turn of its own, in which the caller looks whether it still wants to. */
  #queue(section: Section, blocker: Hold): Promise<void> {
    this.gate.queue(section, blocker);
    this.stats.queued++;
    return new Promise((resolve, reject) => {
      section.proceed = resolve;
      section.refuse = reject;
    });
  }

  readonly #countFailures = (failures: number): void => {
    this.stats.subscriberErrors += failures;
  };

  /** What a begin that has run out of time waits for. */
  #overdue(section: Section): { what: string; waitedFor?: WaitedFor } {
    const what = `the begin of ${section.name}`;
    const forMs = this.clock.now() - section.since;
    const by = section.state === QUEUED ? section.behind?.members[0] : [...(section.asked?.pending ?? [])][0];
    if (by === undefined) return { what };
    const range = rangeAt(by.spans);
    const where = this.describe?.([range]);
    return {
      what,
      waitedFor: { what: section.state === QUEUED ? 'lookup' : 'subscriber', label: by.label, range, where, forMs },
    };
  }

  #abandon(section: Section): readonly (Reader | Hold)[] {
    const free = this.gate.abandon(section);
    if (this.note !== undefined) this.note('gaveUp', { waiter: section });
    return free;
  }

  /** Lets begins go that waited for a hold. They enter in a turn of their own, not inside a reader's commit. */
  grant(sections: readonly Section[]): void {
    for (const section of sections) {
      if (this.note !== undefined) this.note('wake', { waiter: section });
      section.proceed();
    }
  }

  /** Lets readers go. Schedules only: nobody's code runs inside another's end(). */
  wake(waiters: readonly (Reader | Hold)[]): void {
    for (const waiter of waiters) {
      const isHold = waiter instanceof Hold;
      this.stats.wakes += isHold ? waiter.members.length : 1;
      if (this.note !== undefined) for (const reader of isHold ? waiter.members : [waiter]) this.note('wake', { waiter: reader });
      if (isHold) waiter.open();
      else waiter.wake(this.seq);
    }
  }

  // --- close

  /** Everything that waits is turned away; everything in flight is marked. Subscribers are told by the section. */
  shut(release: Section, bounds: CancelOptions | undefined): Promise<void> | undefined {
    this.closed = true;
    const error = this.closedError();
    for (const section of this.gate.queued.all()) {
      for (const waiter of this.#abandon(section)) if (waiter instanceof Reader) waiter.fail(error);
      section.refuse(error);
    }
    for (const section of this.gate.active.all()) {
      for (const waiter of section.waiters?.list() ?? []) if (waiter instanceof Reader) waiter.fail(error);
    }
    for (const hold of this.gate.holds.all()) for (const reader of [...hold.members]) reader.fail(error);
    return this.begin(release, bounds);
  }

  /** Closes every subscription. Begins that still wait for one go on waiting; if it has not confirmed the release either, they fail. */
  closeMembers(released: boolean): void {
    const members = new Set<Member>();
    visitSpans(this.members, EVERYTHING, (member) => members.add(member));
    for (const member of members) {
      if (!released) for (const asked of [...(member.owes ?? [])]) asked.giveUp(this.closedError());
      member.shut();
    }
  }

  /** The error of everything that is asked of a closed space. */
  closedError(): ClosedError {
    return new ClosedError(this.label === undefined ? 'the tracker' : `the tracker ${describe(this.label)}`);
  }

  // --- observers

  #count(): Seq {
    this.seq = (this.seq + 1) as Seq;
    return this.seq;
  }

  #waits(waiter: Reader | Holder | Section, blocker: Section | Hold): void {
    if (!(waiter instanceof Section)) this.stats.waits++;
    if (this.link !== undefined && blocker instanceof Section) this.link.waits(blocker);
    if (this.note === undefined) return;
    this.note('wait', { waiter, blocker: 'members' in blocker ? blocker.members[0]! : blocker });
  }

  #refused(section: Section, by: Member | undefined): undefined {
    this.stats.refused++;
    if (this.note !== undefined) this.note('refused', { invalidation: section, subscription: by });
  }
}

/** Throws if whoever began does not wait any more. */
function demandWanted({ givenUp }: Section): void {
  if (givenUp !== undefined) throw givenUp.error;
}
