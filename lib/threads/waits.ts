/**
 * Waits: begins of this thread that wait for others: for their commits in progress, then for their subscribers.
 *
 * A begin has published its event before it looks at anybody. Who commits over its stripes is waited for until that turn is over: its
 * slot has another turn, or these stripes no more (within a turn, stripes are only added). Later commits see the section.
 * Only then it looks who wants to be asked: a commit may have subscribed. Each is rung, and waited for until it has confirmed this
 * generation, or asks for these stripes no more, or has died.
 */
import { Member, type Section } from '../tracker/internal.js';
import type { Bell } from './bell.js';
import type { Published } from './log.js';
import type { Texts } from './texts.js';
import { ALIVE, ASKS, COMMIT, ENDS, HEARS, LABEL, MEMBERS, type Words } from './words.js';

/** All threads that a begin waits for, as a subscriber of the tracker: in snapshots and messages, by its label. */
class Others extends Member {
  constructor(section: Section) {
    super({ invalidate: () => {} }, section.spans, undefined, 'other threads', section.beginSeq, 0);
  }

  /** Whom it waits for now. */
  name(label: string): void {
    (this as { label: string }).label = label;
  }

  shut(): void {}

  closedError(): never {
    throw new Error('the other threads are no subscription');
  }
}

/** A begin that waits. */
export class Wait {
  readonly section: Section;
  readonly member: Others;
  readonly answer: Promise<void>;
  readonly stripes: number;
  /** Undefined while there is no room for it. */
  published: Published | undefined = undefined;
  /** Threads that were committing, with their slots. */
  commits: (readonly [thread: number, slot: number])[] = [];
  /** Threads that were asked, with the number of their use; undefined before anybody was. */
  asked: Map<number, number> | undefined = undefined;
  /** Threads that could not let go, with what they have said. */
  readonly failed: Map<number, unknown> = new Map();
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(section: Section, stripes: number) {
    this.section = section;
    this.stripes = stripes;
    this.member = new Others(section);
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Nobody is waited for any more. */
  settle(): void {
    const [failure] = this.failed.values();
    if (this.failed.size === 0) this.#resolve();
    else this.#reject(failure);
  }
}

/** See the top of the file. */
export class Waits {
  readonly #words: Words;
  readonly #own: number;
  readonly #bell: Bell;
  readonly #texts: Texts;

  constructor(words: Words, own: number, bell: Bell, texts: Texts) {
    this.#words = words;
    this.#own = own;
    this.#bell = bell;
    this.#texts = texts;
  }

  /**
   * Who commits over these stripes now, in another thread: the own thread is where this call has come from; undefined if nobody does, and nobody asks to be told before either. Rings those who want to
   * hear of it. Of each thread, the slot is read first: its commit may subscribe.
   */
  concerned(stripes: number): (readonly [thread: number, slot: number])[] | undefined {
    const words = this.#words;
    let found: (readonly [number, number])[] | undefined;
    const members = words.load(MEMBERS);
    for (let thread = 0; thread < words.shape.threads; thread++) {
      if (thread === this.#own || (members & (1 << thread)) === 0) continue;
      const of = words.of(thread);
      let slot = words.load(of + COMMIT);
      if ((slot & stripes) !== 0 && this.#bell.isHere(thread)) slot = 0;
      const asks = words.load(of + ASKS);
      if (((slot | asks) & stripes) !== 0) found ??= [];
      if ((slot & stripes) !== 0) found!.push([thread, slot]);
      if ((words.load(of + HEARS) & stripes) !== 0) this.#bell.ring(thread);
    }
    return found;
  }

  /** Rings those who wait for an end over these stripes. */
  ringWaiting(stripes: number): void {
    const words = this.#words;
    const members = words.load(MEMBERS);
    for (let thread = 0; thread < words.shape.threads; thread++) {
      if (thread === this.#own || (members & (1 << thread)) === 0) continue;
      if ((words.load(words.of(thread) + ENDS) & stripes) !== 0) this.#bell.ring(thread);
    }
  }

  /** Rings everybody. */
  ringAll(): void {
    const members = this.#words.load(MEMBERS);
    for (let thread = 0; thread < this.#words.shape.threads; thread++) {
      if (thread !== this.#own && (members & (1 << thread)) !== 0) this.#bell.ring(thread);
    }
  }

  /** Is there anybody over these stripes who asks to be told before? */
  hasAsking(stripes: number): boolean {
    const words = this.#words;
    const members = words.load(MEMBERS);
    for (let thread = 0; thread < words.shape.threads; thread++) {
      if (thread === this.#own || (members & (1 << thread)) === 0) continue;
      if ((words.load(words.of(thread) + ASKS) & stripes) !== 0) return true;
    }
    return false;
  }

  /** Has a published begin nobody to wait for any more? Settles nothing. */
  isOver(wait: Wait): boolean {
    return this.areOver(wait.commits, wait.stripes) && this.#areConfirmed(wait);
  }

  /** Takes out commits that are over; true if none is left. */
  areOver(commits: (readonly [thread: number, slot: number])[], stripes: number): boolean {
    const words = this.#words;
    while (commits.length > 0) {
      const [thread, slot] = commits[commits.length - 1]!;
      const now = words.load(words.of(thread) + COMMIT);
      if (now >>> 24 === slot >>> 24 && (now & stripes) !== 0) return false;
      commits.pop();
    }
    return true;
  }

  #areConfirmed(wait: Wait): boolean {
    const words = this.#words;
    if (wait.asked === undefined) this.#ask(wait);
    const asked = wait.asked!;
    const { entries, generation } = wait.published!;
    for (const [thread, use] of asked) {
      const of = words.of(thread);
      const isOver =
        wait.failed.has(thread) ||
        words.load(words.ack(thread, this.#own, entries[0]!)) === generation ||
        words.load(of + ALIVE) !== use ||
        (words.load(of + ASKS) & wait.stripes) === 0;
      if (isOver) asked.delete(thread);
    }
    return asked.size === 0;
  }

  #ask(wait: Wait): void {
    const words = this.#words;
    const asked = new Map<number, number>();
    wait.asked = asked;
    const members = words.load(MEMBERS);
    for (let thread = 0; thread < words.shape.threads; thread++) {
      if (thread === this.#own || (members & (1 << thread)) === 0 || wait.failed.has(thread)) continue;
      const use = words.load(words.of(thread) + ALIVE);
      if ((words.load(words.of(thread) + ASKS) & wait.stripes) === 0) continue;
      asked.set(thread, use);
      this.#bell.ring(thread);
    }
  }

  /** Says in snapshots for whom it waits. */
  name(wait: Wait): void {
    const threads = [...wait.commits.map(([thread]) => thread), ...(wait.asked?.keys() ?? [])];
    const { i32 } = this.#words;
    const names = threads.map((thread) => this.#texts.nameOf(thread, i32[this.#words.of(thread) + LABEL]!));
    wait.member.name(wait.published === undefined ? 'room in the shared space' : names.join(', '));
  }
}
