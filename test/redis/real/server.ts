/**
 * Redis servers of the tests: on free ports of the loopback, in folders of their own, and gone when the test's process is.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** A program in the path, or at the place that the environment names. */
export function program(name: string, variable?: string): string | undefined {
  const given = variable === undefined ? undefined : process.env[variable];
  const folders = (process.env.PATH ?? '').split(delimiter);
  return (given === undefined ? folders.map((folder) => join(folder, name)) : [given]).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const running = new Set<RedisServer>();
process.on('exit', () => {
  for (const server of running) server.kill();
});

/** One server. */
export class RedisServer {
  readonly port: number;
  readonly binary: string;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'rangefence-redis-'));
  readonly #args: readonly string[];
  #child: ChildProcess | undefined = undefined;

  constructor(binary: string, port: number, args: readonly string[] = []) {
    this.binary = binary;
    this.port = port;
    this.#args = args;
  }

  static async start(binary: string, ...args: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(binary, await freePort(), args);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const common = [
      '--port',
      String(this.port),
      '--bind',
      '127.0.0.1',
      '--dir',
      this.#folder,
      '--save',
      '',
      '--loglevel',
      'warning',
    ];
    this.#child = spawn(this.binary, [...common, ...this.#args], { stdio: 'ignore' });
    running.add(this);
    for (let tries = 0; !(await this.#answers()); tries++) {
      if (tries > 200 || this.#child.exitCode !== null) throw new Error(`${this.binary} does not answer on port ${this.port}`);
      await sleep(25);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGCONT');
      child.kill('SIGKILL');
      await gone;
    }
    this.#child = undefined;
    running.delete(this);
  }

  async end(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A command, by the program that comes with the server. */
  async command(...args: readonly string[]): Promise<string> {
    const cli = join(this.binary, '..', this.binary.endsWith('valkey-server') ? 'valkey-cli' : 'redis-cli');
    const { stdout } = await promisify(execFile)(cli, ['-p', String(this.port), ...args], { timeout: 30_000 });
    return stdout.trim();
  }

  async #answers(): Promise<boolean> {
    const socket = connect(this.port, '127.0.0.1');
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
}
