/**
 * Gate: who must wait for whom.
 *
 * Algorithm note
 *
 * Three registers, empty almost always: active sections, begins that queue, and holds.
 *
 * A reader waits for overlapping active sections. A lookup that has lost too often *holds*: it is a fair reader of
 * a phase-fair reader/writer lock [1] over its ranges only, in which the writers (begins) never exclude each other, so
 * that there are two rooms that take turns [2]. By arrival order (`ticket`), for parties that overlap and do not
 * ignore each other:
 *
 *   reader               waits for   active sections
 *   waiting hold H       waits for   queued begins older than H, or granted; then active sections
 *   begin B              waits for   admitted holds; and waiting holds older than B,
 *                                    unless the hold itself waits for a queued begin
 *   begin within another waits for   nothing
 *   urgent begin         waits for   nothing
 *
 * The exception in the third line lets begins that queue during one phase go together, though a hold may have come
 * between them: it waits for the older begin anyway, and is admitted when that phase of begins is over. What a holding
 * lookup discovers while it reads is held like by a waiting hold that came just then: against younger begins. Lookups share
 * a hold if they would wait for the same: equal range and filter, and no begin has come since the hold was announced.
 *
 * No deadlock: an arrow from a waiting hold to a queued begin, or from a begin to a waiting hold, always points to an
 * older ticket; admitted holds and active sections wait for nothing here. No starvation: a begin that comes while a
 * hold waits for active sections alone queues behind it; a hold that comes while a begin queues waits behind that.
 * Nothing is for ever: what a begin waits for are lookups that hold when it starts to wait, or that are admitted
 * before it by the end of an active section; each leaves its hold `holdMs` after it came, or was admitted with nobody behind it, or (if it
 * held on suspicion, `join`) was first in somebody's way. A lookup that has spent that time waiting gets in line again, behind the
 * begins that it has delayed.
 *
 * Everyone parks at *one* thing that blocks it, the youngest, and looks again when that is over: no list of blockers
 * to keep, nothing to look at when others end, and no lost wake-up, since looking again and parking are one step. The
 * youngest, because sections begun together mostly end in order: with the oldest, 16 sections that end one by one
 * would have every waiter look again 16 times.
 *
 * [1] Brandenburg and Anderson, Spin-based reader-writer synchronization for multiprocessor real-time systems (2010).
 * [2] Joung's "group mutual exclusion" (1998), also called room synchronization.
 */
import { type Clock, LONGEST_DELAY_MS, TurnClock } from '../base/clock.js';
import { Lot } from '../base/lot.js';
import type { Spans } from '../base/range.js';
import type { Ignore } from '../base/vocabulary.js';
import { Heat } from './heat.js';
import { concerns } from './invalidation.js';
import { ACTIVE, ENDED, Hold, type Holder, QUEUED, type Reader, type Section, type Waiter } from './parties.js';
import { Register, visitSpans } from './register.js';

const NOBODY: readonly never[] = [];

/** The waiting rooms of one space. */
export class Gate {
  readonly active: Register<Section> = new Register();
  readonly queued: Register<Section> = new Register();
  readonly holds: Register<Hold> = new Register();
  /** Where lookups lose most of the time. */
  readonly heat: Heat = new Heat();
  /** Holds over one range that a lookup may join, by where they start. One that is over has gone. */
  readonly #open = new Map<number, Hold>();
  readonly #clock: Clock;
  /** For timestamps that people read, and for deadlines. */
  readonly turn: TurnClock;
  #ticket = 0;
  /** One timer for all holds, for the earliest deadline: set only while there is a hold. */
  #timer: unknown = undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  /** Told of everyone who starts to wait, or to wait for somebody else than before. */
  readonly #noteWait: (waiter: Reader | Holder | Section, blocker: Section | Hold) => void;

  /** Told when somebody has left who may have waited. */
  readonly #left: () => void;

  constructor(clock: Clock, noteWait: (waiter: Reader | Holder | Section, blocker: Section | Hold) => void, left: () => void) {
    this.#clock = clock;
    this.#noteWait = noteWait;
    this.#left = left;
    this.turn = new TurnClock(clock);
  }

  // --- sections

  /** FRESH or QUEUED -> ACTIVE. Holds that are parked at a queued section stay parked at it. */
  activate(section: Section): void {
    if (section.state === QUEUED) this.queued.leave(section);
    else section.ticket = ++this.#ticket;
    section.state = ACTIVE;
    section.since = this.turn.now();
    this.active.enter(section);
    if (this.holds.size > 0) this.#cross(section);
  }

