/**
 * `npm test`: every gate is an npm script that can be called alone. They run in waves, two at a time within a wave; a wave
 * starts when the one before it is over, whether it passed or not, so that one run shows every failure there is.
 *
 * Exit code 1 if any gate failed. The last line is always `gates: N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Scripts of package.json. Unit tests have a wave of their own: they measure coverage with as many workers as there are cores. */
const WAVES = [
  ['types', 'types:next', 'lint', 'style'],
  ['test:unit'],
  ['build'],
  ['test:package', 'docs:api', 'attw', 'publint', 'size'],
  ['test:faults'],
];

/** Gates whose output says more than pass or fail. The others are shown only when they fail. */
const SHOWN = new Set(['test:unit', 'test:package', 'test:faults', 'size']);

/** Two cores are what the whole run is planned for. */
const AT_ONCE = 2;

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

/** Runs all waves; true if every gate passed. Never rejects. */
export async function runGates(waves: readonly (readonly string[])[], options: GateOptions): Promise<boolean> {
  const started = performance.now();
  let passed = 0;
  const failed: string[] = [];
  for (const wave of waves) {
    const queue = [...wave];
    const worker = async () => {
      for (let gate = queue.shift(); gate !== undefined; gate = queue.shift()) {
        const begun = performance.now();
        const outcome = await run(options.command(gate));
        const line = `${outcome.passed ? 'ok  ' : 'FAIL'}  ${gate.padEnd(14)} ${seconds(begun)}`;
        const shown = !outcome.passed || SHOWN.has(gate);
        options.print(shown ? `${line}\n${outcome.output.trimEnd()}\n` : line);
        if (outcome.passed) passed += 1;
        else failed.push(gate);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }
  options.print(`all gates ${seconds(started)}${failed.length === 0 ? '' : `, failed: ${failed.join(', ')}`}`);
  options.print(`gates: ${passed} passed, ${failed.length} failed`);
  return failed.length === 0;
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
  const passed = await runGates(WAVES, {
    command: (gate) => ['npm', 'run', '--silent', gate],
    print: (text) => console.log(text),
  });
  process.exitCode = passed ? 0 : 1;
}
