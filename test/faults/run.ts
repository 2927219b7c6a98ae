/**
 * `npm run test:faults`: a check that cannot fail is a defect, so every fault of the lists is seeded, alone, and the
 * test files that it names must fail. A fault that survives fails the run.
 *
 *   --only TEXT   only faults whose name has this text in it
 *   --whole       a fault that its files do not notice gets the whole suite, which takes minutes for each, to find who does
 *
 * A test that fails anyway catches nothing: each test that has caught a fault must pass in the end without any, and so must
 * the whole suite before the first fault that is tried on it.
 *
 * The library on disk is never touched: the fault is put in where the tests load the file (vitest.config.mjs). Runners
 * (runner.ts) stay from one fault to the next, which saves their start; the tests of each fault have a thread of their own, and
 * so all modules anew.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Fault } from './faults.js';
import { type Outcome, Runner, type Test } from './runner.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** One line for each list of faults: the module beside this one, and what it exports. */
const LISTS: readonly (readonly [module: string, name: string])[] = [
  ['faults', 'FAULTS'],
  ['lanes', 'LANE_FAULTS'],
  ['mirror', 'MIRROR_FAULTS'],
  ['explorer', 'EXPLORER_FAULTS'],
  ['bytes', 'BYTES_FAULTS'],
  ['adapters', 'ADAPTER_FAULTS'],
  ['keyed', 'KEYED_FAULTS'],
  ['sharing', 'SHARING_FAULTS'],
  ['query', 'QUERY_FAULTS'],
  ['redis', 'REDIS_FAULTS'],
  ['threads', 'THREADS_FAULTS'],
  ['rows', 'ROWS_FAULTS'],
  ['debug', 'DEBUG_FAULTS'],
  ['trace', 'TRACE_FAULTS'],
  ['address-space', 'ADDRESS_SPACE_FAULTS'],
];
/** A fault, and what has noticed it. */
interface Catch {
  readonly fault: Fault;
  readonly by: Test | 'hung';
}

/** One more than the cores that the whole run is planned for: some faults are noticed only by a test whose time runs out. */
const AT_ONCE = 3;

const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, whole: { type: 'boolean', default: false } } });
const all = await Promise.all(LISTS.map(([module, name]) => readList(module, name)));
const faults = all.flat().filter(({ name }) => name.includes(values.only));
const outdated = faults.filter(({ file, find }) => readFileSync(`${ROOT}lib/${file}`, 'utf8').split(find).length !== 2);
for (const { name, file, find } of outdated)
  console.log(`OUT OF DATE  ${name}: ${JSON.stringify(find)} stands not once in lib/${file}`);
const lost = [...new Set(faults.flatMap(({ first }) => first))].filter((file) => !existsSync(`${ROOT}${file}`));
for (const file of lost) console.log(`OUT OF DATE  ${file} is to be tried first and does not exist`);

const runners = Array.from({ length: AT_ONCE }, () => new Runner());
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const runner of runners) runner.close();
    process.exit(1);
  });
}
try {
  process.exitCode = outdated.length > 0 || lost.length > 0 ? 1 : (await seedAll()) ? 0 : 1;
} finally {
  for (const runner of runners) runner.close();
}

async function readList(module: string, name: string): Promise<readonly Fault[]> {
  const exported = (await import(`./${module}.js`)) as Record<string, readonly Fault[]>;
  const list = exported[name];
  if (list === undefined) throw new Error(`${module}.ts has no ${name}`);
  return list;
}

async function seedAll(): Promise<boolean> {
  const started = performance.now();
  const queue = [...faults];
  const catches: Catch[] = [];
  let sound: Promise<void> | undefined;
  const worker = async (runner: Runner) => {
    for (let fault = queue.shift(); fault !== undefined; fault = queue.shift()) {
      const begun = performance.now();
      let by = caughtBy(fault, await runner.seed(fault.first, fault));
      if (by === undefined && values.whole) {
        sound ??= runner.sound([]).then((outcome) => demandSound(outcome, 0));
        await sound;
        by = caughtBy(fault, await runner.seed([], fault));
      }
      if (by !== undefined) catches.push({ fault, by });
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      const notice = by === undefined ? `past ${values.whole ? 'the whole suite' : fault.first.join(', ')}` : `<- ${name(by)}`;
      console.log(`${by === undefined ? 'SURVIVED' : 'caught  '}  ${fault.name}  ${notice}  ${seconds} s`);
    }
  };
  await Promise.all(runners.map(worker));
  await Promise.all(shares(catches).map((share, index) => checkCatches(runners[index]!, share)));
  const survived = faults.length - catches.length;
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`faults: ${catches.length} caught, ${survived} survived, in ${seconds} s`);
  return survived === 0;
}

function name(by: Test | 'hung'): string {
  return by === 'hung' ? 'a test that never ended' : `${by.file} > ${by.name}`;
}

/** One part for each runner, none of them empty; what one file has caught stays together. */
function shares(catches: readonly Catch[]): Catch[][] {
  const files = [...new Set(catches.map(fileOf))];
  return runners
    .map((_, index) => catches.filter((one) => files.indexOf(fileOf(one)) % runners.length === index))
    .filter((share) => share.length > 0);
}

function fileOf({ fault, by }: Catch): string {
  return by === 'hung' ? fault.first.join() : by.file;
}

/** Throws if a test that has caught something does not pass without a fault. Of a test that hung only the files are known. */
async function checkCatches(runner: Runner, catches: readonly Catch[]): Promise<void> {
  const hung = new Set(catches.flatMap(({ fault, by }) => (by === 'hung' ? fault.first : [])));
  const tests = new Map(catches.flatMap(({ by }) => (by === 'hung' || hung.has(by.file) ? [] : [[by.id, by]])));
  const files = new Set([...hung, ...[...tests.values()].map(({ file }) => file)]);
  demandSound(await runner.sound([...files], [...tests.values()]), tests.size);
}

/** Throws unless so many tests have passed, and all that were run. */
function demandSound({ failed, passed, output, hung }: Outcome, least: number): void {
  const wrong = hung
    ? 'does not end'
    : failed !== undefined || output !== ''
      ? 'fails already'
      : passed < least
        ? `runs ${passed} tests of ${least} that have caught something`
        : undefined;
  if (wrong !== undefined)
    throw new Error(`without any fault the suite ${wrong}\n${failed === undefined ? '' : name(failed)}\n${output}`);
}

/** The test that noticed; undefined if all have passed. */
function caughtBy(fault: Fault, { failed, output, hung }: Outcome): Test | 'hung' | undefined {
  if (hung) return 'hung';
  // No test has failed: the fault breaks the module, or the run itself.
  if (failed === undefined && output !== '') throw new Error(`${fault.name}: no test ran\n${output}`);
  return failed;
}
