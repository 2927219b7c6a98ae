/**
 * Link: one tracker in a shared space: what the space of the tracker asks for, and what wakes it.
 *
 * Algorithm note
 *
 *     a commit                                  a begin
 *     1 COMMIT := its stripes  (slot.ts)        1 its event, COUNT, VERSION            (log.ts)
 *     2 VERSION moved? replay  (follow.ts)      2 who commits over its stripes?        (waits.ts)
 *     3 the check, in this space                3 wait until those turns are over
 *     4 what the user installs                  4 who asks about its stripes? ring, wait until confirmed
 *     5 COMMIT := next turn                     5 only now the content may change
 *
 * Words are sequentially consistent. Either 1 on the left precedes 2 on the right, and the begin waits; or it comes after it, so after
 * 1 on the right, and the replay finds the event: the check says "active". So nobody is at 4 on the left and at 5 on the right.
 *
 * Whoever wants to be rung says so in a word of its own (ASKS, ENDS, HEARS), and looks once more after that; whoever rings has
 * published before it reads the word. So one of both sees the other. `tick` is that look: the bell's value, replay, what waits, sleep.
 *
 * Nothing of a user runs inside `sync`, which is called in the turn of a check: replicas.ts tells later.
 */
import { ClosedError } from '../base/errors.js';
import type { Spans } from '../base/range.js';
import type { Away, Linked, Section, Space, SpaceLink } from '../tracker/internal.js';
import { Bell, waitAsync } from './bell.js';
import { CapacityError } from './errors.js';
import { Follow } from './follow.js';
import type { Failure, FromHub, ThreadHandle, ToHub } from './handle.js';
import { Interests } from './interests.js';
import { Log, type Published } from './log.js';
import { type Replica, type ReplicaHost, Replicas } from './replicas.js';
import { Slot } from './slot.js';
import { stripesOf, stripesOfSpans } from './stripes.js';
import { type Coded, Texts } from './texts.js';
import { Wait, Waits } from './waits.js';
import { BY_MESSAGE, LABEL, Words } from './words.js';

/** Looks at commits in progress before a begin goes to sleep: a commit is a turn of some hundred nanoseconds, mostly. */
const LOOKS = 200;
/** The same for a begin that will not wait: 10 to 20 µs, after which it is refused. */
const TRY_LOOKS = 2000;
/** Between two looks at a commit that takes longer, in milliseconds. */
const POLL_MS = 1;

/** What the link keeps of a section that was begun here. */
class Own {
  readonly section: Section;
  readonly coded: Coded;
  readonly stripes: number;
  published: Published | undefined = undefined;
  wait: Wait | undefined = undefined;

  constructor(section: Section, coded: Coded, stripes: number) {
    this.section = section;
    this.coded = coded;
    this.stripes = stripes;
  }
}

/** See the top of the file. */
export class Link implements SpaceLink, ReplicaHost {
  readonly #words: Words;
  readonly #own: number;
  readonly #handle: ThreadHandle;
  readonly #linked: Linked<Space>;
  readonly #texts: Texts;
  readonly #log: Log;
  readonly #slot: Slot;
  readonly #replicas: Replicas;
  readonly #follow: Follow;
  readonly #bell: Bell;
  readonly #waits: Waits;
  readonly #grain: number;
  /** Begins that wait for others, or for room. */
  readonly #waiting: Set<Wait> = new Set();
  /** Those of them that wait for room, first come first. */
  readonly #roomless: Own[] = [];
  /** Sections that others see. */
  #sections = 0;
  readonly #interests: Interests;
  #isTicking = false;
  #poll: unknown = undefined;
  #stillness = 0;
  #isAwake = false;
  #isClosed = false;
  #isLeaving = false;
  /** It has left: its place may be another's, and nothing of it may be touched. */
  #hasLeft = false;

  constructor(handle: ThreadHandle, linked: Linked<Space>) {
    const { buffer, shape, thread } = handle;
    const words = new Words(buffer, shape);
    this.#words = words;
    this.#own = thread;
    this.#handle = handle;
    this.#linked = linked;
    this.#grain = shape.grain;
    this.#texts = new Texts(words, thread);
    this.#log = new Log(words, thread);
    this.#slot = new Slot(words, thread);
    this.#interests = new Interests(words, thread);
    this.#replicas = new Replicas(linked.space, this.#texts, shape.threads, shape.grain, this);
    this.#follow = new Follow(words, thread, this.#replicas);
    const ring = (to: number) => this.#post({ type: 'ring', thread: to });
    this.#bell = new Bell(words, thread, () => this.tick(), ring);
    this.#waits = new Waits(words, thread, this.#bell, this.#texts);
  }

