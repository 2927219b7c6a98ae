/**
 * Witness: the outside observer. It judges a tracker by what happened, and by nothing the tracker remembers.
 *
 * It writes down, in plain lists and under an event index of its own, every section (what, begin, end), every attempt
 * (what was read, when the token was taken, when it was checked), every wait and every hold, and holds each of them
 * against the contract:
 *
 *   no stale commit    nothing relevant was active at any moment between token and commit
 *   no false retry     each collision has something relevant in that window; `history-lost` only if more has ended since
 *                      the token than the tracker may remember
 *   no false wait      whoever waits has something relevant in the way during the whole of the wait
 *   no lost wake-up    nobody is parked while nothing is in the way (`walk`, after every step)
 *   holds hold         nothing but a nested section begins inside an admitted hold; a begin waits for holds only, and
 *                      no longer than they may last
 *   bounded memory     the history is no longer than its capacity, and nothing is registered that does not run
 *
 * *When* something happened it learns from the tracker's observer, called in the moment of the event; *that* it happened,
 * over which ranges and with which filter, it is told by the party that asked for it, and both accounts must agree.
 */

import type {
  Collision,
  Ignore,
  Invalidation,
  InvalidationInfo,
  Range,
  Ranges,
  RangeTracker,
  ReaderInfo,
  TrackerObserver,
} from '../../../lib/index.js';
import { insidesOf } from '../insides.js';
import { anyMeet, joined, listOf, meet } from './ranges.js';

/** One section. Indices are the witness's own; `end` is Infinity while it is active. */
interface SectionRecord {
  readonly ranges: readonly Range[];
  readonly info: InvalidationInfo;
  readonly nested: boolean;
  readonly begin: number;
  readonly beginSeq: number;
  end: number;
  endSeq: number;
}

/** A begin that queues. */
interface QueuedRecord {
  readonly ranges: readonly Range[];
  readonly info: InvalidationInfo;
  readonly since: number;
  readonly sinceMs: number;
  granted: boolean;
}

/** A moment at which somebody began to read. */
export interface Moment {
  readonly index: number;
  readonly seq: number;
  /** Sections that had ended by then. */
  readonly ended: number;
}

/** One lookup, from its call to its end. */
interface LookupRecord {
  readonly label: string;
  readonly base: readonly Range[];
  readonly ignore: Ignore | undefined;
  /** Seen in the running attempt beyond `base`. */
  observed: Range[];
  /** The running attempt's token, while one runs. */
  moment: Moment | undefined;
  /** When its hold was announced, and over what. */
  held: { readonly since: number; readonly ranges: readonly Range[] } | undefined;
}

/** What a witness counts. */
export interface Counts {
  lookups: number;
  attempts: number;
  commits: number;
  collisions: number;
  historyLost: number;
  waits: number;
  holds: number;
  begins: number;
  queued: number;
  stale: number;
  falseRetries: number;
  falseWaits: number;
}

/** See the top of the file. */
export class Witness {
  /** The events of a tracker go here. */
  readonly observer: TrackerObserver = this.#observer();
  /** What was wrong, in words. Empty in a sound run. */
  readonly violations: string[] = [];
  readonly counts: Counts = {
    lookups: 0,
    attempts: 0,
    commits: 0,
    collisions: 0,
    historyLost: 0,
    waits: 0,
    holds: 0,
    begins: 0,
    queued: 0,
    stale: 0,
    falseRetries: 0,
    falseWaits: 0,
  };
  /** The space's counter, counted independently. */
  seq: number;
  readonly #capacity: number;
  readonly #now: () => number;
  /** The longest hold any lookup asked for: no begin may queue longer. */
  readonly #holdMs: number;
  #index = 0;
  #ends = 0;
  readonly #active = new Map<Invalidation, SectionRecord>();
  readonly #queued = new Map<Invalidation, QueuedRecord>();
  /** In the order of their ends; without those that nobody can ask about any more. */
  #ended: SectionRecord[] = [];
  readonly #lookups = new Map<string, LookupRecord>();
  readonly #byReader = new Map<ReaderInfo, LookupRecord>();
  /** Filters of bare waits, by their reader. */
  readonly #waits = new Map<ReaderInfo, { ignore: Ignore | undefined }>();
  #calling: { ignore: Ignore | undefined } | undefined;
  /** Whether {@link prune} may forget: only if no token is kept outside of lookups. */
  readonly #forgets: boolean;

