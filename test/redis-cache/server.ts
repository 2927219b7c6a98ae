/**
 * A Redis server for the tests, on a free port of this machine, in a folder of its own; gone afterwards, whatever happens.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { freePort, program, redisAnswers } from '../support/programs.js';

declare module 'vitest' {
  export interface ProvidedContext {
    redisPort: number;
  }
}

const GUARD = fileURLToPath(new URL('guard.mjs', import.meta.url));

/** Where the server is: `REDIS_SERVER`, or the first in the path; `undefined` if there is none. */
export function redisServer(): string | undefined {
  return program('redis-server', 'REDIS_SERVER');
}

/** Vitest's global set-up: starts the server, and returns how to stop it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const binary = redisServer();
  if (binary === undefined) throw new Error('there is no redis-server; expected one in the path, or at $REDIS_SERVER');
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'rangefence-redis-'));
  const log: string[] = [];
  // In a group of its own: what kills this process may kill its group.
  const guard: ChildProcess = spawn(process.execPath, [GUARD, binary, folder, `${port}`], { stdio: 'pipe', detached: true });
  for (const stream of [guard.stdout!, guard.stderr!]) stream.on('data', (text) => log.push(String(text)));
  const gone = once(guard, 'exit');
  const stop = async () => {
    guard.stdin!.end();
    await gone;
  };
  for (let tries = 0; !(await redisAnswers(port)); tries++) {
    if (guard.exitCode !== null || tries >= 100) {
      await stop();
      throw new Error(`redis-server has not answered on port ${port}:\n${log.join('')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  project.provide('redisPort', port);
  return stop;
}
