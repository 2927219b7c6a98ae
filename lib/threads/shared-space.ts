/**
 * SharedSpace: one space for the trackers of several threads; and the hub, the thread that has made it.
 *
 * The hub gives out places, carries what does not fit into words (why a subscriber has failed), and makes the place of a thread free
 * that has left or died. It notices by the port of the handle, which the host closes after the thread's last step. It never stands in
 * the way of the others: what it does late, they wait for, if it is about a dead thread, and for nothing else.
 */
import { ClosedError, check } from '../base/errors.js';
import { checkNames, type Names, names } from '../base/options.js';
import { printed } from '../base/print.js';
import { toRanges } from '../base/range.js';
import type { Range } from '../base/vocabulary.js';
import { Bell } from './bell.js';
import { CapacityError } from './errors.js';
import type { FromHub, Port, ThreadHandle, ToHub } from './handle.js';
import { Recovery } from './recover.js';
import { EVERY_STRIPE } from './stripes.js';
import { Table } from './table.js';
import { Texts } from './texts.js';
import { bytesOf, COMMIT, LABEL, type Shape, STATUS, VERSION, Words } from './words.js';

/** A thread that has ended while it was changing or committing something. */
export interface DeadThread {
  /** The number of its place. */
  readonly thread: number;
  /** The label of its tracker. */
  readonly label: string | undefined;
  /** What it was changing: the ranges of sections that had begun, and some that were about to. Others wait for them. */
  readonly ranges: readonly Range[];
  /** True if it died in the turn of a check, so possibly inside of a `commit`. */
  readonly committing: boolean;
}

/** How a shared space is made. All limits are for its whole life: its memory has one size. */
export interface SharedSpaceOptions {
  /**
   * Units of the line that share a stripe, of which there are 24: a begin may wait for one unrelated commit in its stripe, and may wake a
   * thread in vain. About what one change touches; a page, for bytes. Default 1. What collides is decided by exact ranges in any case.
   */
  grain?: number | undefined;
  /** Threads at most, 1 to 31. Default 16. */
  threads?: number | undefined;
  /**
   * Sections that one thread may have open, counted by ranges, a quarter of them for nested ones; further begins wait for room. A section
   * of more ranges than an eighth of this is known to other threads by fewer, which cover them. 8 to 65,536; default 256.
   */
  sections?: number | undefined;
  /**
   * Begins and ends of one thread that another may be behind without losing its history; rounded up to a power of two. 16 to
   * 2^20; default 1024.
   */
  events?: number | undefined;
  /** Room for the kinds, owners and labels that one thread uses, each counted once, 2 bytes a character. Up to 262,140; default 8192. */
  textBytes?: number | undefined;
  /**
   * Called when a thread has ended while it was changing or committing something, before others may go on: what it had changed may be
   * half changed. They wait for the promise it returns. What it throws or rejects with is reported by the host, and they go on.
   */
  onDeath?: ((dead: DeadThread) => void | PromiseLike<void>) | undefined;
}

/** Live counters of a shared space; they only grow. */
export interface SharedSpaceStats {
  /** Threads that have ended without closing their tracker. */
  deaths: number;
  /** Sections that were open then, by ranges, and were ended for them. */
  orphaned: number;
}

const OPTIONS: Names = /* @__PURE__ */ names('grain threads sections events textBytes onDeath');

/** The hub's end of a place in use. */
interface Place {
  readonly port: Port;
  /** The thread has said that it leaves. */
  hasLeft: boolean;
}

/**
 * One space for the trackers of several threads of a process (or of a page and its dedicated workers). Everything that the tracker
 * promises holds across all of them: see docs/threads.md.
 */
export class SharedSpace {
  /** Live counters. */
  readonly stats: Readonly<SharedSpaceStats>;
  readonly #stats: SharedSpaceStats = { deaths: 0, orphaned: 0 };
  readonly #buffer: SharedArrayBuffer;
  readonly #words: Words;
  readonly #places: (Place | undefined)[] = [];
  readonly #recovery: Recovery;
  readonly #onDeath: SharedSpaceOptions['onDeath'];
  #isClosed = false;

  private constructor(shape: Shape, onDeath: SharedSpaceOptions['onDeath']) {
    this.stats = this.#stats;
    this.#buffer = new SharedArrayBuffer(bytesOf(shape));
    this.#words = new Words(this.#buffer, shape);
    this.#onDeath = onDeath;
    const ring = (thread: number) => this.#send(thread, { type: 'rung' });
    this.#recovery = new Recovery(this.#words, new Bell(this.#words, -1, () => {}, ring));
  }

