/**
 * Files: where the committed results, the page and its charts are, and how they are written. All of them are made from the
 * results alone: equal results give equal files.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chartsOf } from './charts.js';
import { CHART_FOLDER, pageOf } from './page.js';
import { QUOTING, withQuotes } from './quotes.js';
import { formatResults, type Results } from './results.js';

/** The root of the repository. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));
/** Below {@link ROOT}. */
export const LATEST = 'bench/results/latest.json';

/** Writes the results to a file. */
export async function writeResults(path: string, results: Results): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, formatResults(results));
}

/** The page and its charts, by their paths below the root. */
export async function reportFiles(results: Results): Promise<Map<string, string>> {
  const charts = await chartsOf(results);
  const files = charts.map(({ file, svg }) => [join('docs', CHART_FOLDER, file), svg] as const);
  return new Map([['docs/benchmarks.md', pageOf(results, charts)], ...files]);
}

/** The pages that quote the results, by their paths below `root`, as they are to be. */
export async function quotingFiles(root: string, results: Results): Promise<Map<string, string>> {
  const paths = QUOTING.filter((path) => existsSync(join(root, path)));
  return new Map(
    await Promise.all(paths.map(async (path) => [path, withQuotes(await readFile(join(root, path), 'utf8'), results)] as const)),
  );
}

/** Writes {@link reportFiles} and {@link quotingFiles}, and removes charts that are no longer made. */
export async function writeReport(root: string, results: Results): Promise<void> {
  const files = await reportFiles(results);
  const folder = join('docs', CHART_FOLDER);
  await mkdir(join(root, folder), { recursive: true });
  for (const name of await readdir(join(root, folder))) {
    if (name.endsWith('.svg') && !files.has(join(folder, name))) await rm(join(root, folder, name));
  }
  for (const [path, text] of [...files, ...(await quotingFiles(root, results))]) await writeFile(join(root, path), text);
}
