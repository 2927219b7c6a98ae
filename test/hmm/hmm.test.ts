import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Memory } from '../support/hmm/device.js';
import type { Variant } from '../support/hmm/tables.js';
import { CASES, type CaseName, expected, KERNEL, run, tableOfVariants } from '../support/hmm/variants.js';

const names = Object.keys(CASES) as CaseName[];

describe.each(['private', 'coherent'] satisfies Memory[])('with %s memory', (memory) => {
  describe.each(['retry', 'ban', 'lock'] satisfies Variant[])('of devices of the kind "%s"', (variant) => {
    test.each(names)('%s', { timeout: 20_000 }, async (name) => {
      expect(await run(name, variant, memory)).toBe(expected(name, variant, memory));
    });
  });
});

test('every case that is played here has a line in the list of the kernel, under its name', () => {
  const here = Object.entries(KERNEL).filter(([name, value]) => value === name);
  expect(here.map(([name]) => name).sort()).toEqual([...names].sort());
});

test('the table of the documentation is the one that is asserted here', () => {
  expect(readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')).toContain(tableOfVariants());
});
