import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { typeErrors } from './fence-types.js';
import { extractFences, type Load, runFence } from './fences.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = (path: string) => readFileSync(join(root, path), 'utf8');

/** Examples import the package by its public names; they run against lib/, so that no build is needed. */
const entries = new Map<string, string>(
  Object.entries<string>(JSON.parse(text('package.json')).tsup.entry).map(([name, file]) => [
    name === 'index' ? 'rangefence' : `rangefence/${name.replace(/^query-/, 'query/')}`,
    join(root, file),
  ]),
);

const load: Load = (specifier) => import(/* @vite-ignore */ entries.get(specifier) ?? specifier);

const AsyncFunction = (async () => {}).constructor as new (body: string) => () => Promise<void>;

const docs = existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')) : [];
const fences = ['README.md', ...docs.map((name) => `docs/${name}`)].flatMap((path) => extractFences(path, text(path)));

describe('the examples of README and docs', () => {
  test('exist, in the README too', () => {
    expect(fences.some(({ path }) => path === 'README.md')).toBe(true);
  });

  test('run pasted into an .mjs where they are the README’s: they have no types', () => {
    for (const { path, line, code } of fences.filter((fence) => fence.path === 'README.md')) {
      const body = code.replace(/^import .*;$/gm, '');
      expect(() => new AsyncFunction(body), `${path}:${line}`).not.toThrow();
    }
  });

  test('have no type errors', { timeout: 30_000 }, () => {
    expect(typeErrors(root, fences, entries)).toEqual([]);
  });

  test.each(fences.map((fence) => [`${fence.path}:${fence.line}`, fence] as const))('run: %s', async (_, fence) => {
    await runFence(fence, load);
  });
});
