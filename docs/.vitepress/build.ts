/**
 * `npm run site` builds the site into `docs/.vitepress/dist`, and looks at every link in it; `npm run site:dev` serves it, and shows what is
 * changed at once. What it is built with is installed first, into this folder alone, if it is not there.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { deadLinks } from './links.js';
import { DOCS } from './order.js';
import { makePages } from './pages.js';

const DIST: string = join(DOCS, '.vitepress/dist');

async function run(file: string, ...args: string[]): Promise<void> {
  const child = spawn(file, args, { cwd: DOCS, stdio: 'inherit' });
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`${[file, ...args].join(' ')} failed: ${code}`);
}

const vitepress = (...args: string[]) => run(process.execPath, join(DOCS, 'node_modules/vitepress/bin/vitepress.js'), ...args);

if (!existsSync(join(DOCS, 'node_modules/vitepress'))) await run('npm', 'ci', '--no-audit', '--no-fund');
await makePages();
if (process.argv.includes('--dev')) await vitepress('dev');
else {
  await vitepress('build');
  const { pages, links, dead } = await deadLinks(DIST);
  for (const link of dead) console.log(link);
  console.log(`site: ${pages} pages, ${links} links, ${dead.length} dead`);
  process.exitCode = dead.length === 0 ? 0 : 1;
}
