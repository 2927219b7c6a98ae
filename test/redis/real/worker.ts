/**
 * One process of the matrix: readers and a writer over slots of a shared file, through a tracker that is shared. Everything that the checker needs
 * goes into a log, with the time of CLOCK_MONOTONIC, which is the same in all processes:
 *
 *   C slot value at      a lookup has committed this value        U slot value at    a kept value was used
 *   B section slot at    a begin has resolved                     W section value    it has written
 *   E section at lost    it is about to end                       V at               the link was valid
 *   X at event reason    what has happened to the link            K slot value       what is kept when all is quiet
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { Cluster, Redis } from 'ioredis';
import { createClient, createCluster } from 'redis';
import { type Invalidation, RangeTracker } from '../../../lib/index.js';
import { shareRanges } from '../../../lib/redis/index.js';
import { spaceOf } from '../../../lib/tracker/internal.js';
import { type Guard, type GuardName, guardBy } from './guards.js';

/** What the runner says. */
export interface WorkerOptions {
  readonly index: number;
  readonly ports: readonly number[];
  readonly client: 'ioredis' | 'node-redis';
  readonly isCluster: boolean;
  readonly file: string;
  readonly log: string;
  readonly slots: number;
  readonly leaseMs: number;
  readonly loadMs: number;
  readonly sectionMs: number;
  readonly pauseMs: number;
  readonly seed: number;
  readonly replicas: number;
  readonly grace: boolean;
  readonly isGuarded: boolean;
  /** What stands between readers and writers; the others are for comparison (guards.ts). */
  readonly by: 'link' | GuardName;
}

process.on('disconnect', () => process.exit(1)); // whoever started it is gone
const options = JSON.parse(process.argv[2]!) as WorkerOptions;
const { index, ports, slots, leaseMs } = options;

let state = options.seed * 2654435761 + index * 97 + 1;
/** Xorshift, so that a seed gives the same choices. */
function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
}

const now = (): number => Number(process.hrtime.bigint());
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const log = openSync(options.log, 'a');
let lines: string[] = [];
function flush(): void {
  if (lines.length > 0) writeSync(log, lines.join(''));
  lines = [];
}
function note(line: string, isUrgent = false): void {
  lines.push(`${line}\n`);
  if (isUrgent || lines.length > 500) flush();
}

const file = openSync(options.file, 'r+');
function readSlot(slot: number): number {
  const bytes = Buffer.alloc(8);
  readSync(file, bytes, 0, 8, 8 * slot);
  return bytes.readDoubleLE();
}

async function connect(): Promise<object> {
  if (options.client === 'ioredis') {
    const retry = { retryStrategy: () => 50, maxRetriesPerRequest: null, commandTimeout: leaseMs / 2 };
    const client = options.isCluster
      ? new Cluster(
          ports.map((port) => ({ host: '127.0.0.1', port })),
          { clusterRetryStrategy: () => 50, redisOptions: { maxRetriesPerRequest: null } },
        )
      : new Redis({ host: '127.0.0.1', port: ports[0]!, ...retry });
    client.on('error', () => {});
    return client;
  }
  const urls = ports.map((port) => ({ url: `redis://127.0.0.1:${port}` }));
  const client = options.isCluster
    ? createCluster({ rootNodes: urls })
    : createClient({ ...urls[0]!, socket: { reconnectStrategy: () => 50 } });
  client.on('error', () => {});
  await client.connect();
  return client;
}

let wallOffset = 0;
process.on('SIGUSR2', () => {
  wallOffset = wallOffset === 0 ? 3_600_000 : wallOffset > 0 ? -3_600_000 : 0;
});

const kept = new Map<number, number>();
const tracker = new RangeTracker();
const redis = await connect();
const other: Guard | undefined =
  options.by === 'link' ? undefined : await guardBy(options.by, redis as Redis, (slot) => kept.delete(slot));
