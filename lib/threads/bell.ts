/**
 * Bell: how threads wake each other: one word for each, that others add to and that it sleeps on.
 *
 * Who sleeps has taken the bell's value *before* it looked for news: what was rung since then has moved the value, and there is no
 * sleep. A sleep cannot be cancelled, so there is one at a time, and what is wanted of it is asked when it is over. Where the host
 * cannot sleep on a word without blocking, a ring is a message as well, by way of the hub.
 *
 * Trackers of one thread wake each other by a microtask.
 */
import { BELL, BY_MESSAGE, type Words } from './words.js';

type WaitAsync = (
  array: Int32Array,
  at: number,
  value: number,
) => { readonly async: boolean; readonly value: string | PromiseLike<string> };

/** `undefined` where the host has none. */
export const waitAsync: WaitAsync | undefined = (Atomics as unknown as { waitAsync?: WaitAsync }).waitAsync;

/** Who is in this thread, by the memory and the place in it. */
const here: WeakMap<object, Map<number, () => void>> = new WeakMap();

/** See the top of the file. */
export class Bell {
  readonly #words: Words;
  readonly #own: number;
  readonly #post: (thread: number) => void;
  readonly #rung: () => void;
  #isAsleep = false;

  /** `rung` is called in a turn of its own. `post` has a thread rung by a message. */
  constructor(words: Words, own: number, rung: () => void, post: (thread: number) => void) {
    this.#words = words;
    this.#own = own;
    this.#rung = rung;
    this.#post = post;
  }

  /** Trackers of this thread reach this one directly, from now on. */
  hang(): void {
    const { buffer } = this.#words.i32;
    let places = here.get(buffer);
    if (places === undefined) {
      places = new Map();
      here.set(buffer, places);
    }
    places.set(this.#own, this.#rung);
  }

  /** Is this place taken by a tracker of this very thread? Its turn is ours. */
  isHere(thread: number): boolean {
    return here.get(this.#words.i32.buffer)?.has(thread) === true;
  }

  /** Wakes a thread. */
  ring(thread: number): void {
    const words = this.#words;
    const at = words.of(thread) + BELL;
    words.add(at, 1);
    Atomics.notify(words.i32, at);
    const rung = here.get(words.i32.buffer)?.get(thread);
    if (rung !== undefined) queueMicrotask(rung);
    else if (words.i32[words.of(thread) + BY_MESSAGE] !== 0) this.#post(thread);
  }

  /** To be taken before one looks. */
  ticks(): number {
    return this.#words.load(this.#words.of(this.#own) + BELL);
  }

  /** Calls `rung` when the bell has moved on from `ticks`. Does nothing while it sleeps already. */
  sleep(ticks: number): void {
    if (this.#isAsleep || waitAsync === undefined) return;
    this.#isAsleep = true;
    const awake = () => {
      this.#isAsleep = false;
      this.#rung();
    };
    const { async: isPending, value } = waitAsync(this.#words.i32, this.#words.of(this.#own) + BELL, ticks);
    if (isPending) (value as PromiseLike<string>).then(awake);
    else queueMicrotask(awake);
  }

  /** Nobody is reached here any more. */
  takeDown(): void {
    here.get(this.#words.i32.buffer)?.delete(this.#own);
  }
}
