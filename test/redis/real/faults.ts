/**
 * Faults of the matrix: what is done to the processes and the server while they work, and what has to come of it.
 */
import type { ChildProcess } from 'node:child_process';
import type { RedisServer } from './server.js';
import { sleep } from './server.js';
import type { Switch } from './switch.js';
import type { WorkerOptions } from './worker.js';

/** What a fault can do. */
export interface Stage {
  readonly server: RedisServer;
  /** Of the server; undefined in a cluster. */
  readonly replica: RedisServer | undefined;
  readonly wire: Switch | undefined;
  readonly workers: ChildProcess[];
  readonly leaseMs: number;
  /** Seeded. */
  random(): number;
  /** Starts the worker at this place again. */
  respawn(index: number): void;
}

/** One row. */
export interface Fault {
  readonly name: string;
  /** Of the short form, too. */
  readonly isShort?: boolean;
  /** Must be found out by the checker. */
  readonly isNegative?: boolean;
  /** Another guard under the same load: it is counted, and not judged. */
  readonly isOther?: boolean;
  readonly options?: Partial<WorkerOptions>;
  readonly serverArgs?: readonly string[];
  /** Through a switch, so that the wire can be cut, or lead elsewhere. */
  readonly needs?: 'switch' | 'replica' | 'cluster';
  /** Done again and again, until the time is over. */
  readonly act?: (stage: Stage) => Promise<void>;
}

function victim({ workers, random }: Stage): number {
  return Math.floor(random() * workers.length);
}

async function stopOne(stage: Stage, ms: number): Promise<void> {
  const worker = stage.workers[victim(stage)]!;
  worker.kill('SIGSTOP');
  await sleep(ms);
  worker.kill('SIGCONT');
}

const stopLong = async (stage: Stage): Promise<void> => {
  await sleep(300 + stage.random() * 500);
  await stopOne(stage, stage.leaseMs * (1.3 + stage.random()));
};

const restart = async (stage: Stage, downMs: number): Promise<void> => {
  await sleep(1500);
  await stage.server.stop();
  await sleep(downMs);
  await stage.server.start();
  await sleep(1500 + downMs);
};

const restartPaused = async (stage: Stage): Promise<void> => {
  await sleep(1500);
  const worker = stage.workers[victim(stage)]!;
  await stage.server.stop();
  worker.kill('SIGSTOP');
  await stage.server.start();
  await sleep(0.4 * stage.leaseMs);
  worker.kill('SIGCONT');
  await sleep(2500);
};

const SLOW: Partial<WorkerOptions> = { leaseMs: 1500, sectionMs: 300, pauseMs: 5 };

