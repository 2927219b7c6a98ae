/**
 * Fresh: the parties of this turn, whose stacks nobody has read yet.
 *
 * What is kept for longer than the turn must have its stack read: unread, it would keep the tracker alive, and with it
 * whatever is never ended there. Most parties are over by then, and cost no reading.
 */
import type { Clock } from '../base/clock.js';
import { LoadRecord, type Party, SectionRecord } from './parties.js';

/** See the top of the file. */
export class Fresh {
  readonly #clock: Clock;
  readonly #parties: Set<Party> = new Set();
  #armed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** It may be kept. */
  add(party: Party): void {
    this.#parties.add(party);
    if (this.#armed) return;
    this.#armed = true;
    this.#clock.setTimeout(() => this.#read(), 0);
  }

  /** It is over. A turn of promises alone may see thousands of them. */
  delete(party: Party): void {
    this.#parties.delete(party);
  }

  #read(): void {
    this.#armed = false;
    for (const party of this.#parties) {
      const isKept = party instanceof SectionRecord || party instanceof LoadRecord || party.wait !== undefined;
      if (isKept) void party.trace.text;
    }
    this.#parties.clear();
  }
}
