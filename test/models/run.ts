/**
 * `npm run test:models`: checks the protocol of `rangefence/threads` with SPIN, exhaustively within bounds (checks.ts). The right
 * order must be free of errors, each wrong one must be found out. A short form, or `--long`: larger bounds, some minutes each.
 *
 * `--only TEXT` in what a check is called, `--jobs N` at once, `--seconds N` for one check at most. `$SPIN` and `$CC` name the
 * programs; without them the first `spin`, and `gcc` or `cc`, of the path. Where there is none it says NOT RUN, and exits with 3.
 * Exit code 1 if a check did not end as expected, or did not search everything.
 */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { number } from '../../bench/support/text.js';
import { program } from '../support/programs.js';
import { CHECKS, type Check } from './checks.js';
import { type Outcome, outcomeOf } from './outcome.js';

const NOT_RUN = 3;
/** How deep a search may go. The verifier touches all of this stack when it starts, some 100 bytes each. */
const DEPTH = { short: 1_000_000, long: 20_000_000 };
const MEMORY_MB = 6000;
/** log2 of the entries of the hash table: a table that is too small costs time, one that is too large memory. */
const TABLE = 22;

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    jobs: { type: 'string' },
    seconds: { type: 'string' },
  },
});

const spin = program('spin', 'SPIN');
const compiler = program(process.env.CC === undefined ? 'gcc' : '', 'CC') ?? program('cc');
if (spin === undefined || compiler === undefined) {
  const missing = [spin ?? 'spin (or $SPIN)', compiler ?? 'a C compiler (or $CC)'].filter((each) => each.includes('$'));
  console.error(`NOT RUN: test:models, as there is no ${missing.join(', and no ')} in the path (Debian: spin, gcc)`);
  process.exit(NOT_RUN);
}

/** What a program has printed, and its exit code; `undefined` if it was ended. */
function run(command: string, args: readonly string[], cwd: string, limitMs: number): Promise<{ text: string; code: unknown }> {
  return new Promise((resolve) => {
    const options = { cwd, timeout: limitMs, killSignal: 'SIGKILL', maxBuffer: 2 ** 26 } as const;
    execFile(command, [...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined;
      resolve({ text: `${stdout}${stderr}`, code });
    });
  });
}

async function search(check: Check, limitMs: number): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'rangefence-models-'));
  try {
    copyFileSync(fileURLToPath(new URL(`${check.model}.pml`, import.meta.url)), join(folder, 'model.pml'));
    const bounds = check.bounds.map((each) => `-D${each}`);
    if (check.fault !== undefined) bounds.push(`-DFAULT=${check.fault.number}`);
    if (check.isLive === true) bounds.push('-DLIVE');
    const translated = await run(spin!, ['-a', ...bounds, 'model.pml'], folder, 60_000);
    if (translated.code !== 0 || /^(spin|error):/im.test(translated.text)) return { failure: translated.text };
    // A wrong order is mostly found after some thousand states: there the compiler costs more than the search.
    const level = check.fault === undefined ? '-O2' : '-O1';
    const kind = check.isLive === true ? '-DNFAIR=4' : '-DSAFETY';
    const packing = check.isLong === true ? ['-DCOLLAPSE'] : [];
    const args = ['-w', level, kind, ...packing, `-DMEMLIM=${MEMORY_MB}`, '-o', 'pan', 'pan.c'];
    const compiled = await run(compiler!, args, folder, 120_000);
    if (compiled.code !== 0) return { failure: compiled.text };
    const how = [
      `-m${check.isLong === true ? DEPTH.long : DEPTH.short}`,
      `-w${check.table ?? TABLE}`,
      ...(check.isLive === true ? ['-a', '-f'] : []),
    ];
    const began = Date.now();
    const searched = await run(join(folder, 'pan'), how, folder, limitMs);
    if (searched.code === undefined) return { failure: `not through after ${limitMs / 1000} s` };
    return outcomeOf(searched.text, (Date.now() - began) / 1000);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function nameOf({ model, bounds, fault, isLive }: Check): string {
  const said =
    fault === undefined ? (isLive === true ? 'nobody waits for ever' : 'right') : `wrong ${fault.number}, ${fault.what}`;
  return `${model}: ${said}${bounds.length > 0 ? ` (${bounds.join(' ')})` : ''}`;
}

const chosen = CHECKS.filter((check) => (values.long || check.isLong !== true) && nameOf(check).includes(values.only));
const limitMs = 1000 * Number(values.seconds ?? (values.long ? 1800 : 300));
const sum = { right: 0, caught: 0, states: 0, failures: 0 };
const queue = [...chosen];

async function work(): Promise<void> {
  for (let check = queue.shift(); check !== undefined; check = queue.shift()) {
    const name = nameOf(check);
    const outcome = await search(check, limitMs);
    if ('failure' in outcome) {
      sum.failures++;
      console.log(`FAILED: ${name}: ${outcome.failure.trim()}`);
      continue;
    }
    const { states, error, seconds, incomplete } = outcome;
    const found = error ?? 'no error';
    const isFine = check.fault === undefined ? error === undefined && incomplete === undefined : error !== undefined;
    if (!isFine) sum.failures++;
    else if (check.fault === undefined) sum.right++;
    else sum.caught++;
    if (check.fault === undefined) sum.states += states;
    const partly = incomplete === undefined || error !== undefined ? '' : `, NOT EXHAUSTIVE: ${incomplete}`;
    const verdict = isFine ? (check.fault === undefined ? 'as expected' : 'caught') : 'NOT AS EXPECTED';
    console.log(`${verdict}: ${name}: ${number(states)} states, ${found}${partly}, ${seconds.toFixed(1)} s`);
  }
}

const began = Date.now();
const jobs = Number(values.jobs ?? Math.min(2, availableParallelism()));
await Promise.all(Array.from({ length: jobs }, work));
console.log(
  `models: ${sum.right} right orders without an error in ${number(sum.states)} states, ${sum.caught} wrong orders caught, ` +
    `${sum.failures} not as expected, ${((Date.now() - began) / 1000).toFixed(0)} s`,
);
process.exit(sum.failures === 0 && chosen.length > 0 ? 0 : 1);
