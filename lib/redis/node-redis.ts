/**
 * node-redis: clients of the package `redis` (and `@redis/client`), of one server or of a cluster, as ports. They must be connected.
 */
import { type Hears, ignore, type Listening, subscribeOn } from './listeners.js';
import { type RedisPort, runner } from './port.js';

type Listener = (message: string, channel: string) => void;
type Arguments = { readonly keys: readonly string[]; readonly arguments: readonly string[] };

type Client = object & {
  readonly masters?: unknown;
  evalSha(sha: string, options: Arguments): Promise<unknown>;
  eval(text: string, options: Arguments): Promise<unknown>;
  scriptLoad?(text: string): Promise<unknown>;
  xRange(stream: string, from: string, to: string): Promise<{ id: string; message: Record<string, string> }[]>;
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

/** The client as a port. */
export function nodeRedisPort(client: Client): RedisPort {
  const isCluster = client.masters !== undefined;
  const port: RedisPort = {
    publish: isCluster ? 'SPUBLISH' : 'PUBLISH',
    run: runner(
      client.scriptLoad && ((text) => client.scriptLoad!(text)), // a cluster has no node to load it into
      (sha, keys, args) => client.evalSha(sha, { keys, arguments: args }),
      (text, keys, args) => client.eval(text, { keys, arguments: args }),
    ),
    subscribe: subscribeOn(client, (hears) => listen(client, isCluster, hears)),
    range: async (stream, from) => {
      const entries = await client.xRange(stream, from, '+');
      return entries.map(({ id, message }) => [id, Object.entries(message).flat()]);
    },
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
