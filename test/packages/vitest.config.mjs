/**
 * `npm run test:packages`: the adapters of rangefence/bytes under the packages that they are for, with files, servers and a
 * thousand queries at once. What is quick is in test/bytes/adapters.test.ts, and so in `npm test`.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/packages/**/*.packages.ts'],
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Figures are printed as they are, without where they come from in front of each.
    silent: false,
    disableConsoleIntercept: true,
  },
});
