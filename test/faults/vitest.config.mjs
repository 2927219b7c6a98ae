import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Changes the one file on its way into the tests; what lies on disk is never touched. The fault is asked for anew each time, as
 * JSON: one process runs the tests with many of them (runner.ts). Without one the suite runs on the library as it is.
 */
const seeded = {
  name: 'seeded-fault',
  enforce: 'pre',
  load(id) {
    const fault = process.env.RANGEFENCE_FAULT === undefined ? undefined : JSON.parse(process.env.RANGEFENCE_FAULT);
    const file = `${root}lib/${fault?.file}`;
    if (fault === undefined || id.split('?')[0] !== file) return null;
    const parts = readFileSync(file, 'utf8').split(fault.find);
    if (parts.length !== 2) throw new Error(`"${fault.find}" stands ${parts.length - 1} times in ${fault.file}`);
    return parts.join(fault.replace);
  },
};

export default defineConfig({
  root,
  plugins: [seeded],
  test: {
    include: ['test/**/*.test.ts'],
    // They test the text around the library, the built library, or the heap (in a process of its own), and would not see the fault.
    exclude: [
      '**/node_modules/**',
      'test/**/*.heap.test.ts',
      // It terminates what runs, after which a thread of vitest's passes its tests and does not end; a process of its own does.
      'test/explorer/endless.test.ts',
      'test/tools/**',
      'test/package/**',
      'test/faults/**',
      'test/bench/**',
      'test/contract/node.test.ts',
      // The contract and the HMM suite once more, under the checker: half a minute for nothing that is not seen without it.
      'test/debug/contract.test.ts',
      'test/debug/hmm.test.ts',
    ],
    setupFiles: ['test/faults/setup.ts'],
    pool: 'threads',
    maxWorkers: 1,
    isolate: false,
    bail: 1,
    // A fault may make a test wait for ever: in a sound library the slowest takes a fifth of this, on a busy machine too.
    testTimeout: 10_000,
    hookTimeout: 10_000,
    dangerouslyIgnoreUnhandledErrors: false,
  },
});
