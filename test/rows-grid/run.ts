/**
 * `npm run test:rows`: see vitest.config.mjs. Where there is no PostgreSQL or no browser, it says NOT RUN, and exits with 0.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { postgresFolder } from './postgres.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';

const missing = [
  ...(postgresFolder() === undefined
    ? ['no initdb and postgres in the path, at $POSTGRES_BIN or where Debian has them (postgresql)']
    : []),
  ...(existsSync(chromium) ? [] : [`no browser at ${chromium} (Debian: chromium; or set CHROMIUM)`]),
];
if (missing.length > 0) {
  console.error(`NOT RUN: test:rows, as there is ${missing.join(', and ')}`);
  process.exit(0);
}
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', 'test/rows-grid/vitest.config.mjs'], {
  ...{ cwd: ROOT, stdio: 'inherit' },
});
process.exit(status ?? 1);
