/**
 * Makes and starts a PostgreSQL and ends with it: when the server does, or when whoever started this is gone, however that came (its
 * end of the pipe is closed, also by SIGKILL). Then the server is stopped at once and its folder removed.
 *
 * `node guard.mjs <folder of programs> <folder> <port> <user> <{ uid, gid }>`
 */
import { spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

const [programs, folder, port, user, person] = process.argv.slice(2);
const options = { stdio: ['ignore', 'inherit', 'inherit'], cwd: folder, ...JSON.parse(person) };
const data = join(folder, 'data');
const made = ['-D', data, '-U', user, '--auth=trust', '--encoding=UTF8', '--no-locale', '--no-sync'];
const { status } = spawnSync(join(programs, 'initdb'), made, options);
if (status !== 0) {
  rmSync(folder, { recursive: true, force: true });
  process.exit(1);
}
const settings = ['fsync=off', 'shared_buffers=16MB', 'max_connections=40'].flatMap((setting) => ['-c', setting]);
const server = spawn(join(programs, 'postgres'), ['-D', data, '-h', '127.0.0.1', '-p', port, '-k', folder, ...settings], options);

const gone = new Promise((resolve) => {
  server.on('error', resolve);
  server.on('exit', resolve);
});

async function end() {
  server.kill('SIGQUIT');
  await gone;
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  process.exit(0);
}

gone.then(end);
process.stdin.on('end', end);
process.stdin.on('error', end);
process.stdin.resume();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
