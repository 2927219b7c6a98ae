/**
 * Member: one process in one space: comes in, renews its lease, finds out that it is out, and comes in again.
 *
 * Algorithm note
 *
 *     joining   a gate runs (gate.ts), and the guard says no: from the first moment of doubt on
 *     live      the gate is over; the guard asks the lease in the turn of each check
 *     closed    the tracker is on its own
 *
 *     reset:  gate, until everybody here has let go -> join, which takes over what it had begun as another member, and answers what that
 *             was asked -> sections of others are entered -> log from the answer's number on -> own ones are announced again, where
 *             the server does not have them -> unsettled: wait W, settle -> live; only then begins resolve
 *
 * One reset at a time: each makes a new `generation`, and whatever goes on after an `await` compares it first. A membership is an object,
 * `Identity`, compared as such; each has a new name, so that an answer to an old one is told from one to the new one.
 */
import type { Clock } from '../base/clock.js';
import { ClosedError } from '../base/errors.js';
import { Announcer } from './announce.js';
import { Contact, FIRST_PAUSE_MS, pauses } from './contact.js';
import { Evictions } from './evictions.js';
import { Gate } from './gate.js';
import type { Host, Identity, LinkState } from './host.js';
import { Lease, waitFor } from './lease.js';
import { Log } from './log.js';
import type { LinkEvent, ResetReason, ShareOptions } from './options.js';
import type { RedisPort, Script } from './port.js';
import { Remote } from './remote.js';
import { JOIN, LEAVE, REFUSE, RENEW, SETTLE } from './scripts.js';
import type { Side } from './side.js';
import type { LinkStats } from './stats.js';
import { Waiters } from './waiters.js';
import { LeaseWatch } from './watch.js';
import { type LogRecord, running } from './wire.js';

/** What a member is made of. */
export interface MemberParts {
  readonly side: Side;
  readonly port: RedisPort;
  readonly options: ShareOptions;
  readonly clock: Clock;
  readonly wallClock: () => number;
  /** A text that nobody else has: letters, digits and dashes. */
  readonly id: () => string;
  readonly stats: LinkStats;
}

/** See the top of the file. */
export class Member implements Host {
  readonly clock: Clock;
  readonly stats: LinkStats;
  readonly side: Side;
  /** The name of this process in the space, with which the names of all its memberships begin. */
  readonly name: string;
  readonly ackTimeoutMs: number | undefined;
  state: LinkState = 'joining';
  identity: Identity | undefined = undefined;
  /** Renewals that were composed in this membership. */
  renewals = 0;
  /** It goes on without the others, for now. */
  isLocal = false;
  readonly lease: Lease;
  readonly contact: Contact;
  readonly announcer: Announcer;
  readonly #options: ShareOptions;
  readonly #leaseMs: number;
  readonly #waitMs: number;
  readonly #id: () => string;
  readonly #gate: Gate;
  readonly #evictions: Evictions;
  readonly #log: Log;
  readonly #remote: Remote;
  #generation = 0;
  #memberships = 0;
  /** The last membership, whose sections the next one takes over. */
  #before = '';
  /** The server has confirmed that it tells. */
  #isListening = false;
  #stops: (() => void)[] = [];
  readonly #watch: LeaseWatch;
  readonly #waiters: Waiters = new Waiters();
  /** Those who wait for a membership, or for the first confirmation. */
  readonly #changed: Waiters = new Waiters();