  /**
   * Holds over its ranges no longer vouch for them: admitted ones if it is nested or urgent, and so queued behind none; extensions also if
   * it has queued since before they came.
   */
  #cross(section: Section): void {
    visitSpans(this.holds.tree, section.spans, (hold) => {
      if (concerns(hold.ignore, section.info)) hold.crossed = true;
    });
  }

  /** No hold vouches any more: what began meanwhile is not known. */
  crossAll(): void {
    for (const hold of this.holds.all()) hold.crossed = true;
  }

  /** ACTIVE -> ENDED. */
  deactivate(section: Section): void {
    this.active.leave(section);
    section.state = ENDED;
  }

  /** FRESH -> QUEUED behind `blocker`, which {@link blockerOfBegin} has just returned. */
  queue(section: Section, blocker: Hold): void {
    section.state = QUEUED;
    section.ticket = ++this.#ticket;
    section.since = this.turn.now();
    this.queued.enter(section);
    visitSpans(this.holds.tree, section.spans, (hold) => this.#contest(hold));
    this.#parkAtHold(section, blocker);
  }

  /** A begin has queued over its ranges: whoever comes now waits behind that. */
  #contest(hold: Hold): void {
    hold.joinable = false;
    if (hold.admitted) hold.contested = true;
    this.#limit(hold);
  }

  /** It is in somebody's way: from now on its time runs. */
  #limit(hold: Hold): void {
    if (hold.deadline < Number.POSITIVE_INFINITY) return;
    hold.deadline = this.turn.now() + hold.holdMs;
    this.#arm(hold.deadline);
  }

  /** QUEUED -> ENDED: given up. Holds that waited for it look again; returns the readers that go on. */
  abandon(section: Section): readonly (Reader | Hold)[] {
    section.lot?.leave(section);
    this.queued.leave(section);
    section.state = ENDED;
    return this.unpark(section);
  }

  /** The hold that this begin must wait for. */
  blockerOfBegin(section: Section): Hold | undefined {
    if (section.urgent || !this.holds.overlaps(section.spans)) return undefined;
    const ticket = section.state === QUEUED ? section.ticket : Number.POSITIVE_INFINITY; // not yet queued: comes last
    return this.holds.last(section.spans, (hold) => {
      const precedes = hold.admitted || (hold.ticket < ticket && hold.blockedBy?.state !== QUEUED);
      return precedes && concerns(hold.ignore, section.info);
    });
  }

  /** Any hold at all in the way of a begin that will not wait? Waiting ones count, whatever they wait for. */
  isHeld(section: Section): boolean {
    if (this.holds.size === 0 || section.urgent) return false;
    if (this.holds.last(section.spans, (hold) => concerns(hold.ignore, section.info)) === undefined) return false;
    visitSpans(this.holds.tree, section.spans, (hold) => this.#limit(hold));
    return true;
  }

  // --- readers

  /** Parks an optimistic reader at what blocks it; false if nothing does. */
  parkIfBlocked(reader: Reader): boolean {
    const blocker = this.activeOver(reader);
    if (blocker === undefined) return false;
    this.parkBehind(reader, blocker);
    return true;
  }

  /** Parks an optimistic reader at a section that {@link blockerOf} has just returned. */
  parkBehind(reader: Reader, blocker: Section): void {
    reader.ticket = ++this.#ticket; // sections begun from now on overtake it
    this.#park(reader, blocker);
  }

  /** The reader no longer wants to wait on its own. */
  leave(reader: Reader): void {
    reader.lot?.leave(reader);
    reader.blockedBy = undefined;
    this.#left();
  }

  /** Whoever was parked at this section looks again; returns the readers and holds that go on, in order. */
  unpark(section: Section): readonly (Reader | Hold)[] {
    const { waiters } = section;
    if (waiters === undefined || waiters.size === 0) return NOBODY;
    const free: (Reader | Hold)[] = [];
    for (const waiter of waiters.drain()) {
      waiter.blockedBy = undefined;
      const goesOn = waiter instanceof Hold ? this.#admitOrPark(waiter) : !this.#parkAgain(waiter as Reader);
      if (goesOn) free.push(waiter as Reader | Hold);
    }
    return free;
  }

  #parkAgain(reader: Reader): boolean {
    const blocker = this.activeOver(reader);
    if (blocker === undefined) return false;
    // A chain of sections, each begun before the last one ends, would keep an optimistic reader waiting for ever.
    if (blocker.ticket > reader.ticket && reader.overtaken()) return false;
    this.parkBehind(reader, blocker);
    return true;
  }

  #park(waiter: Waiter, blocker: Section): void {
    waiter.blockedBy = blocker;
    waiter.since = this.turn.now();
    blocker.waiters ??= new Lot();
    blocker.waiters.park(waiter);
    if (waiter instanceof Hold) for (const holder of waiter.members) this.#noteWait(holder, blocker);
    else this.#noteWait(waiter as Reader, blocker);
  }

  /** The youngest active section that this waiter must wait for. */
  activeOver({ spans, ignore }: Waiter): Section | undefined {
    return this.blockerOf(spans, ignore);
  }

  /** The same for one that is not there yet. Allocates nothing while nothing overlaps. */
  blockerOf(spans: Spans, ignore: Ignore | undefined): Section | undefined {
    return this.active.overlaps(spans) ? this.#last(spans, ignore) : undefined;
  }

  #last(spans: Spans, ignore: Ignore | undefined): Section | undefined {
    return this.active.last(spans, (section) => concerns(ignore, section.info));
  }

  // --- holds

  /**
   * Announces the holder's spans until its deadline. True if it has its turn at once; otherwise it will be woken. Lookups over
   * the same range with the same filter hold together, as long as no begin has queued over it.
   */
  hold(holder: Holder): boolean {
    this.#arm(holder.deadline);
    return this.join(holder);
  }

  /** The same for one that has no deadline of its own: it is the hold's, and is set when a begin waits for that. */
  join(holder: Holder): boolean {
    const { spans, ignore, holdMs } = holder;
    const open = spans.length === 2 ? this.#open.get(spans[0]!) : undefined;
    if (open !== undefined && isOpenTo(open, holder)) {
      open.join(holder);
      if (!open.admitted) this.#noteWait(holder, open.blockedBy!);
      return open.admitted;
    }
    const hold = new Hold(spans, ignore, ++this.#ticket, holdMs);
    hold.join(holder);
    this.holds.enter(hold);
    if (spans.length === 2) this.#open.set(spans[0]!, hold);
    return this.#admitOrPark(hold);
  }

  /**
   * Holds what a holding reader has just discovered, too, but only against begins that come from now on: one that
   * queues already must not be overtaken by readers that discover its range one after the other.
   */
  extend(reader: Holder, spans: Spans): void {
    const extension = new Hold(spans, reader.ignore, ++this.#ticket, reader.holdMs);
    extension.joinable = false; // it has no turn to share
    extension.members.push(reader);
    this.holds.enter(extension);
    reader.extensions ??= [];
    reader.extensions.push(extension);
  }

  /** True if the reader has held for long enough, even if the host was too busy to run the timer. */
  isOverdue(reader: Holder): boolean {
    return this.#clock.now() >= reader.deadline;
  }

  /**
   * The reader holds no more. Returns the begins that may go now, if it was the last. They are chosen before any of
   * them goes: the exception for begins that queue together looks at states that going changes.
   */
  release(reader: Holder): readonly Section[] {
    const hold = reader.hold!;
    hold.leave(reader);
    if (hold.members.length > 0 && reader.extensions === undefined) return NOBODY;
    const over = reader.extensions ?? [];
    reader.extensions = undefined;
    if (hold.members.length === 0) {
      hold.lot?.leave(hold);
      this.#left();
      if (this.#open.get(hold.spans[0]!) === hold) this.#open.delete(hold.spans[0]!);
      this.heat.held(hold.spans, hold.contested, hold.joined);
      over.push(hold);
    }
    for (const each of over) this.holds.leave(each);
    if (this.holds.size === 0) this.#disarm();
    const granted: Section[] = [];
    for (const { begins } of over) {
      for (const section of begins?.drain() ?? NOBODY) {
        const blocker = this.blockerOfBegin(section);
        if (blocker !== undefined) this.#parkAtHold(section, blocker);
        else granted.push(section);
      }
    }
    for (const section of granted) {
      section.granted = true;
      section.behind = undefined;
    }
    return granted;
  }

  #admitOrPark(hold: Hold): boolean {
    const blocker = this.#queuedBefore(hold) ?? this.activeOver(hold);
    if (blocker === undefined) {
      hold.admitted = true;
      hold.crossed = false; // what began before its turn has ended
      return true;
    }
    this.#park(hold, blocker);
    return false;
  }

  #queuedBefore({ spans, ignore, ticket }: Hold): Section | undefined {
    if (!this.queued.overlaps(spans)) return undefined;
    return this.queued.last(spans, (section) => (section.granted || section.ticket < ticket) && concerns(ignore, section.info));
  }

  #parkAtHold(section: Section, hold: Hold): void {
    section.behind = hold;
    hold.begins ??= new Lot();
    hold.begins.park(section);
    this.#noteWait(section, hold);
  }

  #arm(deadline: number): void {
    if (deadline >= this.#timerAt) return;
    this.#disarm();
    this.#timerAt = deadline;
    const delayMs = Math.min(Math.max(deadline - this.#clock.now(), 0), LONGEST_DELAY_MS);
    this.#timer = this.#clock.setTimeout(() => this.#dissolveOverdue(), delayMs);
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #dissolveOverdue(): void {
    this.#disarm();
    const now = this.#clock.now();
    const members = this.holds.all().flatMap((hold) => hold.members);
    for (const reader of members) if (reader.deadline > now) this.#arm(reader.deadline);
    // A reader stands in its hold and in its extensions, and another's end may have been its own.
    for (const reader of members) if (reader.hold !== undefined && reader.deadline <= now) reader.expire();
  }
}

/** Would this holder, come now, wait for the same as the hold's members? Then one hold serves both. */
function isOpenTo(hold: Hold, { spans, ignore, holdMs }: Holder): boolean {
  const isSame = hold.spans[1] === spans[1] && hold.ignore === ignore && hold.holdMs === holdMs;
  return isSame && hold.joinable && !hold.crossed;
}
