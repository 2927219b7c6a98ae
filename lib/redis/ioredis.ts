/**
 * ioredis: its clients (and those of iovalkey, which has the same methods) as ports.
 */
import { systemClock } from '../base/clock.js';
import { type Hears, ignore, type Listening, subscribeOn } from './listeners.js';
import { type RedisPort, runner, type StreamEntry } from './port.js';

type Client = object & {
  readonly isCluster?: boolean;
  evalsha(sha: string, keys: number, ...rest: readonly string[]): Promise<unknown>;
  eval(text: string, keys: number, ...rest: readonly string[]): Promise<unknown>;
  script(command: 'LOAD', text: string): Promise<unknown>;
  xrange(stream: string, from: string, to: string): Promise<StreamEntry[]>;
  wait(replicas: number, timeoutMs: number): Promise<number>;
  duplicate(...options: readonly unknown[]): Client;
  subscribe(...channels: readonly string[]): Promise<unknown>;
  unsubscribe(...channels: readonly string[]): Promise<unknown>;
  ssubscribe(channel: string): Promise<unknown>;
  sunsubscribe(channel: string): Promise<unknown>;
  on(event: string, listener: (...args: never[]) => void): unknown;
  disconnect(): void;
};

/** True for a client of ioredis, of one server or of a cluster. */
export function isIoredis(client: object): client is Client {
  return ['duplicate', 'defineCommand', 'evalsha'].every((name) => typeof (client as never)[name] === 'function');
}

/** The client as a port. */
export function ioredisPort(client: Client): RedisPort {
  const isCluster = client.isCluster === true;
  const port: RedisPort = {
    publish: isCluster ? 'SPUBLISH' : 'PUBLISH',
    run: runner(
      (text) => client.script('LOAD', text),
      (sha, keys, args) => client.evalsha(sha, keys.length, ...keys, ...args),
      (text, keys, args) => client.eval(text, keys.length, ...keys, ...args),
    ),
    subscribe: subscribeOn(client, (hears) => (isCluster ? listenToCluster : listenToOne)(client, hears)),
    range: (stream, from) => client.xrange(stream, from, '+'),
  };
  return isCluster ? port : { ...port, wait: (replicas, timeoutMs) => client.wait(replicas, timeoutMs) };
}

function listenToOne(client: Client, { message, ready }: Hears): Listening {
  // Not a prefix for channels, and no time limit: an answer to a subscription may be long in coming.
  const own = { keyPrefix: '', commandTimeout: undefined, maxRetriesPerRequest: null, lazyConnect: false, autoResubscribe: true };
  const connection = client.duplicate(own);
  const wanted = new Set<string>();
  const ask = (channels: readonly string[]) => {
    if (channels.length > 0) connection.subscribe(...channels).then(() => ready(channels), ignore);
  };
  connection.on('message', message as never);
  connection.on('error', ignore); // it connects again by itself
  connection.on('ready', () => ask([...wanted]));
  return {
    add: (channels) => {
      for (const channel of channels) wanted.add(channel);
      ask(channels);
    },
    remove: (channels) => {
      for (const channel of channels) wanted.delete(channel);
      connection.unsubscribe(...channels).catch(ignore);
    },
    close: () => connection.disconnect(),
  };
}

function listenToCluster(client: Client, { message, ready }: Hears): Listening {
  const connection = client.duplicate([], { shardedSubscribers: true, keyPrefix: '' });
  const wanted = new Set<string>();
  const ask = (channels: readonly string[]) => {
    for (const channel of channels) {
      const again = () => systemClock.setTimeout(() => wanted.has(channel) && ask([channel]), RETRY_MS);
      connection.ssubscribe(channel).then(() => ready([channel]), again);
    }
  };
  connection.on('smessage', message as never);
  connection.on('error', ignore);
  for (const event of ['ready', '+subscriber', '+node']) connection.on(event, () => ask([...wanted]));
  return {
    add: (channels) => {
      for (const channel of channels) wanted.add(channel);
      ask(channels);
    },
    remove: (channels) => {
      for (const channel of channels) {
        wanted.delete(channel);
        connection.sunsubscribe(channel).catch(ignore);
      }
    },
    close: () => connection.disconnect(),
  };
}

/** Between two tries to subscribe to a slot that is moving, or has no server at the moment. */
const RETRY_MS = 100;
