/**
 * Library: the package as it is shipped, built into a temporary folder. Figures are taken from this, not from the sources: the
 * loader that runs TypeScript here keeps the names of functions by a call for each closure, which the built package does not.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'tsup';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** What the package exports. */
export type Library = typeof import('../../lib/index.js');

/** Builds the package and imports it. */
export function loadLibrary(): Promise<Library> {
  return withBuild(false, (path) => import(pathToFileURL(path).href) as Promise<Library>);
}

/** The core as one minified module, tracker and tree. */
export function readBundle(): Promise<Buffer> {
  return withBuild(true, (path) => readFile(path));
}

async function withBuild<T>(minify: boolean, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'rangefence-figures-'));
  try {
    await build({
      ...{ config: false, silent: true, clean: false, dts: false, treeshake: true, minify },
      entry: { index: join(ROOT, 'lib/index.ts') },
      format: 'esm',
      target: 'es2022',
      outDir: folder,
      outExtension: () => ({ js: '.mjs' }), // the folder has no package.json that would say it is a module
    });
    return await use(join(folder, 'index.mjs'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
