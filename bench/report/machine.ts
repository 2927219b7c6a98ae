/**
 * Machine: where and of what the figures are taken.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { fileURLToPath } from 'node:url';

/** What a reader needs to know before comparing with figures of their own. */
export interface Machine {
  readonly version: string;
  /** Missing outside a repository. */
  readonly commit?: { readonly hash: string; readonly dirty: boolean };
  readonly node: string;
  readonly v8: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryBytes: number;
    readonly os: string;
  };
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Ask before anything is written: a run's own files would make the tree look changed. */
export function describeMachine(): Machine {
  const commit = commitOf(ROOT);
  return {
    version: JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version,
    ...(commit === undefined ? {} : { commit }),
    node: process.version,
    v8: process.versions.v8,
    machine: {
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      memoryBytes: totalmem(),
      // The build number of a kernel tells more about the host than about the figures.
      os: `${type()} ${release().split('.').slice(0, 2).join('.')} ${arch()}`,
    },
  };
}

function commitOf(root: string): Machine['commit'] {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  try {
    return { hash: git('rev-parse', 'HEAD'), dirty: git('status', '--porcelain') !== '' };
  } catch {
    return undefined;
  }
}