  constructor({ side, port, options, clock, wallClock, id, stats }: MemberParts) {
    const { leaseMs = 5000, drift = 0.1, space, logLength, replicas } = options;
    this.#options = options;
    this.clock = clock;
    this.stats = stats;
    this.side = side;
    this.name = id();
    this.#id = id;
    this.ackTimeoutMs = options.ackTimeoutMs;
    this.#leaseMs = leaseMs;
    this.#waitMs = waitFor(leaseMs, drift);
    this.contact = new Contact({ port, clock, space, leaseMs, logLength, replicas });
    this.#gate = new Gate(this);
    this.lease = new Lease(leaseMs, () => ({ monotonic: clock.now(), wall: wallClock() }));
    this.#watch = new LeaseWatch(this.lease, clock, () => this.#over());
    this.announcer = new Announcer(this);
    this.#evictions = new Evictions(this, this.announcer, this.#waitMs, options.recover);
    this.#remote = new Remote(this);
    this.#log = new Log({
      apply: (record) => this.#apply(record),
      read: (from) => this.contact.read(from),
      lost: () => this.reset('history-lost'),
      gap: () => void stats.gaps++,
    });
  }

  // --- what is asked of it

  /** The answer to every check, in its turn. A lapse is noticed here first, and acted upon as soon as this turn is over. */
  isKnowing(): boolean {
    if (this.isLocal || this.valid()) return true;
    if (this.state === 'live') queueMicrotask(() => this.state === 'live' && !this.lease.valid() && this.reset('lapsed'));
    return false;
  }

  /** Live, and the lease runs. */
  valid(): boolean {
    return this.state === 'live' && this.lease.valid();
  }

  /** Resolves when live, which may be over again when the caller goes on; rejects when closed, and when it is given up. */
  live(): { readonly promise: Promise<void>; readonly giveUp: (error: unknown) => void } {
    if (this.state === 'live' || (this.isLocal && this.state !== 'closed'))
      return { promise: Promise.resolve(), giveUp: () => {} };
    const waiting = this.#waiters.wait();
    if (this.state === 'closed') this.#waiters.fail(this.closedError());
    return waiting;
  }

  closedError(): ClosedError {
    return new ClosedError(`the link to the space ${JSON.stringify(this.#options.space)}`);
  }

  // --- what announcements and answers need

  event(event: LinkEvent): void {
    const { onEvent } = this.#options;
    if (onEvent !== undefined) queueMicrotask(() => onEvent(event));
  }

  /** Runs it until it is answered; `undefined` if this membership is over by then. What has failed may have been done all the same. */
  async insist(identity: Identity, script: Script, ...args: readonly string[]): Promise<unknown> {
    for (const pauseMs of pauses()) {
      if (this.identity !== identity) break;
      try {
        const answer = await this.contact.run(script, ...args);
        if (this.identity === identity) return answer;
      } catch (error) {
        this.event({ type: 'error', error });
        await this.contact.pause(pauseMs);
      }
    }
    return undefined;
  }

  /** A membership, when there is one; `undefined` once closed. */
  async joined(): Promise<Identity | undefined> {
    while (this.identity === undefined && this.state !== 'closed') await this.#changed.wait().promise;
    return this.identity;
  }

  async refuse(member: string): Promise<void> {
    this.event({ type: 'refused', member });
    await this.contact.run(REFUSE, member).catch(() => {}); // it is asked for again, if it does not answer
  }

  // --- coming in

  /** Starts; {@link live} tells when it has come in. */
  start(): void {
    const { side, announcer } = this;
    const onReady = () => {
      if (this.#isListening) return this.contact.hurry(); // the next renewal says what was missed
      this.#isListening = true;
      this.#changed.wake();
    };
    this.#stops = [
      this.contact.listen(
        this.name,
        (message) => this.#log.push(message),
        (message) => announcer.heard(message),
        onReady,
      ),
      side.listen({
        begun: (section, describe) => {
          if (side.tracker.closed) return void this.close();
          if (!section.blockable) return this.isLocal ? undefined : false; // an answer of others cannot come in this turn
          return announcer.begun(section, describe());
        },
        ended: (section) => announcer.ended(section),
      }),
    ];
    this.reset('start');
  }

  /** Nobody here knows any more: everything that is kept goes, and it comes in again. */
  reset(reason: ResetReason): void {
    if (this.state === 'closed') return;
    const generation = ++this.#generation;
    if (reason === 'lapsed') this.stats.lapses++;
    if (reason !== 'start') this.stats.resets++;
    this.event({ type: 'reset', reason });
    this.state = 'joining';
    this.#before = this.identity?.member ?? this.#before;
    this.identity = undefined;
    this.#log.stop();
    this.#evictions.clear();
    this.#changed.wake();
    this.contact.hurry();
    // Others may have declared out what runs here. After another doubt they have not, as long as the lease runs.
    if (reason === 'lapsed' || reason === 'gone') {
      this.lease.drop();
      this.announcer.lose(reason);
    }
    this.#watch.again();
    this.#gate.shut();
    if (this.#options.whenDetached === 'local') void this.#goAlone(generation);
    void this.#join(generation);
  }

  async #goAlone(generation: number): Promise<void> {
    const isOver = () => generation !== this.#generation || this.identity !== undefined;
    await this.contact.sleep(this.#leaseMs, isOver);
    await this.#gate.begun();
    if (isOver()) return;
    this.isLocal = true;
    this.event({ type: 'detached' });
    this.announcer.goOn();
    this.#remote.clear();
    this.#gate.open();
    this.#waiters.wake();
  }

  async #join(generation: number): Promise<void> {
    const isOver = () => generation !== this.#generation;
    while (!this.#isListening && !isOver()) await this.#changed.wait().promise;
    await this.#gate.begun(); // to come in is to answer all that the member of before was asked
    const member = `${this.name}.${++this.#memberships}`;
    const fresh = this.#id();
    const sent = this.lease.moment(); // once: it may be run now, and answered much later, and others count from when they have seen it
    for (const pauseMs of pauses()) {
      if (isOver()) return;
      try {
        const answer = (await this.contact.run(JOIN, member, fresh, this.#before)) as Joined;
        if (!(await this.contact.replicated())) throw new Error('too few replicas have the join');
        if (!isOver()) await this.#enter(member, answer, sent, isOver);
        return;
      } catch (error) {
        if (isOver()) return;
        this.event({ type: 'error', error });
        await this.contact.pause(pauseMs);
      }
    }
  }

  async #enter(member: string, [epoch, seq, settled, act, mem]: Joined, sent: Moment, isOver: () => boolean): Promise<void> {
    if (this.isLocal) {
      this.isLocal = false;
      this.#gate.shut();
      await this.#gate.begun();
      if (isOver()) return;
    }
    const identity: Identity = { member, epoch };
    // What runs here excludes others until the lease of before is over, unless it has been announced again by then.
    const owes = this.lease.valid();
    this.renewals = 0;
    this.#evictions.saw(mem);
    const { own, others } = running(act, member);
    this.identity = identity;
    this.#remote.replace(others, identity);
    this.announcer.found(identity, own);
    this.#log.start(Number(seq));
    this.#changed.wake();
    const reclaimed = this.announcer.reclaim(identity);
    if (owes) {
      await reclaimed; // after a lapse it excludes nobody, and nobody waits for it
      if (isOver()) return;
      if (!this.lease.valid()) return this.reset('lapsed');
    }
    this.#renewed(sent);
    void this.#renewOften(identity);
    if (settled !== '1') {
      if (this.#options.grace !== false) await this.contact.sleep(this.#waitMs, isOver);
      if ((await this.insist(identity, SETTLE, epoch)) === undefined) return;
      // What was announced again meanwhile may have been pushed to nobody.
      const args = [member, String(++this.renewals), epoch, ...this.announcer.names()];
      const renewed = (await this.insist(identity, RENEW, ...args)) as Renewed | undefined;
      if (renewed?.[0] === 'ok') await this.#log.reach(Number(renewed[1]), () => this.contact.pause(FIRST_PAUSE_MS));
      else if (renewed !== undefined) this.reset(renewed[0]);
      if (isOver()) return;
    }
    if (!this.lease.valid()) return this.reset('lapsed');
    this.state = 'live';
    this.announcer.live();
    this.#gate.open();
    this.event({ type: 'live' });
    this.#waiters.wake();
  }

  // --- while it is in

  async #renewOften(identity: Identity): Promise<void> {
    while (this.identity === identity) {
      await this.contact.pause(Math.min(this.#leaseMs / 3, this.#evictions.dueMs(identity)));
      for (const pauseMs of pauses()) {
        if (this.identity !== identity) return;
        try {
          await this.#renew(identity);
          break;
        } catch (error) {
          this.event({ type: 'error', error });
          await this.contact.pause(pauseMs);
        }
      }
    }
  }

  async #renew(identity: Identity): Promise<void> {
    const { member, epoch } = identity;
    const sent = this.lease.moment();
    const args = [member, String(++this.renewals), epoch, ...this.announcer.names()];
    const [said, seq, mem] = (await this.contact.run(RENEW, ...args)) as Renewed;
    if (this.identity !== identity) return;
    if (said !== 'ok') return this.reset(said);
    if (!(await this.contact.replicated())) throw new Error('too few replicas have the renewal');
    if (this.identity !== identity) return;
    if (this.state === 'live' && !this.lease.valid()) return this.reset('lapsed');
    this.#renewed(sent);
    this.#evictions.saw(mem);
    this.#log.noticed(Number(seq));
    this.announcer.inquire();
    await this.#evictions.run(identity);
  }

  #renewed(sent: Moment): void {
    this.lease.renewed(sent);
    this.#watch.again();
  }

  /** Declares all memberships of a process out, whose end is known. */
  evict(name: string): Promise<void> {
    return this.#evictions.evict(name);
  }

  #apply({ type, sid, member, data }: LogRecord): void {
    if (type === 'h') this.#remote.changed(data);
    else if (type !== 'b') this.#remote.end(sid);
    else if (!this.announcer.has(sid)) this.#remote.enter(sid, member, data, this.identity);
  }

  /** What runs here excludes others no longer; unless that has been seen already, and it comes in again. */
  #over(): void {
    if (this.identity !== undefined) this.reset('lapsed');
    else this.announcer.lose('lapsed');
  }

  // --- the end

  /** Leaves, and lets the tracker go on alone, with nothing kept. Resolves when the server has heard it, or could not for two leases. */
  async close(): Promise<void> {
    if (this.state === 'closed') return;
    const member = this.identity?.member ?? this.#before;
    this.#gate.shut();
    this.state = 'closed';
    this.#generation++;
    this.identity = undefined;
    this.lease.drop();
    this.#log.stop();
    this.#watch.stop();
    this.contact.hurry();
    this.#changed.wake();
    this.#waiters.fail(this.closedError());
    this.announcer.goOn();
    for (const stop of this.#stops) stop();
    this.#remote.clear();
    await this.#gate.begun();
    const until = this.clock.now() + 2 * this.#leaseMs;
    for (const pauseMs of pauses()) {
      if (member === '' || this.clock.now() >= until) break;
      const isDone = this.contact.run(LEAVE, member).then(() => true);
      if (await isDone.catch(() => false)) break;
      await this.contact.pause(pauseMs);
    }
    this.isLocal = true;
    this.#gate.open();
  }
}

/** The answer to a join: epoch, number, whether settled, what runs, who is there. */
type Joined = readonly [string, string, string, string[], string[]];
type Renewed = readonly ['ok' | 'gone' | 'epoch', string, string[]];
type Moment = ReturnType<Lease['moment']>;
