/**
 * Contact: one space of one server, asked within bounds of time. Nobody is waited for longer than half a lease: what has not been
 * answered by then may have been done, and is asked again.
 */
import type { Clock } from '../base/clock.js';
import type { RedisPort, Script, StreamEntry } from './port.js';

/** Names of the keys and channels of a space. The braces make it one slot of a cluster. */
export function placeOf(space: string): { readonly channel: string; readonly keys: readonly string[] } {
  const channel = `rangefence:{${space}}`;
  return { channel, keys: ['meta', 'log', 'mem', 'act', 'pend'].map((name) => `${channel}:${name}`) };
}

/** Records that the server keeps unless it is told otherwise. */
export const LOG_LENGTH = 4096;

/** What contact is made of. */
export interface ContactParts {
  readonly port: RedisPort;
  readonly clock: Clock;
  readonly space: string;
  readonly leaseMs: number;
  readonly logLength: number | undefined;
  readonly replicas: number | undefined;
}

/** See the top of the file. */
export class Contact {
  readonly #parts: ContactParts;
  readonly #channel: string;
  readonly #keys: readonly string[];
  /** Those who pause. */
  readonly #pauses: Set<() => void> = new Set();

  constructor(parts: ContactParts) {
    this.#parts = parts;
    const { channel, keys } = placeOf(parts.space);
    this.#channel = channel;
    this.#keys = keys;
  }

  /** Runs a script: its answer, or an error, within half a lease. */
  async run(script: Script, ...args: readonly string[]): Promise<unknown> {
    const { port, logLength = LOG_LENGTH } = this.#parts;
    const all = [this.#channel, port.publish, String(logLength), ...args];
    return await this.#bounded(() => port.run(script, this.#keys, all), script.name);
  }

  /** The records from this id on. */
  read(from: string): Promise<readonly StreamEntry[]> {
    return this.#bounded(() => this.#parts.port.range(this.#keys[1]!, from), 'XRANGE');
  }

  /** True if enough replicas have what was written so far. */
  async replicated(): Promise<boolean> {
    const { port, replicas = 0, leaseMs } = this.#parts;
    if (replicas === 0) return true;
    const limitMs = Math.max(1, Math.floor(leaseMs / 4));
    return (await this.#bounded(() => port.wait!(replicas, limitMs), 'WAIT')) >= replicas;
  }

  /** Listens to what everybody is told, and to what this process is told; returns how to stop. */
  listen(name: string, onPush: (message: string) => void, onMessage: (message: string) => void, onReady: () => void): () => void {
    const inbox = `${this.#channel}:in:${name}`;
    const channels = [`${this.#channel}:push`, inbox];
    return this.#parts.port.subscribe(channels, (from, text) => (from === inbox ? onMessage(text) : onPush(text)), onReady);
  }

  /** Resolves after this time, or when {@link hurry} is called. */
  pause(ms: number): Promise<void> {
    const { clock } = this.#parts;
    return new Promise((resolve) => {
      const over = () => {
        clock.clearTimeout(timer);
        this.#pauses.delete(over);
        resolve();
      };
      const timer = clock.setTimeout(over, ms);
      this.#pauses.add(over);
    });
  }

  /** Resolves when this time is really over, or something else is. */
  async sleep(ms: number, isOver: () => boolean): Promise<void> {
    const { clock } = this.#parts;
    const until = clock.now() + ms;
    for (let leftMs = ms; leftMs > 0 && !isOver(); leftMs = until - clock.now()) await this.pause(Math.max(leftMs, 1));
  }

  /** Ends all pauses: there may be something new. */
  hurry(): void {
    for (const over of [...this.#pauses]) over();
  }

  #bounded<T>(ask: () => Promise<T>, what: string): Promise<T> {
    const { clock, leaseMs } = this.#parts;
    const limitMs = leaseMs / 2;
    return new Promise((resolve, reject) => {
      const timer = clock.setTimeout(() => reject(new Error(`${what} was not answered within ${limitMs} ms`)), limitMs);
      const over =
        <A>(settle: (value: A) => void) =>
        (value: A) => {
          clock.clearTimeout(timer);
          settle(value);
        };
      ask().then(over(resolve), over(reject));
    });
  }
}

/** The first time between two tries, and the longest, in milliseconds: a server that is back is found within a quarter of a second. */
export const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 250;

/** Times between tries, each twice the last. */
export function* pauses(): Generator<number, never> {
  for (let ms = FIRST_PAUSE_MS; ; ms = Math.min(2 * ms, LONGEST_PAUSE_MS)) yield ms;
}
