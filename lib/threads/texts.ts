/**
 * Texts: kinds, owners and labels of sections, as other threads read them.
 *
 * Each thread writes its own into its part of the memory, each text once, and never over another: what an event names was written
 * before the event was published, and stays. A vocabulary has few kinds and owners; if there is no room for one more, the begin
 * fails, since filters of other threads decide by them. Labels are for people: they may fill half of the room, and are left out then.
 */
import { describe } from '../base/errors.js';
import type { InvalidationInfo } from '../base/vocabulary.js';
import { DEFAULT_KIND } from '../tracker/internal.js';
import { CapacityError } from './errors.js';
import { TEXTS_USED, type Words } from './words.js';

/** A longer label is cut. */
const LONGEST_LABEL = 120;
/** The owner is something else than a text or a number, which only its own thread can compare. */
const SOMEBODY = 65_535;

/** The owner of a section of another thread, where it was given one that is neither a text nor a number. */
export class ThreadOwner {
  /** Which thread: the number of its place in the space. */
  readonly thread: number;

  /** @internal */
  constructor(thread: number) {
    this.thread = thread;
  }
}

/** The names of a section as two words. */
export interface Coded {
  readonly names: number;
  readonly owner: number;
}

const PLAIN: Coded = { names: 0, owner: 0 };

/** See the top of the file. */
export class Texts {
  readonly #words: Words;
  readonly #thread: number;
  /** Own texts by themselves: where they stand, plus one. */
  readonly #ids: Map<string, number> = new Map();
  /** Texts of all threads, by thread and place. */
  readonly #read: Map<number, string> = new Map();
  readonly #owners: ThreadOwner[] = [];
  #used: number;

  constructor(words: Words, thread: number) {
    this.#words = words;
    this.#thread = thread;
    this.#used = words.i32[words.of(thread) + TEXTS_USED]!;
    for (let at = 0; at < this.#used; ) {
      const text = this.textOf(thread, at + 1)!;
      this.#ids.set(text, at + 1);
      at += wordsOf(text);
    }
  }

  /** What to write of a section. Throws `CapacityError`. */
  code({ kind, owner, label }: InvalidationInfo): Coded {
    if (kind === DEFAULT_KIND && owner === undefined && label === undefined) return PLAIN;
    const kindId = kind === DEFAULT_KIND ? 0 : this.#need(kind, `the kind ${describe(kind)}`);
    return { names: kindId | (this.label(label) << 16), owner: this.#owner(owner) };
  }

  #owner(owner: unknown): number {
    if (owner === undefined) return 0;
    if (typeof owner === 'string') return this.#need(`s${owner}`, `the owner ${describe(owner)}`);
    return typeof owner === 'number' ? this.#need(`n${owner}`, `the owner ${owner}`) : SOMEBODY;
  }

  #need(text: string, what: string): number {
    const id = this.#id(text, this.#words.shape.texts);
    if (id !== 0) return id;
    throw new CapacityError(`there is no room for ${what}`, 'textBytes', this.#words.shape.texts * 4);
  }

  /** Where it stands; 0 if there is none, or no room. */
  label(label: string | undefined): number {
    return label === undefined ? 0 : this.#id(label.slice(0, LONGEST_LABEL), this.#words.shape.texts / 2);
  }

  #id(text: string, limit: number): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const at = this.#used;
    const after = at + wordsOf(text);
    if (after > limit) return 0;
    const { i32 } = this.#words;
    const base = this.#words.texts(this.#thread) + at;
    i32[base] = text.length;
    for (let i = 0; i < text.length; i += 2) {
      i32[base + 1 + i / 2] = text.charCodeAt(i) | (i + 1 < text.length ? text.charCodeAt(i + 1) << 16 : 0);
    }
    this.#used = after;
    i32[this.#words.of(this.#thread) + TEXTS_USED] = after;
    this.#ids.set(text, at + 1);
    return at + 1;
  }

  /** What a thread has written of a section. */
  info(thread: number, names: number, owner: number): InvalidationInfo | undefined {
    if (names === 0 && owner === 0) return undefined;
    return {
      kind: this.textOf(thread, names & 65_535) ?? DEFAULT_KIND,
      owner: this.#ownerOf(thread, owner),
      label: this.textOf(thread, names >>> 16),
    };
  }

  #ownerOf(thread: number, owner: number): unknown {
    if (owner === SOMEBODY) {
      this.#owners[thread] ??= Object.freeze(new ThreadOwner(thread));
      return this.#owners[thread];
    }
    const text = this.textOf(thread, owner);
    if (text === undefined) return undefined;
    return text[0] === 's' ? text.slice(1) : Number(text.slice(1));
  }

  /** `thread 3`, or `thread 3 (its label)`. */
  nameOf(thread: number, label: number): string {
    const text = this.textOf(thread, label);
    return text === undefined ? `thread ${thread}` : `thread ${thread} (${text})`;
  }

  /** A text that a thread has written. */
  textOf(thread: number, id: number): string | undefined {
    if (id === 0) return undefined;
    const key = thread * 65_536 + id;
    let text = this.#read.get(key);
    if (text !== undefined) return text;
    const { i32 } = this.#words;
    const base = this.#words.texts(thread) + id - 1;
    const length = i32[base]!;
    text = '';
    for (let i = 0; i < length; i++) text += String.fromCharCode((i32[base + 1 + (i >> 1)]! >>> ((i & 1) * 16)) & 65_535);
    this.#read.set(key, text);
    return text;
  }
}

function wordsOf(text: string): number {
  return 1 + Math.ceil(text.length / 2);
}
