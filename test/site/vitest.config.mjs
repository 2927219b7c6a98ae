/** The site in a real browser: `npm run test:site`, after it has been built. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: { include: ['test/site/*.browser.ts'], testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 1 },
});
