/**
 * The second half of `npm run build`: takes out what the bundler leaves behind when it splits the entries. A chunk that has nothing but
 * types in it is an empty file, and the entries import it, and other chunks, for effects that no file of this package has
 * (`sideEffects: false`): bundlers warn about each, and a browser asks for each.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `import './chunk-X.js';`, and the same as a call of `require` without a use of its result, on a line of their own. */
const BARE = /^(?:import|require\()\s*['"]\.\/chunk-[^'"]+['"]\)?;\n/gm;

/** The text without imports for their effects. */
export function withoutBareImports(text: string): string {
  return text.replace(BARE, '');
}

/** Tidies a folder of built files; returns the names of the empty chunks that it has taken away. */
export function tidy(folder: string): string[] {
  const scripts = readdirSync(folder).filter((name) => /\.c?js$/.test(name));
  const texts = new Map(scripts.map((name) => [name, withoutBareImports(readFileSync(join(folder, name), 'utf8'))]));
  const empty = scripts.filter((name) => name.startsWith('chunk-') && isEmpty(texts.get(name)!));
  for (const [name, text] of texts) {
    const used = empty.find((chunk) => text.includes(`./${chunk}`));
    if (used !== undefined) throw new Error(`${name} takes something from ${used}, which is empty`);
    writeFileSync(join(folder, name), text);
  }
  for (const name of empty) rmSync(join(folder, name));
  return empty;
}

function isEmpty(text: string): boolean {
  return text.replace(/['"]use strict['"];?/, '').trim() === '';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const empty = tidy(fileURLToPath(new URL('../../dist', import.meta.url)));
  console.log(`dist: ${empty.length} empty chunks taken out`);
}
