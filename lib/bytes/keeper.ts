/**
 * Keeper: which version of the thing the pages are of, and the only code that moves on from one to the next.
 *
 * Algorithm note
 *
 * Invariant: all pages that are present are of `version` (apart from what announced changes have renewed); while it is
 * undefined there are none. It moves on
 *
 *     undefined -> a     the first load, or the first question, has answered
 *     a -> b             somebody has found b in place of a: inside an invalidation of everything
 *     a -> b             a mutate is over, whose caller vouches that only its own range differs between a and b
 *     a -> undefined     somebody says that everything has changed, or the thing has gone
 *
 *     load                            query                        the world
 *     expects a                       has read page 0 of a
 *                                                                  a is replaced by b
 *     gets b: not installed
 *     invalidates everything  ------> is hit
 *     version = b, end
 *     (lost, so it is loaded again)   begins again
 *
 * The invalidation must not wait for held ranges: the holder may be waiting for this very load, and what it announces has
 * happened already. So it is nested in a section over a place of its own on the line, which nobody reads, below the bytes.
 *
 * `epoch` moves whenever an announced change begins or ends, and with every version: an answer that was asked for in another
 * epoch proves nothing about this one, and is asked for again. While `writers` > 0 other versions than the expected one
 * are what is to be expected, and loads take what comes: what is changed is covered by the sections, and the rest is vouched
 * for.
 */
import { ClosedError, describe } from '../base/errors.js';
import { contains, toSpans } from '../base/range.js';
import type { Range } from '../base/vocabulary.js';
import type { Invalidation } from '../tracker/index.js';

import type { ByteReading, ByteVersion } from './backend.js';
import { isMissing, SourceError } from './errors.js';
import type { Settings } from './options.js';
import { Question } from './question.js';
import type { Counters } from './stats.js';
import { Unrest } from './unrest.js';

/** Where a change of everything keeps the section that it is nested in. */
const NOTICE: Range = { start: -2, end: -1 };

/** What every query reads, even if it reads nothing: so that it waits for a change of everything, and is hit by one. */
export const QUERY: Range = { start: -1, end: 0 };

/** For questions that nobody can take back. */
const NEVER: AbortSignal = new AbortController().signal;

const EVERYTHING: Range = { start: -1, end: Number.POSITIVE_INFINITY };

/** See the top of the file. */
export class Keeper {
  readonly #settings: Settings;
  readonly #counters: Counters;
  readonly #question: Question<ByteVersion>;
  /** Undefined where a backend's versions are to be believed. */
  readonly unrest: Unrest | undefined;
  #version: ByteVersion | undefined = undefined;
  #epoch = 0;
  #writers = 0;
  /** What the running writes have begun with, and all that they have announced together. */
  #writing: Writing = { before: undefined, ranges: [] };
  /** A change of everything that is being announced. Never rejects. */
  #changing: Promise<void> | undefined = undefined;
  #closed = false;

