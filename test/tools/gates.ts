/**
 * `npm test`: every gate is an npm script that can be called alone. They run at once as far as there are cores for them, in the
 * order of the list. A gate that needs what another one makes starts when that one is over, whether it passed or not, so that
 * one run shows every failure there is.
 *
 * One line for a gate that passes: its time, and the figure that its output ends with. All of its output for one that fails.
 * Exit code 1 if any gate failed. The last line is always `gates: N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

/** A script of package.json. */
export interface Gate {
  readonly name: string;
  /** How many cores it keeps busy; by default 1. */
  readonly cores?: number;
  /** The gate that makes what this one needs. It stands before this one in the list. */
  readonly after?: string;
  /** Turns its output into what the line of a passing gate says beside the time. */
  readonly figure?: (output: string) => string;
}

/** Single ones are paired in the beginning, so that a core is idle for the last seconds of a gate at most. */
export const GATES: readonly Gate[] = [
  { name: 'build', figure: built },
  { name: 'types' },
  { name: 'docs:api' },
  { name: 'attw', after: 'build' },
  { name: 'test:package', after: 'build', figure: packaged },
  { name: 'size', after: 'build', figure: sizes },
  { name: 'publint', after: 'build' },
  { name: 'types:next' },
  { name: 'style' },
  { name: 'house', figure: (output) => last(output, /\d+ files, \d+ circles, \d+ floors/) },
  { name: 'lint', figure: (output) => last(output, /Checked \d+ files/) },
  { name: 'test:unit', cores: 2, figure: tested },
  { name: 'test:orders', cores: 2, figure: tested },
  { name: 'test:faults', cores: 2, figure: (output) => last(output, /\d+ caught, \d+ survived/) },
];

/** Two cores are what the whole run is planned for. */
const CORES = 2;

/** The last text of this form; empty if there is none. */
function last(output: string, form: RegExp): string {
  return [...output.matchAll(new RegExp(form, 'g'))].at(-1)?.[0] ?? '';
}

/** Of vitest: `Tests  1891 passed (1891)`, and the row `All files` of its table of coverage. */
export function tested(output: string): string {
  const tests = last(output, /Tests .*/)
    .replace(/^Tests\s+/, '')
    .replace(/ \(\d+\)$/, '');
  const lines = /All files *\|(?:[^|]*\|){3} *([\d.]+)/.exec(output)?.[1];
  return `tests: ${tests}${lines === undefined ? '' : `; lines: ${lines} % covered`}`;
}

/** Of size-limit: limit and size of each entry, in the order of package.json. */
export function sizes(output: string): string {
  const limits = [...output.matchAll(/Size limit: +(\S+) kB/g)].map(([, limit]) => limit);
  const measured = [...output.matchAll(/Size: +(\S+) (k?B)/g)].map(([, size, unit]) =>
    unit === 'B' ? Number(size) / 1000 : size,
  );
  return `${measured.map((size, index) => `${size} of ${limits[index]}`).join(', ')} kB`;
}

function built(output: string): string {
  return `${new Set(output.match(/dist\/\S+/g)).size} files`;
}

/** Of test/package/run.ts: the tarball, and how many consumers it served. */
function packaged(output: string): string {
  return `${last(output, /\d+ files/)} in the tarball, ${output.match(/^ok /gm)?.length ?? 0} uses of it`;
}

/** A command and its arguments. */
export type Command = readonly [string, ...string[]];

/** How to run what, and where to say it. */
export interface GateOptions {
  /** Turns a gate's name into what is run. */
  readonly command: (gate: string) => Command;
  /** Takes one block of text at a time. */
  readonly print: (text: string) => void;
}

interface Outcome {
  readonly passed: boolean;
  readonly output: string;
}

/** Runs all gates; true if every one passed. Never rejects. */
export async function runGates(gates: readonly Gate[], options: GateOptions): Promise<boolean> {
  const started = performance.now();
  const waiting = [...gates];
  const running = new Set<Promise<void>>();
  const unfinished = new Set(gates.map(({ name }) => name));
  const failed: string[] = [];
  let free = CORES;

  const start = async (gate: Gate): Promise<void> => {
    const { name, cores = 1, figure } = gate;
    free -= cores;
    const begun = performance.now();
    const { passed, output } = await run(options.command(name));
    free += cores;
    unfinished.delete(name);
    if (!passed) failed.push(name);
    const line = `${passed ? 'ok  ' : 'FAIL'}  ${name.padEnd(14)} ${seconds(begun).padStart(7)}`;
    const text = stripVTControlCharacters(output).trimEnd();
    if (passed) options.print(`${line}   ${figure?.(text) ?? ''}`.trimEnd());
    else options.print(`${line}\n${text}\n`);
  };

  while (unfinished.size > 0) {
    // A gate that only lacks cores lets nobody pass: it would wait for ever behind small ones.
    for (
      let gate = nextOf(waiting, unfinished);
      gate !== undefined && (gate.cores ?? 1) <= free;
      gate = nextOf(waiting, unfinished)
    ) {
      waiting.splice(waiting.indexOf(gate), 1);
      const end = start(gate).finally(() => running.delete(end));
      running.add(end);
    }
    await Promise.race(running);
  }
  options.print(`all gates ${seconds(started)}${failed.length === 0 ? '' : `, failed: ${failed.join(', ')}`}`);
  options.print(`gates: ${gates.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0;
}

/** The first gate that waits for no other one. */
function nextOf(waiting: readonly Gate[], unfinished: ReadonlySet<string>): Gate | undefined {
  return waiting.find(({ after }) => after === undefined || !unfinished.has(after));
}

function run([file, ...args]: Command): Promise<Outcome> {
  return new Promise((done) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: Buffer) => {
      output += chunk;
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => done({ passed: false, output: `${output}${error}` }));
    child.on('close', (code) => done({ passed: code === 0, output }));
  });
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  const passed = await runGates(GATES, {
    command: (gate) => ['npm', 'run', '--silent', gate],
    print: (text) => console.log(text),
  });
  process.exitCode = passed ? 0 : 1;
}
