/**
 * `npm run demo:redis`: four processes with a cache each in front of one table, while one of them changes rows and one is stopped and goes
 * on. A line a second says what they have served; first shared by `rangefence/redis`, then with deletions by Pub/Sub, as many write them.
 */
import { fork } from 'node:child_process';
import { openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { shareKeys } from '../../lib/redis/index.js';
import { RedisServer, sleep } from '../../test/redis/real/server.js';
import { program } from '../../test/support/programs.js';

const ROWS = 16;
const SECONDS = 8;
const now = (): number => Number(process.hrtime.bigint() / 1000n);

interface Counts {
  lookups: number;
  hits: number;
  stale: number;
}

/** The table: for each row its version, and when that was written. A version is known to all from the moment at which the change is over. */
function openTable(path: string) {
  const file = openSync(path, 'r+');
  const bytes = Buffer.alloc(24);
  return {
    read(row: number) {
      readSync(file, bytes, 0, 24, 24 * row);
      return { version: bytes.readDoubleLE(0), known: bytes.readDoubleLE(8), knownAt: bytes.readDoubleLE(16) };
    },
    write(row: number, version: number) {
      bytes.writeDoubleLE(version, 0);
      writeSync(file, bytes, 0, 8, 24 * row);
    },
    known(row: number, version: number) {
      bytes.writeDoubleLE(version, 8);
      bytes.writeDoubleLE(now(), 16);
      writeSync(file, bytes, 8, 16, 24 * row + 8);
    },
  };
}

async function worker(port: number, path: string, isFenced: boolean, isWriter: boolean): Promise<void> {
  const table = openTable(path);
  const counts: Counts = { lookups: 0, hits: 0, stale: 0 };
  const redis = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: null });
  redis.on('error', () => {});
  const load = async (key: string) => {
    await sleep(Math.random() * 15);
    const { version } = table.read(Number(key));
    await sleep(Math.random() * 15);
    return version;
  };
  const change = async (key: string, version: number) => {
    await sleep(5);
    table.write(Number(key), version);
  };
  let get: (key: string) => Promise<number>;
  let set: (key: string, version: number) => Promise<void>;
  if (isFenced) {
    const cache = await shareKeys<string, number>(new Map(), { redis, space: 'demo', leaseMs: 1000 });
    get = (key) => {
      if (cache.peek(key) !== undefined) counts.hits++;
      return cache.getOrLoad(key, load);
    };
    set = (key, version) => cache.mutate(key, () => change(key, version));
  } else {
    const cache = new Map<string, number>();
    const listener = redis.duplicate();
    await listener.subscribe('demo');
    listener.on('message', (_channel, key) => cache.delete(key));
    get = async (key) => {
      const had = cache.get(key);
      if (had !== undefined) {
        counts.hits++;
        return had;
      }
      const value = await load(key);
      cache.set(key, value);
      return value;
    };
    set = async (key, version) => {
      await change(key, version);
      await redis.publish('demo', key);
    };
  }
  process.on('message', () => process.send!(counts));
  process.on('disconnect', () => process.exit(0));
  process.send!('ready');
  const reader = async () => {
    for (;;) {
      const row = Math.floor(Math.random() * ROWS);
      const asked = table.read(row).known; // known to all before this read was asked for
      const got = await get(String(row));
      counts.lookups++;
      if (got < asked) counts.stale++;
      await sleep(1);
    }
  };
  for (let i = 0; i < 4; i++) void reader();
  for (let version = 1; isWriter; version++) {
    const row = Math.floor(Math.random() * ROWS);
    await set(String(row), version);
    table.known(row, version);
    await sleep(10);
  }
}

async function show(binary: string, isFenced: boolean): Promise<number> {
  const path = join(tmpdir(), `rangefence-demo-${process.pid}`);
  writeFileSync(path, Buffer.alloc(24 * ROWS));
  const server = await RedisServer.start(binary);
  console.log(`\n${isFenced ? 'shared by rangefence/redis' : 'deleted by Pub/Sub after each change'}`);
  const workers = [0, 1, 2, 3].map((i) =>
    fork(fileURLToPath(import.meta.url), [String(server.port), path, isFenced ? '1' : '', i === 0 ? '1' : '']),
  );
  await Promise.all(workers.map((each) => new Promise((resolve) => each.once('message', resolve))));
  const last: Counts[] = workers.map(() => ({ lookups: 0, hits: 0, stale: 0 }));
  const ask = () =>
    Promise.all(
      workers.map(async (each, i) => {
        const answer = new Promise<Counts>((resolve) => each.once('message', (counts) => resolve(counts as Counts)));
        each.send('?');
        last[i] = await Promise.race([answer, sleep(200).then(() => last[i]!)]);
      }),
    );
  for (let second = 1; second <= SECONDS; second++) {
    await sleep(1000);
    if (second === 3) workers[3]!.kill('SIGSTOP');
    if (second === 6) workers[3]!.kill('SIGCONT');
    await ask();
    const each = last.map(({ lookups, hits, stale }) => `${lookups} lookups ${hits} hits ${stale} stale`).join(' | ');
    console.log(`${second} s  ${each}${second >= 3 && second < 6 ? '   (the last one is stopped)' : ''}`);
  }
  for (const each of workers) each.kill('SIGKILL');
  await server.end();
  return last.reduce((sum, { stale }) => sum + stale, 0);
}

if (process.send !== undefined) {
  const [port, path, isFenced, isWriter] = process.argv.slice(2) as [string, string, string, string];
  await worker(Number(port), path, isFenced === '1', isWriter === '1');
} else {
  const binary = program('redis-server', 'REDIS_SERVER');
  if (binary === undefined) {
    console.error('NOT RUN: there is no redis-server in the path or at $REDIS_SERVER (Debian: apt-get install redis-server)');
    process.exit(3);
  }
  const [fenced, bare] = [await show(binary, true), await show(binary, false)];
  console.log(`\nstale served: ${fenced} shared by rangefence/redis, ${bare} with deletions by Pub/Sub`);
  process.exit(fenced === 0 ? 0 : 1);
}
