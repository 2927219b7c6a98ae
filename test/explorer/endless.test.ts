import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const LIMIT_MS = 60_000;
const OPTIONS = { cwd: fileURLToPath(new URL('../..', import.meta.url)), timeout: LIMIT_MS, encoding: 'utf8' } as const;
const PROGRAM = ['--import', 'tsx', 'test/explorer/endless.node.ts'];

/** In a process each: see the top of the program. */
describe('in a process of its own,', () => {
  const names: string[] = JSON.parse(execFileSync(process.execPath, PROGRAM, OPTIONS));

  it.each(names)('%s', { timeout: LIMIT_MS }, async (name) => {
    await expect(promisify(execFile)(process.execPath, [...PROGRAM, name], OPTIONS)).resolves.toMatchObject({ stderr: '' });
  });

  it('all of them are there', () => expect(names).toHaveLength(10));
});
