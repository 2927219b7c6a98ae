/**
 * `npm run test:soak -- [--lookups N] [--seed S] [--shards K]`: ten million lookups under the eyes of the witness.
 *
 * Shards run in processes of their own, two at a time, each from a seed that follows from S and its number, so that any
 * of them can be run again alone: `--only K`. Exit code 1 if anything at all was wrong.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runShard, type ShardReport } from './shard.js';

const { values } = parseArgs({
  options: {
    lookups: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: '2018' },
    shards: { type: 'string', default: '24' },
    only: { type: 'string' },
    /** Set by this program for its own child processes. */
    child: { type: 'string' },
  },
});
const lookups = Number(values.lookups);
const seed = Number(values.seed);
const shards = Number(values.shards);

if (values.child !== undefined) {
  console.log(JSON.stringify(await runShard(Number(values.child), lookups, seed)));
} else {
  process.exitCode = (await soak()) ? 0 : 1;
}

async function soak(): Promise<boolean> {
  const started = performance.now();
  const each = Math.ceil(lookups / shards);
  const queue = values.only === undefined ? Array.from({ length: shards }, (_, i) => i) : [Number(values.only)];
  const reports: ShardReport[] = [];
  let failed = 0;
  const worker = async () => {
    for (let shard = queue.shift(); shard !== undefined; shard = queue.shift()) {
      const report = await runChild(shard, each);
      if (report === undefined) failed++;
      else {
        reports.push(report);
        console.log(line(`${report.shard}`.padStart(3), report.kind, `seed ${report.seed}`, report));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker));
  const counts = reports.reduce<Record<string, number>>((sum, report) => {
    for (const [name, count] of Object.entries(report.counts)) sum[name] = (sum[name] ?? 0) + count;
    return sum;
  }, {});
  const seconds = (performance.now() - started) / 1000;
  console.log(line('all', '', '', { counts, seconds } as unknown as ShardReport));
  console.log(`shards: ${reports.length} passed, ${failed} failed`);
  return failed === 0;
}

/** The report of a shard, or undefined if it found something; then it has said so on the error stream. */
function runChild(shard: number, each: number): Promise<ShardReport | undefined> {
  const self = fileURLToPath(import.meta.url);
  const args = ['--child', String(shard), '--lookups', String(each), '--seed', String(seed)];
  const child = spawn(process.execPath, [...process.execArgv, self, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve) => {
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
    });
    child.on('close', (code) => resolve(code === 0 ? (JSON.parse(output) as ShardReport) : undefined));
  });
}

function line(shard: string, kind: string, named: string, { counts, seconds }: ShardReport): string {
  const { lookups, attempts, collisions, waits, holds, historyLost, aborted, timedOut, exhausted, begins, queued, abandoned } =
    counts;
  const { stale, torn, falseRetries, falseWaits } = counts;
  const what = {
    lookups,
    attempts,
    collisions,
    historyLost,
    waits,
    holds,
    aborted,
    timedOut,
    exhausted,
    begins,
    queued,
    abandoned,
  };
  const wrong = { stale, torn, 'false retries': falseRetries, 'false waits': falseWaits };
  const list = (items: object) =>
    Object.entries(items)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  return `${shard} ${kind.padEnd(10)} ${named}  ${list(what)}; ${list(wrong)}  ${seconds.toFixed(1)} s`;
}
