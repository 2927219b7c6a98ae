import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Variant } from '../support/hmm/tables.js';
import { CASES, type CaseName, FAILURES, run, tableOfVariants } from '../support/hmm/variants.js';

const names = Object.keys(CASES) as CaseName[];

describe.each(['retry', 'ban', 'lock'] satisfies Variant[])('with devices of the kind "%s"', (variant) => {
  test.each(names)('%s', { timeout: 20_000 }, async (name) => {
    expect(await run(name, variant)).toBe(FAILURES[variant][name] ?? 'passes');
  });
});

test('the table of the documentation is the one that is asserted here', () => {
  expect(readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')).toContain(tableOfVariants());
});
