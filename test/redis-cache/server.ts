/**
 * A Redis server for the tests, on a free port of this machine, in a folder of its own; gone afterwards, whatever happens.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    redisPort: number;
  }
}

const GUARD = fileURLToPath(new URL('guard.mjs', import.meta.url));

/** Where the server is: `REDIS_SERVER`, or the first in the path; `undefined` if there is none. */
export function redisServer(): string | undefined {
  const given = process.env.REDIS_SERVER;
  const folders = (process.env.PATH ?? '').split(delimiter);
  return (given === undefined ? folders.map((folder) => join(folder, 'redis-server')) : [given]).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [reply] = await once(socket, 'data');
    return String(reply).startsWith('+PONG');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
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
  for (let tries = 0; !(await answers(port)); tries++) {
    if (guard.exitCode !== null || tries >= 100) {
      await stop();
      throw new Error(`redis-server has not answered on port ${port}:\n${log.join('')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  project.provide('redisPort', port);
  return stop;
}
