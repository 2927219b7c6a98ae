/**
 * `npm run test:faults`: a check that cannot fail is a defect, so every fault of the lists is seeded, alone, and the
 * ordinary suite must fail. A fault that survives fails the run.
 *
 *   --only TEXT   only faults whose name has this text in it
 *
 * A test that fails anyway catches nothing: the files that are tried first run once without a fault, too, beside the others,
 * and so does the whole suite before the first fault that gets past them.
 *
 * The library on disk is never touched: the fault is put in where the tests load the file (vitest.config.mjs). Runners
 * (runner.ts) stay from one fault to the next, which saves their start; the tests of each fault have a thread of their own, and
 * so all modules anew.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Fault } from './faults.js';
import { type Outcome, Runner } from './runner.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** One line for each list of faults: the module beside this one, and what it exports. */
const LISTS: readonly (readonly [module: string, name: string])[] = [
  ['faults', 'FAULTS'],
  ['mirror', 'MIRROR_FAULTS'],
  ['explorer', 'EXPLORER_FAULTS'],
  ['bytes', 'BYTES_FAULTS'],
  ['adapters', 'ADAPTER_FAULTS'],
  ['keyed', 'KEYED_FAULTS'],
  ['debug', 'DEBUG_FAULTS'],
  ['address-space', 'ADDRESS_SPACE_FAULTS'],
];
/** Two cores are what the whole run is planned for. */
const AT_ONCE = 2;

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
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
  let survived = 0;
  let sound: Promise<void> | undefined;
  const worker = async (runner: Runner) => {
    for (let fault = queue.shift(); fault !== undefined; fault = queue.shift()) {
      const begun = performance.now();
      let by = caughtBy(fault, await runner.run(fault.first, fault));
      if (by === undefined) {
        sound ??= demandSound(runner, []);
        await sound;
        by = caughtBy(fault, await runner.run([], fault));
      }
      if (by === undefined) survived++;
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      console.log(
        `${by === undefined ? 'SURVIVED' : 'caught  '}  ${fault.name}  ${by === undefined ? '' : `<- ${by}`}  ${seconds} s`,
      );
    }
  };
  const [first, ...others] = runners as [Runner, ...Runner[]];
  const files = [...new Set(faults.flatMap((fault) => fault.first))];
  await Promise.all([demandSound(first, files).then(() => worker(first)), ...others.map(worker)]);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`faults: ${faults.length - survived} caught, ${survived} survived, in ${seconds} s`);
  return survived === 0;
}

/** Throws if these files, or for an empty list the whole suite, fail without any fault. */
async function demandSound(runner: Runner, files: readonly string[]): Promise<void> {
  const { failed, output, hung } = await runner.run(files, undefined);
  if (hung || failed !== undefined || output !== '')
    throw new Error(`without any fault the suite ${hung ? 'does not end' : 'fails already'}\n${failed ?? ''}\n${output}`);
}

/** The test that noticed; undefined if all have passed. */
function caughtBy({ name }: Fault, { failed, output, hung }: Outcome): string | undefined {
  if (hung) return 'a test that never ended';
  // No test has failed: the fault breaks the module, or the run itself.
  if (failed === undefined && output !== '') throw new Error(`${name}: no test ran\n${output}`);
  return failed;
}
