/**
 * Cells: starts programs that measure one thing each, and asks them. They are bundled first, as the package is, so that they
 * run what users run: the loader that runs TypeScript here would add a call for each named closure.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
/** Not in the system's temporary folder: the packages that are compared must be found from there. */
const CACHE = join(ROOT, 'node_modules/.cache');

/** Bundles `bench/peers/<name>.ts`, hands in the path of the result, and removes it when `use` is done. */
export async function withProgram<T>(name: string, use: (path: string) => Promise<T>): Promise<T> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'rangefence-bench-'));
  try {
    await build({
      ...{ config: false, silent: true, clean: false, dts: false, treeshake: true },
      ...{ entry: { [name]: join(ROOT, `bench/peers/${name}.ts`) }, skipNodeModulesBundle: true },
      ...{ format: 'esm', target: 'es2022', outDir: folder, outExtension: () => ({ js: '.mjs' }) },
    });
    return await use(join(folder, `${name}.mjs`));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One running program, which gives one answer to each order. */
export class Cell<Order extends object, Answer> {
  readonly #child: ChildProcess;

  constructor(program: string, args: readonly string[]) {
    this.#child = fork(program, args, { execArgv: ['--expose-gc'] });
  }

  /** Rejects if the program ends instead of answering. */
  ask(order: Order): Promise<Answer> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const answered = (answer: unknown) => {
        child.off('exit', ended);
        resolve(answer as Answer);
      };
      const ended = (code: number | null, signal: string | null) => {
        child.off('message', answered);
        reject(new Error(`ended with ${code ?? signal} instead of an answer`));
      };
      child.once('message', answered);
      child.once('exit', ended);
      // To a program that has gone already: its exit may have been told before anybody listened.
      child.send(order, (error) => error !== null && reject(error));
    });
  }

  /** Ends the program. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill();
    await gone;
  }
}