const link = await shareRanges(tracker, {
  ...{ redis, space: 'matrix', leaseMs, replicas: options.replicas, grace: options.grace },
  wallClock: () => Date.now() + wallOffset,
  onEvent: ({ type, reason, member }) => {
    if (type !== 'error') note(`X ${now()} ${type} ${reason ?? member ?? '-'}`, true);
  },
});
if (!options.isGuarded) spaceOf(tracker).guard = undefined;
process.send?.('live');

let isOver = false;
const slotRange = (slot: number) => ({ start: 8 * slot, end: 8 * slot + 8 });
tracker.subscribe(
  { start: 0, end: 8 * slots },
  {
    invalidate: (_section, ranges) => {
      for (const { start, end } of ranges) {
        if (end - start > 8 * 4) kept.clear();
        else for (let slot = Math.floor(start / 8); slot < end / 8; slot++) kept.delete(slot);
      }
    },
  },
);

let valid = 0;
function use(slot: number): boolean {
  const value = kept.get(slot);
  if (value === undefined || (options.isGuarded && tracker.lapsed)) return false;
  note(`U ${slot} ${value} ${now()}`);
  return true;
}

async function reader(): Promise<void> {
  while (!isOver) {
    const slot = Math.floor(random() * slots);
    for (let uses = 0; uses < 4; uses++) use(Math.floor(random() * slots));
    const load = async (): Promise<number> => {
      await sleep(random() * options.loadMs);
      return readSlot(slot);
    };
    const commit = (value: number): void => {
      note(`C ${slot} ${value} ${now()}`);
      kept.set(slot, value);
    };
    try {
      if (other === undefined) await tracker.lookup(slotRange(slot), load, { timeoutMs: 20_000, commit });
      else await other.read(async () => commit(await load()));
    } catch (error) {
      note(`X ${now()} failed ${(error as Error).name}`);
    }
    if (now() - valid > 10e6 && link.valid()) {
      valid = now();
      note(`V ${valid}`);
    }
    await sleep(0);
  }
}

let written = 0;
async function writer(): Promise<void> {
  while (!isOver) {
    const slot = Math.floor(random() * slots);
    const name = `${index}.${process.pid}.${++written}`;
    const from = now();
    try {
      const change = async (section?: Invalidation): Promise<void> => {
        const begun = now();
        note(`B ${name} ${slot} ${begun} ${begun - from}`, true);
        await sleep(random() * options.sectionMs);
        const bytes = Buffer.alloc(8);
        const value = now() + index / 10;
        bytes.writeDoubleLE(value);
        writeSync(file, bytes, 0, 8, 8 * slot);
        note(`W ${name} ${value}`, true);
        await sleep(random() * options.sectionMs);
        const at = now();
        // Where this process was stopped, the timer that says that the lease is over may be late.
        if (at - begun > (2 * options.sectionMs + 50) * 1e6) await sleep(2);
        const isLost = section?.signal.aborted === true || (link.state === 'live' && !link.valid());
        note(`E ${name} ${at} ${isLost ? 'lost' : 'kept'}`, true);
      };
      if (other === undefined) await tracker.mutate(slotRange(slot), change, { timeoutMs: 20_000 });
      else await other.change(slot, change);
    } catch (error) {
      note(`X ${now()} failed ${(error as Error).name}`, true);
    }
    await sleep(random() * options.pauseMs);
  }
}

const jobs = [writer(), ...Array.from({ length: 4 }, reader)];
process.on('message', async (message) => {
  if (message === 'stop') {
    isOver = true;
    await Promise.race([Promise.all(jobs), sleep(10_000)]);
    process.send?.('stopped');
  }
  if (message === 'rest') {
    await link.live({ timeoutMs: 10_000 }).catch(() => {});
    for (const [slot, value] of kept) if (!tracker.lapsed) note(`K ${slot} ${value}`);
    await link.close();
    other?.close();
    flush();
    closeSync(log);
    process.send?.('done', () => process.exit(0));
  }
});
