/**
 * `npm run test:redis-cache`: see vitest.config.mjs. Where there is no redis-server, it says NOT RUN, and exits with 0.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { redisServer } from './server.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

if (redisServer() === undefined) {
  console.error('NOT RUN: test:redis-cache, as there is no redis-server in the path or at $REDIS_SERVER (Debian: redis-server)');
  process.exit(0);
}
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', 'test/redis-cache/vitest.config.mjs'], {
  ...{ cwd: ROOT, stdio: 'inherit' },
});
process.exit(status ?? 1);
