import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Load, runFence } from '../tools/fences.js';
import { examples, expectedOutput, needsRedis, startsThreads } from './examples.js';

const MAX_LINES = 60;
/** What a program may import: Node's own, the package, and what `npm run test:package` puts beside it. */
const IMPORTS = /^(node:.+|rangefence(\/.+)?|lru-cache|@tanstack\/query-core|ioredis)$/;

const root = resolve(fileURLToPath(new URL('../..', import.meta.url)));
const { exports, tsup } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** From the public name of an entry to its source, so that no build is needed. */
const load: Load = (specifier) => {
  const built: string | undefined = exports[specifier.replace(/^rangefence/, '.')]?.import?.default;
  const entry = built === undefined ? undefined : tsup.entry[built.replace(/^\.\/dist\/(.*)\.js$/, '$1')];
  return import(/* @vite-ignore */ entry === undefined ? specifier : join(root, entry));
};

const programs = examples();
const alone = programs.filter((program) => !needsRedis(program) && !startsThreads(program));

describe('the programs of examples/', () => {
  test('are nine or more, and the README names each', () => {
    expect(programs.length).toBeGreaterThanOrEqual(9);
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    for (const { name } of programs) expect(readme).toContain(`examples/${name}`);
  });

  test.each(programs)('begin with what they show, are short, and import what is installed: $name', ({ code }) => {
    expect(code).toMatch(/^\/\/ [A-Z]/);
    expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(MAX_LINES);
    const imports = [...code.matchAll(/ from '(.*)';$/gm)].map(([, name]) => name!);
    expect(imports.filter((name) => !IMPORTS.test(name))).toEqual([]);
    expect(imports.some((name) => name.startsWith('rangefence'))).toBe(true);
  });

  test.each(alone)('print what they say: $name', async ({ name, code }) => {
    expect(await runFence({ path: `examples/${name}`, line: 1, code }, load)).toBeGreaterThan(0);
  });
});

test('the expected output is every value that is said to be logged, as it is logged', () => {
  const code = "console.log('a'); // => 'a'\nf(); // => 1\nconsole.log(b); // => [1, { c: 'd' }]\n";
  expect(expectedOutput({ name: 'x.mjs', code })).toBe("a\n[ 1, { c: 'd' } ]\n");
});
