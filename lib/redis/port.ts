/**
 * Port: what is used of a Redis client, whichever it is. Two adapters have it (ioredis.ts, node-redis.ts), and so may anything else
 * that speaks to a server, or plays one.
 *
 * Whatever is asked may fail although the server has done it: every script may be run twice, and nobody here believes an error.
 */

/** A script of this package: its text, which names it. */
export interface Script {
  /** For messages. */
  readonly name: string;
  /** In Lua. */
  readonly text: string;
}

/** A record of a stream: its id, and names and values in turn. */
export type StreamEntry = readonly [id: string, fields: readonly string[]];

/** A client of a Redis server, as far as it is used. All texts are UTF-8, all numbers are texts. */
export interface RedisPort {
  /** `'SPUBLISH'` where the server is a cluster, in which a channel belongs to a slot; `'PUBLISH'` elsewhere. */
  readonly publish: 'PUBLISH' | 'SPUBLISH';
  /** Runs the script, with texts, whole numbers and lists of them as its answer. */
  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /**
   * Listens to these channels until the function it returns is called. `onReady` is called when the server has confirmed that it sends,
   * the first time and after every time at which it may not have sent.
   */
  subscribe(channels: readonly string[], onMessage: (channel: string, message: string) => void, onReady: () => void): () => void;
  /** The records of a stream from this id on. */
  range(stream: string, from: string): Promise<readonly StreamEntry[]>;
  /** How many replicas have what this client has written so far, asked for at most this long. Absent where that cannot be asked. */
  wait?(replicas: number, timeoutMs: number): Promise<number>;
}

const METHODS = ['run', 'subscribe', 'range'] as const;

/** True for what has the methods of a port. */
export function isPort(value: unknown): value is RedisPort {
  const port = value as Record<string, unknown> | null | undefined;
  return METHODS.every((name) => typeof port?.[name] === 'function') && typeof port?.publish === 'string';
}

type Run = (what: string, keys: readonly string[], args: readonly string[]) => Promise<unknown>;

/** Runs scripts by their names, which `load` gives, where there is one; by their texts where the server has forgotten them. */
export function runner(load: ((text: string) => Promise<unknown>) | undefined, byName: Run, byText: Run): RedisPort['run'] {
  const names = new Map<string, Promise<unknown>>();
  return async ({ text }, keys, args) => {
    if (load === undefined) return await byText(text, keys, args);
    let name = names.get(text);
    if (name === undefined) {
      name = load(text);
      names.set(text, name);
      name.catch(() => names.delete(text));
    }
    try {
      return await byName(String(await name), keys, args);
    } catch (error) {
      if (!String((error as Error)?.message).includes('NOSCRIPT')) throw error;
      return await byText(text, keys, args);
    }
  };
}
