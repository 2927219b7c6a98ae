/**
 * Redis: clients of a Redis server (ioredis, node-redis, and what looks like them), as caches.
 *
 * They have the names of a cache's methods and mean something else by some: a miss is `null`, `keys` wants a pattern and stops the
 * server while it looks, and the database may hold what is no cache at all. So keys are listed by SCAN, and all keys are dropped
 * only where the client keeps to a prefix of its own (`keyPrefix` of ioredis).
 */

/** What is used of a client. */
interface Client {
  readonly isCluster?: unknown;
  readonly options?: { readonly keyPrefix?: unknown } | undefined;
  scan?(cursor: string, ...rest: readonly unknown[]): Promise<readonly [cursor: string | number, keys: readonly string[]]>;
  scanIterator?(options: { readonly COUNT: number }): AsyncIterable<string | readonly string[]>;
}

/** Keys that the server looks at for one step of a listing: some milliseconds, for which it answers nobody else. */
const KEYS_A_STEP = 1000;

/** True for a client of Redis, which has commands for hashes and for expiry under these names. */
export function isRedis(cache: object): boolean {
  const has = (...names: string[]) => names.some((name) => typeof (cache as Record<string, unknown>)[name] === 'function');
  return has('hget', 'hGet') && has('expire', 'pexpire', 'pExpire');
}

/** How a client lists its keys, or why it does not. */
export function redisKeys(cache: object): {
  readonly mayHave: false;
  readonly keys: (() => AsyncIterable<string>) | undefined;
  readonly cannotList: string;
  readonly cannotDropAll: string | undefined;
} {
  const client = cache as Client;
  const { keyPrefix } = client.options ?? {};
  const prefix = typeof keyPrefix === 'string' ? keyPrefix : '';
  const canList = client.isCluster !== true && (client.scan !== undefined || client.scanIterator !== undefined);
  return {
    mayHave: false,
    keys: canList ? () => (client.scanIterator === undefined ? scan(client, prefix) : pages(client)) : undefined,
    cannotList: 'a cluster of Redis servers lists no keys',
    cannotDropAll:
      prefix === ''
        ? 'the Redis database may hold more than this cache, and the client has no keyPrefix: name keys, or use where'
        : undefined,
  };
}

/** ioredis: keys without the prefix, which it puts before each key of a command, but not before a pattern. */
async function* scan(client: Client, prefix: string): AsyncGenerator<string> {
  const pattern = prefix === '' ? [] : ['MATCH', `${prefix.replace(/[\\*?[\]]/g, '\\$&')}*`];
  let cursor = '0';
  do {
    const [next, keys] = await client.scan!(cursor, ...pattern, 'COUNT', KEYS_A_STEP);
    for (const key of keys) yield key.slice(prefix.length);
    cursor = String(next);
  } while (cursor !== '0');
}

/** node-redis: pages of keys, or single keys in its older versions. */
async function* pages(client: Client): AsyncGenerator<string> {
  for await (const page of client.scanIterator!({ COUNT: KEYS_A_STEP })) {
    if (typeof page === 'string') yield page;
    else yield* page;
  }
}