  /**
   * Makes a space, with this thread as its hub. If the hub ends, all trackers close themselves. Throws `InvalidArgumentError`; and the
   * host's error where there is no shared memory (a page that is not cross-origin isolated). By default it takes 0.9 MiB.
   */
  static create(options: SharedSpaceOptions = {}): SharedSpace {
    checkNames(options, OPTIONS, 'SharedSpace.create');
    const { grain = 1, threads = 16, sections = 256, events = 1024, textBytes = 8192, onDeath } = options;
    const isGrain = typeof grain === 'number' && grain > 0 && grain < Number.POSITIVE_INFINITY;
    check(isGrain, 'grain', grain, 'a positive number of units');
    whole('threads', threads, 1, 31);
    whole('sections', sections, 8, 65_536);
    whole('events', events, 16, 2 ** 20);
    whole('textBytes', textBytes, 0, 262_140);
    check(onDeath === undefined || typeof onDeath === 'function', 'onDeath', onDeath, 'a function');
    const texts = Math.floor(textBytes / 4);
    return new SharedSpace({ threads, sections, events: 2 ** Math.ceil(Math.log2(events)), texts, grain }, onDeath);
  }

  /** True after {@link SharedSpace.close}. */
  get closed(): boolean {
    return this.#isClosed;
  }

  /**
   * A free place, for one tracker in any thread, this one too. A place that nobody ever takes stays taken until its port is closed.
   * Throws `CapacityError` if there is none, `ClosedError`.
   */
  connect(): ThreadHandle {
    if (this.#isClosed) throw new ClosedError('the shared space');
    const { shape } = this.#words;
    let thread = 0;
    while (thread < shape.threads && this.#places[thread] !== undefined) thread++;
    if (thread === shape.threads) throw new CapacityError('there is no room for one more thread', 'threads', shape.threads);
    const { port1, port2 } = new MessageChannel() as unknown as { readonly port1: Port; readonly port2: Port };
    const place: Place = { port: port1, hasLeft: false };
    this.#places[thread] = place;
    port1.addEventListener('message', ({ data }) => this.#hear(place, data as ToHub));
    port1.addEventListener('close', () => void this.#over(thread, place));
    port1.start();
    port1.unref?.();
    this.#recovery.take(thread);
    return { rangefence: 'threads', thread, buffer: this.#buffer, shape, port: port2 };
  }

  /**
   * Closes every tracker of the space, each as soon as its thread looks: subscribers are told `release`, everything that waits rejects
   * with `ClosedError`. Idempotent.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#words.store(STATUS, 1);
    this.#words.add(VERSION, 1);
    this.#recovery.ringAll();
    for (const place of this.#places) place?.port.close();
  }

  #send(thread: number, message: FromHub): void {
    this.#places[thread]?.port.postMessage(message);
  }

  #hear(place: Place, message: ToHub): void {
    if (message.type === 'leave') place.hasLeft = true;
    else if (message.type === 'ring') this.#send(message.thread, { type: 'rung' });
    else this.#send(message.to, { type: 'failed', failure: message.failure });
  }

  /** The thread has left, or has stopped for good. */
  async #over(thread: number, place: Place): Promise<void> {
    if (this.#isClosed || this.#places[thread] !== place) return;
    if (!place.hasLeft) {
      this.#stats.deaths++;
      await this.#repair(thread);
    }
    this.#recovery.recover(thread);
    this.#places[thread] = undefined;
  }

  async #repair(thread: number): Promise<void> {
    const words = this.#words;
    const ranges = new Table(words).read(thread).flatMap(({ spans }) => toRanges(spans));
    const committing = (words.load(words.of(thread) + COMMIT) & EVERY_STRIPE) !== 0;
    this.#stats.orphaned += ranges.length;
    if (this.#onDeath === undefined || (ranges.length === 0 && !committing)) return;
    const label = new Texts(words, thread).textOf(thread, words.load(words.of(thread) + LABEL));
    try {
      await this.#onDeath({ thread, label, ranges, committing });
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

printed(SharedSpace.prototype, { name: 'SharedSpace', data: ({ closed, stats }) => ({ closed, ...stats }) });

function whole(name: string, value: number, least: number, most: number): void {
  const isWhole = Number.isSafeInteger(value) && value >= least && value <= most;
  check(isWhole, name, value, `a whole number from ${least} to ${most}`);
}
