/**
 * The tests of TanStack's query-core, from a checkout of their repository, with the fenced client in place of theirs.
 *
 * Their tests, and ours, import it from the index of the package: the tests get an index whose QueryClient is the fenced one, and
 * the fenced one gets theirs, which it extends. Nothing in the checkout is changed. See run.ts.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const checkout = process.env.TANSTACK_QUERY;
const isPlain = process.env.TANSTACK_QUERY_PLAIN !== undefined;
const source = join(checkout, 'packages/query-core/src');
const utils = join(checkout, 'packages/query-test-utils/src/index.ts');
const fenced = fileURLToPath(new URL('../../lib/query/tanstack/index.ts', import.meta.url));
const { resolve } = createRequire(import.meta.url);

/** What their modules export, with the fenced client for theirs. */
const FENCED = {
  '\0fenced-index': `export * from ${JSON.stringify(join(source, 'index.ts'))};
export { FencedQueryClient as QueryClient } from ${JSON.stringify(fenced)};`,
  '\0fenced-client': `export { FencedQueryClient as QueryClient } from ${JSON.stringify(fenced)};`,
};
const REPLACED = { '..': '\0fenced-index', '../index': '\0fenced-index', '../queryClient': '\0fenced-client' };

const plugin = {
  name: 'fenced-client',
  enforce: 'pre',
  resolveId(id, importer) {
    if (id in FENCED) return id;
    if (id === '@tanstack/query-core') return join(source, 'index.ts');
    if (id === '@tanstack/query-test-utils') return utils;
    if (!isPlain && importer?.includes('/query-core/src/__tests__/') && id in REPLACED) return REPLACED[id];
    // The checkout has no packages installed.
    if (id === 'vitest' && importer?.startsWith(checkout))
      return { id: resolve('vitest').replace(/index\.cjs$/, 'dist/index.js'), external: true };
    return undefined;
  },
  load: (id) => FENCED[id],
};

export default defineConfig({
  root: checkout,
  plugins: [plugin],
  server: { fs: { strict: false } },
  test: {
    dir: source,
    include: ['__tests__/**/*.test.ts?(x)'],
    environment: 'jsdom',
    restoreMocks: true,
    maxWorkers: 2,
    passWithNoTests: false,
  },
});
