/**
 * Queries over a file that is replaced every 40 ms, of the package that is installed where this lies: how many a second, and
 * whether each was of one version. Prints one line of JSON; fails if a query was not.
 */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFile } from 'rangefence/bytes';

const EVERY_MS = 40;
const LAST_MS = 3_000;
const PAGE = 4_096;
const PAGES = 4;

const folder = mkdtempSync(join(tmpdir(), 'rangefence-replaced-'));
const path = join(folder, 'data');
let version = 0;

/** Every byte is the version. */
function replace() {
  version = (version + 1) % 256;
  writeFileSync(`${path}.new`, new Uint8Array(PAGES * PAGE).fill(version));
  renameSync(`${path}.new`, path);
}

replace();
const source = openFile(path, { pageSize: PAGE, maxRunPages: 1 });
const writer = setInterval(replace, EVERY_MS);
const seen = new Set();
let queries = 0;
let torn = 0;
const started = performance.now();
while (performance.now() - started < LAST_MS) {
  const versions = await source.consistent(async (view) => {
    const found = new Set();
    for (let page = 0; page < PAGES; page += 3) {
      const bytes = await view.read(page * PAGE, PAGE);
      for (let at = 0; at < PAGE; at += 512) found.add(bytes[at]);
    }
    return [...found];
  });
  queries++;
  if (versions.length !== 1) torn++;
  seen.add(versions[0]);
  if (queries % 32 === 0) await new Promise((resolve) => setTimeout(resolve, 0)); // the writer's turn
}
const seconds = (performance.now() - started) / 1_000;
clearInterval(writer);
await source.close();
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ perSecond: Math.round(queries / seconds), versions: seen.size, torn }));
process.exitCode = torn === 0 ? 0 : 1;
