/**
 * `npm run test:redis-cache`: fenced clients of a real Redis server, which is started for it.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/redis-cache/**/*.redis.ts'],
    globalSetup: ['test/redis-cache/server.ts'],
    maxWorkers: 1,
    testTimeout: 60_000,
  },
});
