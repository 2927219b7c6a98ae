/**
 * The package as its users get it: packed as it is built, and installed from the tarball without any network.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The repository. */
export const root: string = resolve(fileURLToPath(new URL('.', import.meta.url)), '../..');

/** Packs, and installs into a new project in the folder; resolves to that project. Rejects with what npm says. */
export async function install(folder: string): Promise<string> {
  await npm(['pack', '--silent', '--pack-destination', folder], root);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack left no tarball');
  const consumer = join(folder, 'consumer');
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "private": true, "type": "module" }\n');
  const flags = ['--offline', '--no-audit', '--no-fund', '--no-package-lock', '--silent'];
  await npm(['install', ...flags, join(folder, tarball)], consumer);
  return consumer;
}

async function npm(args: readonly string[], cwd: string): Promise<void> {
  try {
    await promisify(execFile)('npm', args, { cwd });
  } catch (error) {
    throw new Error(`npm ${args[0]} failed\n${saidBy(error)}`, { cause: error });
  }
}

/** What a child process printed before it failed; where it printed nothing, why it failed. */
export function saidBy(error: unknown): string {
  const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
  return `${stdout}${stderr || (stdout === '' ? String(error) : '')}`.trimEnd();
}
