/**
 * Threads for tests: a worker that has a tracker in a shared space, and runs functions of the test. They go over as text, so they
 * use nothing but their arguments.
 */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';
import type { SharedSpace } from '../../../lib/threads/index.js';
import type { Inside } from './inside.js';

let bundled: string | undefined;

/** The worker's program, for Node without TypeScript. */
function program(): string {
  bundled ??= buildSync({
    entryPoints: [fileURLToPath(new URL('inside.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'es2022',
    write: false,
  }).outputFiles[0]!.text;
  return bundled;
}

interface Answer {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** See the top of the file. */
export class Thread {
  readonly worker: Worker;
  /** Words that both sides see. */
  readonly shared: Int32Array;
  /** What it has said on its own. */
  readonly said: unknown[] = [];
  readonly #answers: Map<number, Answer> = new Map();
  #last = 0;
  #ready: () => void = () => {};

  private constructor(space: SharedSpace, label: string, shared: SharedArrayBuffer) {
    const handle = space.connect();
    this.shared = new Int32Array(shared);
    this.worker = new Worker(program(), {
      eval: true,
      workerData: { handle, shared, label },
      transferList: [handle.port as never],
    });
    this.worker.on('message', ({ id, result, error, said }) => {
      if (said === 'ready') this.#ready();
      else if (said !== undefined) this.said.push(said);
      const answer = this.#answers.get(id);
      this.#answers.delete(id);
      if (error !== undefined) answer?.reject(Object.assign(new Error(error.message), { name: error.name }));
      else answer?.resolve(result as never);
    });
  }

  /** One that takes part. */
  static async start(space: SharedSpace, label = 'worker', shared = new SharedArrayBuffer(4096)): Promise<Thread> {
    const thread = new Thread(space, label, shared);
    await new Promise<void>((resolve, reject) => {
      thread.#ready = resolve;
      thread.worker.once('error', reject);
    });
    return thread;
  }

  /** Runs a function there, and resolves with what it returned. */
  run<T, A extends unknown[]>(fn: (inside: Inside, ...args: A) => T | Promise<T>, ...args: A): Promise<T> {
    const id = ++this.#last;
    this.worker.postMessage({ id, code: fn.toString(), args });
    return new Promise<T>((resolve, reject) => {
      this.#answers.set(id, { resolve: resolve as never, reject });
    });
  }

  /** Stops it wherever it is. */
  async kill(): Promise<void> {
    await this.worker.terminate();
  }
}
