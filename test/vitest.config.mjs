import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

/** Mutation testing runs in worker threads, which cannot take V8 flags, and counts each call, which allocates. */
const mutating = process.env.STRYKER_MUTATOR_WORKER !== undefined;

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(mutating ? ['test/**/*.heap.test.ts'] : [])],
    // Heap tests (`*.heap.test.ts`) call gc(), which exists only under this flag.
    execArgv: mutating ? [] : ['--expose-gc'],
    maxWorkers: 2,
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.ts'],
      // A test suite that is shipped: what covers it is not tested by it.
      exclude: ['lib/testing/contract/**'],
      reporter: ['text'],
      thresholds: { statements: 95, branches: 95, functions: 95, lines: 95 },
    },
  },
});
