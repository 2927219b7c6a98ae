/**
 * `npm run test:site`: builds the site, follows its links, and tries its first page in Chromium. What cannot be run here is said as
 * NOT RUN, and is a failure: what the site is built with is fetched once (`npm ci` in docs/), and a browser is needed.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));

async function run(...args: string[]): Promise<boolean> {
  const child = spawn('npx', args, { cwd: ROOT, stdio: 'inherit' });
  return (await new Promise((resolve) => child.on('close', resolve))) === 0;
}

/** Installs what the site is built with; false if that is not to be had. */
async function installed(): Promise<boolean> {
  if (existsSync(`${DOCS}/node_modules/vitepress`)) return true;
  try {
    await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund'], { cwd: DOCS });
    return true;
  } catch (error) {
    console.log(`NOT RUN: the site cannot be built, as npm ci fails in docs: ${String(error).split('\n')[0]}`);
    return false;
  }
}

async function main(): Promise<boolean> {
  if (!(await installed())) return false;
  const types = await run('tsc', '-p', 'docs/tsconfig.json');
  if (!(await run('tsx', 'docs/.vitepress/build.ts'))) return false;
  const browser = process.env.CHROMIUM ?? '/usr/bin/chromium';
  if (!existsSync(browser)) {
    console.log(`NOT RUN: no browser at ${browser}; install Debian's chromium, or set CHROMIUM to the path of one`);
    return false;
  }
  return (await run('vitest', 'run', '--config', 'test/site/vitest.config.mjs')) && types;
}

process.exitCode = (await main()) ? 0 : 1;
