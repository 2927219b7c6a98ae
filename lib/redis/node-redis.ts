/**
 * node-redis: clients of the package `redis` (and `@redis/client`), of one server or of a cluster, as ports. They must be connected.
 */
import { type Hears, Listeners, type Listening } from './listeners.js';
import type { RedisPort, Script } from './port.js';

type Listener = (message: string, channel: string) => void;
type Arguments = { readonly keys: readonly string[]; readonly arguments: readonly string[] };

type Client = object & {
  readonly masters?: unknown;
  evalSha(sha: string, options: Arguments): Promise<unknown>;
  eval(text: string, options: Arguments): Promise<unknown>;
  scriptLoad?(text: string): Promise<unknown>;
  xRange(stream: string, from: string, to: string): Promise<{ id: string; message: Record<string, string> }[]>;
  hGet(hash: string, field: string): Promise<string | null | undefined>;
  wait?(replicas: number, timeoutMs: number): Promise<number>;
  duplicate(options?: object): Client;
  connect(): Promise<unknown>;
  destroy(): void;
  on(event: string, listener: (...args: never[]) => void): unknown;
  subscribe(channel: string, listener: Listener): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  sSubscribe(channel: string, listener: Listener): Promise<unknown>;
  sUnsubscribe(channel: string): Promise<unknown>;
};

/** True for a client of node-redis. */
export function isNodeRedis(client: object): client is Client {
  return ['duplicate', 'evalSha', 'xRange'].every((name) => typeof (client as never)[name] === 'function');
}

/** Subscribes on a connection of its own, which all ports of a client share. */
const LISTENERS: WeakMap<object, Listeners> = new WeakMap();

/** The client as a port. */
export function nodeRedisPort(client: Client): RedisPort {
  const isCluster = client.masters !== undefined;
  const shas = new Map<string, Promise<string>>();
  let listeners = LISTENERS.get(client);
  if (listeners === undefined) {
    listeners = new Listeners((hears) => listen(client, isCluster, hears));
    LISTENERS.set(client, listeners);
  }
  const shared = listeners;
  const port: RedisPort = {
    publish: isCluster ? 'SPUBLISH' : 'PUBLISH',
    run: async ({ text }: Script, keys, args) => {
      const options = { keys, arguments: args };
      if (client.scriptLoad === undefined) return await client.eval(text, options); // a cluster, which has no node to load it into
      let sha = shas.get(text);
      if (sha === undefined) {
        sha = client.scriptLoad(text).then(String);
        shas.set(text, sha);
        sha.catch(() => shas.delete(text));
      }
      try {
        return await client.evalSha(await sha, options);
      } catch (error) {
        if (!String((error as Error)?.message).includes('NOSCRIPT')) throw error;
        return await client.eval(text, options);
      }
    },
    subscribe: (channels, onMessage, onReady) => shared.add(channels, onMessage, onReady),
    range: async (stream, from) => {
      const entries = await client.xRange(stream, from, '+');
      return entries.map(({ id, message }) => [id, Object.entries(message).flat()]);
    },
    get: async (hash, field) => (await client.hGet(hash, field)) ?? null,
    close: () => {},
  };
  return isCluster || client.wait === undefined
    ? port
    : { ...port, wait: (replicas, timeoutMs) => client.wait!(replicas, timeoutMs) };
}

function listen(client: Client, isSharded: boolean, { message, ready }: Hears): Listening {
  const connection = client.duplicate();
  const wanted = new Set<string>();
  const asked = new Set<string>();
  const onMessage: Listener = (text, channel) => message(channel, text);
  const ask = (channels: readonly string[]) => {
    for (const channel of channels) {
      asked.add(channel);
      const subscribed = isSharded ? connection.sSubscribe(channel, onMessage) : connection.subscribe(channel, onMessage);
      subscribed.then(
        () => ready([channel]),
        () => asked.delete(channel),
      );
    }
  };
  connection.on('error', ignore); // it connects again, and subscribes again, by itself
  // Once ready, what it was subscribed to it is again; the first time, nothing was.
  connection.on('ready', () => {
    ready([...wanted].filter((channel) => asked.has(channel)));
    ask([...wanted].filter((channel) => !asked.has(channel)));
  });
  let isConnected = false;
  connection.connect().then(() => {
    isConnected = true;
    ask([...wanted].filter((channel) => !asked.has(channel)));
  }, ignore);
  return {
    add: (channels) => {
      for (const channel of channels) wanted.add(channel);
      if (isConnected) ask(channels.filter((channel) => !asked.has(channel)));
    },
    remove: (channels) => {
      for (const channel of channels) {
        wanted.delete(channel);
        asked.delete(channel);
        (isSharded ? connection.sUnsubscribe(channel) : connection.unsubscribe(channel)).catch(ignore);
      }
    },
    close: () => {
      connection.destroy();
    },
  };
}

function ignore(): void {}
