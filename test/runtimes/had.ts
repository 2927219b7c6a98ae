/**
 * Runtimes: what each is called, and how it is had. Their programs are taken out of the npm packages that carry them, for this
 * platform, and kept in a folder of the user's own under the temporary one; a package's scripts are never run.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { saidBy } from '../package/install.js';

const run = promisify(execFile);

/** Tens of megabytes, from wherever npm gets them. */
const DOWNLOAD_MS = 300_000;

/** One runtime, and how it starts a module. */
export interface Runtime {
  readonly name: string;
  /** The npm package with its program, and the version or range that is asked for. */
  readonly package: string;
  /** Where the program is inside the package. */
  readonly program: string;
  /** What stands before the module's name. */
  readonly args: readonly string[];
}

const { platform, arch } = process;
const exe = platform === 'win32' ? '.exe' : '';

function node(major: number): Runtime {
  // The name without `bin` is another package's there.
  const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node';
  const os = platform === 'win32' ? 'win' : platform;
  return { name: 'Node', package: `${prefix}-${os}-${arch}@${major}`, program: `bin/node${exe}`, args: [] };
}

function deno(): Runtime {
  const variant = platform === 'linux' ? '-glibc' : '';
  // The folder of the project as npm has left it: nothing is looked up or added.
  const args = ['run', '--allow-all', '--quiet', '--node-modules-dir=manual', '--no-remote', '--no-lock'];
  return { name: 'Deno', package: `@deno/${platform}-${arch}${variant}@2`, program: `deno${exe}`, args };
}

function bun(): Runtime {
  const os = platform === 'win32' ? 'windows' : platform;
  // `baseline` is for x64 processors of any age, such as a virtual machine may have.
  const processor = arch === 'arm64' ? 'aarch64' : `${arch}${platform === 'linux' ? '-baseline' : ''}`;
  return { name: 'Bun', package: `@oven/bun-${os}-${processor}@1`, program: `bin/bun${exe}`, args: ['--no-install'] };
}

/** Every line of Node that is supported, from the oldest that `engines` names; and the two others. */
export const RUNTIMES: readonly Runtime[] = [...[20, 22, 24, 26].map(node), deno(), bun()];

/** Where programs are kept. Made for this user alone: what lies in it is going to be run. */
export function cacheFolder(): string {
  const { uid } = userInfo();
  const folder = join(tmpdir(), `rangefence-runtimes-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid: owner, mode } = statSync(folder);
  if (platform !== 'win32' && (owner !== uid || (mode & 0o022) !== 0)) throw new Error(`${folder} can be written by others`);
  return folder;
}

/** The path of the program, which is fetched unless the folder has it already. Rejects with the reason, in one line. */
export async function have({ package: name, program }: Runtime, folder: string): Promise<string> {
  const home = join(folder, name.replaceAll('/', '+'));
  const path = join(home, 'package', program);
  if (existsSync(path)) return path;
  // Beside its place until it is whole, so that whoever finds it can run it.
  const part = mkdtempSync(`${home}.`);
  try {
    await run('npm', ['pack', '--loglevel=error', '--ignore-scripts', '--pack-destination', part, name], {
      timeout: DOWNLOAD_MS,
    });
    const tarball = readdirSync(part).find((file) => file.endsWith('.tgz'))!;
    await run('tar', ['-xzf', tarball, `package/${program}`], { cwd: part });
    mkdirSync(dirname(path), { recursive: true });
    renameSync(join(part, 'package', program), path);
  } catch (error) {
    throw new Error(reason(error), { cause: error });
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return path;
}

/** What the program says its version is. Rejects with the reason, in one line, where it does not start. */
export async function versionOf(path: string): Promise<string> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 60_000 });
    return /\d+\.\d+\.\d+\S*/.exec(stdout)?.[0] ?? stdout.trim();
  } catch (error) {
    throw new Error(`does not start: ${reason(error)}`, { cause: error });
  }
}

/** The first line that says something; of npm, its code and what it means. */
function reason(error: unknown): string {
  const lines = saidBy(error).split('\n');
  const code = lines.findIndex((line) => line.startsWith('npm error code '));
  if (code >= 0) return [lines[code]!.slice('npm error code '.length), lines[code + 1]?.replace('npm error ', '')].join(': ');
  return lines.find((line) => line.trim() !== '') ?? String(error);
}
