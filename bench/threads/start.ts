/**
 * Starts worker threads whose programs are TypeScript: each is bundled once.
 */
import { fileURLToPath } from 'node:url';
import { type Transferable, Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';

const programs: Map<string, string> = new Map();

/** A worker that runs this file; it starts with `data` as its `workerData`. */
export function startWorker(file: URL, data: unknown, transferList: readonly unknown[] = []): Worker {
  let program = programs.get(file.href);
  if (program === undefined) {
    const { outputFiles } = buildSync({
      ...{ entryPoints: [fileURLToPath(file)], bundle: true, write: false },
      ...{ platform: 'node', format: 'cjs', target: 'es2022' },
    });
    program = outputFiles[0]!.text;
    programs.set(file.href, program);
  }
  return new Worker(program, { eval: true, workerData: data, transferList: transferList as Transferable[] });
}
