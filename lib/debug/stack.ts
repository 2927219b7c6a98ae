/**
 * Where something began, cheaply until somebody asks.
 */

/** Frames of this folder and of the tracker say nothing to whoever called it; they are the first ones, about ten. */
const OWN = 10;
/** Frames of the caller that are kept. */
const KEPT = 6;

interface Capturing {
  stackTraceLimit?: number;
}

/**
 * A stack as of its making, which costs a tenth of reading it. Until {@link text} is asked for, it keeps the receivers of
 * its calls alive, a tracker among them: whoever keeps one beyond the turn asks for it.
 */
export class Trace {
  #raw: Error | undefined = undefined;
  #text = '    (not recorded: outside any context, nothing had to be waited for when it was called)';

  /** @param isRecorded false for one that says only why there is none: taking a stack costs microseconds */
  constructor(isRecorded: boolean) {
    if (!isRecorded) return;
    const engine = Error as Capturing;
    const limit = engine.stackTraceLimit;
    engine.stackTraceLimit = OWN + KEPT;
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
}

/** What stands between the event and the call that the user made. Some engines name a private method without its class. */
const INNER = /\b(Space|Gate|Lookup|WaitingRead|LookupAttempt)\b|^\s*at #/;

/** Frames are the lines with a place at their end. The first one kept is the call that the user made. */
function frames(stack: string | undefined): string {
  const lines = (stack ?? '').split('\n').filter((line) => /:\d+:\d+\)?$/.test(line));
  let first = lines.findIndex((line) => /\bSpace\.emit\b/.test(line)) + 1;
  while (first < lines.length - 1 && INNER.test(lines[first]!)) first++;
  return lines
    .slice(first, first + KEPT)
    .map((line) => `    ${line.trim()}`)
    .join('\n');
}
