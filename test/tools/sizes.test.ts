/** One figure stands in one place: the sizes in the README's table of entries are the limits that `npm run size` keeps. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = (path: string) => readFileSync(join(root, path), 'utf8');

interface Row {
  readonly path: string;
  readonly limit: string;
}

const { 'size-limit': rows, exports } = JSON.parse(text('package.json')) as {
  readonly 'size-limit': readonly Row[];
  readonly exports: Readonly<Record<string, string | { readonly import: { readonly default: string } }>>;
};

/** `rangefence/keyed` and its limit, of each entry that is built. */
const limits = new Map(
  Object.entries(exports).flatMap(([name, entry]) => {
    if (typeof entry === 'string') return [];
    const row = rows.find(({ path }) => `./${path}` === entry.import.default);
    return [[name.replace(/^\./, 'rangefence'), row?.limit] as const];
  }),
);

/** Of the table of entries: each name in the first cell, and what the second one says. `/rtk` continues the name before it. */
function said(): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text('README.md').split('\n')) {
    const [, names = '', size = ''] = /^\| (`rangefence[^|]*) \| ([^|]*) \|/.exec(line) ?? [];
    const all = [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    const sizes = size.split(',').map((one) => one.trim());
    for (const [i, name] of all.entries()) {
      const full = name.startsWith('/') ? all[0]!.replace(/\/[^/]*$/, name) : name;
      found.set(full, sizes[sizes.length === 1 ? 0 : i] ?? '');
    }
  }
  return found;
}

describe('the table of entries in the README', () => {
  test('has every entry, and no other', () => {
    expect([...said().keys()].sort()).toEqual([...limits.keys()].sort());
  });

  test('says the limit of each, as `npm run size` keeps it', () => {
    for (const [name, size] of said()) expect(`${size} kB`, name).toBe(limits.get(name));
  });
});
