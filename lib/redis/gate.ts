/**
 * Gate: a section over everything, while nobody here knows what has changed.
 *
 * If its begin fails, as some subscriber could not let go, it is begun anew; the guard of the space says no in between.
 */
import { pauses } from './contact.js';
import type { Host } from './host.js';
import { type Entered, RemoteOwner } from './side.js';

/** See the top of the file. */
export class Gate {
  readonly #host: Host;
  #section: Promise<Entered | undefined> | undefined = undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  /** It is there in this turn. Nothing, if it was already. */
  shut(): void {
    this.#section ??= this.#begin();
  }

  /** Resolves when everybody has let go of everything. */
  async begun(): Promise<void> {
    await this.#section;
  }

  /** It is over, as soon as it has begun. */
  open(): void {
    this.#section?.then((section) => section?.end());
    this.#section = undefined;
  }

  async #begin(): Promise<Entered | undefined> {
    const { side, name } = this.#host;
    for (const pauseMs of pauses()) {
      try {
        return await side.enter({ all: 1, label: 'no contact' }, new RemoteOwner(name, undefined), undefined);
      } catch (error) {
        if (side.tracker.closed || this.#host.state === 'closed') return undefined;
        this.#host.event({ type: 'error', error });
        await this.#host.contact.pause(pauseMs);
      }
    }
    return undefined;
  }
}
