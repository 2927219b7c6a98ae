/**
 * What is left when the matrix itself is killed: nothing. A run is started, and ended by each signal in turn, while one of its processes is
 * stopped.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { ward } from '../../support/warden.js';
import { sleep } from './server.js';

const LIMIT_MS = 10_000;

/** How many processes have ended with their run. Throws if one has not. */
export async function killAndLook(program: readonly string[]): Promise<number> {
  let ended = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    const args = [...program, '--only', 'none', '--seconds', '60', '--pids'];
    const run = ward(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] }));
    const gone = once(run, 'exit');
    const pids = await pidsOf(run.stdout);
    if (pids.length === 0) throw new Error('a run that was to be killed has not started');
    process.kill(pids.at(-1)!, 'SIGSTOP');
    run.kill(signal);
    await gone;
    const until = Date.now() + LIMIT_MS;
    while (pids.some(isThere)) {
      if (Date.now() > until) throw new Error(`${signal} has left processes behind: ${pids.filter(isThere).join(', ')}`);
      await sleep(20);
    }
    ended += pids.length;
  }
  return ended;
}

async function pidsOf(output: NodeJS.ReadableStream): Promise<number[]> {
  for await (const line of createInterface({ input: output })) {
    if (line.startsWith('pids: ')) return line.slice('pids: '.length).split(' ').map(Number);
  }
  return [];
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
