/**
 * A PostgreSQL of one's own: where its programs are, and an instance on a free port of this machine, in a folder of its own, gone
 * afterwards, whatever happens. It refuses to run as root; where the tests do, it runs as the user `postgres`, or `nobody`.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { chown, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { freePort, program } from '../support/programs.js';

const GUARD = fileURLToPath(new URL('guard.mjs', import.meta.url));
const DEBIAN = '/usr/lib/postgresql';
export const USER = 'rangefence';

/** The folder of `initdb` and `postgres`: `POSTGRES_BIN`, that of the first in the path, or Debian's newest; `undefined` if there is none. */
export function postgresFolder(): string | undefined {
  const given = process.env.POSTGRES_BIN;
  if (given !== undefined) return given;
  const [initdb, postgres] = [program('initdb'), program('postgres')];
  if (initdb !== undefined && postgres !== undefined && dirname(initdb) === dirname(postgres)) return dirname(initdb);
  const folders = versions().map((version) => join(DEBIAN, version, 'bin'));
  return folders.find((folder) => readdirSync(folder).includes('initdb'));
}

/** Newest first. */
function versions(): string[] {
  try {
    return readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a));
  } catch {
    return [];
  }
}

/** Whose processes they are, in place of root's; nothing if the tests do not run as root. */
function person(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, name], { stdio: 'pipe' })));
      return { uid: uid!, gid: gid! };
    } catch {
      // no such user
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor one nobody');
}

/** See the top of the file. */
export class Postgres {
  readonly port: number;
  readonly #guard: ChildProcess;
  readonly #gone: Promise<unknown>;

  private constructor(port: number, guard: ChildProcess) {
    this.port = port;
    this.#guard = guard;
    this.#gone = once(guard, 'exit');
  }

  /** Makes an instance, starts it, and waits until it answers. */
  static async start(programs: string): Promise<Postgres> {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), 'rangefence-postgres-'));
    const { uid, gid } = person();
    if (uid !== undefined) await chown(folder, uid, gid!);
    const log: string[] = [];
    // In a group of its own: what kills this process may kill its group.
    const guard = spawn(process.execPath, [GUARD, programs, folder, `${port}`, USER, JSON.stringify({ uid, gid })], {
      ...{ stdio: 'pipe', detached: true },
    });
    for (const stream of [guard.stdout, guard.stderr]) stream.on('data', (text) => log.push(String(text)));
    const postgres = new Postgres(port, guard);
    for (let tries = 0; !(await postgres.#answers()); tries++) {
      if (guard.exitCode !== null || tries >= 300) {
        await postgres.stop();
        throw new Error(`PostgreSQL has not answered on port ${port}:\n${log.join('')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return postgres;
  }

  /** A client, connected. What happens to its connection later is its owner's business. */
  async connect(): Promise<Client> {
    const client = new Client({ host: '127.0.0.1', port: this.port, user: USER, database: 'postgres' });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async #answers(): Promise<boolean> {
    try {
      await (await this.connect()).end();
      return true;
    } catch {
      return false;
    }
  }

  async stop(): Promise<void> {
    this.#guard.stdin!.end();
    await this.#gone;
  }
}
