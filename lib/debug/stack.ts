/**
 * Where something began, cheaply until somebody asks.
 */

/**
 * Frames between the taking of a stack and the call that the user made, which say nothing to whoever made it: those of this
 * folder, of the tracker, and one of an observer that passes events on. Each costs a microsecond; too few would leave none
 * of the user's.
 */
const OWN_FRAMES = { begin: 10, attempt: 11, wait: 15 } as const;
/** Frames of the caller that are kept; the first is the tracker's method. */
const KEPT = 5;

interface Capturing {
  stackTraceLimit?: number;
}

/**
 * A stack as of its making, which costs a tenth of reading it. Until {@link text} is asked for, or {@link drop} is called, it
 * keeps the receivers of its calls alive, a tracker among them: whoever keeps one beyond the turn does one of the two.
 */
export class Trace {
  #raw: Error | undefined = undefined;
  #text = '    (not recorded: outside any context, nothing had to be waited for when it was called)';

  /** @param at where it is taken; `undefined` for one that says only why there is none */
  constructor(at: keyof typeof OWN_FRAMES | undefined) {
    if (at === undefined) return;
    const engine = Error as Capturing;
    const limit = engine.stackTraceLimit;
    engine.stackTraceLimit = OWN_FRAMES[at] + KEPT;
    this.#raw = new Error();
    if (limit !== undefined) engine.stackTraceLimit = limit;
  }

  /** The frames, one a line, without those of the checker. */
  get text(): string {
    if (this.#raw !== undefined) {
      this.#text = frames(this.#raw.stack);
      this.#raw = undefined;
    }
    return this.#text;
  }

  /** Nobody will ask: what it was taken for is over. */
  drop(): void {
    this.#raw = undefined;
  }
}

/** What stands between the event and the call that the user made. Some engines name a private method without its class. */
const INNER = /\b(Space|Gate|Lookup|WaitingRead|LookupAttempt|Flight|Run|PageRead|Pager)\b|^\s*at #/;

/** Frames are the lines with a place at their end. The first one kept is the call that the user made. */
function frames(stack: string | undefined): string {
  const lines = (stack ?? '').split('\n').filter((line) => /:\d+:\d+\)?$/.test(line));
  let first = lines.findIndex((line) => /\bnote \(/.test(line)) + 1;
  while (first < lines.length - 1 && INNER.test(lines[first]!)) first++;
  return lines
    .slice(first, first + KEPT)
    .map((line) => `    ${line.trim()}`)
    .join('\n');
}
