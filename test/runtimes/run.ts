/**
 * The package on other runtimes: `npm run test:runtimes`. Installs the tarball as its users do, loads and uses every entry
 * through `import` and `require`, and runs the contract suite of the installed package, on each line of Node that is supported,
 * on Deno, and on Bun. Needs a build; `npm run build` makes it.
 *
 * Then, one runtime after the other, so that none is slowed down by another: queries over a file that is replaced every 40 ms.
 *
 * Exit code 1 if a runtime that could be had fails, or makes less than a quarter of the queries that Node makes, or if none could
 * be had.
 */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PEERS, RUNTIME_EXPORTS } from '../package/exports.js';
import { install, root, saidBy } from '../package/install.js';
import { cacheFolder, have, RUNTIMES, type Runtime, versionOf } from './had.js';

/** Longer than the slowest machine needs for all of the contract. */
const LIMIT_MS = 300_000;
/** What this is planned for: two cores. */
const AT_ONCE = 2;

interface Step {
  readonly title: string;
  readonly args: readonly string[];
}

/** Those that stand alone: their peers are not installed here. */
const ENTRIES = JSON.stringify(Object.fromEntries(Object.entries(RUNTIME_EXPORTS).filter(([name]) => PEERS[name] === undefined)));
const STEPS: readonly Step[] = [
  { title: 'import', args: ['smoke.mjs', 'import', ENTRIES] },
  { title: 'require', args: ['smoke.mjs', 'require', ENTRIES] },
  { title: 'contract', args: ['contract.mjs'] },
];

/** Another runtime may be slower than Node, but not as slow as one that waits for seconds where Node waits for a tick. */
const LEAST_OF_NODE = 1 / 4;

type Outcome = 'passed' | 'failed' | 'not run';

interface Examined {
  readonly outcome: Outcome;
  readonly runtime: Runtime;
  /** Of the program, with its version; undefined where it could not be had. */
  readonly path?: string;
}

async function main(): Promise<void> {
  const missing = unbuilt();
  if (missing !== undefined) throw new Error(`${missing} is not there; npm run build makes it`);
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'rangefence-runtimes-')));
  try {
    const consumer = await install(folder);
    cpSync(join(root, 'test/package/smoke.mjs'), join(consumer, 'smoke.mjs'));
    for (const file of ['contract.mjs', 'replaced.mjs']) cpSync(join(root, 'test/runtimes', file), join(consumer, file));
    const examined = await each(RUNTIMES, (runtime) => examine(runtime, consumer));
    const outcomes = await measureAll(examined, consumer);
    const count = (wanted: Outcome) => outcomes.filter((outcome) => outcome === wanted).length;
    console.log(`runtimes: ${count('passed')} passed, ${count('failed')} failed, ${count('not run')} not run`);
    process.exitCode = count('failed') === 0 && count('passed') > 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that package.json promises and that nobody has built. */
function unbuilt(): string | undefined {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: object };
  const files = JSON.stringify(exports).match(/\.\/dist\/[^"]+/g) ?? [];
  return files.find((file) => !existsSync(join(root, file)));
}

/** Calls `work` for all items, a few at a time; the results are in their order. */
async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = [...items.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

/** Prints one line about the runtime, and what it said if it failed. */
async function examine(runtime: Runtime, consumer: string): Promise<Examined> {
  let path: string;
  let version: string;
  try {
    path = await have(runtime, cacheFolder());
    version = await versionOf(path);
  } catch (error) {
    console.log(`${runtime.name} (${runtime.package})  NOT RUN: could not be had: ${(error as Error).message}`);
    return { runtime, outcome: 'not run' };
  }
  const said: string[] = [];
  const failures: string[] = [];
  for (const { title, args } of STEPS) {
    try {
      const { stdout } = await start(path, [...runtime.args, ...args], consumer);
      said.push(title === 'contract' ? `contract (${JSON.parse(stdout).passed} tests)` : title);
    } catch (error) {
      failures.push(`${title}:\n${saidBy(error)}`);
    }
  }
  const failed = failures.length > 0;
  console.log(`${runtime.name} ${version}  ${failed ? 'FAILED' : 'passed'}: ${failed ? failures.join('\n') : said.join(', ')}`);
  return { runtime, path, outcome: failed ? 'failed' : 'passed' };
}

/** The outcomes, with what the measurement adds to them. */
async function measureAll(examined: readonly Examined[], consumer: string): Promise<Outcome[]> {
  const rates = new Map<Examined, number>();
  for (const each of examined) {
    const { runtime, path } = each;
    if (path === undefined) continue;
    try {
      const { stdout } = await start(path, [...runtime.args, 'replaced.mjs'], consumer);
      const { perSecond, versions } = JSON.parse(stdout) as { perSecond: number; versions: number };
      rates.set(each, perSecond);
      console.log(`${runtime.name} (${runtime.package})  ${perSecond} queries/s over ${versions} versions of a file, in 3 s`);
    } catch (error) {
      console.log(`${runtime.name} (${runtime.package})  FAILED: queries over a file that is replaced:\n${saidBy(error)}`);
      rates.set(each, 0);
    }
  }
  const ofNode = examined.filter(({ runtime }) => runtime.name === 'Node').map((each) => rates.get(each) ?? 0);
  const median = ofNode.sort((a, b) => a - b)[Math.floor(ofNode.length / 2)] ?? 0;
  return examined.map((each) => {
    const rate = rates.get(each);
    if (rate === undefined) return each.outcome;
    if (rate > 0 && rate >= median * LEAST_OF_NODE) return each.outcome;
    console.log(
      `${each.runtime.name} (${each.runtime.package})  FAILED: ${rate} queries/s; expected a quarter of Node's ${median}`,
    );
    return 'failed';
  });
}

/** Offline, and with what it stores kept beside the project. */
function start(path: string, args: readonly string[], cwd: string): Promise<{ stdout: string }> {
  const env = { ...process.env, DENO_DIR: join(cwd, '.deno'), DENO_NO_UPDATE_CHECK: '1', DO_NOT_TRACK: '1', NO_COLOR: '1' };
  return promisify(execFile)(path, args, { cwd, env, timeout: LIMIT_MS, killSignal: 'SIGKILL', maxBuffer: 2 ** 24 });
}

await main();