/** All rows. */
export const FAULTS: readonly Fault[] = [
  { name: 'none', isShort: true },
  { name: 'none, with deletions by Pub/Sub', isOther: true, options: { by: 'deletions' } },
  { name: 'none, with one lock, as redlock takes it', isOther: true, options: { by: 'lock' } },
  { name: 'none, node-redis', options: { client: 'node-redis' } },
  { name: 'a process is stopped for longer than its lease', isShort: true, act: stopLong },
  {
    name: 'a process is stopped for less than its lease',
    act: async (stage) => {
      await sleep(100 + stage.random() * 300);
      await stopOne(stage, stage.leaseMs * 0.8 * stage.random());
    },
  },
  {
    name: 'a process is killed, inside its section most of the time',
    isShort: true,
    options: { sectionMs: 60, pauseMs: 5 },
    act: async (stage) => {
      await sleep(900 + stage.random() * 500);
      const index = victim(stage);
      stage.workers[index]!.kill('SIGKILL');
      stage.respawn(index);
    },
  },
  { name: 'the server is killed and started', isShort: true, act: (stage) => restart(stage, 300) },
  {
    name: 'the server is killed and started, with AOF',
    serverArgs: ['--appendonly', 'yes'],
    act: (stage) => restart(stage, 300),
  },
  { name: 'the server is away for longer than a lease', act: (stage) => restart(stage, 1500) },
  { name: 'the server is started while a process is stopped inside its section', options: SLOW, act: restartPaused },
  {
    name: 'FLUSHALL',
    act: async ({ server }) => {
      await sleep(2500);
      await server.command('FLUSHALL');
    },
  },
  {
    name: 'CLIENT KILL of all connections for commands',
    isShort: true,
    act: async ({ server }) => {
      await sleep(500);
      await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
  },
  {
    name: 'CLIENT KILL, node-redis',
    options: { client: 'node-redis' },
    act: async ({ server }) => {
      await sleep(500);
      await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
  },
  {
    name: 'the server is stopped for longer than a lease',
    act: async ({ server, leaseMs }) => {
      await sleep(1500);
      server.signal('SIGSTOP');
      await sleep(1.5 * leaseMs);
      server.signal('SIGCONT');
    },
  },
  {
    name: 'subscribers are disconnected, the log is trimmed, a process is stopped',
    isShort: true,
    act: async (stage) => {
      await sleep(500);
      const stopped = stopOne(stage, 0.5 * stage.leaseMs);
      await stage.server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await sleep(0.3 * stage.leaseMs);
      await stage.server.command('XTRIM', 'rangefence:{matrix}:log', 'MAXLEN', '0');
      await stopped;
    },
  },
  {
    name: 'the log is trimmed',
    isShort: true,
    act: async ({ server }) => {
      await sleep(500);
      await server.command('XTRIM', 'rangefence:{matrix}:log', 'MAXLEN', '0');
    },
  },
  {
    name: 'the buffer of a stopped subscriber overflows',
    isShort: true,
    serverArgs: ['--client-output-buffer-limit', 'pubsub 16kb 16kb 1'],
    act: async (stage) => {
      await sleep(700);
      const stopped = stopOne(stage, 0.6 * stage.leaseMs);
      const text = 'x'.repeat(100_000);
      await stage.server.command('-r', '80', 'PUBLISH', 'rangefence:{matrix}:push', text);
      await stopped;
    },
  },
  {
    name: 'the wall clock of a process is set by an hour, forward and back',
    isShort: true,
    act: async (stage) => {
      await sleep(800);
      stage.workers[victim(stage)]!.kill('SIGUSR2');
    },
  },
  {
    name: 'the network is cut',
    isShort: true,
    needs: 'switch',
    act: async ({ wire, leaseMs, random }) => {
      await sleep(1000);
      wire!.cut();
      await sleep(leaseMs * (0.5 + 1.5 * random()));
      wire!.mend();
    },
  },
  {
    name: 'failover to a replica',
    needs: 'replica',
    act: failover,
  },
  {
    name: 'failover to a replica, with replicas: 1',
    needs: 'replica',
    options: { replicas: 1 },
    act: failover,
  },
  { name: 'a cluster of three nodes', isShort: true, needs: 'cluster' },
  { name: 'a cluster of three nodes, node-redis', needs: 'cluster', options: { client: 'node-redis' } },
  {
    name: 'a cluster of three nodes, a process is stopped for longer than its lease',
    needs: 'cluster',
    act: stopLong,
  },
  {
    name: 'negative: stopped for longer than its lease, and no guard',
    isNegative: true,
    isShort: true,
    options: { isGuarded: false },
    act: stopLong,
  },
  {
    name: 'negative: started while a process is stopped inside its section, and no grace',
    isNegative: true,
    isShort: true,
    options: { ...SLOW, grace: false },
    act: restartPaused,
  },
];

/** Once in a run: the replica takes over, and becomes the only one. */
async function failover(stage: Stage): Promise<void> {
  const { server, replica, wire } = stage;
  await sleep(2500);
  if (wire!.target === replica!.port) return;
  await server.stop();
  await sleep(200);
  await replica!.command('REPLICAOF', 'NO', 'ONE');
  if (stage.workers.length > 0) await replica!.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
  wire!.turn(replica!.port);
}
