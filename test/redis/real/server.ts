/**
 * Redis servers of the tests: on free ports of the loopback, in folders of their own, and gone when the test's process is.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, redisAnswers } from '../../support/programs.js';
import { ward, wardFolder } from '../../support/warden.js';

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One server. */
export class RedisServer {
  readonly port: number;
  readonly binary: string;
  readonly #folder: string = wardFolder(mkdtempSync(join(tmpdir(), 'rangefence-redis-')));
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
    this.#child = ward(spawn(this.binary, [...common, ...this.#args], { stdio: 'ignore' }));
    for (let tries = 0; !(await redisAnswers(this.port)); tries++) {
      if (tries > 200 || this.#child.exitCode !== null) throw new Error(`${this.binary} does not answer on port ${this.port}`);
      await sleep(25);
    }
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
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
}
