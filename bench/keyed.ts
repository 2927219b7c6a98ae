/**
 * `npx tsx bench/keyed.ts`: what a fence around a cache costs, beside the bare cache in the same run; the tables of docs/keyed.md.
 * `--quick` takes a tenth of the time.
 *
 * In memory: nanoseconds of a hit. Over a network: microseconds of a hit in keyv over a real socket, one at a time, the bare and
 * the fenced one in turn, so that both see the same weather.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Keyv } from 'keyv';
import { LRUCache } from 'lru-cache';
import { build } from 'tsup';
import { KeyValueClient, KeyValueServer } from './support/kv-server.js';
import { BATCH, type Micro, nanosecondsByRound } from './support/micro.js';
import { median, quantile } from './support/statistics.js';
import { table } from './support/text.js';

type Library = typeof import('../lib/keyed/index.js');

const FILE = fileURLToPath(import.meta.url);
const KEYS = Array.from({ length: BATCH }, (_, i) => `key ${i}`);
const quick = process.argv.includes('--quick');

async function loadLibrary(folder: string): Promise<Library> {
  await build({
    ...{
      config: false,
      silent: true,
      clean: false,
      dts: false,
      treeshake: true,
      format: 'esm',
      target: 'es2022',
      outDir: folder,
    },
    entry: { keyed: join(dirname(FILE), '../lib/keyed/index.ts') },
    outExtension: () => ({ js: '.mjs' }),
  });
  return import(pathToFileURL(join(folder, 'keyed.mjs')).href);
}

const never = (): never => {
  throw new Error('a load was not expected');
};

interface Bare {
  get(key: string): number | undefined;
  set(key: string, value: number): unknown;
  delete(key: string): unknown;
  has(key: string): boolean;
}

async function batch(read: (key: string) => unknown): Promise<number> {
  let sum = 0;
  for (const key of KEYS) sum += (await read(key)) as number;
  return sum;
}

function batchAtOnce(read: (key: string) => unknown): number {
  let sum = 0;
  for (const key of KEYS) sum += read(key) as number;
  return sum;
}

/** Bare, fenced and awaited; the caches hold 1 for every key. */
function inMemory({ fence }: Library, name: string, make: () => Bare): Micro[] {
  const bare = make();
  const inner = make();
  for (const key of KEYS) {
    bare.set(key, 1);
    inner.set(key, 1);
  }
  const cache = fence(inner);
  const row = (what: string, run: () => number | Promise<number>): Micro => ({
    name: `${name}: ${what}`,
    batch: run,
    expected: BATCH,
  });
  return [
    row('get', () => batchAtOnce((key) => bare.get(key))),
    row('peek, fenced', () => batchAtOnce((key) => cache.peek(key))),
    row('await get', () => batch((key) => bare.get(key))),
    row('await getOrLoad, fenced', () => batch((key) => cache.getOrLoad(key, never))),
  ];
}

async function memory(library: Library): Promise<void> {
  const makes: Record<string, () => Bare> = {
    Map: () => new Map(),
    'lru-cache': () => new LRUCache<string, number>({ max: BATCH }),
  };
  const micros = Object.entries(makes).flatMap(([name, make]) => inMemory(library, name, make));
  const times = await nanosecondsByRound(micros, { rounds: quick ? 3 : 15, microSeconds: quick ? 0.05 : 0.2 });
  const rows = micros.map(({ name }, i) => {
    const own = times[name]!;
    const bare = times[micros[i - (i % 2)]!.name]!;
    const more = i % 2 === 0 ? '' : median(own.map((value, round) => value - bare[round]!)).toFixed(0);
    return [name, median(own).toFixed(0), more];
  });
  console.log(table(['a hit in memory', 'ns', 'ns more'], rows));
}

/** One hit after the other; microseconds of each. */
async function sample(count: number, read: (key: string) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const begin = performance.now();
    const value = await read(KEYS[i % BATCH]!);
    times.push(1000 * (performance.now() - begin));
    if (value !== 1) throw new Error(`got ${String(value)}; expected 1`);
  }
  return times;
}

/** The server has a process of its own, as it would have. */
async function network({ fence }: Library): Promise<void> {
  const server = fork(FILE, ['--server'], { execArgv: process.execArgv });
  const [port] = await once(server, 'message');
  const clients = [new KeyValueClient(port), new KeyValueClient(port)] as const;
  try {
    const [bare, inner] = clients.map((store) => new Keyv({ store: store as never, throwOnErrors: true })) as [Keyv, Keyv];
    for (const key of KEYS) await bare.set(key, 1);
    const cache = fence(inner);
    const differences: number[] = [];
    const times: Record<'bare' | 'fenced', number[]> = { bare: [], fenced: [] };
    const rounds = quick ? 10 : 60;
    for (let round = -2; round < rounds; round++) {
      const fenced = await sample(BATCH, (key) => cache.getOrLoad(key, never));
      const plain = await sample(BATCH, (key) => bare.get(key));
      if (round < 0) continue; // before the engine had compiled them
      times.bare.push(median(plain));
      times.fenced.push(median(fenced));
      differences.push(median(fenced) / median(plain) - 1);
    }
    const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
    const spread = `${percent(quantile(differences, 0.25))} ... ${percent(quantile(differences, 0.75))}`;
    console.log(
      table(
        ['a hit in keyv over a socket', 'us', 'more', 'middle half of the rounds'],
        [
          ['get', median(times.bare).toFixed(1), '', ''],
          ['getOrLoad, fenced', median(times.fenced).toFixed(1), percent(median(differences)), spread],
        ],
      ),
    );
    if (cache.stats.loads > 0) throw new Error('a hit was a miss');
  } finally {
    for (const client of clients) client.close();
    server.kill();
  }
}

async function serve(): Promise<void> {
  process.send!(await new KeyValueServer().listen());
  process.once('disconnect', () => process.exit());
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rangefence-keyed-'));
  try {
    const library = await loadLibrary(folder);
    await memory(library);
    await network(library);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await (process.argv.includes('--server') ? serve() : main());
