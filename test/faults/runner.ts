/**
 * Runner: a process that runs test files again and again, each time with another fault, and is ended and replaced if it does
 * not answer.
 *
 * The process runs this file, too (`--host`): there vitest is started once, and what it has read and translated stays valid but
 * for the one file that has the fault. The config gives each run a single worker thread, which ends with the run: no module
 * outlives its fault.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createVitest, type Reporter, type TestCase, type TestModule, type TestSuite, type Vitest } from 'vitest/node';
import type { Fault } from './faults.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SELF = fileURLToPath(import.meta.url);
/**
 * A fault may put a test into a loop that never gives a turn to anybody, the test's own time limit included. No file that
 * is tried first takes a tenth of this.
 */
const LIMIT_MS = 60_000;
/** The same for the whole suite, or a large part of it; it takes a fifth of this in one thread. */
const SUITE_LIMIT_MS = 600_000;

/** A test, and how vitest knows it again in a later run. */
export interface Test {
  readonly id: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Groups and name. */
  readonly name: string;
}

/** What became of a run. */
export interface Outcome {
  /** The first test that has failed. */
  readonly failed: Test | undefined;
  /** How many tests have passed. */
  readonly passed: number;
  /** What went wrong outside of tests; empty if nothing did. */
  readonly output: string;
  readonly hung: boolean;
}

interface Order {
  readonly files: readonly string[];
  /** Of these files only these tests; absent: all of them. */
  readonly tests?: readonly Test[];
  readonly fault?: Fault;
}

/** One run at a time. */
export class Runner {
  #child: ChildProcess | undefined;

  /** Runs these files, or for an empty list the whole suite, with the fault. Rejects if the process ends by itself. */
  seed(files: readonly string[], fault: Fault): Promise<Outcome> {
    return this.#run({ files, fault }, files.length > 0 ? LIMIT_MS : SUITE_LIMIT_MS);
  }

  /** Runs files, or for an empty list the whole suite, without any fault; of files that `tests` names only those tests. */
  sound(files: readonly string[], tests: readonly Test[] = []): Promise<Outcome> {
    return this.#run({ files, tests }, SUITE_LIMIT_MS);
  }

  async #run(order: Order, limitMs: number): Promise<Outcome> {
    const child = this.#child ?? this.#start();
    let limit: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Outcome>((answer, fail) => {
        child.once('message', (message) => answer(message as Outcome));
        child.once('close', (code) => fail(new Error(`the runner of ${order.fault?.name ?? 'no fault'} ended with ${code}`)));
        limit = setTimeout(() => {
          this.close();
          answer({ failed: undefined, passed: 0, output: '', hung: true });
        }, limitMs);
        child.send(order);
      });
    } finally {
      clearTimeout(limit);
      child.removeAllListeners();
    }
  }

  /** Ends the process, whatever it does. */
  close(): void {
    const pid = this.#child?.pid;
    this.#child = undefined;
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // Nobody of the group is left.
    }
  }

  #start(): ChildProcess {
    const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' };
    // A process group of its own, so that whatever it has started ends with it.
    const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const;
    this.#child = spawn(process.execPath, [...process.execArgv, SELF, '--host'], {
      cwd: ROOT,
      env,
      stdio: [...stdio],
      detached: true,
    });
    return this.#child;
  }
}

async function host(): Promise<void> {
  const recorder = new Recorder();
  const config = { config: 'test/faults/vitest.config.mjs', root: ROOT, watch: false, reporters: [recorder] };
  const vitest = await createVitest('test', config);
  process.on('message', (order) => void serve(vitest, recorder, order as Order).then((outcome) => process.send!(outcome)));
  process.once('disconnect', () => process.exit());
}

async function serve(vitest: Vitest, recorder: Recorder, { files, tests = [], fault }: Order): Promise<Outcome> {
  const seeded = fault === undefined ? undefined : resolve(ROOT, 'lib', fault.file);
  if (fault !== undefined) process.env.RANGEFENCE_FAULT = JSON.stringify(fault);
  try {
    if (seeded !== undefined) vitest.invalidateFile(seeded);
    recorder.clear();
    const specifications = await vitest.globTestSpecifications([...files]);
    for (const specification of specifications) {
      const ids = tests.filter(({ file }) => resolve(ROOT, file) === specification.moduleId).map(({ id }) => id);
      if (ids.length > 0) specification.testIds = ids;
    }
    const { unhandledErrors } = await vitest.runTestSpecifications(specifications);
    return recorder.outcome(unhandledErrors);
  } catch (error) {
    return { failed: undefined, passed: 0, output: describeError(error), hung: false };
  } finally {
    delete process.env.RANGEFENCE_FAULT;
    if (seeded !== undefined) vitest.invalidateFile(seeded);
  }
}

/** What is heard of one run. Not read from vitest's own state afterwards: that has the results of earlier runs, too. */
class Recorder implements Reporter {
  #failed: Test | undefined;
  #passed = 0;
  #errors: unknown[] = [];

  clear(): void {
    this.#failed = undefined;
    this.#passed = 0;
    this.#errors = [];
  }

  onTestCaseResult(test: TestCase): void {
    const { state } = test.result();
    if (state === 'passed') this.#passed++;
    if (state === 'failed') this.#failed ??= { id: test.id, file: test.module.relativeModuleId, name: test.fullName };
  }

  onTestSuiteResult(suite: TestSuite): void {
    this.#errors.push(...suite.errors());
  }

  onTestModuleEnd(module: TestModule): void {
    this.#errors.push(...module.errors());
  }

  outcome(unhandled: readonly unknown[]): Outcome {
    const errors = [...this.#errors, ...unhandled];
    if (this.#passed === 0 && this.#failed === undefined) errors.push('no test has run');
    return { failed: this.#failed, passed: this.#passed, output: errors.map(describeError).join('\n'), hung: false };
  }
}

function describeError(error: unknown): string {
  const { stack, message } = error as { stack?: string; message?: string };
  return stack ?? message ?? String(error);
}

if (resolve(process.argv[1] ?? '') === SELF && process.argv[2] === '--host') await host();
