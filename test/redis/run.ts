/**
 * `npm run test:redis`: processes that share a space over real servers, while something is done to them; the logs of all are judged
 * from outside. A short form of some faults, or `--long`: all of them, each for longer; `--commits N`: all of them, again and again with
 * other seeds, until so many commits have been judged.
 *
 * `--seconds N` for each fault, `--only TEXT` in its name, `--seed N`. Whatever ends it, it leaves no process behind. Servers are those of `redis-server` (or `$REDIS_SERVER`, which
 * may be a valkey-server). Where there is none it says NOT RUN, and exits with 3. Exit code 1 if anything stale was seen, or a negative
 * test was not found out.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { number, table } from '../../bench/support/text.js';
import { freePort, program } from '../support/programs.js';
import { ward, wardFolder } from '../support/warden.js';
import { check, type Verdict } from './real/checker.js';
import { FAULTS, type Fault, type Stage } from './real/faults.js';
import { killAndLook } from './real/left.js';
import { compareScripts } from './real/scripts.js';
import { RedisServer, sleep } from './real/server.js';
import { Switch } from './real/switch.js';
import type { WorkerOptions } from './real/worker.js';

const NOT_RUN = 3;
const WORKER = fileURLToPath(new URL('real/worker.ts', import.meta.url));
const TSX = fileURLToPath(new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url));
const PROCESSES = 4;
const SLOTS = 64;
/** A fault that has to be found out may not show in every short run. */
const NEGATIVE_RUNS = 6;

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
    commits: { type: 'string' },
    pids: { type: 'boolean', default: false },
  },
});

const binary = program('redis-server', 'REDIS_SERVER');
if (binary === undefined) {
  console.error('NOT RUN: test:redis, as there is no redis-server in the path or at $REDIS_SERVER (Debian: redis-server)');
  process.exit(NOT_RUN);
}

const wanted = Number(values.commits ?? 0);
const isLong = values.long || wanted > 0;
const seconds = Number(values.seconds ?? (isLong ? 8 : 4));
const folder = wardFolder(mkdtempSync(join(tmpdir(), 'rangefence-matrix-')));

/** The servers of a fault, and how to reach them. */
async function servers({ needs, serverArgs = [] }: Fault) {
  if (needs === 'cluster') {
    const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', ...serverArgs];
    const nodes: RedisServer[] = [];
    for (let i = 0; i < 3; i++) nodes.push(await RedisServer.start(binary!, ...args, '--cluster-port', String(await freePort())));
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    await nodes[0]!.command('--cluster', 'create', ...addresses, '--cluster-yes');
    for (let tries = 0; tries < 100; tries++) {
      const states = await Promise.all(nodes.map((node) => node.command('CLUSTER', 'INFO')));
      if (states.every((state) => state.includes('cluster_state:ok'))) break;
      await sleep(100);
    }
    return { all: nodes, ports: nodes.map(({ port }) => port), replica: undefined, wire: undefined };
  }
  const server = await RedisServer.start(binary!, ...serverArgs);
  if (needs === undefined) return { all: [server], ports: [server.port], replica: undefined, wire: undefined };
  const wire = await Switch.open(server.port);
  if (needs === 'switch') return { all: [server], ports: [wire.port], replica: undefined, wire };
  const replica = await RedisServer.start(binary!, '--replicaof', '127.0.0.1', String(server.port));
  for (let tries = 0; tries < 200 && !(await replica.command('INFO', 'replication')).includes('link_status:up'); tries++)
    await sleep(50);
  return { all: [server, replica], ports: [wire.port], replica, wire };
}

function randomOf(seed: number): () => number {
  let state = seed * 1_000_003 + 7;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function heard(child: ChildProcess, message: string, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const over = (did: boolean) => {
      clearTimeout(timer);
      child.off('message', listen);
      child.off('exit', gone);
      resolve(did);
    };
    const timer = setTimeout(() => over(false), limitMs);
    const listen = (text: unknown) => text === message && over(true);
    const gone = () => over(false);
    child.on('message', listen);
    child.on('exit', gone);
  });
}

