/**
 * Replicas: sections of other threads, as this thread's space has them.
 *
 * One is entered as soon as its begin is read, which is inside of somebody's check: nobody's code may run there. Subscribers, and
 * attempts in flight, are told in a turn of their own; what begins and ends is told in that order. When all subscribers have let go,
 * the section is confirmed to whoever began it: who that concerns is up to him, and a confirmation that nobody waits for does no harm.
 */
import { InvalidArgumentError } from '../base/errors.js';
import type { Words as Describe } from '../base/range.js';
import type { Seq } from '../base/vocabulary.js';
import { Section, type SectionHome, type Space } from '../tracker/internal.js';
import type { Followed } from './follow.js';
import { stripesOfSpans } from './stripes.js';
import type { Record } from './table.js';
import type { Texts } from './texts.js';

/** A section of another thread. */
export interface Replica {
  readonly thread: number;
  readonly entry: number;
  readonly generation: number;
  readonly stripes: number;
  readonly section: Section;
  /** Everybody here has let go. */
  isConfirmed: boolean;
}

/** What replicas need of the link. */
export interface ReplicaHost {
  /** Everybody here has let go of what it changes. */
  confirm(replica: Replica): void;
  /** Somebody here could not let go. */
  failed(replica: Replica, error: unknown): void;
  /** The others are closed. */
  closed(): void;
}

/** Sections that others end. */
class Elsewhere implements SectionHome {
  readonly #space: Space;

  constructor(space: Space) {
    this.#space = space;
  }

  get describe(): Describe | undefined {
    return this.#space.describe;
  }

  end(section: Section): void {
    throw new InvalidArgumentError(`${section.name} was begun in another thread; expected that thread to end it`);
  }
}

/** See the top of the file. */
export class Replicas implements Followed {
  readonly #space: Space;
  readonly #home: SectionHome;
  readonly #texts: Texts;
  readonly #grain: number;
  readonly #host: ReplicaHost;
  /** Of each thread, by the entry that names it there. */
  readonly #open: Map<number, Replica>[] = [];
  /** Begun, or ended at this counter, and not told yet. */
  #untold: [replica: Replica, ended: Seq | undefined][] = [];

  constructor(space: Space, texts: Texts, threads: number, grain: number, host: ReplicaHost) {
    this.#space = space;
    this.#home = new Elsewhere(space);
    this.#texts = texts;
    this.#grain = grain;
    this.#host = host;
    for (let thread = 0; thread < threads; thread++) this.#open.push(new Map());
  }

  /** Those that have not ended. */
  *open(): Iterable<Replica> {
    for (const open of this.#open) yield* open.values();
  }

  /** Is it one of another thread? */
  has(section: Section): boolean {
    return section.home === this.#home;
  }

  begun(thread: number, { entry, generation, spans, names, owner }: Record): void {
    const known = this.#open[thread]!.get(entry);
    if (known !== undefined) {
      if (known.generation === generation) return; // from the table, before its event
      this.#end(known);
    }
    const info = this.#texts.info(thread, names, owner);
    const section = new Section(this.#home, spans, true, info);
    const stripes = stripesOfSpans(spans, this.#grain);
    const replica: Replica = { thread, entry, generation, stripes, section, isConfirmed: false };
    this.#open[thread]!.set(entry, replica);
    this.#space.replay(section);
    this.#tell(replica, undefined);
  }

  ended(thread: number, entry: number, generation: number): void {
    const replica = this.#open[thread]!.get(entry);
    if (replica?.generation === generation) this.#end(replica);
  }

  reset(thread: number): void {
    for (const replica of [...this.#open[thread]!.values()]) this.#end(replica);
  }

  missed(thread: number, open: readonly Record[]): void {
    for (const record of open) this.begun(thread, record);
    const generations = new Map(open.map(({ entry, generation }) => [entry, generation]));
    for (const replica of [...this.#open[thread]!.values()]) {
      if (generations.get(replica.entry) !== replica.generation) this.#end(replica);
    }
    this.#space.missed();
  }

  /** Nothing is heard of them any more. Nobody is told. */
  leave(): void {
    for (const replica of this.open()) this.#space.replayEnd(replica.section);
    for (const open of this.#open) open.clear();
    this.#untold = [];
  }

  closed(): void {
    this.#host.closed();
  }

  #end(replica: Replica): void {
    this.#open[replica.thread]!.delete(replica.entry);
    this.#tell(replica, this.#space.replayEnd(replica.section));
  }

  #tell(replica: Replica, ended: Seq | undefined): void {
    if (this.#untold.push([replica, ended]) === 1) queueMicrotask(() => this.tell());
  }

  /** Tells what has not been told. */
  tell(): void {
    const untold = this.#untold;
    this.#untold = [];
    for (const [replica, ended] of untold) {
      if (ended === undefined) this.#ask(replica);
      else this.#space.tellEnd(replica.section, ended);
    }
  }

  #ask(replica: Replica): void {
    const { section } = replica;
    const confirm = () => {
      section.asked = undefined;
      replica.isConfirmed = true;
      this.#host.confirm(replica);
    };
    const told = this.#space.tellReplayed(section);
    if (told === undefined) confirm();
    else {
      told.then(confirm, (error) => {
        section.asked = undefined;
        this.#host.failed(replica, error);
      });
    }
  }
}