  constructor(options: { capacity?: number; seq?: number; now?: () => number; holdMs?: number; forgets?: boolean } = {}) {
    this.#capacity = options.capacity ?? 4096;
    this.seq = options.seq ?? 0;
    this.#now = options.now ?? (() => 0);
    this.#holdMs = options.holdMs ?? Number.POSITIVE_INFINITY;
    this.#forgets = options.forgets ?? false;
  }

  // --- told by those who act

  /** Before `lookup` is called. Labels are unique. */
  lookup(label: string, ranges: Ranges, ignore?: Ignore): void {
    this.counts.lookups++;
    this.#lookups.set(label, { label, base: joined(listOf(ranges)), ignore, observed: [], moment: undefined, held: undefined });
  }

  /** After a lookup has settled, either way. */
  settled(label: string): void {
    const lookup = this.#lookups.get(label);
    if (lookup === undefined) return this.#wrong(`${label} settled twice`);
    if (lookup.moment !== undefined) this.#wrong(`${label} settled with an attempt that nobody reported as over`);
    if (lookup.held !== undefined) this.#wrong(`${label} settled and still holds`);
    this.#lookups.delete(label);
  }

  /** First thing in a fetch. */
  fetching(label: string, seq: number): void {
    const { moment } = this.#known(label);
    if (moment === undefined) return this.#wrong(`${label} fetches outside an attempt`);
    if (moment.seq !== seq || seq !== this.seq)
      this.#wrong(`${label} has token ${seq} at ${this.seq}: not taken right before its fetch`);
  }

  /** Right after `observe`; nothing if the lookup was aborted meanwhile and its fetch has not noticed. */
  observed(label: string, ranges: Ranges): void {
    this.#lookups.get(label)?.observed.push(...listOf(ranges));
  }

  /** Calls a bare `readBegin` so that the witness knows the filter of the wait. */
  reading<T>(ignore: Ignore | undefined, call: () => T): T {
    this.#calling = { ignore };
    try {
      return call();
    } finally {
      this.#calling = undefined;
    }
  }

  /** A queued begin has rejected. */
  refused(invalidations: Iterable<Invalidation> = this.#queued.keys()): void {
    for (const invalidation of [...invalidations]) this.#queued.delete(invalidation);
  }

