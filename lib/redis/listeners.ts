/**
 * Listeners: who listens to which channel, over one connection for all of a client, which is there while anybody does.
 */

/** What a connection tells. */
export interface Hears {
  message(channel: string, message: string): void;
  /** The server has confirmed that it sends what comes on these channels from now on. */
  ready(channels: readonly string[]): void;
}

/** A connection that listens. */
export interface Listening {
  /** Asks for these channels, now and whenever the connection was lost. */
  add(channels: readonly string[]): void;
  remove(channels: readonly string[]): void;
  close(): void;
}

interface Listener {
  readonly channels: readonly string[];
  readonly confirmed: Set<string>;
  readonly onMessage: (channel: string, message: string) => void;
  readonly onReady: () => void;
}

/** See the top of the file. */
export class Listeners {
  readonly #open: (hears: Hears) => Listening;
  readonly #all: Set<Listener> = new Set();
  #listening: Listening | undefined = undefined;

  /** `open` is called when the first listener comes, and again after the last one has left and another comes. */
  constructor(open: (hears: Hears) => Listening) {
    this.#open = open;
  }

  /** As {@link RedisPort.subscribe}. */
  add(channels: readonly string[], onMessage: (channel: string, message: string) => void, onReady: () => void): () => void {
    const listener: Listener = { channels, confirmed: new Set(), onMessage, onReady };
    this.#all.add(listener);
    this.#listening ??= this.#open({
      message: (channel, message) => this.#message(channel, message),
      ready: (confirmed) => this.#ready(confirmed),
    });
    this.#listening.add(channels);
    return () => this.#remove(listener);
  }

  #message(channel: string, message: string): void {
    for (const { channels, onMessage } of [...this.#all]) if (channels.includes(channel)) onMessage(channel, message);
  }

  #ready(confirmed: readonly string[]): void {
    for (const listener of [...this.#all]) {
      const own = listener.channels.filter((channel) => confirmed.includes(channel));
      if (own.length === 0) continue;
      for (const channel of own) listener.confirmed.add(channel);
      if (listener.confirmed.size === listener.channels.length) listener.onReady();
    }
  }

  #remove(listener: Listener): void {
    if (!this.#all.delete(listener)) return;
    const isWanted = (channel: string) => [...this.#all].some(({ channels }) => channels.includes(channel));
    if (this.#all.size > 0) {
      this.#listening?.remove(listener.channels.filter((channel) => !isWanted(channel)));
      return;
    }
    this.#listening?.close();
    this.#listening = undefined;
  }
}

const OF: WeakMap<object, Listeners> = new WeakMap();

/** Those of a client, over a connection that all of its ports share; `open` as of the constructor. */
export function subscribeOn(client: object, open: (hears: Hears) => Listening): Listeners['add'] {
  const listeners = OF.get(client) ?? new Listeners(open);
  OF.set(client, listeners);
  return (...args) => listeners.add(...args);
}

/** For what will be tried again by itself. */
export function ignore(): void {}