async function run(fault: Fault, index: number, round: number): Promise<{ verdict: Verdict; hung: number }> {
  const seed = (Number(values.seed) + round) * 1000 + index;
  const file = join(folder, `${index}.file`);
  writeFileSync(file, Buffer.alloc(8 * SLOTS));
  const { all, ports, replica, wire } = await servers(fault);
  const logs: string[] = [];
  const workers: ChildProcess[] = [];
  const leaseMs = fault.options?.leaseMs ?? 1000;
  const spawn = (place: number): ChildProcess => {
    const log = join(folder, `${index}.${place}.${logs.length}.log`);
    writeFileSync(log, '');
    logs.push(log);
    const options: WorkerOptions = {
      ...{ index: place, ports, client: 'ioredis', isCluster: fault.needs === 'cluster', file, log, slots: SLOTS, leaseMs },
      ...{ loadMs: 6, sectionMs: 8, pauseMs: 30, seed: seed * 10 + place, replicas: 0, grace: true, isGuarded: true, by: 'link' },
      ...fault.options,
    };
    const child = ward(
      fork(WORKER, [JSON.stringify(options)], { execArgv: ['--import', TSX], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
    );
    workers[place] = child;
    return child;
  };
  const lives = Array.from({ length: PROCESSES }, (_, place) => heard(spawn(place), 'live', 60_000));
  if (!(await Promise.all(lives)).every(Boolean)) throw new Error('a process has not come in');
  if (values.pids) console.log(`pids: ${[...all, ...workers].map(({ pid }) => pid).join(' ')}`);

  const stage: Stage = {
    ...{ server: all[0]!, replica, wire, workers, leaseMs, random: randomOf(seed) },
    respawn: (place) => void spawn(place),
  };
  const until = Date.now() + seconds * 1000;
  while (Date.now() < until) {
    if (fault.act === undefined) await sleep(200);
    else await fault.act(stage);
  }
  // All is quiet: what is kept now has to be what is there.
  const stopped = workers.map((worker) => heard(worker, 'stopped', 12_000));
  for (const worker of workers) if (worker.connected) worker.send('stop');
  const hung = (await Promise.all(stopped)).filter((did) => !did).length;
  await sleep(2.5 * leaseMs);
  const done = workers.map((worker) => heard(worker, 'done', 12_000));
  for (const worker of workers) if (worker.connected) worker.send('rest');
  await Promise.all(done);
  for (const worker of workers) worker.kill('SIGKILL');
  wire?.close();
  await Promise.all(all.map((server) => server.end()));
  const descriptor = openSync(file, 'r');
  const content = (slot: number): number => {
    const bytes = Buffer.alloc(8);
    readSync(descriptor, bytes, 0, 8, 8 * slot);
    return bytes.readDoubleLE();
  };
  return { verdict: check(logs, content), hung };
}

/** All runs of one fault. */
interface Row {
  runs: number;
  commits: number;
  uses: number;
  stale: readonly [commits: number, uses: number];
  inside: number;
  atRest: number;
  hung: number;
  seconds: number;
  beginMs: number[];
  backMs: number[];
}

const rows = new Map<Fault, Row>();
let failures = 0;

function add(fault: Fault, { verdict, hung }: Awaited<ReturnType<typeof run>>): void {
  const empty: Row = {
    ...{ runs: 0, commits: 0, uses: 0, stale: [0, 0], inside: 0, atRest: 0, hung: 0, seconds: 0, beginMs: [], backMs: [] },
  };
  const row = rows.get(fault) ?? empty;
  rows.set(fault, row);
  row.runs++;
  for (const name of ['commits', 'uses', 'inside', 'atRest', 'seconds'] as const) row[name] += verdict[name];
  row.stale = [row.stale[0] + verdict.staleCommits, row.stale[1] + verdict.staleUses];
  row.hung += hung;
  row.beginMs.push(...verdict.beginMs);
  row.backMs.push(...verdict.backMs);
}

/** Runs it once; true if what came out is as expected. */
async function judge(fault: Fault, index: number, round: number): Promise<boolean> {
  const outcome = await run(fault, index, round).catch((error: unknown) => error as Error);
  if (outcome instanceof Error) {
    console.log(`FAILED: ${fault.name}: ${outcome.message}`);
    return false;
  }
  add(fault, outcome);
  const { verdict, hung } = outcome;
  const { commits, uses, staleCommits, staleUses, inside, atRest, failed, resets } = verdict;
  const wrong = staleCommits + staleUses + inside + atRest;
  if (fault.isOther === true) {
    console.log(`for comparison: ${fault.name}: ${commits} commits, ${uses} uses, ${wrong} wrong`);
    return true;
  }
  const isFine = fault.isNegative === true ? wrong > 0 : wrong === 0 && hung === 0 && commits > 100;
  const notes = Object.entries({ ...resets, ...failed }).map(([name, times]) => `${times} ${name}`);
  const said = isFine ? 'as expected' : fault.isNegative === true ? 'not found out in this run' : 'NOT AS EXPECTED';
  const shown = notes.length > 0 ? ` (${notes.join(', ')})` : '';
  console.log(`${said}: ${fault.name}: ${commits} commits, ${uses} uses, ${wrong} wrong, ${hung} hung${shown}`);
  return isFine;
}

async function judgeAll(round: number): Promise<void> {
  for (const [index, fault] of FAULTS.entries()) {
    if (!fault.name.includes(values.only) || (!isLong && values.only === '' && fault.isShort !== true)) continue;
    let isFine = await judge(fault, index, round);
    for (let again = 1; fault.isNegative === true && !isFine && again < NEGATIVE_RUNS; again++) {
      isFine = await judge(fault, index, round + 1000 * again);
    }
    if (isFine) continue;
    failures++;
    if (fault.isNegative === true) console.log(`NOT AS EXPECTED: ${fault.name}: never found out`);
  }
}

function isJudged({ isNegative, isOther }: Fault): boolean {
  return isNegative !== true && isOther !== true;
}

function total(name: 'commits' | 'uses' | 'inside' | 'atRest' | 'hung'): number {
  return [...rows].reduce((sum, [fault, row]) => (isJudged(fault) ? sum + row[name] : sum), 0);
}

function middle(list: readonly number[]): string {
  const ascending = [...list].sort((a, b) => a - b);
  return ascending.length === 0 ? '-' : ascending[ascending.length >> 1]!.toFixed(1);
}

function shown(fault: Fault, { runs, commits, uses, stale, inside, atRest, seconds: all, beginMs, backMs }: Row): string[] {
  const worst = backMs.reduce((most, ms) => Math.max(most, ms), 0);
  const back = backMs.length === 0 ? '-' : `${backMs.length}: ${middle(backMs)} / ${worst.toFixed(0)}`;
  const rate = number(Math.round(commits / all));
  return [
    ...[fault.name, String(runs), `${number(commits)} / ${number(uses)}`, `${stale[0]} / ${stale[1]}`, `${inside}`, `${atRest}`],
    ...[rate, middle(beginMs), back],
  ];
}

if (values.only === '') {
  console.log(
    `redis: ${await killAndLook(['--import', TSX, fileURLToPath(import.meta.url)])} processes ended with their run, which was killed`,
  );
}
console.log(`redis: ${await compareScripts(binary)} calls answered alike by the scripts and by the server in memory`);
let rounds = 0;
do await judgeAll(rounds++);
while (total('commits') < wanted && failures === 0);
const head = [
  'fault',
  'runs',
  'commits / uses',
  'stale',
  'inside',
  'at rest',
  'lookups/s',
  'begin p50 ms',
  'reset to live, ms: p50 / max',
];
console.log(
  table(
    head,
    [...rows].map(([fault, row]) => shown(fault, row)),
  ),
);
const rates = ['none', 'none, with deletions by Pub/Sub', 'none, with one lock, as redlock takes it'].map((name) => {
  const [, row] = [...rows].find(([fault]) => fault.name === name) ?? [];
  return row === undefined ? Number.NaN : row.commits / row.seconds;
});
if (!rates.includes(Number.NaN)) {
  const [own, unguarded, locked] = rates as [number, number, number];
  const share = ((100 * own) / unguarded).toFixed(0);
  console.log(
    `redis: ${share} % of the lookups a second with deletions by Pub/Sub, ${(own / locked).toFixed(1)} times those with one lock`,
  );
}
const stale = [...rows].reduce((sum, [fault, row]) => (isJudged(fault) ? sum + row.stale[0] + row.stale[1] : sum), 0);
console.log(
  `redis: ${number(total('commits'))} commits and ${number(total('uses'))} uses judged, ${stale + total('inside') + total('atRest')} wrong, ` +
    `${total('hung')} processes hung, ${failures} rows not as expected, seed ${values.seed}, ${binary}`,
);
rmSync(folder, { recursive: true, force: true });
process.exit(failures === 0 && rows.size > 0 ? 0 : 1);
