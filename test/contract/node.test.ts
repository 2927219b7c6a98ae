/**
 * The contract suite under a test runner that is not Vitest, from the package as it is built.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'tsup';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import type { ContractOptions } from '../../lib/testing/contract/index.js';

type Runner = Pick<ContractOptions, 'describe' | 'it'>;

/** What else declares tests; the signatures as their type packages have them. */
interface Jest {
  describe: (name: number | string | (() => void), body: () => void) => void;
  it: (name: string, body?: ((done: () => void) => void | undefined) | (() => PromiseLike<unknown>), limitMs?: number) => void;
}
interface Mocha {
  describe: (title: string, body: (this: { timeout(ms: number): void }) => void) => object;
  it: (title: string, body?: (this: object) => PromiseLike<unknown>) => object;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const LIMIT_MS = 120_000;

/** Exits with 1 if a test fails, and then says so in what it prints. `only` says of a name whether its test is run. */
const script = (load: string, only: string): string => `${load}
describeContract({
  name: 'RangeTracker',
  make: (options) => new RangeTracker(options),
  describe,
  it: (name, body, limitMs) => void (${only} && it(name, body, limitMs)),
});
`;
const ESM = `import { describe, it } from 'node:test';
import { RangeTracker } from './index.js';
import { describeContract } from './testing/contract/index.js';
`;
const CJS = `const { describe, it } = require('node:test');
const { RangeTracker } = require('./index.cjs');
const { describeContract } = require('./testing/contract/index.cjs');
`;

describe('the contract suite outside Vitest', () => {
  const folder = mkdtempSync(join(tmpdir(), 'contract-'));

  beforeAll(async () => {
    const { tsup } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const entry = { index: join(root, 'lib/index.ts'), 'testing/contract/index': join(root, 'lib/testing/contract/index.ts') };
    await build({ ...tsup, config: false, entry, outDir: folder, dts: false, silent: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  }, LIMIT_MS);

  afterAll(() => rmSync(folder, { recursive: true }));

  /** The counts that the runner prints at the end. */
  async function counts(name: string, text: string): Promise<Record<string, number>> {
    const path = join(folder, name);
    writeFileSync(path, text);
    const env = { ...process.env };
    delete env.NODE_TEST_CONTEXT;
    const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap', path], { env, maxBuffer: 2 ** 24 });
    return Object.fromEntries([...stdout.matchAll(/^# (\w+) (\d+)$/gm)].map(([, key, value]) => [key, Number(value)]));
  }

  // The rest, hundreds of thousands of runs, know even less of the runner; contract.test.ts runs them once, and that is enough.
  it('passes under node:test, all but the long tests', { timeout: LIMIT_MS }, async () => {
    const text = script(ESM, "!name.startsWith('come through in every order')");
    expect(await counts('quick.js', text)).toMatchObject({ tests: 257, pass: 257, fail: 0 });
  });

  it('knows the errors of the CommonJS package, too', { timeout: LIMIT_MS }, async () => {
    const text = script(CJS, "name.includes('Error')");
    expect(await counts('errors.cjs', text)).toMatchObject({ tests: 13, pass: 13, fail: 0 });
  });

  it('fails under node:test if the tracker is wrong', { timeout: LIMIT_MS }, async () => {
    const text = script(ESM, "name.includes('names it')").replace(
      'new RangeTracker(options)',
      'Object.assign(new RangeTracker(options), { readRetry: () => false })',
    );
    const { code, stdout } = await counts('wrong.js', text).then(
      () => ({ code: 0, stdout: '' }),
      (error: { code: number; stdout: string }) => error,
    );
    expect(code).toBe(1);
    expect(stdout).toContain('got false; expected true');
    expect(stdout).toMatch(/^# fail 2$/m);
  });

  it('takes what each runner declares tests with', () => {
    expectTypeOf<typeof import('node:test')>().toExtend<Runner>();
    expectTypeOf<typeof import('vitest')>().toExtend<Runner>();
    expectTypeOf<Jest>().toExtend<Runner>();
    expectTypeOf<Mocha>().toExtend<Runner>();
    expectTypeOf<{ describe: Jest['describe']; it: (name: number, body: () => void) => void }>().not.toExtend<Runner>();
  });
});
