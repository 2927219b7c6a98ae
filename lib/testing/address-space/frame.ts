/**
 * Frames: the memory behind a simulated address space.
 *
 * A frame carries the number of its last change, its generation, at both ends of its content: a change sets the head and the
 * first half, lets others run, and then sets the second half and the tail. So a frame is whole exactly if head and tail are
 * the same, and whoever looks at it in the middle of a change can tell.
 */
import { AllocationError } from './faults.js';

/** Head and tail of a frame that nobody has any more. */
const FREED = -1;
/** What is written over a freed frame, so that nobody takes it for content. */
const POISON = 0xdb;

/** Content of one page. The only legal changes: `begin` then `finish`; both in one turn by {@link Frame.store}. */
export class Frame {
  /** Generation at the beginning of the content. */
  head = 0;
  /** Generation at its end; the content is whole exactly if it equals `head`. */
  tail = 0;
  /** Slots, objects and running copies that need it; it is freed when the last of them lets go. */
  refs = 1;
  readonly bytes: Uint8Array;
  /** The device in whose memory it is; `undefined` for the memory of the host. */
  readonly owner: object | undefined;

  constructor(size: number, owner: object | undefined) {
    this.bytes = new Uint8Array(size);
    this.owner = owner;
  }

  get whole(): boolean {
    return this.head === this.tail;
  }

  get freed(): boolean {
    return this.head === FREED;
  }

  /** First half of a change: `bytes` go in at `offset`, as far as they lie in the first half of the page. */
  begin(generation: number, bytes: Uint8Array, offset = 0): void {
    this.head = generation;
    const room = this.bytes.length / 2 - offset;
    if (room > 0) this.bytes.set(bytes.subarray(0, room), offset);
  }

  /** Second half of the change. */
  finish(generation: number, bytes: Uint8Array, offset = 0): void {
    const middle = this.bytes.length / 2;
    const skip = Math.max(0, Math.ceil(middle) - offset);
    if (skip < bytes.length) this.bytes.set(bytes.subarray(skip), offset + skip);
    this.tail = generation;
  }

  /** A change that nobody can look into. */
  store(generation: number, bytes: Uint8Array, offset = 0): void {
    this.bytes.set(bytes, offset);
    this.head = generation;
    this.tail = generation;
  }

  /** First half of freeing: the content is going, and can be seen to go. */
  beginFree(): void {
    this.head = FREED;
    this.bytes.fill(POISON, 0, this.bytes.length / 2);
  }

  /** One user less; the last one frees it. */
  release(): void {
    if (--this.refs > 0) return;
    this.head = FREED;
    this.tail = FREED;
    this.bytes.fill(POISON);
  }
}

/** Where generations come from; one for all spaces that can share memory. */
export class Generations {
  #last = 0;

  /** Greater than any before, also than what the frame got from a family of spaces with numbers of its own. */
  next(frame: Frame): number {
    this.#last = Math.max(this.#last, frame.head) + 1;
    return this.#last;
  }
}

/** Memory of a family: a space and all that were forked from it. */
export class Memory {
  readonly generations: Generations = new Generations();
  /** Shared by all untouched pages; the reference of its own keeps it for ever. */
  readonly zero: Frame;
  readonly #pageSize: number;
  #failing = 0;

  constructor(pageSize: number) {
    this.#pageSize = pageSize;
    this.zero = new Frame(pageSize, undefined);
  }

  /** The next so many requests find no memory. */
  fail(requests: number): void {
    this.#failing = requests;
  }

  /** So many frames, or none and an error. */
  allocate(count: number, owner?: object): Frame[] {
    if (count === 0) return [];
    if (this.#failing > 0) {
      this.#failing--;
      throw new AllocationError(count);
    }
    return Array.from({ length: count }, () => new Frame(this.#pageSize, owner));
  }
}
