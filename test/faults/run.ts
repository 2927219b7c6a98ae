/**
 * `npm run test:faults`: a check that cannot fail is a defect, so every fault in faults.ts is seeded, alone, and the
 * ordinary suite must fail. A fault that survives fails the run.
 *
 *   --only TEXT   only faults whose name has this text in it
 *
 * A test that fails anyway catches nothing: the files that are tried first run once without a fault, too, beside the others,
 * and so does the whole suite before the first fault that gets past them.
 *
 * The library on disk is never touched: the fault is put in where the tests load the file (vitest.config.mjs).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FAULTS, type Fault } from './faults.js';
import { MIRROR_FAULTS } from './mirror.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CONFIG = 'test/faults/vitest.config.mjs';
/** Two cores are what the whole run is planned for. */
const AT_ONCE = 2;
/**
 * A fault may put a test into a loop that never gives a turn to anybody, the test's own time limit included. No file that
 * is tried first takes a tenth of this, and the whole suite half of it.
 */
const LIMIT_MS = 60_000;

interface Outcome {
  readonly passed: boolean;
  readonly output: string;
  readonly hung: boolean;
}

let wholeSuite: Promise<void> | undefined;
const running = new Set<ChildProcess>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const child of running) killGroup(child);
    process.exit(1);
  });
}

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const faults = [...FAULTS, ...MIRROR_FAULTS].filter(({ name }) => name.includes(values.only));
const outdated = faults.filter(({ file, find }) => readFileSync(`${ROOT}lib/${file}`, 'utf8').split(find).length !== 2);
for (const { name, file, find } of outdated)
  console.log(`OUT OF DATE  ${name}: ${JSON.stringify(find)} stands not once in lib/${file}`);
process.exitCode = outdated.length > 0 ? 1 : (await seedAll()) ? 0 : 1;

async function seedAll(): Promise<boolean> {
  const started = performance.now();
  const queue = [...faults];
  let survived = 0;
  const worker = async () => {
    for (let fault = queue.shift(); fault !== undefined; fault = queue.shift()) {
      const begun = performance.now();
      const by = await catcher(fault);
      if (by === undefined) survived++;
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      console.log(
        `${by === undefined ? 'SURVIVED' : 'caught  '}  ${fault.name}  ${by === undefined ? '' : `<- ${by}`}  ${seconds} s`,
      );
    }
  };
  const sound = demandSound([...new Set(faults.flatMap((fault) => fault.first))]);
  await Promise.all([sound.then(worker), ...Array.from({ length: AT_ONCE - 1 }, worker)]);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`faults: ${faults.length - survived} caught, ${survived} survived, in ${seconds} s`);
  return survived === 0;
}

/** Throws if these files, or for an empty list the whole suite, fail without any fault. */
async function demandSound(files: readonly string[]): Promise<void> {
  const { passed, output } = await run(files, undefined);
  if (!passed) throw new Error(`without any fault the suite fails already\n${output}`);
}

/** The test that noticed; undefined if the whole suite passes. */
async function catcher(fault: Fault): Promise<string | undefined> {
  for (const files of [fault.first, []]) {
    if (files.length === 0) {
      wholeSuite ??= demandSound([]);
      await wholeSuite;
    }
    const { passed, output, hung } = await run(files, fault);
    if (passed) continue;
    if (hung) return 'a test that never ended';
    const name = /FAIL\s+(.*)/.exec(output)?.[1];
    // No test has failed: the fault breaks the module, or the run itself.
    if (name === undefined || !name.includes(' > ')) throw new Error(`${fault.name}: no test ran\n${output}`);
    return name.trim();
  }
  return undefined;
}

function run(files: readonly string[], fault: Fault | undefined): Promise<Outcome> {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' };
  if (fault === undefined) delete env.RANGEFENCE_FAULT;
  else env.RANGEFENCE_FAULT = JSON.stringify(fault);
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--config', CONFIG, '--reporter', 'default', ...files];
  // A process group of its own: a test worker that never gives a turn outlives the runner that is killed, and must not.
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  running.add(child);
  return new Promise((resolve) => {
    let output = '';
    let hung = false;
    const limit = setTimeout(() => {
      hung = true;
      killGroup(child);
    }, LIMIT_MS);
    const collect = (chunk: Buffer) => {
      output += chunk;
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('close', (code) => {
      running.delete(child);
      killGroup(child); // also after an ordinary end: a runner that gives up leaves a worker in an endless loop behind
      clearTimeout(limit);
      resolve({ passed: code === 0, output, hung });
    });
  });
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody of the group is left.
  }
}
