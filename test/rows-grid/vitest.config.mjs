/**
 * `npm run test:rows`: an AG Grid in Chromium over a PostgreSQL that tells of its changes, plain and over a window of rows. Both are
 * started for it.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/rows-grid/*.rows.ts'],
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