  /** Takes part from now on. */
  join(): void {
    const { port } = this.#handle;
    const of = this.#words.of(this.#own);
    this.#words.store(of + LABEL, this.#texts.label(this.#linked.label));
    this.#words.store(of + BY_MESSAGE, waitAsync === undefined ? 1 : 0);
    this.#follow.join();
    this.#bell.hang();
    port.addEventListener('message', ({ data }) => this.#hear(data as FromHub));
    port.addEventListener('close', () => this.closed());
    port.start();
    port.unref?.();
  }

  #post(message: ToHub): void {
    this.#handle.port.postMessage(message);
  }

  #hear(message: FromHub): void {
    if (message.type === 'rung') this.tick();
    else this.#refused(message.failure);
  }

  // --- reading

  sync(): void {
    if (this.#hasLeft || this.#stillness > 0) return;
    this.#follow.sync();
  }

  open(spans: Spans, more: Spans | undefined): void {
    if (this.#hasLeft) return;
    const stripes = stripesOfSpans(spans, this.#grain);
    this.#slot.open(more === undefined ? stripes : stripes | stripesOfSpans(more, this.#grain));
    this.sync();
  }

  shut(): void {
    if (!this.#hasLeft) this.#slot.shut();
  }

  linger(start: number, end: number): void {
    if (this.#hasLeft) return;
    this.#slot.linger(stripesOf(start, end, this.#grain));
    this.sync();
  }

  // --- begins and ends

  admit(section: Section): void {
    if (this.#linked.space.closed) return;
    if (section.within !== undefined && !this.#log.hasRoom(section.spans, true)) {
      const { sections } = this.#words.shape;
      throw new CapacityError(`there is no room for ${section.name}, nested in others`, 'sections', sections);
    }
    const coded = this.#texts.code(section.info);
    section.away = new Own(section, coded, stripesOfSpans(section.spans, this.#grain));
  }

  refuses(section: Section): boolean {
    const own = section.away as Own | undefined;
    if (own === undefined) return false;
    return !this.#log.hasRoom(section.spans, section.within !== undefined) || this.#waits.hasAsking(own.stripes);
  }

  enter(section: Section): Away | undefined {
    const own = section.away as Own | undefined;
    if (own === undefined || this.#linked.space.closed) return undefined;
    if (!this.#log.hasRoom(section.spans, section.within !== undefined)) {
      this.#roomless.push(own);
      return this.#wait(own, new Wait(section, own.stripes));
    }
    const commits = this.#publish(own);
    if (commits === undefined) return undefined;
    const wait = new Wait(section, own.stripes);
    wait.published = own.published;
    wait.commits = commits;
    for (let i = 1; i < LOOKS && !this.#waits.areOver(commits, own.stripes); i++);
    return this.#waits.isOver(wait) ? undefined : this.#wait(own, wait);
  }

  #publish(own: Own): (readonly [thread: number, slot: number])[] | undefined {
    own.published = this.#log.begin(own.section.spans, own.coded);
    this.#sections++;
    return this.#waits.concerned(own.stripes);
  }

  #wait(own: Own, wait: Wait): Away {
    own.wait = wait;
    this.#waiting.add(wait);
    this.#waits.name(wait);
    this.#soon();
    return { member: wait.member, answer: wait.answer };
  }

  tryEnter(section: Section): boolean {
    const own = section.away as Own | undefined;
    if (own === undefined) return true;
    const commits = this.#publish(own);
    if (commits === undefined) return true;
    for (let i = 0; i < TRY_LOOKS; i++) {
      if (this.#waits.areOver(commits, own.stripes)) return !this.#waits.hasAsking(own.stripes);
    }
    return false;
  }

  leave(section: Section): void {
    const own = section.away as Own | undefined;
    if (own === undefined) return;
    section.away = undefined;
    if (own.wait !== undefined && this.#waiting.delete(own.wait)) own.wait.settle();
    if (own.published !== undefined && !this.#hasLeft) {
      this.#log.end(own.published);
      this.#sections--;
      this.#waits.ringWaiting(own.stripes);
      if (this.#roomless.length > 0) this.#makeUseOfRoom();
    }
    if (this.#isLeaving) this.#leaveIfOver();
  }

  #makeUseOfRoom(): void {
    for (let own = this.#roomless[0]; own !== undefined; own = this.#roomless[0]) {
      const { section, wait } = own;
      if (section.away === own) {
        if (!this.#log.hasRoom(section.spans, false)) return;
        const commits = this.#publish(own);
        wait!.published = own.published;
        wait!.commits = commits ?? [];
        this.#soon();
      }
      this.#roomless.shift();
    }
  }

  /** Another thread could not let go. */
  #refused({ thread, entry, generation, message }: Failure): void {
    for (const wait of this.#waiting) {
      const { published } = wait;
      if (published?.generation !== generation || published.entries[0] !== entry) continue;
      wait.failed.set(thread, new Error(message));
      this.tick();
      return;
    }
  }

  // --- subscribers, and what is in flight

  asks(spans: Spans, by: 1 | -1, hearsEnds: boolean): void {
    if (this.#hasLeft || !this.#interests.subscribe(spans, by, hearsEnds)) return;
    if (by === -1)
      this.#waits.ringAll(); // whoever waits for an answer has it
    else this.#askedMore();
    this.#soon();
  }

  /** A begin that was confirmed before anybody asked may have been asked about since. */
  #askedMore(): void {
    const more = this.#interests.newlyAsked();
    this.sync();
    if (more === 0) return;
    for (const replica of this.#replicas.open()) if (replica.isConfirmed) this.confirm(replica);
  }

  hears(spans: Spans, by: 1 | -1): void {
    if (this.#hasLeft) return;
    this.#interests.hear(spans, by);
    if (by === 1) this.#soon();
  }

  confirm({ thread, entry, generation, stripes }: Replica): void {
    if ((stripes & this.#interests.everAsked) === 0 || this.#hasLeft) return;
    const at = this.#words.ack(this.#own, thread, entry);
    // Only forward: the answer to a begin that was given up may come after that of a later one.
    if (((generation - this.#words.load(at)) | 0) <= 0) return;
    this.#words.store(at, generation);
    this.#bell.ring(thread);
  }

  failed({ thread, entry, generation, stripes }: Replica, error: unknown): void {
    if ((stripes & this.#interests.everAsked) === 0 || this.#hasLeft) return;
    const message = String((error as Error)?.message ?? error);
    this.#post({ type: 'failed', to: thread, failure: { thread: this.#own, entry, generation, message } });
  }

  // --- waiting

  waits(section: Section): void {
    if (!this.#replicas.has(section) || this.#hasLeft) return;
    this.#interests.waitFor(this.#interests.awaited | stripesOfSpans(section.spans, this.#grain));
    this.#soon();
  }

  changed(): void {
    if (this.#interests.awaited !== 0) this.#soon();
  }

  still(isStill: boolean): void {
    this.#stillness += isStill ? 1 : -1;
  }

  #soon(): void {
    if (this.#isTicking) return;
    this.#isTicking = true;
    queueMicrotask(() => {
      if (this.#isTicking) this.tick();
    });
  }

  /** Looks whether anything has come that is waited for, and sleeps until something does. */
  tick(): void {
    this.#isTicking = false;
    if (this.#hasLeft) return;
    const ticks = this.#bell.ticks();
    this.sync();
    this.#look();
    this.#recount();
    const waits = this.#waiting.size > 0 || this.#interests.awaited !== 0;
    if (waits || this.#interests.any) this.#bell.sleep(ticks);
    this.#keepAwake(waits);
    if (this.#isLeaving) this.#leaveIfOver();
  }

  #look(): void {
    let isCommitting = false;
    for (const wait of this.#waiting) {
      if (wait.published !== undefined && this.#waits.isOver(wait)) {
        this.#waiting.delete(wait);
        wait.settle();
      } else {
        this.#waits.name(wait);
        if (wait.commits.length > 0) isCommitting = true;
      }
    }
    if (!isCommitting || this.#poll !== undefined) return;
    this.#poll = this.#linked.space.clock.setTimeout(() => {
      this.#poll = undefined;
      this.tick();
    }, POLL_MS);
  }

  /** The stripes of what is waited for, as it is now. */
  #recount(): void {
    if (this.#interests.awaited === 0) return;
    let awaited = 0;
    for (const { section, stripes } of this.#replicas.open()) if ((section.waiters?.size ?? 0) > 0) awaited |= stripes;
    this.#interests.waitFor(awaited);
  }

  /** A sleep on a word does not keep a thread of Node from ending; its port does. Subscribers need not: what they keep ends with it. */
  #keepAwake(waits: boolean): void {
    if (waits === this.#isAwake) return;
    this.#isAwake = waits;
    if (waits) this.#handle.port.ref?.();
    else this.#handle.port.unref?.();
  }

  // --- the end

  closed(): void {
    if (this.#isClosed || this.#hasLeft) return;
    this.#isClosed = true;
    const { space, close } = this.#linked;
    space.guard = () => false;
    for (const wait of this.#waiting) {
      wait.failed.set(-1, new ClosedError('the shared space'));
      wait.settle();
    }
    this.#waiting.clear();
    queueMicrotask(close);
  }

  close(): void {
    this.#isLeaving = true;
    this.#leaveIfOver();
  }

  /** Sections that are still open are ended by those who have them. */
  #leaveIfOver(): void {
    if (this.#hasLeft || this.#sections > 0 || this.#waiting.size > 0) return;
    this.#hasLeft = true;
    this.#slot.unlinger();
    this.#bell.takeDown();
    this.#replicas.leave();
    this.#post({ type: 'leave' });
    this.#handle.port.close();
  }
}
