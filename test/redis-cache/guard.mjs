/**
 * Starts a Redis server and ends with it: when the server does, or when whoever started this is gone, however that came (its end
 * of the pipe is closed, also by SIGKILL). Then the server is killed and its folder removed.
 *
 * `node guard.mjs <redis-server> <folder> <port>`
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';

const [binary, folder, port] = process.argv.slice(2);
const options = ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no', '--daemonize', 'no'];
const server = spawn(binary, options, { stdio: ['ignore', 'inherit', 'inherit'] });

const gone = new Promise((resolve) => {
  server.on('error', resolve);
  server.on('exit', resolve);
});

async function end() {
  server.kill('SIGKILL');
  await gone;
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
}

gone.then(end);
process.stdin.on('end', end);
process.stdin.on('error', end);
process.stdin.resume();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
