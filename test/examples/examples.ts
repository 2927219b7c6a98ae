/**
 * The programs of `examples/`, as two tests see them: examples.test.ts runs their text against `lib/`, and `npm run test:package`
 * runs the files with plain Node where the tarball is installed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';

/** A program. */
export interface Example {
  readonly name: string;
  readonly code: string;
}

/** The folder of the programs. */
export const folder: string = resolve(fileURLToPath(new URL('../../examples', import.meta.url)));

/** All programs, by name. */
export function examples(): Example[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.mjs'));
  return names.sort().map((name) => ({ name, code: readFileSync(join(folder, name), 'utf8') }));
}

/** Whether it asks a Redis server: such a program is run by `npm run test:redis-cache`, which starts one. */
export function needsRedis({ code }: Example): boolean {
  return /from 'ioredis';/.test(code);
}

/** Whether it starts threads, which load the package as it is installed: `npm run test:package` alone can run it. */
export function startsThreads({ code }: Example): boolean {
  return code.includes('new Worker(');
}

/** What the program prints if every `console.log(x); // => value` is right: the values, each as `console.log` shows it. */
export function expectedOutput({ code }: Example): string {
  const values = [...code.matchAll(/^.*console\.log\(.*\); \/\/ => (.*)$/gm)].map(([, text]) => text!);
  return values
    .map((text) => new Function(`return (${text})`)())
    .map((value) => `${typeof value === 'string' ? value : inspect(value)}\n`)
    .join('');
}
