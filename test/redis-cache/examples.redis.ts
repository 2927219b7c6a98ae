/** The programs of `examples/` that need a Redis server, each as its readers run it: in processes of its own. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Example, examples, expectedOutput, needsRedis } from '../examples/examples.js';

const ROOT = resolve(fileURLToPath(new URL('../..', import.meta.url)));
/** Below the repository, where the packages are found that they import; ignored by git. */
const FOLDER = join(ROOT, 'reports/examples');
const { exports, tsup } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

beforeAll(() => mkdirSync(FOLDER, { recursive: true }));
afterAll(() => rmSync(FOLDER, { recursive: true }));

/** The same program on the sources, so that no build is needed. */
function onSources({ code }: Example): string {
  return code.replace(/from '(rangefence.*)';/g, (_, specifier: string) => {
    const built: string = exports[specifier.replace(/^rangefence/, '.')].import.default;
    const source: string = tsup.entry[built.replace(/^\.\/dist\/(.*)\.js$/, '$1')];
    return `from ${JSON.stringify(pathToFileURL(join(ROOT, source)).href)};`;
  });
}

test.each(examples().filter(needsRedis))('prints what it says: $name', async (example) => {
  const path = join(FOLDER, example.name);
  writeFileSync(path, onSources(example));
  const tsx = pathToFileURL(join(ROOT, 'node_modules/tsx/dist/loader.mjs')).href;
  const env = { ...process.env, REDIS_URL: `redis://127.0.0.1:${inject('redisPort')}` };
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', tsx, path], { cwd: FOLDER, env, timeout: 50_000 });
  expect(stdout).toBe(expectedOutput(example));
});
