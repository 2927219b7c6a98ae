import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';

/** Mutation testing runs in worker threads, which cannot take V8 flags, and counts each call, which allocates. */
const mutating = process.env.STRYKER_MUTATOR_WORKER !== undefined;

const ALL = ['test/**/*.test.ts'];
/** They count what the heap has, or load the library in another form than all others: their process must be new. */
const ALONE = ['test/**/*.heap.test.ts', 'test/debug/{contract,hmm}.test.ts'];
/**
 * They run the same lines many thousand times, or look at text. Counting those lines would take half as long again, and cover
 * nothing that the examples do not.
 */
const ORDERS = [
  'test/**/*.race.test.ts',
  'test/{contract/{contract,broken},redis/contract}.test.ts',
  'test/explorer/{tracker,mirror,scenarios}.test.ts',
  'test/hmm/hmm.test.ts',
  'test/soak/soak.test.ts',
  'test/tools/{docs,fence-types}.test.ts',
];
/** The longest, which start first: a core that has nothing left to do waits for the last file. */
const LONGEST = [
  'debug/contract',
  'explorer/tracker',
  'hmm/hmm.race',
  'contract/contract',
  'debug/hmm',
  'tools/docs',
  'hmm/hmm',
  'bench/demo',
  'contract/node',
  'explorer/mirror',
  'explorer/scenarios',
].map((name) => `/test/${name}.test.ts`);

/** Longest first, from a fresh checkout too, where vitest knows no more of a file than its size. */
class LongestFirst extends BaseSequencer {
  async sort(files) {
    const rank = ({ moduleId }) => {
      const place = LONGEST.findIndex((end) => moduleId.endsWith(end));
      return place < 0 ? LONGEST.length : place;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/** All files are in exactly one of them. Only `examples` is covered: `npm run test:unit`. The others: `npm run test:orders`. */
const PROJECTS = [
  // One process runs file after file: half a second less for each, since vitest and the library are loaded once.
  { name: 'examples', isolate: false, include: ALL, exclude: [...configDefaults.exclude, ...ALONE, ...ORDERS] },
  { name: 'orders', isolate: false, include: ORDERS },
  { name: 'alone', isolate: true, include: ALONE },
];

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    // Heap tests (`*.heap.test.ts`) call gc(), which exists only under this flag.
    execArgv: mutating ? [] : ['--expose-gc'],
    maxWorkers: 2,
    // Nothing here takes a second alone; the machine may have other work.
    testTimeout: 30_000,
    sequence: { sequencer: LongestFirst },
    ...(mutating
      ? { include: ALL, exclude: [...configDefaults.exclude, 'test/**/*.heap.test.ts'] }
      : { projects: PROJECTS.map((test) => ({ extends: true, test })) }),
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.ts'],
      exclude: [
        'lib/testing/contract/**', // a test suite that is shipped: what covers it is not tested by it
        'lib/{keyed/redis,redis/ioredis,redis/node-redis,redis/listeners}.ts', // tested with their clients, on real servers
      ],
      reporter: ['text'],
      thresholds: { statements: 95, branches: 94, functions: 95, lines: 95 },
    },
  },
});