  /** Now, as a token. */
  moment(): Moment {
    return { index: this.#index, seq: this.seq, ended: this.#ends };
  }

  /** What the tracker has to answer to `readRetry`: was it hit, or can it not know? */
  collides(ranges: Ranges, moment: Moment, ignore?: Ignore): boolean {
    return this.#hits(listOf(ranges), moment, ignore).length > 0 || this.isLost(moment);
  }

  /** True if the tracker is allowed to have forgotten what ended after this moment: then it must say "collides". */
  isLost(moment: Moment): boolean {
    return this.#ends - moment.ended > this.#capacity;
  }

  /** Is something relevant active now? */
  isActive(ranges: Ranges, ignore?: Ignore): boolean {
    return this.#activeOver(listOf(ranges), ignore);
  }

  /** Lookups that hold, and since when. */
  get holds(): readonly { readonly label: string; readonly since: number; readonly ranges: readonly Range[] }[] {
    return [...this.#lookups.values()].flatMap(({ label, held }) => (held === undefined ? [] : [{ label, ...held }]));
  }

  /** Begins that queue, and since when. */
  get queue(): readonly { readonly ranges: readonly Range[]; readonly since: number }[] {
    return [...this.#queued.values()];
  }

  /** The sections that queue. */
  get queuedInvalidations(): readonly Invalidation[] {
    return [...this.#queued.keys()];
  }

  /** Sections that are active now. */
  get activeCount(): number {
    return this.#active.size;
  }

  /** Holds a reported collision against what happened. */
  judge(who: string, collision: Collision | undefined, ranges: Ranges, moment: Moment, ignore?: Ignore): void {
    const own = listOf(ranges);
    const hits = this.#hits(own, moment, ignore);
    if (collision === undefined) {
      if (hits.length === 0 && !this.isLost(moment)) return;
      this.counts.stale++;
      return this.#wrong(
        `${who} was told that nothing collides with ${show(own)} since ${moment.seq}, but ${hits.map(name)} did`,
      );
    }
    const { reason, range, seq, kind, label } = collision;
    const where = `${who}: collision ${JSON.stringify(collision)} of ${show(own)} since ${moment.seq}`;
    if (reason === 'history-lost') {
      this.counts.historyLost++;
      if (!this.isLost(moment)) this.#wrong(`${where}, but only ${this.#ends - moment.ended} ended since`);
      return;
    }
    if (hits.length === 0) {
      this.counts.falseRetries++;
      return this.#wrong(`${where}: nothing did`);
    }
    const named = hits.find((hit) => {
      const is = hit.end === Number.POSITIVE_INFINITY ? 'active' : 'ended';
      const at = is === 'active' ? hit.beginSeq : hit.endSeq;
      const inside = range !== undefined && own.some((one) => covers(one, range)) && hit.ranges.some((one) => covers(one, range));
      return is === reason && at === seq && inside && hit.info.kind === kind && hit.info.label === label;
    });
    if (named === undefined) this.#wrong(`${where} names none of ${hits.map(name)}`);
  }

  // --- after every step

  /** Walks over everything the tracker shows of itself, and over everybody who waits. */
  walk(tracker: RangeTracker): void {
    const snapshot = tracker.inspect();
    const { history } = snapshot;
    const { sections, holds } = insidesOf(tracker);
    if (snapshot.seq !== this.seq) this.#wrong(`the counter is ${snapshot.seq} after ${this.seq} events`);
    if (tracker.activeCount !== this.#active.size) this.#wrong(`${tracker.activeCount} active, not ${this.#active.size}`);
    if (history.size > history.capacity || history.size > this.#ends) this.#wrong(`${history.size} remembered of ${this.#ends}`);
    if (history.size < Math.min(history.capacity, this.#ends)) this.#wrong(`only ${history.size} remembered of ${this.#ends}`);
    const parked = new Set<ReaderInfo>();
    for (const { invalidation, state, waiting } of sections) {
      if (state === 'active' && !this.#active.has(invalidation))
        this.#wrong(`${nameOf(invalidation)} is active and was never begun`);
      if (state === 'queued') this.#walkQueued(invalidation);
      for (const { reader } of waiting) {
        if (parked.has(reader)) this.#wrong(`reader ${reader.id} is parked twice`);
        parked.add(reader);
        this.#walkParked(reader);
      }
    }
    if (sections.filter(({ state }) => state === 'active').length !== this.#active.size)
      this.#wrong('an active section is not shown');
    if (parked.size !== snapshot.waiting) this.#wrong(`${snapshot.waiting} waiting, not ${parked.size}`);
    for (const { reader, admitted, leftMs } of holds) {
      if (this.#byReader.get(reader)?.held === undefined) this.#wrong(`reader ${reader.id} holds and never announced it`);
      if (admitted === parked.has(reader))
        this.#wrong(`hold ${reader.label} is ${admitted ? 'admitted and parked' : 'waiting, but parked nowhere'}`);
      if (leftMs < 0) this.#wrong(`hold ${reader.label} is ${-leftMs} ms over its time`);
    }
    for (const lookup of this.#lookups.values()) {
      if (lookup.held !== undefined && !holds.some(({ reader }) => reader.label === lookup.label))
        this.#wrong(`the hold of ${lookup.label} has gone`);
    }
  }

  /** At the very end: nothing may be left of anything. */
  finish(tracker: RangeTracker): void {
    this.walk(tracker);
    const { sections, holds, waiting, inFlightRanges } = tracker.inspect();
    const left = {
      sections: sections.length,
      holds: holds.length,
      waiting,
      inFlightRanges,
      lookups: this.#lookups.size,
      readers: this.#byReader.size,
    };
    for (const [what, count] of Object.entries(left)) if (count > 0) this.#wrong(`${count} ${what} left behind`);
  }

  /** Forgets what ended before every running attempt began, if nobody keeps tokens. */
  #prune(): void {
    let oldest = this.#index;
    for (const { moment } of this.#lookups.values()) if (moment !== undefined) oldest = Math.min(oldest, moment.index);
    this.#ended = this.#ended.filter(({ end }) => end > oldest);
  }

  // --- told by the tracker

  #observer(): TrackerObserver {
    return {
      begin: ({ invalidation, seq }) => {
        this.seq++;
        this.counts.begins++;
        const { ranges, kind, owner, label, beginSeq } = invalidation;
        const record: SectionRecord = {
          ranges,
          info: { kind, owner, label },
          nested: invalidation.within !== undefined,
          begin: ++this.#index,
          beginSeq,
          end: Number.POSITIVE_INFINITY,
          endSeq: 0,
        };
        if (this.seq !== seq || beginSeq !== seq) this.#wrong(`${name(record)} begins at ${seq}, not ${this.seq}`);
        this.#queued.delete(invalidation);
        this.#active.set(invalidation, record);
        if (record.nested || kind === 'release') return;
        for (const lookup of this.#lookups.values()) {
          if (lookup.held === undefined || lookup.moment === undefined) continue;
          if (anyMeet(lookup.held.ranges, ranges) && matters(record.info, lookup.ignore)) {
            this.#wrong(`${name(record)} begins inside the admitted hold of ${lookup.label}`);
          }
        }
      },
      ended: ({ invalidation, seq }) => {
        this.seq++;
        const record = this.#active.get(invalidation);
        if (record === undefined) return this.#wrong(`${nameOf(invalidation)} ends and was not active`);
        this.#active.delete(invalidation);
        record.end = ++this.#index;
        record.endSeq = seq;
        if (this.seq !== seq) this.#wrong(`${name(record)} ends at ${seq}, not ${this.seq}`);
        this.#ends++;
        this.#ended.push(record);
        if (this.#forgets && this.#ended.length > 64) this.#prune();
      },
      wait: ({ waiter, blocker }) => {
        this.#index++;
        if ('blockable' in waiter) return this.#queues(waiter, blocker as ReaderInfo);
        this.counts.waits++;
        if (waiter.operation === 'readBegin' && this.#calling !== undefined) this.#waits.set(waiter, this.#calling);
        else if (waiter.operation === 'lookup') this.#byReader.set(waiter, this.#known(waiter.label!));
        this.#walkParked(waiter);
      },
      wake: ({ waiter }) => {
        this.#index++;
        if ('blockable' in waiter) {
          const queued = this.#queued.get(waiter);
          if (queued === undefined) return this.#wrong(`${nameOf(waiter)} is granted and did not queue`);
          queued.granted = true;
        } else if (waiter.operation === 'readBegin') {
          const filter = this.#waits.get(waiter);
          if (filter !== undefined && this.#activeOver(waiter.ranges, filter.ignore))
            this.#wrong(`reader ${waiter.id} wakes while something is active`);
          this.#waits.delete(waiter);
        }
      },
      attempt: ({ reader, seq }) => {
        const lookup = this.#known(reader.label!);
        this.#byReader.set(reader, lookup);
        this.counts.attempts++;
        if (seq !== this.seq) this.#wrong(`${lookup.label} begins an attempt at ${seq}, not ${this.seq}`);
        this.#index++;
        lookup.moment = this.moment();
        lookup.observed = [];
        const own = reader.ranges;
        if (!this.#activeOver(own, lookup.ignore)) return;
        this.#wrong(`${lookup.label} begins an attempt while something over ${show(own)} is active`);
      },
      collided: ({ reader, collision }) => {
        this.#index++;
        this.counts.collisions++;
        const lookup = this.#known(reader.label!);
        if (lookup.moment === undefined) return this.#wrong(`${lookup.label} collides outside an attempt`);
        this.judge(lookup.label, collision, [...lookup.base, ...joined(lookup.observed)], lookup.moment, lookup.ignore);
        lookup.moment = undefined;
      },
      committed: ({ reader }) => {
        this.#index++;
        this.counts.commits++;
        const lookup = this.#known(reader.label!);
        if (lookup.moment === undefined) return this.#wrong(`${lookup.label} commits outside an attempt`);
        const read = [...lookup.base, ...lookup.observed];
        // What is forgotten does not matter to one that holds: nothing can have begun there. Whether something has is judged all the same.
        if (lookup.held === undefined || this.#hits(read, lookup.moment, lookup.ignore).length > 0)
          this.judge(lookup.label, undefined, read, lookup.moment, lookup.ignore);
        this.#over(reader, lookup);
      },
      failed: ({ reader }) => {
        this.#index++;
        this.#over(reader, this.#known(reader.label!));
      },
      held: ({ reader }) => {
        const lookup = this.#known(reader.label!);
        this.#byReader.set(reader, lookup);
        this.counts.holds++;
        if (lookup.held !== undefined) this.#wrong(`${lookup.label} holds twice`);
        lookup.held = { since: ++this.#index, ranges: reader.ranges };
      },
      released: ({ reader }) => {
        this.#index++;
        const lookup = this.#known(reader.label!);
        if (lookup.held === undefined) this.#wrong(`${lookup.label} releases and did not hold`);
        lookup.held = undefined;
      },
    };
  }

  #over(reader: ReaderInfo, lookup: LookupRecord): void {
    lookup.moment = undefined;
    this.#byReader.delete(reader);
  }

  #queues(section: Invalidation, blocker: ReaderInfo): void {
    const { ranges, kind, owner, label } = section;
    if (!this.#queued.has(section)) {
      // Otherwise it goes on queueing, behind somebody else than before; its place in the order stays.
      this.counts.queued++;
      this.#queued.set(section, {
        ranges,
        info: { kind, owner, label },
        since: this.#index,
        sinceMs: this.#now(),
        granted: false,
      });
    }
    const hold = this.#known(blocker.label!);
    if (hold.held === undefined) this.#wrong(`${nameOf(section)} queues behind ${hold.label}, which holds nothing`);
    this.#walkQueued(section);
  }

  // --- the rules

  /** Everything not ignored that overlaps and was active at any moment since. */
  #hits(ranges: readonly Range[], since: Moment, ignore: Ignore | undefined): SectionRecord[] {
    const hits: SectionRecord[] = [];
    for (const section of this.#active.values()) if (concerns(section, ranges, ignore)) hits.push(section);
    for (let i = this.#ended.length - 1; i >= 0 && this.#ended[i]!.end > since.index; i--) {
      if (concerns(this.#ended[i]!, ranges, ignore)) hits.push(this.#ended[i]!);
    }
    return hits;
  }

  #activeOver(ranges: readonly Range[], ignore: Ignore | undefined): boolean {
    for (const section of this.#active.values()) if (concerns(section, ranges, ignore)) return true;
    return false;
  }

  /** Whoever is parked has something in the way: something active, or for a hold an older begin that queues. */
  #walkParked(reader: ReaderInfo): void {
    const lookup = this.#byReader.get(reader);
    const filter = lookup ?? this.#waits.get(reader);
    if (filter === undefined) return this.#wrong(`reader ${reader.id} is parked, and is over or was never told about`);
    if (this.#activeOver(reader.ranges, filter.ignore)) return;
    if (lookup?.held !== undefined) {
      for (const queued of this.#queued.values()) {
        if (queued.since < lookup.held.since && concerns(queued, reader.ranges, filter.ignore)) return;
        // A begin that has been granted goes before every hold that is not admitted yet.
        if (queued.granted && concerns(queued, reader.ranges, filter.ignore)) return;
      }
    }
    this.counts.falseWaits++;
    this.#wrong(`${lookup?.label ?? `reader ${reader.id}`} waits over ${show(reader.ranges)}, and nothing is in its way`);
  }

  /** A begin queues only for holds, and no longer than they last. */
  #walkQueued(section: Invalidation): void {
    const queued = this.#queued.get(section);
    if (queued === undefined) return this.#wrong(`${nameOf(section)} queues and never said so`);
    if (queued.granted) return;
    const waitedMs = this.#now() - queued.sinceMs;
    if (waitedMs > this.#holdMs) this.#wrong(`${nameOf(section)} has queued for ${waitedMs} ms, holds last ${this.#holdMs}`);
    for (const [reader, { held, ignore }] of this.#byReader) {
      if (
        held !== undefined &&
        concerns(queued, [...held.ranges, ...reader.ranges, ...this.#byReader.get(reader)!.observed], ignore)
      )
        return;
    }
    this.#wrong(`${nameOf(section)} queues over ${show(queued.ranges)}, and nobody holds any of it`);
  }

  #known(label: string): LookupRecord {
    const lookup = this.#lookups.get(label);
    if (lookup !== undefined) return lookup;
    this.#wrong(`an event of the unknown lookup ${label}`);
    return { label, base: [], ignore: undefined, observed: [], moment: undefined, held: undefined };
  }

  #wrong(what: string): void {
    this.violations.push(what);
  }
}

/** A filter that throws has not ignored. */
function matters(info: InvalidationInfo, ignore: Ignore | undefined): boolean {
  try {
    return ignore === undefined || !ignore(info);
  } catch {
    return true;
  }
}

function concerns(
  section: { readonly ranges: readonly Range[]; readonly info: InvalidationInfo },
  ranges: readonly Range[],
  ignore: Ignore | undefined,
): boolean {
  return anyMeet(section.ranges, ranges) && matters(section.info, ignore);
}

function covers(outer: Range, inner: Range): boolean {
  return outer.start <= inner.start && inner.end <= outer.end && meet(outer, inner);
}

function show(ranges: readonly Range[]): string {
  return ranges.map(({ start, end }) => `[${start}, ${end})`).join(' ');
}

function name({ info, ranges, begin, end }: SectionRecord): string {
  return `${info.label ?? info.kind} ${show(ranges)} (${begin} to ${end})`;
}

function nameOf({ label, kind, ranges }: Invalidation): string {
  return `${label ?? kind} ${show(ranges)}`;
}
