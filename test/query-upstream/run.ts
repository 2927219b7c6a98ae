/**
 * `npm run test:query -- PATH`: see vitest.config.mjs. PATH (or $TANSTACK_QUERY) is a checkout of TanStack's repository of Query;
 * where there is none, it says NOT RUN, and exits with 0.
 *
 *   --plain   with their own client, to see that the checkout is all right
 *
 * Exits with 1 if a test fails that is not among the exceptions below, or if one of these passes.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Tests of theirs that a fenced client must fail, by their full names, each with the reason. There is none. */
const EXCEPTIONS: ReadonlyMap<string, string> = new Map();

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Report {
  readonly numTotalTests: number;
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

const { values, positionals } = parseArgs({ options: { plain: { type: 'boolean', default: false } }, allowPositionals: true });
const path = positionals[0] ?? process.env.TANSTACK_QUERY;
const checkout = path === undefined ? undefined : resolve(path);
if (checkout === undefined || !existsSync(join(checkout, 'packages/query-core/src/__tests__'))) {
  const found = checkout === undefined ? 'no path was given' : `${checkout} is none`;
  console.error(
    `NOT RUN: test:query, which needs a checkout of github.com/TanStack/query (npm run test:query -- PATH): ${found}`,
  );
  process.exit(0);
}
process.exitCode = run(checkout);

function run(checkout: string): number {
  const folder = mkdtempSync(join(tmpdir(), 'rangefence-query-'));
  try {
    const outputFile = join(folder, 'report.json');
    const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
    const options = ['run', '--config', 'test/query-upstream/vitest.config.mjs', '--reporter=json', `--outputFile=${outputFile}`];
    const env = { ...process.env, TANSTACK_QUERY: checkout, ...(values.plain && { TANSTACK_QUERY_PLAIN: '1' }) };
    const { stdout, stderr } = spawnSync(process.execPath, [vitest, ...options], {
      ...{ cwd: ROOT, env, encoding: 'utf8', maxBuffer: 2 ** 28 },
    });
    if (existsSync(outputFile)) return judge(JSON.parse(readFileSync(outputFile, 'utf8')) as Report, checkout);
    console.error(`${stdout}${stderr}`);
    return 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function judge({ numTotalTests, numPassedTests, testResults }: Report, checkout: string): number {
  let problems = 0;
  const problem = (text: string) => {
    console.error(text);
    problems++;
  };
  for (const { name, status, message, assertionResults } of testResults) {
    if (status === 'failed' && assertionResults.length === 0) problem(`FAILED  ${name}: ${message}`);
    for (const { fullName, status, failureMessages } of assertionResults) {
      const reason = values.plain ? undefined : EXCEPTIONS.get(fullName);
      if (status === 'passed' && reason !== undefined) problem(`PASSED  ${fullName}, which is an exception: ${reason}`);
      if (status === 'failed' && reason === undefined) problem(`FAILED  ${fullName}\n${failureMessages.join('\n')}`);
      if (status === 'failed' && reason !== undefined) console.log(`EXCEPTION  ${fullName}: ${reason}`);
    }
  }
  if (numTotalTests === 0) problem('no test was found');
  const { version } = JSON.parse(readFileSync(join(checkout, 'packages/query-core/package.json'), 'utf8')) as { version: string };
  const client = values.plain ? 'their own client' : 'the fenced client';
  console.log(`query-core ${version}: ${numPassedTests} of ${numTotalTests} tests pass with ${client}`);
  return problems === 0 ? 0 : 1;
}