  constructor(settings: Settings, counters: Counters) {
    this.#settings = settings;
    this.#counters = counters;
    const { backend, clock } = settings;
    this.unrest = backend.remote === true ? new Unrest(backend.name, clock) : undefined;
    this.#question = new Question((signal) => {
      counters.requests++;
      return settings.backend.identify({ signal });
    });
  }

  /** The version that the present pages are of. */
  get version(): ByteVersion | undefined {
    return this.#version;
  }

  // --- reading

  /** The bytes of the range, of the present version; never returns with others. For the mirror's `load`. */
  async load(range: Range, signal: AbortSignal): Promise<Uint8Array> {
    const { backend } = this.#settings;
    const { unrest } = this;
    for (;;) {
      if (unrest !== undefined) await unrest.rest(signal);
      await this.#changing;
      signal.throwIfAborted();
      const epoch = this.#epoch;
      const expected = this.#writers > 0 ? undefined : this.#version;
      if (expected !== undefined && range.start >= expected.size) return new Uint8Array(0); // a page behind the end
      this.#counters.requests++;
      let reading: ByteReading;
      try {
        reading = await backend.read(range, { expected, signal });
      } catch (error) {
        await this.#checkGone(error, epoch);
        throw error;
      }
      this.#counters.bytes += reading.bytes?.length ?? 0;
      signal.throwIfAborted();
      if (reading.bytes === undefined && expected === undefined)
        throw new SourceError(backend.name, 'came not at all, although any version would have done', { range });
      if (this.#isOfUse(reading, epoch)) {
        if (expected !== undefined) unrest?.confirmed();
        return this.#checked(range, reading);
      }
      if (epoch === this.#epoch && this.#writers === 0) await this.#moveOn(reading, epoch);
    }
  }

  /** That the thing has gone is an answer, too: what is present is not there any more. */
  async #checkGone(error: unknown, epoch: number): Promise<void> {
    const isNews = this.#version !== undefined && this.#writers === 0;
    if (isNews && isMissing(error)) await this.notice(undefined, epoch);
  }

  /** Moves on to what an answer has said. */
  #moveOn({ version, remark }: ByteReading, epoch: number): Promise<boolean> {
    return this.notice(version, epoch, version?.key ?? remark ?? 'bytes of several versions');
  }

  #isOfUse({ bytes, version }: ByteReading, epoch: number): boolean {
    if (bytes === undefined) return false;
    if (version !== undefined && this.#version === undefined && epoch === this.#epoch) this.#adopted(version);
    if (this.#writers > 0) return this.#version !== undefined;
    return version !== undefined && version.key === this.#version?.key;
  }

  #checked(range: Range, { bytes, version }: ByteReading): Uint8Array {
    const length = bytes!.length;
    const wanted = version === undefined ? length : Math.max(0, Math.min(range.end, version.size) - range.start);
    if (length === wanted) return bytes!;
    const { name } = this.#settings.backend;
    throw new SourceError(name, 'came cut', { range, expected: `${wanted} bytes`, got: `${length} bytes` });
  }

  /** The length of the present version; asks for one if there is none. */
  async size(signal: AbortSignal | undefined): Promise<number> {
    for (;;) {
      await this.#changing;
      if (this.#version !== undefined) return this.#version.size;
      const epoch = this.#epoch;
      const found = await this.#question.answer(signal);
      if (this.#version === undefined && epoch === this.#epoch) this.#adopted(found);
    }
  }

  #adopted(version: ByteVersion): void {
    this.#version = version;
    this.unrest?.arrived(version.key);
  }

  // --- changes

  /** Asks for the version, and moves on if it is another one. During a mutate there is nothing to find out. */
  async check(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      if (this.unrest !== undefined) await this.unrest.rest(signal ?? NEVER);
      await this.#changing;
      if (this.#writers > 0 || this.#version === undefined) return;
      const epoch = this.#epoch;
      const found = await this.#asked(epoch, signal);
      if (found.key === this.#version?.key && epoch === this.#epoch) this.unrest?.confirmed();
      if (found.key !== this.#version?.key && epoch === this.#epoch)
        await this.#moveOn({ version: found, bytes: undefined }, epoch);
      if (found.key === this.#version?.key) return; // also if somebody else has been quicker
    }
  }

  async #asked(epoch: number, signal: AbortSignal | undefined): Promise<ByteVersion> {
    try {
      return await this.#question.answer(signal);
    } catch (error) {
      await this.#checkGone(error, epoch);
      throw error;
    }
  }

  /** The same for a backend that pushes: a thing that cannot be asked for is gone. Never rejects. */
  async pushed(): Promise<void> {
    try {
      await this.check(undefined);
    } catch {
      if (this.#writers === 0) await this.notice(undefined);
    }
  }

  /**
   * Everything has changed; to what, if it is known. Resolves when everybody has been told. Never rejects. One after the other: what
   * another one has found may be older than what this one tells of. With an epoch, only if it is still that one: returns false if
   * it is not. `said` is what an answer has said; without, it is somebody's word.
   */
  async notice(found: ByteVersion | undefined, epoch?: number, said?: string): Promise<boolean> {
    while (this.#changing !== undefined) await this.#changing;
    if (this.#closed || (epoch !== undefined && epoch !== this.#epoch)) return false;
    const left = this.#version?.key;
    if (said !== undefined && left !== undefined) this.unrest?.moved(left, said);
    this.#changing = this.#replace(found).finally(() => {
      this.#changing = undefined;
    });
    await this.#changing;
    return true;
  }

  async #replace(found: ByteVersion | undefined): Promise<void> {
    const { tracker, label } = this.#settings;
    let isDone = false;
    const move = () => {
      isDone = true;
      this.#version = found;
      this.#epoch++;
      this.#counters.changes++;
      if (found !== undefined) this.unrest?.arrived(found.key);
    };
    const options = { owner: this, label: `${label} has changed` };
    try {
      await tracker.mutate(NOTICE, (within) => tracker.mutate(EVERYTHING, move, { ...options, within }), options);
    } catch {
      // A subscriber has failed (the tracker counts it), or the tracker is closed. It has changed all the same.
      if (!isDone) move();
    }
  }

  /** Runs an announced write inside its section. What it has changed outside of its ranges is found out by the size alone. */
  async write<T>(section: Invalidation, write: (section: Invalidation) => T | PromiseLike<T>): Promise<T> {
    await this.#checkBefore();
    if (this.#writers++ === 0) this.#writing = { before: this.#version?.size, ranges: [] };
    this.#writing.ranges.push(...section.ranges);
    this.#epoch++;
    try {
      return await write(section);
    } finally {
      await this.#adopt();
    }
  }

  /** What somebody else has done before this must not be taken for the write's. */
  async #checkBefore(): Promise<void> {
    try {
      if (this.#version === undefined) await this.size(undefined);
      else await this.check(undefined);
    } catch {
      // Not there: the write may be what makes it.
      if (this.#version !== undefined && this.#writers === 0) await this.notice(undefined);
    }
  }

  async #adopt(): Promise<void> {
    this.#epoch++;
    try {
      const found = await this.#found();
      if (isVouchedFor(this.#writing, found.size)) this.#version = found;
      else await this.notice(found);
    } catch {
      await this.notice(undefined);
    } finally {
      this.#writers--;
      this.#epoch++;
    }
  }

  /** The version, of a moment at which nobody else had just written. */
  async #found(): Promise<ByteVersion> {
    for (;;) {
      await this.#changing;
      const epoch = this.#epoch;
      const found = await this.#question.answer();
      if (epoch === this.#epoch) return found;
    }
  }

  /** Turns away who waits for an answer. */
  close(): void {
    this.#closed = true;
    this.#question.close(this.closedError());
  }

  /** The error of everything that is asked of a closed source. */
  closedError(): ClosedError {
    return new ClosedError(`the source ${describe(this.#settings.label)}`);
  }
}

/** Announced changes that run side by side. */
interface Writing {
  /** The length before the first of them, if it was known. */
  readonly before: number | undefined;
  readonly ranges: Range[];
}

/** True unless it has grown or shrunk outside of what was announced. */
function isVouchedFor({ before, ranges }: Writing, after: number): boolean {
  if (before === undefined || before === after) return before === after;
  return contains(toSpans(ranges), [Math.min(before, after), Math.max(before, after)]);
}
